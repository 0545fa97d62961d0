//! An event as a row: what a store keeps of it, and all that its frame is made of.
//!
//! It must not know which kind has what: the table of kinds does.

use chat_proto::{AccountId, EventSeq, LogId, MessageId, RoomId, Seq, Timestamp};

use super::EventKind;

/// A row of a log.
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

/// What a row says behind its kind. Kinds share the columns; each leaves most of them empty.
#[derive(Clone, Copy, Debug, Default)]
pub struct Columns<'a> {
    /// Who did it, or whom it is about.
    pub account: Option<AccountId>,
    /// In an account's log: where.
    pub room: Option<RoomId>,
    /// A name, or a message's text.
    pub words: Option<&'a str>,
    /// What only a message has.
    pub message: Option<MessageColumns>,
}

/// What only a message has, and everyone sees.
#[derive(Clone, Copy, Debug)]
pub struct MessageColumns {
    /// Its id.
    pub id: MessageId,
    /// The number of its [`chat_proto::TextKind`].
    pub text_kind: u16,
    /// The event of the same room that it answers.
    pub reply_to: Option<EventSeq>,
}

/// Says which column a row lacks, without which there is no frame of its kind.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("its column {0} is empty")]
pub struct MissingColumn(&'static str);

/// Whose log it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LogOwner {
    /// A room's.
    Room,
    /// An account's own.
    Account,
}

impl<'a> EventRow<'a> {
    /// The account whose log it is, when it is one.
    pub(super) fn own_account(&self) -> AccountId {
        debug_assert_eq!(self.kind.owner(), LogOwner::Account, "{self:?}");
        AccountId(self.log.0)
    }

    /// The room whose log it is, when it is one.
    pub(super) fn own_room(&self) -> RoomId {
        debug_assert_eq!(self.kind.owner(), LogOwner::Room, "{self:?}");
        RoomId(self.log.0)
    }

    pub(super) fn account(&self) -> Result<AccountId, MissingColumn> {
        self.columns.account.ok_or(MissingColumn("account"))
    }

    pub(super) fn room(&self) -> Result<RoomId, MissingColumn> {
        self.columns.room.ok_or(MissingColumn("room"))
    }

    pub(super) fn words(&self) -> Result<&'a str, MissingColumn> {
        self.columns.words.ok_or(MissingColumn("name or text"))
    }

    pub(super) fn message(&self) -> Result<MessageColumns, MissingColumn> {
        self.columns.message.ok_or(MissingColumn("message_id"))
    }
}
