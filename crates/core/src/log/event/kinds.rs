//! The table of kinds: everything about each kind of event, once. How it is read says `table.rs`.
//!
//! It must not know who decides that something happens, and where rows and frames go.

use chat_proto::{
    AccountCreated, AccountId, AccountRenamed, Credential, CredentialAdded, CredentialRemoved,
    Joined, Left, LinkCodeHash, LinkOpened, LogId, MessageId, Nickname, Nonce, PostedRef,
    RequestId, Role, RoleSet, RoomCreated, RoomId, RoomJoined, RoomLeft, RoomName, RoomRemoved,
    TextBody, TextRef, Written, encode_frame,
};

use super::EventRow;
use super::columns::{Columns, LogOwner, MessageColumns, MissingColumn};
use super::table::event_kinds;
use crate::{BodyDigest, NameKeys, Named};

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
    MessagePosted,
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
}

event_kinds! {
    /// An account's first event.
    AccountCreated = "account_created" of Account {
        /// Its first credential.
        credential: Credential,
        /// Its first nickname.
        name: Named<Nickname>,
    }
    row(log) Columns {
        account: Some(AccountId(log.0)),
        words: Some(name.name.as_str()),
        credential: Some(*credential),
        ..Columns::default()
    };
    frame(row) AccountCreated {
        account: row.own_account(),
        seq: row.seq,
        ts: row.ts,
        name: row.columns.words()?.to_owned(),
    };
    change StateChange::AccountBegins { credential, name };

    /// In an account's log: another nickname.
    AccountRenamed = "account_renamed" of Account {
        /// The nickname from now on.
        name: Named<Nickname>,
    }
    row(log) Columns {
        account: Some(AccountId(log.0)),
        words: Some(name.name.as_str()),
        ..Columns::default()
    };
    frame(row) AccountRenamed {
        account: row.own_account(),
        seq: row.seq,
        ts: row.ts,
        name: row.columns.words()?.to_owned(),
    };
    change StateChange::AccountRenamed { name };

    /// In an account's log: another credential signs in to it.
    CredentialAdded = "credential_added" of Account {
        /// Which one.
        credential: Credential,
        /// What the device calls itself.
        label: String,
    }
    row(log) Columns {
        account: Some(AccountId(log.0)),
        words: Some(label),
        credential: Some(*credential),
        ..Columns::default()
    };
    frame(row) CredentialAdded {
        account: row.own_account(),
        seq: row.seq,
        ts: row.ts,
        credential: row.columns.credential()?.id(),
        // A device need not call itself anything.
        label: row.columns.words.unwrap_or_default().to_owned(),
    };
    change StateChange::CredentialAdded { credential, label };

    /// In an account's log: a credential signs in to it no more.
    CredentialRemoved = "credential_removed" of Account {
        /// Which one.
        credential: Credential,
    }
    row(log) Columns {
        account: Some(AccountId(log.0)),
        credential: Some(*credential),
        ..Columns::default()
    };
    frame(row) CredentialRemoved {
        account: row.own_account(),
        seq: row.seq,
        ts: row.ts,
        credential: row.columns.credential()?.id(),
    };
    change StateChange::CredentialRemoved { credential };

    /// In an account's log: one device more may sign in to it, with a code.
    LinkOpened = "link_opened" of Account {
        /// What names the code: it is in no frame.
        code: LinkCodeHash,
    }
    row(log) Columns { account: Some(AccountId(log.0)), ..Columns::default() };
    frame(row) LinkOpened { account: row.own_account(), seq: row.seq, ts: row.ts };
    change StateChange::LinkOpened { code: *code };

    /// In an account's log: it became a member of a room.
    RoomJoined = "room_joined" of Account {
        /// The room of the membership.
        room: RoomId,
    }
    row(log) Columns {
        account: Some(AccountId(log.0)),
        room: Some(*room),
        ..Columns::default()
    };
    frame(row) RoomJoined {
        account: row.own_account(),
        seq: row.seq,
        ts: row.ts,
        room: row.columns.room()?,
    };
    // The event in the room's log does.
    change StateChange::Nothing;

    /// In an account's log: its membership of a room ended.
    RoomLeft = "room_left" of Account {
        /// The room of the membership.
        room: RoomId,
    }
    row(log) Columns {
        account: Some(AccountId(log.0)),
        room: Some(*room),
        ..Columns::default()
    };
    frame(row) RoomLeft {
        account: row.own_account(),
        seq: row.seq,
        ts: row.ts,
        room: row.columns.room()?,
    };
    // The event in the room's log does.
    change StateChange::Nothing;

    /// A room's first event.
    RoomCreated = "room_created" of Room {
        /// Who made it; `None`: the daemon.
        by: Option<AccountId>,
        /// Its name.
        name: Named<RoomName>,
    }
    row(log) Columns {
        account: *by,
        words: Some(name.name.as_str()),
        ..Columns::default()
    };
    frame(row) RoomCreated {
        room: row.own_room(),
        seq: row.seq,
        ts: row.ts,
        by: row.columns.account.unwrap_or_default(),
        name: row.columns.words()?.to_owned(),
    };
    // A room of the daemon's is where people are to find each other.
    change StateChange::RoomBegins { by: *by, name, is_permanent: by.is_none() };

    /// A room's last event: nobody is in it any more, and nothing was ever said there.
    RoomRemoved = "room_removed" of Room {}
    row(log) Columns::default();
    frame(row) RoomRemoved { room: row.own_room(), seq: row.seq, ts: row.ts };
    change StateChange::RoomRemoved;

    /// In a room's log: somebody became a member.
    Joined = "joined" of Room {
        /// The new member.
        account: AccountId,
    }
    row(log) Columns { account: Some(*account), ..Columns::default() };
    frame(row) Joined {
        room: row.own_room(),
        seq: row.seq,
        ts: row.ts,
        account: row.columns.account()?,
    };
    change StateChange::MemberJoined { account: *account };

    /// In a room's log: a membership ended.
    Left = "left" of Room {
        /// The account that is no member any more.
        account: AccountId,
    }
    row(log) Columns { account: Some(*account), ..Columns::default() };
    frame(row) Left {
        room: row.own_room(),
        seq: row.seq,
        ts: row.ts,
        account: row.columns.account()?,
    };
    change StateChange::MemberLeft { account: *account };

    /// In a room's log: a member has another role.
    RoleSet = "role_set" of Room {
        /// Who gave it; `None`: the daemon, as the last owner has gone.
        by: Option<AccountId>,
        /// Whose it is.
        account: AccountId,
        /// The role from now on.
        role: Role,
    }
    row(log) Columns {
        account: Some(*account),
        by: *by,
        number: Some(u64::from(*role as u16)),
        ..Columns::default()
    };
    frame(row) RoleSet {
        room: row.own_room(),
        seq: row.seq,
        ts: row.ts,
        by: row.columns.by.unwrap_or_default(),
        account: row.columns.account()?,
        role: row.columns.role()?,
    };
    change StateChange::RoleSet { account: *account, role: *role };

    /// In a room's log: a message.
    Posted = "posted" of Room {
        /// The sender.
        from: AccountId,
        /// Its id, which everyone sees.
        id: MessageId,
        /// Its nonce, which nobody but the sender and the store sees.
        nonce: Nonce,
        /// Of the room and the body: tells a repetition of the nonce from a reuse.
        digest: BodyDigest,
        /// What is said, and in answer to what.
        body: TextBody,
    }
    // Nonce and digest are no part of the frame: the store keeps them with its streams.
    row(log) {
        debug_assert!(body.context.is_none(), "the state takes none yet, and a row has no place");
        let TextBody { kind: text_kind, reply_to, ref text, .. } = *body;
        Columns {
            account: Some(*from),
            words: Some(text),
            message: Some(MessageColumns { id: *id, text_kind, reply_to }),
            ..Columns::default()
        }
    };
    frame(row) {
        let MessageColumns { id, text_kind: kind, reply_to } = row.columns.message()?;
        PostedRef {
            room: row.own_room(),
            seq: row.seq,
            ts: row.ts,
            from: row.columns.account()?,
            id,
            body: TextRef { kind, reply_to, context: None, text: row.columns.words()? },
        }
    };
    change StateChange::MessagePosted;
}

impl Content {
    /// The keys of the name that it gives to somebody. They stand in no frame.
    pub(crate) fn name_keys(&self) -> Option<&NameKeys> {
        match self.change() {
            StateChange::AccountBegins { name, .. } | StateChange::AccountRenamed { name } => {
                Some(&name.keys)
            }
            StateChange::RoomBegins { name, .. } => Some(&name.keys),
            StateChange::Nothing
            | StateChange::CredentialAdded { .. }
            | StateChange::CredentialRemoved { .. }
            | StateChange::LinkOpened { .. }
            | StateChange::MessagePosted
            | StateChange::RoomRemoved
            | StateChange::MemberJoined { .. }
            | StateChange::MemberLeft { .. }
            | StateChange::RoleSet { .. } => None,
        }
    }
}

fn put(body: &impl Written, out: &mut Vec<u8>) {
    encode_frame(body, RequestId(0), out)
        .expect("names and texts are far under the frame limit once they are in an event");
}
