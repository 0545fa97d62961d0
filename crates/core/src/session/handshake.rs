//! The first two exchanges: the daemon proves who it is, then the client does.

use chat_proto::limits::{
    AGENT_BYTES_MAX, COMMANDS_IN_FLIGHT_MAX, FRAME_BYTES_MAX, QUERIES_IN_FLIGHT_MAX, TEXT_BYTES_MAX,
};
use chat_proto::{
    CloseReason, ErrorCode, FrameRef, Hello, Limits, SignIn, Welcome, Window, encode_frame,
    sign_in_transcript, welcome_transcript,
};

use super::{Admission, Closing, Phase, ReceivedRequest, Session, Step, body, sign_in_action};
use crate::ServerKey;
use crate::keys::is_signed_by;

/// There is no channel to bind to over plaintext.
const NO_BINDING: &[u8] = &[];

impl Session {
    pub(super) fn greet(
        &mut self,
        admission: &Admission,
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
        self.phase = Phase::AwaitsSignIn;
        let mut reply = Vec::new();
        encode_frame(&self.welcome(&admission.identity, &hello), frame.request, &mut reply)
            .expect("a Welcome fits a frame");
        Ok(Step::Reply(reply))
    }

    fn welcome(&self, identity: &ServerKey, hello: &Hello) -> Welcome {
        let challenge = self.seed.challenge;
        let transcript = welcome_transcript(&hello.random, &challenge, NO_BINDING);
        Welcome {
            version: Hello::VERSION_SPOKEN,
            server_key: identity.public(),
            signature: identity.sign(&transcript),
            session: self.seed.id,
            limits: LIMITS,
            challenge,
        }
    }

    pub(super) fn sign_in(
        &mut self,
        admission: &Admission,
        frame: &FrameRef<'_>,
    ) -> Result<Step, Closing> {
        let sign_in: SignIn = body(frame)?;
        let server_key = admission.identity.public();
        let transcript = sign_in_transcript(&self.seed.challenge, &server_key, NO_BINDING);
        if !is_signed_by(&sign_in.key, &transcript, &sign_in.signature) {
            return Err(bad_signature());
        }
        self.phase = Phase::SigningIn;
        Ok(Step::Request(ReceivedRequest {
            id: frame.request,
            window: Window::Commands,
            request: sign_in_action(sign_in.key, &sign_in.name, sign_in.name_is_firm),
        }))
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

fn bad_signature() -> Closing {
    Closing {
        reason: CloseReason::SignInRefused,
        code: Some(ErrorCode::BadSignature),
        message: "the signature does not fit the key, the challenge and this server".to_owned(),
    }
}
