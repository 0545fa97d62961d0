//! What the state asks of a store: what earlier sends have led to, and when a log was written last.
//!
//! It must not know what is decided by the answers, nor how they become durable.

use chat_proto::{AccountId, LogId, MessageId, Nonce, RoomId, Seq, StreamId, Timestamp};

use crate::BodyDigest;

/// Answers questions about history as of the command before, the open transaction included.
/// It is the only input of [`crate::State::apply`] besides the command.
pub trait Lookup {
    /// Which room a stream belongs to, and how far it has been posted; `None` when nothing of it was.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read.
    fn stream(
        &self,
        account: AccountId,
        stream: StreamId,
    ) -> Result<Option<BoundStream>, StoreError>;

    /// The largest `n` of a stream that was posted; 0 when nothing of it was.
    ///
    /// # Errors
    /// As [`Self::stream`].
    fn high_water(&self, account: AccountId, stream: StreamId) -> Result<u64, StoreError> {
        Ok(self.stream(account, stream)?.map_or(0, |mark| mark.high_water))
    }

    /// What a send has led to; `None` when it has led to nothing.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read.
    fn past_send(&self, account: AccountId, nonce: Nonce) -> Result<Option<PastSend>, StoreError>;

    /// The time of a log's newest event; 0 when there is none, or retention has deleted it.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read.
    fn newest_ts(&self, log: LogId) -> Result<Timestamp, StoreError>;
}

/// A stream with a send that was posted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BoundStream {
    /// Where.
    pub room: RoomId,
    /// The largest `n` that was posted: each before it is decided. One that led to no event was refused.
    pub high_water: u64,
}

/// What a send has led to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum PastSend {
    /// It is in a log.
    Posted {
        /// The room whose log that is.
        room: RoomId,
        /// Its place.
        seq: Seq,
        /// The time of its event, which its ack tells.
        ts: Timestamp,
        /// Its id.
        id: MessageId,
        /// What it said.
        digest: BodyDigest,
    },
    /// It was in a log, and retention has deleted it.
    Deleted,
}

/// Says that the store failed. Whoever waits for an answer gets
/// [`chat_proto::ErrorCode::Unavailable`]; the operator gets the cause.
#[derive(Debug, thiserror::Error)]
#[error("the store failed while it {doing}: {cause}")]
pub struct StoreError {
    /// What it was doing, as in "committed 12 events".
    pub doing: &'static str,
    /// Why it failed.
    pub cause: Box<dyn std::error::Error + Send + Sync>,
}

impl StoreError {
    /// An error with its cause.
    pub fn new(
        doing: &'static str,
        cause: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        Self { doing, cause: cause.into() }
    }
}
