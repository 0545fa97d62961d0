//! Signing in: which credential is taken, and which is refused how.

use chat_proto::{Body, Frame, List, SignIn};

use super::*;
use crate::conversation::introduction::{hello, signed_by};
use crate::conversation::keys::tests::key_of;
use crate::{Rate, Registration};

const CHALLENGE: [u8; 32] = [2; 32];

fn admission() -> Admission {
    let rate = Rate { per_second: 1000, burst: 1000 };
    Admission {
        identity: key_of([1; 32]),
        rate,
        at_network: Registration::Open,
        at_socket: Registration::Open,
    }
}

fn hear<B: Body>(session: &mut Session, body: &B) -> Result<Step, Closing> {
    let frame = Frame::of(body, RequestId(1)).unwrap();
    session.handle(&admission(), &frame.borrowed(), &mut TurnTokens::of(9))
}

/// What a session says to a sign-in.
fn signing_in(sign_in: &SignIn) -> (Session, Result<Step, Closing>) {
    let seed = SessionSeed { id: SessionId(1), challenge: CHALLENGE, binding: None };
    let mut session = Session::new(seed, WayIn::Network);
    hear(&mut session, &hello()).unwrap();
    let said = hear(&mut session, sign_in);
    (session, said)
}

fn proven() -> SignIn {
    signed_by(&key_of([7; 32]), &admission(), &CHALLENGE)
}

#[test]
fn a_proven_key_is_the_credential_of_the_session() {
    let (session, said) = signing_in(&proven());
    let Ok(Step::Request(ReceivedRequest { request, .. })) = said else { panic!("{said:?}") };
    let Request::Command(Action::SignIn { credential, .. }) = request else {
        panic!("{request:?}");
    };
    assert_eq!(credential, Credential::Key(key_of([7; 32]).public()));
    assert_eq!((session.in_flight(), session.account()), (1, None), "it is not granted yet");
}

#[test]
fn a_key_without_its_signature_is_refused() {
    let closing = signing_in(&SignIn { proof: List::first_of([0; 64]), ..proven() }).1.unwrap_err();
    assert_eq!(closing.code, Some(ErrorCode::BadSignature));
}

#[test]
fn a_token_is_proven_by_its_own_key_and_by_no_other_proof() {
    let key = key_of([9; 32]);
    let transcript =
        chat_proto::sign_in_transcript(&CHALLENGE, &admission().identity.public(), &[]);
    let good = SignIn::with_token(key.public(), key.sign(&transcript));
    assert!(signing_in(&good).1.is_ok());
    let other = key_of([8; 32]);
    let of_other = SignIn::with_token(other.public(), other.sign(&transcript));
    let replayed = SignIn::with_token(key.public(), key.sign(b"another challenge"));
    let wrong = [
        SignIn { proof: of_other.proof, ..good.clone() },
        replayed,
        SignIn { proof: List::first_of(good.proof.iter().copied().take(95)), ..good.clone() },
        SignIn { proof: List::default(), ..good.clone() },
    ];
    for sign_in in wrong {
        let closing = signing_in(&sign_in).1.unwrap_err();
        assert_eq!(closing.code, Some(ErrorCode::BadSignature), "{sign_in:?}");
    }
    for proof_kind in [1, 2] {
        let closing = signing_in(&SignIn { proof_kind, ..good.clone() }).1.unwrap_err();
        assert_eq!(closing.code, Some(ErrorCode::Unsupported), "{proof_kind}");
    }
}

#[test]
fn a_credential_that_is_not_known_yet_is_refused_as_such() {
    for credential_kind in [0, 5, u16::MAX] {
        let closing = signing_in(&SignIn { credential_kind, ..proven() }).1.unwrap_err();
        assert_eq!(closing.reason, CloseReason::SignInRefused, "{credential_kind}");
        assert_eq!(closing.code, Some(ErrorCode::Unsupported), "{credential_kind}");
    }
}

/// How a sign-in is refused where registration stands so.
fn refused(registration: Registration, proof: [u8; 64]) -> Closing {
    let admission = Admission { at_network: registration, ..admission() };
    let seed = SessionSeed { id: SessionId(1), challenge: CHALLENGE, binding: None };
    let mut session = Session::new(seed, WayIn::Network);
    hear(&mut session, &hello()).unwrap();
    let sign_in = SignIn { proof: List::first_of(proof), ..proven() };
    let frame = Frame::of(&sign_in, RequestId(1)).unwrap();
    session.handle(&admission, &frame.borrowed(), &mut TurnTokens::of(9)).unwrap_err()
}

#[test]
fn where_registration_is_not_open_a_wrong_key_is_answered_as_an_unknown_account() {
    for registration in [Registration::Invite, Registration::Closed] {
        let unknown = Closing::sign_in_refused(&Refusal::NotAdmitted { registration });
        assert_eq!(refused(registration, [0; 64]).frame(), unknown.frame());
        assert_eq!(refused(registration, [0; 64]).code, Some(ErrorCode::NotAdmitted));
    }
    assert_eq!(refused(Registration::Open, [0; 64]).code, Some(ErrorCode::BadSignature));
}

#[test]
fn how_registration_stands_is_of_the_way_in() {
    let at_network = Registration::Closed;
    let admission = Admission { at_network, ..admission() };
    for (way_in, expected) in
        [(WayIn::Network, Registration::Closed), (WayIn::Socket, Registration::Open)]
    {
        let seed = SessionSeed { id: SessionId(1), challenge: CHALLENGE, binding: None };
        let mut session = Session::new(seed, way_in);
        hear(&mut session, &hello()).unwrap();
        let frame = Frame::of(&proven(), RequestId(1)).unwrap();
        let step = session.handle(&admission, &frame.borrowed(), &mut TurnTokens::of(9));
        let Ok(Step::Request(ReceivedRequest { request, .. })) = step else { panic!("{step:?}") };
        let Request::Command(Action::SignIn { registration, .. }) = request else {
            panic!("{request:?}");
        };
        assert_eq!(registration, expected, "{way_in:?}");
    }
}
