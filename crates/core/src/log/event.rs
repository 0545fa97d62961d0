//! An event: one entry of a log, its row, and its frame.

mod columns;
mod kinds;
mod state_change;
mod table;

use chat_proto::{AccountId, LogId, RoomId, Seq, Timestamp};

pub use columns::{Columns, InvitationColumns, LogOwner, MessageColumns, MissingColumn};
pub use kinds::{Content, EventKind};
pub use state_change::{AccountSetting, RoomSetting, StateChange};

/// One entry of a log.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Event {
    /// Which log.
    pub log: LogId,
    /// Its place there.
    pub seq: Seq,
    /// The time that the order gave it; in a log it never goes back.
    pub ts: Timestamp,
    /// What happened.
    pub content: Content,
}

/// An event as a row: what a store keeps of it, and all that its frame is made of.
#[derive(Clone, Copy, Debug)]
pub struct EventRow<'a> {
    /// Which log.
    pub log: LogId,
    /// Its place there.
    pub seq: Seq,
    /// The time that the order gave it; in a log it never goes back.
    pub ts: Timestamp,
    /// What sort of thing happened.
    pub kind: EventKind,
    /// What happened.
    pub columns: Columns<'a>,
}

impl Event {
    /// What a store keeps of it, and what its frame is made of.
    #[must_use]
    pub fn row(&self) -> EventRow<'_> {
        let Self { log, seq, ts, ref content } = *self;
        EventRow { log, seq, ts, kind: content.kind(), columns: content.columns(log) }
    }

    /// Appends the event's frame: the same bytes for every receiver.
    pub fn encode(&self, out: &mut Vec<u8>) {
        self.row().encode(out).expect("the row of an event has the columns of its kind");
    }
}

impl EventRow<'_> {
    /// The account whose log it is, when it is one.
    fn own_account(&self) -> AccountId {
        debug_assert_eq!(self.kind.owner(), LogOwner::Account, "{self:?}");
        AccountId(self.log.0)
    }

    /// The room whose log it is, when it is one.
    fn own_room(&self) -> RoomId {
        debug_assert_eq!(self.kind.owner(), LogOwner::Room, "{self:?}");
        RoomId(self.log.0)
    }
}

/// Consecutive events of one log as one run of frames.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Batch {
    /// The seq before the first event.
    pub after: Seq,
    /// The seq of the last event.
    pub head: Seq,
    /// Their frames, one after the other.
    pub frames: Vec<u8>,
    /// Whether there is something else in it than who came and went (see [`crate::WakePace`]).
    pub is_urgent: bool,
}

impl Batch {
    /// An empty batch that continues a log after `after`.
    #[must_use]
    pub fn after(after: Seq) -> Self {
        Self::with_capacity(after, 0)
    }

    /// The same, with room for so many bytes of frames.
    #[must_use]
    pub fn with_capacity(after: Seq, bytes: usize) -> Self {
        Self { after, head: after, frames: Vec::with_capacity(bytes), is_urgent: false }
    }

    /// Appends the next event.
    ///
    /// # Panics
    /// When `event` is not the next one of the log: a gap here would be a gap for everyone.
    pub fn push(&mut self, event: &Event) {
        assert_eq!(event.seq, self.head.next(), "log {} continues without a gap", event.log);
        event.encode(&mut self.frames);
        self.head = event.seq;
        self.is_urgent |= !matches!(event.content, Content::Joined { .. } | Content::Left { .. });
    }
}

#[cfg(test)]
mod tests;
