//! What can be wrong with a history.

use chat_proto::{Epoch, ErrorCode, LogId, Nonce, Seq};

use super::{Reader, Sender};

/// A promise that was broken.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Violation {
    /// G2: a log of the store has a hole or a repetition.
    #[error("the store's log {log} has seq {found} where {expected} belongs (epoch {epoch})")]
    NotGapless {
        /// In which epoch.
        epoch: Epoch,
        /// Which log.
        log: LogId,
        /// The seq that belongs there.
        expected: Seq,
        /// The seq that stands there.
        found: Seq,
    },
    /// Time goes back along a log.
    #[error("time goes back at seq {seq} of log {log} (epoch {epoch})")]
    TimeGoesBack {
        /// In which epoch.
        epoch: Epoch,
        /// Which log.
        log: LogId,
        /// Where.
        seq: Seq,
    },
    /// G3: a send is in the store twice.
    #[error("{nonce:?} is in the store twice, last at seq {seq} of log {log} (epoch {epoch})")]
    PostedTwice {
        /// In which epoch.
        epoch: Epoch,
        /// Which send.
        nonce: Nonce,
        /// The second log.
        log: LogId,
        /// The second place.
        seq: Seq,
    },
    /// G3: a stream has messages in two rooms.
    #[error(
        "the stream of {nonce:?}, which stands at seq {seq} of log {log}, is log {bound}'s (epoch {epoch})"
    )]
    StreamInTwoRooms {
        /// In which epoch.
        epoch: Epoch,
        /// A send of it in another room.
        nonce: Nonce,
        /// Which room.
        log: LogId,
        /// Where.
        seq: Seq,
        /// The room of an earlier one.
        bound: LogId,
    },
    /// The store has a message that nobody sent so.
    #[error("seq {seq} of log {log} was not sent so by anybody: {nonce:?} (epoch {epoch})")]
    NotInvoked {
        /// In which epoch.
        epoch: Epoch,
        /// What its nonce is.
        nonce: Option<Nonce>,
        /// Which log.
        log: LogId,
        /// Where.
        seq: Seq,
    },
    /// G1: an ack is not in the store, or not as it says.
    #[error(
        "{nonce:?} was acked at seq {seq} of log {log}, but the store disagrees (epoch {epoch})"
    )]
    AckNotInStore {
        /// In which epoch.
        epoch: Epoch,
        /// Which send.
        nonce: Nonce,
        /// The log that the ack names.
        log: LogId,
        /// The place that the ack names.
        seq: Seq,
    },
    /// An answer to a send that nobody made.
    #[error("{nonce:?} was answered but never sent")]
    AnsweredNotInvoked {
        /// Which send.
        nonce: Nonce,
    },
    /// G3: a send was refused for good and is in the store.
    #[error("{nonce:?} was refused ({code:?}) but is in the store (epoch {epoch})")]
    RefusedButPosted {
        /// In which epoch.
        epoch: Epoch,
        /// Which send.
        nonce: Nonce,
        /// The refusal.
        code: ErrorCode,
    },
    /// G3: a client that never used a nonce twice was told that it had.
    #[error("{nonce:?} was called reused, but its sender never used it for anything else")]
    CalledReused {
        /// Which send.
        nonce: Nonce,
    },
    /// G2: a send that began after another one's ack stands before it.
    #[error("seq {seq} of log {log} was sent after a later seq had been acked (epoch {epoch})")]
    RealTimeOrder {
        /// In which epoch.
        epoch: Epoch,
        /// Which log.
        log: LogId,
        /// The place of the one that was sent later.
        seq: Seq,
    },
    /// G2: what one client sent is not in the order in which it sent it.
    #[error(
        "{sender:?} sent {nonce:?} before what stands before it at seq {seq} of log {log} (epoch {epoch})"
    )]
    SenderOrder {
        /// In which epoch.
        epoch: Epoch,
        /// Who.
        sender: Sender,
        /// Which send.
        nonce: Nonce,
        /// Which log.
        log: LogId,
        /// Where it stands.
        seq: Seq,
    },
    /// G2, G4: a reader was given an event out of turn.
    #[error("{reader:?} of log {log} was given seq {found} instead of {expected}")]
    OutOfTurn {
        /// Who.
        reader: Reader,
        /// Of which log.
        log: LogId,
        /// What should have come.
        expected: Seq,
        /// What came.
        found: Seq,
    },
    /// G1: a reader was given an event that the store does not have.
    #[error(
        "{reader:?} was given another seq {seq} of log {log} than the store has (epoch {epoch})"
    )]
    NotAsStored {
        /// Who.
        reader: Reader,
        /// In which epoch.
        epoch: Epoch,
        /// Of which log.
        log: LogId,
        /// Which.
        seq: Seq,
    },
    /// G1: something was shown before it was committed.
    #[error("seq {seq} of log {log} was shown before it was committed (epoch {epoch})")]
    ShownBeforeCommit {
        /// In which epoch.
        epoch: Epoch,
        /// Of which log.
        log: LogId,
        /// Which.
        seq: Seq,
    },
    /// G4: a reader went on in another life of the log as if it were the same.
    #[error("{reader:?} went on in epoch {epoch} with a position of epoch {of}")]
    EpochIgnored {
        /// Who.
        reader: Reader,
        /// The epoch of its position.
        of: Epoch,
        /// The epoch in force.
        epoch: Epoch,
    },
    /// G4: a reader was sent away although its position is good.
    #[error("{reader:?} got a Reset at seq {seq} of epoch {epoch}, which goes on")]
    NeedlessReset {
        /// Who.
        reader: Reader,
        /// The epoch in force, and of its position.
        epoch: Epoch,
        /// Its position.
        seq: Seq,
    },
    /// G8: a send never got its answer.
    #[error("{nonce:?} of {sender:?} was never answered")]
    Unanswered {
        /// Whose.
        sender: Sender,
        /// Which send.
        nonce: Nonce,
    },
    /// G6: a reader never got what is there.
    #[error("{reader:?} of log {log} stands at {at} of epoch {epoch}, but the head is {head}")]
    LeftBehind {
        /// Who.
        reader: Reader,
        /// Of which log.
        log: LogId,
        /// The epoch of its position.
        epoch: Epoch,
        /// Its position.
        at: Seq,
        /// The head.
        head: Seq,
    },
}
