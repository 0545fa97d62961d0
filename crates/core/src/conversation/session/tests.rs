//! Signing in: which credential is taken, and which is refused how.

use chat_proto::{Body, Frame, List, SignIn};

use super::*;
use crate::conversation::introduction::{hello, signed_by};
use crate::conversation::keys::tests::key_of;

const CHALLENGE: [u8; 32] = [2; 32];

fn admission() -> Admission {
    let rate = Rate { per_second: 1000, burst: 1000 };
    Admission { identity: key_of([1; 32]), rate }
}

fn hear<B: Body>(session: &mut Session, body: &B) -> Result<Step, Closing> {
    let frame = Frame::of(body, RequestId(1)).unwrap();
    session.handle(&admission(), &frame.borrowed(), &mut TurnTokens::of(9))
}

/// What a session says to a sign-in.
fn signing_in(sign_in: &SignIn) -> (Session, Result<Step, Closing>) {
    let seed = SessionSeed { id: SessionId(1), challenge: CHALLENGE };
    let mut session = Session::new(seed);
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
fn a_credential_that_is_not_known_yet_is_refused_as_such() {
    for credential_kind in [0, 2, 5, u16::MAX] {
        let closing = signing_in(&SignIn { credential_kind, ..proven() }).1.unwrap_err();
        assert_eq!(closing.reason, CloseReason::SignInRefused, "{credential_kind}");
        assert_eq!(closing.code, Some(ErrorCode::Unsupported), "{credential_kind}");
    }
}
