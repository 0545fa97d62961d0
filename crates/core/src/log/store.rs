//! What the core asks of a store. The daemon implements it with SQLite, the simulator with a disk
//! that fails on purpose; one conformance suite holds both to it.

use chat_proto::{
    AccountId, Credential, Epoch, ErrorCode, LogId, MessageId, Nonce, RoomId, Seq, StreamId,
    Timestamp,
};

use crate::{AccountRow, BodyDigest, Event, OrderProgress, RoomRow, StoreSecret};

/// Answers questions about history as of the command before, the open transaction included.
/// It is the only input of [`crate::State::apply`] besides the command.
pub trait Lookup {
    /// Which room a stream belongs to, and how far it has been decided; `None` when it is new.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read.
    fn stream(
        &self,
        account: AccountId,
        stream: StreamId,
    ) -> Result<Option<BoundStream>, StoreError>;

    /// The largest `n` of a stream that has been decided; 0 when the stream is new.
    ///
    /// # Errors
    /// As [`Self::stream`].
    fn high_water(&self, account: AccountId, stream: StreamId) -> Result<u64, StoreError> {
        Ok(self.stream(account, stream)?.map_or(0, |mark| mark.high_water))
    }

    /// How a send was decided; `None` when retention has deleted it.
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

/// A log with transactions. The contract, in order:
///
/// * [`Store::append`] puts a record into the open transaction, opening one when there is none.
///   Lookups see it at once; nobody else does.
/// * [`Store::commit`] makes all of it durable, or fails. After it returned `Ok`, the records
///   survive the death of the process and of the machine.
/// * [`Store::begin_commit`] may leave that to be done beside the caller, who goes on with the next
///   transaction. Lookups see both; nobody else sees either. There is one under way at the most, and
///   its outcome is asked for before another is begun.
/// * After any error the caller calls [`Store::recover`] before anything else: the open transaction
///   is gone, as is the one under way, or that has become durable after all; the snapshot tells which.
pub trait Store: Lookup {
    /// Puts a record into the open transaction.
    ///
    /// # Errors
    /// [`StoreError`]; the transaction is then lost.
    fn append(&mut self, record: Record<'_>) -> Result<(), StoreError>;

    /// Makes the open transaction durable. Without one, there is nothing to lose; the store may do
    /// work of its own that it has put off. Whoever owns it calls each second.
    ///
    /// # Errors
    /// [`StoreError`]; whether the records are durable is then unknown until [`Store::recover`].
    fn commit(&mut self) -> Result<(), StoreError>;

    /// Begins to make the open transaction durable. The next records make up another one. A store
    /// that does nothing beside the caller makes it durable at once.
    ///
    /// # Errors
    /// As [`Store::commit`].
    fn begin_commit(&mut self) -> Result<Begun, StoreError> {
        self.commit().map(|()| Begun::Durable)
    }

    /// The outcome of the commit under way, which is told once; `None` while there is none yet.
    fn poll_commit(&mut self) -> Option<Result<(), StoreError>> {
        None
    }

    /// Waits for the outcome of the commit under way, which is told once. Without one, it is good.
    ///
    /// # Errors
    /// As [`Store::commit`]; the open transaction, which was built on it, is then lost too.
    fn finish_commit(&mut self) -> Result<(), StoreError> {
        Ok(())
    }

    /// Abandons the open transaction, reopens what needs it, proves with a durable write that the
    /// store takes writes again, and reads the hot state back.
    ///
    /// # Errors
    /// [`StoreError`] while the store does not take writes or cannot be read.
    fn recover(&mut self) -> Result<Snapshot, StoreError>;

    /// Abandons the open transaction and reads the hot state back, whether or not the store takes
    /// writes: after a failed commit reads must go on.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read.
    fn roll_back(&mut self) -> Result<Snapshot, StoreError>;
}

/// How far a commit that was begun has come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Begun {
    /// It is done.
    Durable,
    /// The outcome is still to come.
    UnderWay,
}

/// The beginning of the logs, or of a new life of them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Genesis {
    /// Their epoch.
    pub epoch: Epoch,
    /// The number of the rules that they go by.
    pub rules: u16,
    /// What ids and digests follow from: in every life that of the first.
    pub secret: StoreSecret,
}

/// One thing to make durable.
#[derive(Clone, Copy, Debug)]
pub enum Record<'a> {
    /// The logs begin.
    Genesis(Genesis),
    /// An event; a message carries its nonce, which becomes its stream's high-water mark.
    Event(&'a Event),
    /// A send that was refused for good: its nonce is used up.
    RefusedSend(RefusedSend),
    /// How far in the order the state is with all of the transaction: one row, which the last record of
    /// each transaction makes another.
    OrderProgress(&'a OrderProgress),
}

/// A send that was refused for good.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RefusedSend {
    /// The sender, whose stream the nonce is of.
    pub account: AccountId,
    /// Where it was to go: the first send of a stream binds it to its room, also when it is refused.
    pub room: RoomId,
    /// Which send.
    pub nonce: Nonce,
    /// What the sender is answered, each time it asks.
    pub code: ErrorCode,
    /// What it said, to tell a repetition from a reuse.
    pub digest: BodyDigest,
}

/// A stream with a send that was decided.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BoundStream {
    /// Where its first send was to go.
    pub room: RoomId,
    /// The largest `n` that has been decided.
    pub high_water: u64,
}

/// How a send was decided.
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
    /// It was refused for good.
    Refused {
        /// What the sender is answered, each time it asks.
        code: ErrorCode,
        /// What it said.
        digest: BodyDigest,
    },
}

/// The hot state, as committed.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Snapshot {
    /// The epoch of all logs; 0 when there is none yet, or when they may have lost their end, so that
    /// another one is to begin.
    pub epoch: Epoch,
    /// The number of the rules that they go by; 0 when they have not begun.
    pub rules: u16,
    /// What came with the first [`Genesis`]; `None` before it.
    pub secret: Option<StoreSecret>,
    /// How far in the order this is.
    pub progress: OrderProgress,
    /// The latest time of any event, which need not be the newest: a clock may have been ahead.
    pub last_ts: Timestamp,
    /// Every account.
    pub accounts: Vec<AccountRow>,
    /// What signs in to which account.
    pub credentials: Vec<(Credential, AccountId)>,
    /// Every room.
    pub rooms: Vec<RoomRow>,
    /// Who is a member where.
    pub members: Vec<(RoomId, AccountId)>,
}

/// Says that the store failed. Whoever waits for an answer gets
/// [`ErrorCode::Unavailable`]; the operator gets the cause.
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
