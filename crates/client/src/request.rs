//! One request with whoever waits for its reply.
//!
//! Owns the way back: what a reply must be to be believed, and who gets it. Every request of the
//! protocol goes this one way, whatever its type. It must not know when requests go out.

use std::fmt;
use std::time::Duration;

use chat_proto::{
    Frame, FrameError, History, ReplyBody, Request, RequestId, RoomName, Subscribe, Window,
    WireError,
};
use tokio::sync::oneshot;
use tokio::time::Instant;

use crate::answers::HistoryPage;
use crate::event::Refusal;

/// Somebody who waits for an answer of the driver.
pub(crate) type Waiter<T> = oneshot::Sender<Result<T, Refusal>>;

/// Answers somebody. Whose deadline has passed wants no answer any more.
pub(crate) fn answer<T>(waiter: Waiter<T>, answer: Result<T, Refusal>) {
    drop(waiter.send(answer));
}

/// A request that has no reply yet.
#[derive(Debug)]
pub(crate) struct PendingRequest {
    /// The request id in it is given when it goes out.
    frame: Frame,
    window: Window,
    pub(crate) reply_to: ReplyTo,
    asked_at: Instant,
}

/// Who wants the reply.
#[derive(Debug)]
pub(crate) enum ReplyTo {
    /// A caller of the client.
    Caller(Box<dyn Caller>),
    /// A caller who wants a page of history, which may wait for names first.
    History(History, Waiter<HistoryPage>),
    /// A cursor.
    Subscribe(Subscribe),
    /// A cursor that is to be closed.
    Unsubscribe,
    /// The names of accounts.
    Names,
    /// A message that knows only the name of its room.
    Destination(RoomName),
    /// The watch over the daemon's signs of life.
    Alive,
}

/// A reply, and how long it took.
#[derive(Debug)]
pub(crate) struct Timed<T> {
    pub(crate) reply: T,
    pub(crate) took: Duration,
}

/// A caller who waits for the reply to a request of some type.
pub(crate) trait Caller: fmt::Debug + Send {
    /// Nobody wants the reply any more.
    fn is_gone(&self) -> bool;
    /// Gives the reply that a frame brings. One that does not fit is a refusal to the caller.
    fn reply(self: Box<Self>, frame: &Frame, took: Duration) -> Result<(), UnfitReply>;
    fn refuse(self: Box<Self>, refusal: Refusal);
}

/// Why a frame is not the reply to a request.
#[derive(Debug, thiserror::Error)]
pub(crate) enum UnfitReply {
    #[error("the server's answer does not fit the request")]
    OtherRequest,
    #[error(transparent)]
    Wire(#[from] WireError),
}

impl From<&UnfitReply> for Refusal {
    fn from(unfit: &UnfitReply) -> Self {
        Self::local(unfit.to_string())
    }
}

impl PendingRequest {
    /// A request whose reply the driver itself understands.
    ///
    /// # Errors
    /// [`FrameError`] when it is too long for a frame: no daemon would take it.
    pub(crate) fn new<R: Request>(request: &R, reply_to: ReplyTo) -> Result<Self, FrameError> {
        let frame = Frame::of(request, RequestId(0))?;
        Ok(Self { frame, window: R::WINDOW, reply_to, asked_at: Instant::now() })
    }

    /// A request of a caller.
    ///
    /// # Errors
    /// As of [`Self::new`].
    pub(crate) fn of_caller<R: Request>(
        request: R,
        waiter: Waiter<Timed<R::Reply>>,
    ) -> Result<Self, FrameError> {
        let frame = Frame::of(&request, RequestId(0))?;
        let reply_to = ReplyTo::Caller(Box::new(TypedCaller { request, waiter }));
        Ok(Self { frame, window: R::WINDOW, reply_to, asked_at: Instant::now() })
    }

    /// The request as it goes out now.
    pub(crate) fn frame(&mut self, id: RequestId) -> &Frame {
        self.asked_at = Instant::now();
        self.frame.request = id;
        &self.frame
    }

    /// Whether the daemon counts it among the queries, of which few may be in flight.
    pub(crate) fn is_query(&self) -> bool {
        self.window == Window::Queries
    }

    /// How long ago it went out.
    pub(crate) fn age(&self) -> Duration {
        self.asked_at.elapsed()
    }
}

impl ReplyTo {
    /// Whether a caller waits, who does not care over which connection the reply comes.
    pub(crate) fn is_caller(&self) -> bool {
        matches!(self, Self::Caller(_) | Self::History(..))
    }

    /// Whether a caller waited, and does no more.
    pub(crate) fn is_gone(&self) -> bool {
        match self {
            Self::Caller(caller) => caller.is_gone(),
            Self::History(_, waiter) => waiter.is_closed(),
            Self::Subscribe(_)
            | Self::Unsubscribe
            | Self::Names
            | Self::Destination(_)
            | Self::Alive => false,
        }
    }

    /// Tells a caller that there is no reply.
    pub(crate) fn refuse(self, refusal: Refusal) {
        match self {
            Self::Caller(caller) => caller.refuse(refusal),
            Self::History(_, waiter) => answer(waiter, Err(refusal)),
            Self::Subscribe(_)
            | Self::Unsubscribe
            | Self::Names
            | Self::Destination(_)
            | Self::Alive => {}
        }
    }
}

#[derive(Debug)]
struct TypedCaller<R: Request> {
    request: R,
    waiter: Waiter<Timed<R::Reply>>,
}

impl<R: Request> Caller for TypedCaller<R> {
    fn is_gone(&self) -> bool {
        self.waiter.is_closed()
    }

    fn reply(self: Box<Self>, frame: &Frame, took: Duration) -> Result<(), UnfitReply> {
        let read = read_reply(&self.request, frame);
        let (reply, unfit) = match read {
            Ok(reply) => (Ok(Timed { reply, took }), Ok(())),
            Err(unfit) => (Err(Refusal::from(&unfit)), Err(unfit)),
        };
        answer(self.waiter, reply);
        unfit
    }

    fn refuse(self: Box<Self>, refusal: Refusal) {
        answer(self.waiter, Err(refusal));
    }
}

/// Reads the reply to this very request.
pub(crate) fn read_reply<R: Request>(request: &R, frame: &Frame) -> Result<R::Reply, UnfitReply> {
    let reply = read_body(frame)?;
    if request.is_answered_by(&reply) { Ok(reply) } else { Err(UnfitReply::OtherRequest) }
}

/// Reads a reply of one type.
pub(crate) fn read_body<B: ReplyBody>(frame: &Frame) -> Result<B, UnfitReply> {
    Ok(B::read(frame).ok_or(UnfitReply::OtherRequest)??)
}
