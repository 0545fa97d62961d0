//! The first two exchanges: the daemon proves who it is, then the client does.

use chat_proto::limits::{
    AGENT_BYTES_MAX, COMMANDS_IN_FLIGHT_MAX, FRAME_BYTES_MAX, LABEL_BYTES_MAX,
    QUERIES_IN_FLIGHT_MAX, TEXT_BYTES_MAX,
};
use chat_proto::{
    ChannelBinding, CloseReason, Credential, ErrorCode, FrameRef, Hello, Limits, LinkDevice,
    Nickname, SignIn, Welcome, Window, encode_frame, sign_in_transcript, welcome_transcript,
};

use super::{
    Admission, Closing, Phase, ReceivedRequest, Request, Session, SessionSeed, Step, body, proof,
};
use crate::{Action, DeviceLink, Refusal, Registration, ServerKey};

impl Session {
    pub(super) fn greet(
        &mut self,
        admission: &Admission,
        seed: SessionSeed,
        frame: &FrameRef<'_>,
    ) -> Result<Step, Closing> {
        let hello: Hello = body(frame)?;
        if hello.agent.len() > AGENT_BYTES_MAX {
            let message = format!("an agent has at most {AGENT_BYTES_MAX} bytes");
            return Err(Closing::protocol(ErrorCode::Malformed, message));
        }
        if !hello.versions.contains(&Hello::VERSION_SPOKEN) {
            return Err(version_not_spoken(&hello));
        }
        self.phase = Phase::AwaitsSignIn(Box::new(seed));
        let mut reply = Vec::new();
        encode_frame(&welcome(seed, &admission.identity, &hello), frame.request, &mut reply)
            .expect("a Welcome fits a frame");
        Ok(Step::Reply(reply))
    }

    pub(super) fn sign_in(
        &mut self,
        admission: &Admission,
        seed: SessionSeed,
        frame: &FrameRef<'_>,
    ) -> Result<Step, Closing> {
        let sign_in: SignIn = body(frame)?;
        let credential = self.prove(admission, &seed, &sign_in)?;
        let registration = admission.registration(self.way_in);
        self.phase = Phase::SigningIn(credential);
        Ok(Step::Request(ReceivedRequest {
            id: frame.request,
            window: Window::Commands,
            request: sign_in_action(credential, &sign_in, registration),
        }))
    }
}

impl Session {
    /// The credential of a sign-in, once it is proven on this channel.
    fn prove(
        &self,
        admission: &Admission,
        seed: &SessionSeed,
        sign_in: &SignIn,
    ) -> Result<Credential, Closing> {
        let server_key = admission.identity.public();
        let check = |binding: &[u8]| {
            let transcript = sign_in_transcript(&seed.challenge, &server_key, binding);
            proof::check(sign_in, &transcript, &admission.identity)
        };
        check(ChannelBinding::signed(seed.binding.as_ref())).map_err(|why| {
            // Whoever signs what fits no TLS has not come by it, but somebody between us has.
            match seed.binding.is_some() && check(&[]).is_ok() {
                true => another_channel(),
                false => as_unknown(why, admission.registration(self.way_in)),
            }
        })
    }

    /// A sign-in to the account of a link code.
    pub(super) fn link_device(
        &mut self,
        admission: &Admission,
        seed: SessionSeed,
        frame: &FrameRef<'_>,
    ) -> Result<Step, Closing> {
        let (sign_in, code, label) = body::<LinkDevice>(frame)?.into_parts();
        if label.len() > LABEL_BYTES_MAX {
            let message = format!("a label has at most {LABEL_BYTES_MAX} bytes");
            return Err(Closing::protocol(ErrorCode::Malformed, message));
        }
        let credential = self.prove(admission, &seed, &sign_in)?;
        self.phase = Phase::SigningIn(credential);
        let link = DeviceLink { credential, code: code.hash(), label };
        Ok(Step::Request(ReceivedRequest {
            id: frame.request,
            window: Window::Commands,
            request: Request::Command(Action::LinkDevice(Box::new(link))),
        }))
    }
}

fn sign_in_action(credential: Credential, sign_in: &SignIn, registration: Registration) -> Request {
    let name = Nickname::parse(&sign_in.name).map(|name| Box::new(name.into()));
    let name_is_firm = sign_in.name_is_firm;
    let invitation = sign_in.invitation.map(|code| Box::new(code.hash()));
    Request::Command(Action::SignIn { credential, name, name_is_firm, registration, invitation })
}

/// Where not everybody gets an account, who proves nothing is answered as whoever has none.
fn as_unknown(why: Closing, registration: Registration) -> Closing {
    match (why.code, registration) {
        (Some(ErrorCode::BadSignature), Registration::Invite | Registration::Closed) => {
            Closing::sign_in_refused(&Refusal::NotAdmitted { registration })
        }
        _ => why,
    }
}

fn welcome(seed: SessionSeed, identity: &ServerKey, hello: &Hello) -> Welcome {
    let SessionSeed { id, challenge, binding } = seed;
    let binding = ChannelBinding::signed(binding.as_ref());
    let transcript = welcome_transcript(&hello.random, &challenge, binding);
    Welcome {
        version: Hello::VERSION_SPOKEN,
        server_key: identity.public(),
        signature: identity.sign(&transcript),
        session: id,
        limits: LIMITS,
        challenge,
    }
}

const LIMITS: Limits = Limits {
    frame_bytes_max: FRAME_BYTES_MAX as u32,
    text_bytes_max: TEXT_BYTES_MAX as u32,
    commands_in_flight_max: COMMANDS_IN_FLIGHT_MAX as u32,
    queries_in_flight_max: QUERIES_IN_FLIGHT_MAX as u32,
};

fn version_not_spoken(hello: &Hello) -> Closing {
    let message = format!(
        "this server speaks version {} of the protocol; {:?} was offered. Update the older side",
        Hello::VERSION_SPOKEN,
        &*hello.versions
    );
    Closing::protocol(ErrorCode::VersionNotSpoken, message)
}

fn another_channel() -> Closing {
    let message = "something between us ends TLS: your signature is not that of this connection. Let \
                   whatever it is pass TCP through";
    Closing::because(CloseReason::SignInRefused, Some(ErrorCode::ChannelMismatch), message)
}
