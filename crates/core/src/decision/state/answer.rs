//! What a command leads to: its events, and what the asker is told.
//!
//! It must not know how that was decided.

use chat_proto::{AccountId, InvitationId, MessageId, RoomId, Seq, Timestamp};

use crate::{Event, Genesis, Refusal};

/// What a command leads to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Decision {
    /// What is to be committed, in order.
    pub events: Vec<Event>,
    /// The logs begin, before the events.
    pub genesis: Option<Genesis>,
    /// A send was at its turn, and is refused for good. Nothing is to be committed of it. Whoever tells the
    /// sender so keeps the send from being posted as long as a copy of it may come, and lets the next of
    /// its stream be the next.
    pub uses_nonce_up: bool,
    /// What the asker is told after the commit.
    pub answer: Result<Answer, Refusal>,
}

/// What the asker is told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Answer {
    /// It is done.
    Done,
    /// This is who you are.
    SignedIn(AccountId),
    /// This is the room.
    Room(RoomId),
    /// The invitation is open.
    Invitation {
        /// Its id.
        id: InvitationId,
        /// It is good before this time.
        expires: Timestamp,
    },
    /// The message is in the log.
    Posted {
        /// Which room.
        room: RoomId,
        /// Its place.
        seq: Seq,
        /// The time of its event.
        ts: Timestamp,
        /// Its id.
        id: MessageId,
    },
}

impl Decision {
    /// Nothing is to be committed.
    pub(super) fn refused(refusal: Refusal) -> Self {
        Self { events: Vec::new(), genesis: None, uses_nonce_up: false, answer: Err(refusal) }
    }
}
