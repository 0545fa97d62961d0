//! A signed-in conversation: what a client may say when, and how much of it at once.
//!
//! Independent of the transport: frames come in, steps come out. It checks what one connection
//! alone can check (handshake, signatures, shape, windows) and says what each request costs; whether
//! one is *allowed* is the state's business.

mod admission;
mod cost;
mod handshake;
mod moderation;
mod proof;
mod request;

#[cfg(test)]
pub(crate) use request::action;

use chat_proto::limits::{COMMANDS_IN_FLIGHT_MAX, QUERIES_IN_FLIGHT_MAX};
use chat_proto::{
    AccountId, Announced, ChannelBinding, Close, CloseReason, Credential, CredentialId, ErrorCode,
    FrameRef, InvitationCode, Kind, QueryRequest, RequestId, SessionId, Window, WireError,
    encode_frame,
};

use crate::{Action, Refusal, TurnTokens};
pub use admission::{Admission, WayIn};

/// What a new session needs of chance and of its channel, from whoever makes it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SessionSeed {
    /// Its number in the log.
    pub id: SessionId,
    /// What the client is to sign; never used twice.
    pub challenge: [u8; 32],
    /// What both are to sign of the channel, where it is TLS.
    pub binding: Option<ChannelBinding>,
}

/// One conversation.
#[derive(Debug)]
pub struct Session {
    phase: Phase,
    way_in: WayIn,
    commands_in_flight: u16,
    queries_in_flight: u16,
}

/// The code of the invitation that is being made: it is told with its reply, and kept nowhere.
#[derive(Debug)]
struct DrawnCode {
    request: RequestId,
    code: InvitationCode,
}

#[derive(Debug)]
enum Phase {
    /// In a box: it would make every session larger for the time of its handshake.
    AwaitsHello(Box<SessionSeed>),
    AwaitsSignIn(Box<SessionSeed>),
    /// The sign-in is with the sequencer: nothing is read until it is answered.
    SigningIn(Credential),
    Ready(AccountId, CredentialId, Option<Box<DrawnCode>>),
}

/// What a frame leads to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Step {
    /// Write this frame.
    Reply(Vec<u8>),
    /// Put this in order with everybody else's.
    Request(ReceivedRequest),
    /// The peer lives; there is nothing to do.
    Nothing,
}

/// A request on its way to the sequencer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ReceivedRequest {
    /// Comes back in the reply.
    pub id: RequestId,
    /// Which window it takes a place in.
    pub window: Window,
    /// What is asked for.
    pub request: Request,
}

/// What is asked for, and by whom.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Request {
    /// Something that may change the state.
    Command(Action),
    /// Something that is answered from the committed state, of a signed-in account.
    Query(AccountId, QueryRequest),
}

/// Why a connection is closed.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{message}")]
pub struct Closing {
    /// The number that tells the client whether to come back.
    pub reason: CloseReason,
    /// What led to it.
    pub code: Option<ErrorCode>,
    /// A sentence for a person.
    pub message: String,
    /// Not to come again before so many milliseconds have passed; 0: as the peer likes.
    pub wait_ms: u64,
}

impl Session {
    /// A session whose peer has said nothing yet.
    #[must_use]
    pub fn new(seed: SessionSeed, way_in: WayIn) -> Self {
        Self {
            phase: Phase::AwaitsHello(Box::new(seed)),
            way_in,
            commands_in_flight: 0,
            queries_in_flight: 0,
        }
    }

    /// Takes the next frame, and of `tokens` what it costs.
    ///
    /// # Errors
    /// [`Closing`]: write its frame and close the connection.
    pub fn handle(
        &mut self,
        admission: &Admission,
        frame: &FrameRef<'_>,
        tokens: &mut TurnTokens,
    ) -> Result<Step, Closing> {
        let kind = self.expect(Announced::from(frame))?;
        if frame.request == RequestId(0) && kind != Kind::ProbeReply {
            return Err(Closing::protocol(
                ErrorCode::Malformed,
                "a request has an id other than 0",
            ));
        }
        match (&self.phase, kind) {
            (Phase::AwaitsHello(seed), Kind::Hello) => self.greet(admission, **seed, frame),
            (Phase::AwaitsSignIn(seed), Kind::SignIn) => self.sign_in(admission, **seed, frame),
            (Phase::AwaitsSignIn(seed), Kind::LinkDevice) => {
                self.link_device(admission, **seed, frame)
            }
            (&Phase::Ready(account, credential, _), _) => {
                let step = self.read(admission, (account, credential), kind, frame)?;
                self.count(&step);
                tokens.take(cost::of(&step, frame.body.len()));
                Ok(step)
            }
            _ => Err(Closing::out_of_turn(kind)),
        }
    }

    /// Judges a frame by its header, of which the body may not be there yet: a peer is not waited
    /// for, nor are its bytes kept, for what is refused when it is whole.
    ///
    /// # Errors
    /// [`Closing`]: write its frame and close the connection.
    pub fn expect(&self, announced: Announced) -> Result<Kind, Closing> {
        let Announced { kind, version, body_bytes } = announced;
        let kind = Kind::from_number(kind).ok_or_else(|| Closing::unknown_kind(kind, version))?;
        let comes_now = match &self.phase {
            Phase::AwaitsHello(_) => kind == Kind::Hello,
            Phase::AwaitsSignIn(_) => matches!(kind, Kind::SignIn | Kind::LinkDevice),
            Phase::SigningIn(_) => false,
            Phase::Ready(..) => !matches!(kind, Kind::Hello | Kind::SignIn | Kind::LinkDevice),
        };
        match kind.request_bytes_max().filter(|_| comes_now) {
            None => Err(Closing::out_of_turn(kind)),
            Some(max) if body_bytes > max => Err(Closing::too_long(kind, body_bytes, max)),
            Some(_) => Ok(kind),
        }
    }

