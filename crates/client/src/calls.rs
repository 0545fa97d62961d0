//! What a program asks of the driver, on its way there.
//!
//! The ground that both stand on: it must know neither the handle nor the driver.

use chat_proto::{LogId, Subscribe};
use tokio::sync::oneshot;

use crate::answers::{SendError, Sent};
use crate::event::Refusal;
use crate::outbox::Destination;
use crate::request::{PendingRequest, Waiter, answer};

/// Anything but a send.
#[derive(Debug)]
pub(crate) enum Call {
    /// A request of the protocol.
    Request(PendingRequest),
    /// Follow a log; answered when the daemon has answered.
    Follow(Subscribe, Waiter<()>),
    /// Follow a log no more.
    Unfollow(LogId, Waiter<()>),
}

/// A message.
#[derive(Debug)]
pub(crate) struct SendCall {
    pub(crate) to: Destination,
    pub(crate) text: String,
    pub(crate) reply: oneshot::Sender<Result<Sent, SendError>>,
}

impl Call {
    pub(crate) fn refuse(self, refusal: Refusal) {
        match self {
            Self::Request(pending) => pending.reply_to.refuse(refusal),
            Self::Follow(_, waiter) | Self::Unfollow(_, waiter) => answer(waiter, Err(refusal)),
        }
    }
}
