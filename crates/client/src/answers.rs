//! What a caller gets: answers, and why there is none.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use chat_proto::{Ack, Epoch, Gap, MessageId, Nonce, RoomId, Seq};
use tokio::sync::oneshot;

use crate::event::{Message, Refusal};

/// How long a request waits for its answer, connecting included.
pub const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);

/// A page of a room's messages.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HistoryPage {
    /// The room.
    pub room: RoomId,
    /// The life of its log.
    pub epoch: Epoch,
    /// The head of the log that the page was read at.
    pub as_of: Seq,
    /// Rising in seq.
    pub messages: Vec<Message>,
    /// Whether there are older ones before the first.
    pub more: bool,
    /// What the server could not read between the messages and above them, falling in seq.
    pub gaps: Vec<Gap>,
}

impl HistoryPage {
    /// The first seq that the page tells of: the page before it ends there.
    #[must_use]
    pub fn oldest(&self) -> Option<Seq> {
        let first = self.messages.first().map(|message| message.seq);
        first.into_iter().chain(self.gaps.iter().map(|gap| gap.from)).min()
    }
}

/// A message that was taken into the outbox.
#[derive(Debug)]
pub struct Sent {
    /// Which send.
    pub nonce: Nonce,
    /// The id that the message will have.
    pub id: MessageId,
    /// What becomes of it. Need not be waited for.
    pub answer: AckFuture,
}

/// Waits for what becomes of a send.
#[derive(Debug)]
pub struct AckFuture {
    pub(crate) answer: oneshot::Receiver<Result<Ack, Refusal>>,
    pub(crate) left: Arc<AtomicBool>,
}

/// Why there is no ack.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum NoAck {
    /// Refused for good.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The client has ended, and nothing had left: it was not posted by this client.
    #[error("the message was not sent")]
    NotSent,
    /// The client has ended, and no answer had come: it may have been posted or not.
    #[error("the message was sent, but no answer came; it may have been posted or not")]
    OutcomeUnknown,
}

/// Why a request has no answer.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum RequestError {
    /// The daemon refused.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// There was no connection all the while.
    #[error("there is no connection to the server")]
    NotConnected,
    /// No answer came in time.
    #[error("the server did not answer in {} s", REQUEST_TIMEOUT.as_secs())]
    TimedOut,
    /// The client has ended.
    #[error("the client has ended")]
    Ended,
}

/// Why a message was not taken.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum SendError {
    /// No daemon would take it.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// It could not be written down, so it could be lost.
    #[error("the message could not be written to the outbox: {0}")]
    Outbox(String),
    /// The client has ended.
    #[error("the client has ended")]
    Ended,
}

impl AckFuture {
    /// Whether the message has left at least once: without an answer its outcome is unknown then.
    #[must_use]
    pub fn has_left(&self) -> bool {
        self.left.load(Ordering::Relaxed)
    }
}

impl Future for AckFuture {
    type Output = Result<Ack, NoAck>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.answer).poll(context).map(|answer| match answer {
            Ok(Ok(ack)) => Ok(ack),
            Ok(Err(refusal)) => Err(NoAck::Refused(refusal)),
            Err(_dropped) if self.has_left() => Err(NoAck::OutcomeUnknown),
            Err(_dropped) => Err(NoAck::NotSent),
        })
    }
}