    /// Whether the next frame may be read now; if not, reading waits for a reply to leave.
    #[must_use]
    pub fn has_room(&self) -> bool {
        !self.is_signing_in()
            && usize::from(self.commands_in_flight) < COMMANDS_IN_FLIGHT_MAX
            && usize::from(self.queries_in_flight) < QUERIES_IN_FLIGHT_MAX
    }

    /// Replies are on their way.
    pub fn answered(&mut self, window: Window, replies: u32) {
        let in_flight = self.window(window);
        *in_flight = in_flight.saturating_sub(u16::try_from(replies).unwrap_or(u16::MAX));
    }

    /// The code of the invitation that a request has made, or was refused: it is not kept any longer.
    pub(crate) fn take_code(&mut self, request: RequestId) -> Option<InvitationCode> {
        let Phase::Ready(_, _, drawn) = &mut self.phase else { return None };
        drawn.take_if(|drawn| drawn.request == request).map(|drawn| drawn.code)
    }

    /// How many requests wait for their reply.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        let asked = self.commands_in_flight + self.queries_in_flight;
        usize::from(asked) + usize::from(self.is_signing_in())
    }

    /// The sign-in was granted.
    pub fn signed_in(&mut self, account: AccountId) {
        if let Phase::SigningIn(credential) = self.phase {
            self.phase = Phase::Ready(account, credential.id(), None);
        }
    }

    fn is_signing_in(&self) -> bool {
        matches!(self.phase, Phase::SigningIn(_))
    }

    /// Who the peer is, once it has signed in.
    #[must_use]
    pub fn account(&self) -> Option<AccountId> {
        match self.phase {
            Phase::Ready(account, ..) => Some(account),
            Phase::AwaitsHello(_) | Phase::AwaitsSignIn(_) | Phase::SigningIn(_) => None,
        }
    }

    /// What the peer has signed in with.
    #[must_use]
    pub fn credential(&self) -> Option<CredentialId> {
        match self.phase {
            Phase::Ready(_account, credential, _) => Some(credential),
            Phase::AwaitsHello(_) | Phase::AwaitsSignIn(_) | Phase::SigningIn(_) => None,
        }
    }

    fn count(&mut self, step: &Step) {
        match step {
            Step::Request(received) => *self.window(received.window) += 1,
            Step::Reply(_) | Step::Nothing => {}
        }
    }

    fn window(&mut self, window: Window) -> &mut u16 {
        match window {
            Window::Commands => &mut self.commands_in_flight,
            Window::Queries => &mut self.queries_in_flight,
        }
    }
}

impl Closing {
    /// The frame that says so.
    #[must_use]
    pub fn frame(&self) -> Vec<u8> {
        let mut frame = Vec::new();
        encode_frame(&self.to_close(), RequestId(0), &mut frame).expect("a sentence fits a frame");
        frame
    }

    /// The body that the peer sees.
    pub(crate) fn to_close(&self) -> Close {
        let close = Close::new(self.reason, &*self.message).to_wait(self.wait_ms);
        match self.code {
            Some(code) => close.because_of(code),
            None => close,
        }
    }

    /// A connection is closed, and the peer may come again when it likes, if at all.
    #[must_use]
    pub fn because(
        reason: CloseReason,
        code: Option<ErrorCode>,
        message: impl Into<String>,
    ) -> Self {
        Self { reason, code, message: message.into(), wait_ms: 0 }
    }

    /// The peer broke the protocol.
    #[must_use]
    pub fn protocol(code: ErrorCode, message: impl Into<String>) -> Self {
        Self::because(CloseReason::ProtocolError, Some(code), message)
    }

    /// A sign-in is refused: there is nothing else that the peer could ask.
    #[must_use]
    pub(crate) fn sign_in_refused(why: &Refusal) -> Self {
        let may_come_again = why.code().may_be_retried();
        let (reason, wait_ms) = match (why, may_come_again) {
            (Refusal::RateLimited { wait_ms }, _) => (CloseReason::Full, *wait_ms),
            (_, true) => (CloseReason::Internal, 0),
            (_, false) => (CloseReason::SignInRefused, 0),
        };
        Self { reason, code: Some(why.code()), message: why.to_string(), wait_ms }
    }

    /// The body is of a version that is not spoken, or not what its kind says.
    fn unreadable(frame: &FrameRef<'_>, cause: &WireError) -> Self {
        match cause {
            WireError::OtherStruct { .. } => Self::unknown_kind(frame.kind, frame.version),
            WireError::Malformed { .. }
            | WireError::Trailing { .. }
            | WireError::Unwritable { .. } => {
                Self::protocol(ErrorCode::Malformed, cause.to_string())
            }
        }
    }

    fn unknown_kind(kind: u16, version: u8) -> Self {
        let message =
            format!("kind {kind:#06x} in body version {version} is not one that this server knows");
        Self::protocol(ErrorCode::UnknownKind, message)
    }

    fn too_long(kind: Kind, body_bytes: usize, max: usize) -> Self {
        let message =
            format!("the body of a {kind:?} has at most {max} bytes; {body_bytes} were announced");
        Self::protocol(ErrorCode::FrameTooLong, message)
    }

    fn out_of_turn(kind: Kind) -> Self {
        let message = format!("a {kind:?} does not come at this point of the conversation");
        Self::protocol(ErrorCode::OutOfTurn, message)
    }
}

/// Reads a body of the one version that is spoken.
fn body<B: chat_proto::Body>(frame: &FrameRef<'_>) -> Result<B, Closing> {
    frame.decode().map_err(|cause| Closing::unreadable(frame, &cause))
}

#[cfg(test)]
mod tests;
