//! The table of kinds: everything about each kind of event, once. How it is read says `table.rs`.
//!
//! It must not know who decides that something happens, and where rows and frames go.

mod governing;
mod moderation;
mod rooms;

use chat_proto::{
    AccessSet, AccountCreated, AccountDisabled, AccountEnabled, AccountId, AccountRenamed,
    AdministratorSet, BotCreated, Credential, CredentialAdded, CredentialRemoved, DirectBegun,
    InvitationCreated, InvitationHash, InvitationId, InvitationRevoked, InvitationSet,
    InvitationUsed, InvitationWithdrawn, Joined, KeySet, Left, LinkCodeHash, LinkOpened, LogId,
    MessageId, Nickname, Nonce, PostedRef, ReadOnlySet, RequestId, Role, RoleSet, RoomCreated,
    RoomId, RoomInvited, RoomJoined, RoomLeft, RoomName, RoomRemoved, TextBody, TextRef, Timestamp,
    TopicSet, Written, encode_frame,
};
use chat_proto::{
    Banned, Kicked, MessagesRemoved, Muted, Reported, RoomBanned, RoomKicked, RoomUnbanned, Seq,
    SlowSet, Unbanned, Unmuted,
};

use super::EventRow;
use super::columns::{Columns, InvitationColumns, LogOwner, MessageColumns, MissingColumn};
use super::state_change::{AccountSetting, RoomSetting, StateChange};
use super::table::event_kinds;
use crate::{BodyDigest, BotScope, NameKeys, Named, SanctionKind};
use governing::governing_kinds;
use moderation::moderation_kinds;
use rooms::room_kinds;

governing_kinds! { room_kinds! moderation_kinds! event_kinds! {
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
        /// Who did it: the account itself, or the operator.
        by: AccountId,
        /// The nickname from now on.
        name: Named<Nickname>,
    }
    row(log) Columns {
        account: Some(AccountId(log.0)),
        by: Some(*by),
        words: Some(name.name.as_str()),
        ..Columns::default()
    };
    frame(row) AccountRenamed {
        account: row.own_account(),
        seq: row.seq,
        ts: row.ts,
        by: row.columns.by()?,
        name: row.columns.words()?.to_owned(),
    };
    change StateChange::AccountRenamed { name };

    /// In an account's log, behind its first event: it is a program's.
    BotCreated = "bot_created" of Account {
        /// Who made it.
        by: AccountId,
        /// What its token is for.
        scope: BotScope,
    }
    row(log) Columns {
        account: Some(AccountId(log.0)),
        by: Some(*by).filter(|by| *by != AccountId(0)),
        words: Some(scope.words()),
        number: Some(scope.expires.0),
        ..Columns::default()
    };
    frame(row) BotCreated {
        account: row.own_account(),
        seq: row.seq,
        ts: row.ts,
        by: row.columns.by.unwrap_or_default(),
        can: row.columns.words()?.to_owned(),
        expires: Timestamp(row.columns.number()?),
    };
    change StateChange::BotBegins { scope: *scope };

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
    row(log) Columns { account: Some(AccountId(log.0)), room: Some(*room), ..Columns::default() };
    frame(row) {
        let (account, room) = (row.own_account(), row.columns.room()?);
        RoomJoined { account, seq: row.seq, ts: row.ts, room }
    };
    // The event in the room's log does.
    change StateChange::Nothing;

    /// In an account's log: its membership of a room ended.
    RoomLeft = "room_left" of Account {
        /// The room of the membership.
        room: RoomId,
    }
    row(log) Columns { account: Some(AccountId(log.0)), room: Some(*room), ..Columns::default() };
    frame(row) {
        let (account, room) = (row.own_account(), row.columns.room()?);
        RoomLeft { account, seq: row.seq, ts: row.ts, room }
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
    frame(row) {
        let (room, account) = (row.own_room(), row.columns.account()?);
        Joined { room, seq: row.seq, ts: row.ts, account }
    };
    change StateChange::MemberJoined { account: *account };

    /// In a room's log: a membership ended.
    Left = "left" of Room {
        /// The account that is no member any more.
        account: AccountId,
    }
    row(log) Columns { account: Some(*account), ..Columns::default() };
    frame(row) {
        let (room, account) = (row.own_room(), row.columns.account()?);
        Left { room, seq: row.seq, ts: row.ts, account }
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
        room: row.own_room(), seq: row.seq, ts: row.ts,
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
    change StateChange::MessagePosted { from: *from };

    /// In the server's log: somebody may come in with a code.
    InvitationCreated = "invitation_created" of Server {
        /// Who has made it; 0: the operator.
        by: AccountId,
        /// Of its code. It stands in no frame.
        hash: InvitationHash,
        /// How many accounts may be made with it.
        uses: u32,
        /// It is good before this time.
        expires: Timestamp,
        /// The rooms that a new account is made a member of, rising. They stand in no frame: where somebody
        /// has come in, the logs of those rooms say so.
        rooms: Box<[RoomId]>,
        /// For whom it is; may be empty.
        name: Box<str>,
    }
    row(log) Columns {
        account: Some(*by),
        words: Some(name),
        invitation: Some(InvitationColumns { id: hash.id(), terms: Some((*uses, *expires)) }),
        ..Columns::default()
    };
    frame(row) {
        let InvitationColumns { id, terms } = row.columns.invitation()?;
        let (uses, expires) = terms.ok_or_else(|| MissingColumn::named("uses or expires"))?;
        InvitationCreated {
            log: row.log,
            seq: row.seq,
            ts: row.ts,
            invitation: id,
            by: row.columns.account()?,
            uses,
            expires,
            name: row.columns.words.unwrap_or_default().to_owned(),
        }
    };
    change StateChange::InvitationBegins {
        hash,
        by: *by,
        uses: *uses,
        expires: *expires,
        rooms,
        name,
    };

    /// In the server's log: an account was made with an invitation.
    InvitationUsed = "invitation_used" of Server {
        /// Which one.
        id: InvitationId,
        /// Who has come in.
        account: AccountId,
    }
    row(log) Columns {
        account: Some(*account),
        invitation: Some(InvitationColumns { id: *id, terms: None }),
        ..Columns::default()
    };
    frame(row) InvitationUsed {
        log: row.log,
        seq: row.seq,
        ts: row.ts,
        invitation: row.columns.invitation()?.id,
        account: row.columns.account()?,
    };
    change StateChange::InvitationUsed { id: *id };

    /// In the server's log: an invitation was revoked.
    InvitationRevoked = "invitation_revoked" of Server {
        /// Which one.
        id: InvitationId,
        /// Who has ended it; 0: the operator.
        by: AccountId,
    }
    row(log) Columns {
        account: Some(*by),
        invitation: Some(InvitationColumns { id: *id, terms: None }),
        ..Columns::default()
    };
    frame(row) InvitationRevoked {
        log: row.log,
        seq: row.seq,
        ts: row.ts,
        invitation: row.columns.invitation()?.id,
        by: row.columns.account()?,
    };
    change StateChange::InvitationEnds { id: *id };
} }

impl Content {
    /// The keys of the name that it gives to somebody. They stand in no frame.
    pub(crate) fn name_keys(&self) -> Option<&NameKeys> {
        self.change().name_keys()
    }
}

fn put(body: &impl Written, out: &mut Vec<u8>) {
    encode_frame(body, RequestId(0), out)
        .expect("names and texts are far under the frame limit once they are in an event");
}
