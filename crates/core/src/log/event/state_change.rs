//! What an event comes to: the changes that there are in the state and in the tables of a store.
//!
//! It must not know which kind of event makes which change: the table of kinds does.

use chat_proto::{
    AccountId, Credential, InvitationHash, InvitationId, LinkCodeHash, Nickname, Role, RoomId,
    RoomName, Timestamp,
};

use crate::{BotScope, NameKeys, Named, SanctionKind};

/// What an event changes in the hot state, and in the tables of a store that follow from the events.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum StateChange<'a> {
    /// Nothing but the head and the time of its log.
    Nothing,
    /// The account of the log is there.
    AccountBegins {
        /// What signs in to it.
        credential: &'a Credential,
        /// Its nickname.
        name: &'a Named<Nickname>,
    },
    /// The account of the log is a program's.
    BotBegins {
        /// What its token is for.
        scope: BotScope,
    },
    /// Another credential signs in to the account of the log, and its link code was used.
    CredentialAdded {
        /// Which one.
        credential: &'a Credential,
        /// What the device calls itself.
        label: &'a str,
    },
    /// A credential signs in to the account of the log no more.
    CredentialRemoved {
        /// Which one.
        credential: &'a Credential,
    },
    /// The account of the log has another link code.
    LinkOpened {
        /// What names it.
        code: LinkCodeHash,
    },
    /// The account of the log has another nickname.
    AccountRenamed {
        /// The nickname from now on.
        name: &'a Named<Nickname>,
    },
    /// Whoever runs the server has set something of the account of the log.
    AccountSet(AccountSetting<'a>),
    /// The room of the log is there.
    RoomBegins {
        /// Who made it, and owns it; `None`: the daemon.
        by: Option<AccountId>,
        /// Its name.
        name: &'a Named<RoomName>,
        /// Whether it stays also when nobody is in it and nothing was said.
        is_permanent: bool,
    },
    /// Something was said in the room of the log: it stays.
    MessagePosted {
        /// Who said it.
        from: AccountId,
    },
    /// The room of the log is gone, and so is its log.
    RoomRemoved,
    /// Somebody is a member of the room of the log.
    MemberJoined {
        /// The new member.
        account: AccountId,
    },
    /// Somebody is no member of it any more.
    MemberLeft {
        /// The account whose membership ended.
        account: AccountId,
    },
    /// A member of the room of the log has another role.
    RoleSet {
        /// Whose it is.
        account: AccountId,
        /// The role from now on.
        role: Role,
    },
    /// The room of the log is another.
    RoomSet(RoomSetting<'a>),
    /// The room of the log is there: a conversation of two.
    DirectBegins {
        /// Who is in it, and nobody else ever.
        between: [AccountId; 2],
    },
    /// An invitation is open, and those that have expired before it are not.
    InvitationBegins {
        /// Of its code.
        hash: &'a InvitationHash,
        /// Who has made it; 0: the operator.
        by: AccountId,
        /// How many accounts may be made with it.
        uses: u32,
        /// It is good before this time.
        expires: Timestamp,
        /// The rooms that it leads into, rising.
        rooms: &'a [RoomId],
        /// For whom it is; may be empty.
        name: &'a str,
    },
    /// An account was made with an invitation; with the last it ends.
    InvitationUsed {
        /// Which one.
        id: InvitationId,
    },
    /// An invitation is open no more.
    InvitationEnds {
        /// Which one.
        id: InvitationId,
    },
    /// An account is kept out of the room of the log, and no member of it any more.
    Banned {
        /// Which one.
        account: AccountId,
        /// Who did it.
        by: AccountId,
        /// When it ends; 0: not by itself.
        until: Timestamp,
        /// Why, as it was typed.
        reason: &'a str,
        /// Whether it was a member.
        was_member: bool,
    },
    /// An account says nothing in the room of the log.
    Muted {
        /// Which one.
        account: AccountId,
        /// Who did it.
        by: AccountId,
        /// When it ends; 0: not by itself.
        until: Timestamp,
        /// Why, as it was typed.
        reason: &'a str,
    },
    /// An account is kept from something in the room of the log no longer.
    SanctionLifted {
        /// From what.
        kind: SanctionKind,
        /// Which one.
        account: AccountId,
    },
    /// What an account has said in the room of the log is taken away.
    MessagesRemoved {
        /// Which one.
        account: AccountId,
        /// From this time on; 0: all.
        since: Timestamp,
    },
    /// How fast members of the room of the log may speak.
    SlowSet {
        /// How long each waits behind a message; 0: not at all.
        seconds: u32,
    },
}

/// What whoever runs the server sets of an account.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AccountSetting<'a> {
    /// Why nobody signs in to it; `None`: its owner does.
    Disabled(Option<&'a str>),
    /// Whether it is an administrator.
    Administrator(bool),
}

/// What can be set of a room.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RoomSetting<'a> {
    /// Who knows of it.
    Access {
        /// Whether only its members, and who is invited, do.
        is_private: bool,
    },
    /// Who may join it.
    Invitation {
        /// Who is invited.
        account: AccountId,
        /// Whether it is, or no more.
        is_set: bool,
    },
    /// What it is about.
    Topic(&'a str),
    /// Who may post in it.
    ReadOnly {
        /// Whether only its moderators and owners may.
        is_read_only: bool,
    },
}

impl<'a> StateChange<'a> {
    /// The keys of the name that it gives to somebody.
    pub(super) fn name_keys(self) -> Option<&'a NameKeys> {
        match self {
            Self::AccountBegins { name, .. } | Self::AccountRenamed { name } => Some(&name.keys),
            Self::RoomBegins { name, .. } => Some(&name.keys),
            Self::Nothing
            | Self::AccountSet(_)
            | Self::BotBegins { .. }
            | Self::CredentialAdded { .. }
            | Self::CredentialRemoved { .. }
            | Self::LinkOpened { .. }
            | Self::MessagePosted { .. }
            | Self::RoomRemoved
            | Self::MemberJoined { .. }
            | Self::MemberLeft { .. }
            | Self::RoleSet { .. }
            | Self::Banned { .. }
            | Self::Muted { .. }
            | Self::SanctionLifted { .. }
            | Self::SlowSet { .. }
            | Self::MessagesRemoved { .. }
            | Self::RoomSet(_)
            | Self::DirectBegins { .. }
            | Self::InvitationBegins { .. }
            | Self::InvitationUsed { .. }
            | Self::InvitationEnds { .. } => None,
        }
    }
}
