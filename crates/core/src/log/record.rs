//! What is made durable: the records of a transaction.
//!
//! It must not know who decided them, nor where they are kept.

use chat_proto::Epoch;

use crate::{Event, OrderProgress, StoreSecret};

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
    /// How far in the order the state is with all of the transaction: one row, which the last record of
    /// each transaction makes another.
    OrderProgress(&'a OrderProgress),
}
