//! What is made durable: the records of a transaction.
//!
//! It must not know who decided them, nor where they are kept.

use chat_proto::{AccountId, Epoch, ErrorCode, Nonce, RoomId};

use crate::{BodyDigest, Event, OrderProgress, StoreSecret};

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
