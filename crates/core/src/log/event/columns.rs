//! What kinds of events have in common: the columns of their rows, and whose logs they stand in.
//!
//! It must not know which kind has what: the table of kinds does.

use chat_proto::{AccountId, Credential, EventSeq, InvitationId, MessageId, RoomId, Timestamp};

/// What a row says behind its kind. Kinds share the columns; each leaves most of them empty.
#[derive(Clone, Copy, Debug, Default)]
pub struct Columns<'a> {
    /// Who did it, or whom it is about.
    pub account: Option<AccountId>,
    /// Who did it, where `account` says whom it is about.
    pub by: Option<AccountId>,
    /// In an account's log: where.
    pub room: Option<RoomId>,
    /// A name, or a message's text.
    pub words: Option<&'a str>,
    /// A figure: which one says the kind.
    pub number: Option<u64>,
    /// In an account's log: what signs in to it.
    pub credential: Option<Credential>,
    /// What only a message has.
    pub message: Option<MessageColumns>,
    /// What only an invitation has.
    pub invitation: Option<InvitationColumns>,
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

/// What only what happens to an invitation has.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct InvitationColumns {
    /// Which one.
    pub id: InvitationId,
    /// How many accounts may be made with it, and before when: only where it is made.
    pub terms: Option<(u32, Timestamp)>,
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
    /// The server's own.
    Server,
}

impl MissingColumn {
    pub(super) fn named(column: &'static str) -> Self {
        Self(column)
    }
}

impl<'a> Columns<'a> {
    pub(super) fn account(&self) -> Result<AccountId, MissingColumn> {
        self.account.ok_or(MissingColumn("account"))
    }

    pub(super) fn room(&self) -> Result<RoomId, MissingColumn> {
        self.room.ok_or(MissingColumn("room"))
    }

    pub(super) fn words(&self) -> Result<&'a str, MissingColumn> {
        self.words.ok_or(MissingColumn("name or text"))
    }

    pub(super) fn by(&self) -> Result<AccountId, MissingColumn> {
        self.by.ok_or(MissingColumn("done_by"))
    }

    pub(super) fn flag(&self) -> Result<bool, MissingColumn> {
        self.number().map(|number| number != 0)
    }

    pub(super) fn number(&self) -> Result<u64, MissingColumn> {
        self.number.ok_or(MissingColumn("number"))
    }

    pub(super) fn seconds(&self) -> Result<u32, MissingColumn> {
        self.number()?.try_into().map_err(|_too_large| MissingColumn("number of seconds"))
    }

    /// Why something was done. No reason has no column.
    pub(super) fn reason(&self) -> String {
        self.words.unwrap_or_default().to_owned()
    }

    pub(super) fn role(&self) -> Result<u16, MissingColumn> {
        self.number()?.try_into().map_err(|_too_large| MissingColumn("role"))
    }

    pub(super) fn credential(&self) -> Result<Credential, MissingColumn> {
        self.credential.ok_or(MissingColumn("credential"))
    }

    pub(super) fn invitation(&self) -> Result<InvitationColumns, MissingColumn> {
        self.invitation.ok_or(MissingColumn("invitation"))
    }

    pub(super) fn message(&self) -> Result<MessageColumns, MissingColumn> {
        self.message.ok_or(MissingColumn("message_id"))
    }
}
