//! What the daemon answers.

use crate::limits::{
    CREDENTIALS_PER_ACCOUNT_MAX, HISTORY_GAPS_MAX, HISTORY_MESSAGES_MAX, INVITATION_ROOMS_MAX,
    INVITATIONS_PAGE_MAX, PAGE_ITEMS_MAX,
};
use crate::wire::{Decode, Encode, List, body};
use crate::{
    AccountId, CredentialId, Epoch, ErrorCode, Gap, InvitationCode, InvitationId, LogId, MessageId,
    Nonce, RoomId, Seq, TextBody, Timestamp,
};

body! {
    /// The request failed; the connection lives on.
    Error {
        /// The number of an [`ErrorCode`]; newer daemons may have more.
        code: u16,
        /// Whether the same request can succeed later.
        retry: bool,
        /// A figure that the code gives a meaning, else 0: the limit in bytes of `TextTooLong`,
        /// the `n` that is awaited of `Behind`, the room's id of `StreamBound`,
        /// the milliseconds to wait of `RateLimited` and `SlowMode`, the end of `Banned` and `Muted`.
        detail: u64,
        /// A sentence for a person.
        message: String,
    }
}
body! {
    /// The request was carried out, and there is nothing else to say.
    Done {}
}
body! {
    /// The message is committed: it survives the death of the daemon and of the machine.
    Ack {
        /// Which send it answers.
        nonce: Nonce,
        /// The room that was sent to.
        room: RoomId,
        /// Its place in the room's log.
        seq: Seq,
        /// When it was put there: milliseconds of UTC since 1970.
        ts: Timestamp,
        /// Its id, made of the sender's credential and the nonce.
        id: MessageId,
    }
}
body! {
    /// A room as of now: the answer to joining it, and to looking it up.
    RoomInfo {
        /// The id, which is also the id of its log.
        room: RoomId,
        /// The name, without `#`; of a direct conversation `@` and the other's nickname as of now.
        name: String,
        /// The head of its log.
        head: Seq,
        /// How many accounts are members.
        members: u32,
        /// How many of them are connected.
        online: u32,
        /// Whether the asking account is a member.
        joined: bool,
        /// The number of the [`crate::Role`] that the asking account has there; 0: none.
        role: u16,
        /// Whether only its members, and who is invited, know of it.
        is_private: bool,
        /// Whether only its moderators and owners may post.
        is_read_only: bool,
        /// With whom it is a direct conversation; 0: it is none.
        with: AccountId,
        /// What it is about; empty: nothing is said of it.
        topic: String,
    }
}

impl Default for RoomInfo {
    fn default() -> Self {
        Self {
            room: RoomId::default(),
            name: String::new(),
            head: Seq::ZERO,
            members: 0,
            online: 0,
            joined: false,
            role: 0,
            is_private: false,
            is_read_only: false,
            with: AccountId::default(),
            topic: String::new(),
        }
    }
}

body! {
    /// A page of rooms.
    RoomList {
        /// In order of their ids.
        rooms: List<RoomInfo, PAGE_ITEMS_MAX>,
        /// Whether there are more behind the last.
        more: bool,
    }
}
body! {
    /// A page of members.
    MemberList {
        /// The room that they are members of.
        room: RoomId,
        /// In order of their ids.
        members: List<Member, PAGE_ITEMS_MAX>,
        /// Whether there are more behind the last.
        more: bool,
    }
}
body! {
    /// The accounts that were asked for, as far as there are any.
    AccountList {
        /// In order of their ids.
        accounts: List<AccountInfo, PAGE_ITEMS_MAX>,
    }
}
body! {
    /// The cursor is open. Events with `seq` after the position asked for follow this reply.
    Subscribed {
        /// The log that the cursor is in.
        log: LogId,
        /// The log's epoch: positions of another one mean nothing in it.
        epoch: Epoch,
        /// Its head: what follows up to here is history, what follows after it is new.
        head: Seq,
        /// The room's name, or the account's.
        name: String,
        /// What the room is about, as it was sent; empty: nothing is said of it.
        topic: String,
        /// The first members of a room in order of their ids; [`crate::Members`] brings the rest.
        members: List<Member, PAGE_ITEMS_MAX>,
        /// How many accounts are members.
        member_count: u32,
        /// How many of them are connected.
        online: u32,
    }
}
body! {
    /// The position is of another life of the log, or past its head. No cursor was opened; what
    /// the client has of the log may not be in it any more.
    Reset {
        /// The log that was asked for.
        log: LogId,
        /// The log's epoch as of now.
        epoch: Epoch,
        /// The log's head as of now.
        head: Seq,
    }
}
body! {
    /// A page of messages.
    HistoryPage {
        /// The room that they were said in.
        room: RoomId,
        /// The epoch of the room's log.
        epoch: Epoch,
        /// The head of the log that the page was read at.
        as_of: Seq,
        /// Rising in seq.
        messages: List<Message, HISTORY_MESSAGES_MAX>,
        /// Whether there are older ones before the first.
        more: bool,
        /// What could not be read of the stretch that the page covers, falling in seq.
        gaps: List<Gap, HISTORY_GAPS_MAX>,
    }
}
body! {
    /// The answer to a ping.
    Pong {
        /// The same as in the ping.
        token: u64,
    }
}

body! {
    /// What the asking account signs in with.
    DeviceList {
        /// In the order in which they were added.
        devices: List<Device, CREDENTIALS_PER_ACCOUNT_MAX>,
    }
}

/// A credential of an account.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct Device {
    /// Names it.
    pub credential: CredentialId,
    /// The number of its [`crate::CredentialKind`].
    pub kind: u16,
    /// What people compare, as `ssh-keygen -l` shows it behind `SHA256:`.
    pub fingerprint: [u8; 32],
    /// What the device calls itself; empty of the account's first.
    pub label: String,
    /// When it was added: milliseconds of UTC since 1970.
    pub added: Timestamp,
}
body! {
    /// An invitation is made. Its code is told this once.
    #[derive(Copy)]
    InvitationMade {
        /// Names it in a list.
        invitation: InvitationId,
        /// Whoever has it may come in.
        code: InvitationCode,
        /// It is good before this time: milliseconds of UTC since 1970.
        expires: Timestamp,
    }
}
body! {
    /// A page of invitations that are open.
    InvitationList {
        /// In order of their ids.
        invitations: List<InvitationInfo, INVITATIONS_PAGE_MAX>,
        /// Whether there are more behind the last.
        more: bool,
    }
}

/// An invitation that is open.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct InvitationInfo {
    /// Its id, which is not its code.
    pub invitation: InvitationId,
    /// Who has made it; 0: whoever runs the server.
    pub by: AccountId,
    /// For whom it is, as it was said then; may be empty.
    pub name: String,
    /// How many accounts may still be made with it.
    pub uses_left: u32,
    /// It is good before this time: milliseconds of UTC since 1970.
    pub expires: Timestamp,
    /// The rooms that a new account is made a member of.
    pub rooms: List<RoomId, INVITATION_ROOMS_MAX>,
}

/// A member of a room.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct Member {
    /// The account that is a member.
    pub account: AccountId,
    /// Its nickname as of now.
    pub name: String,
    /// Whether it is connected.
    pub online: bool,
}

/// What an account is called.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct AccountInfo {
    /// The account that was asked for.
    pub account: AccountId,
    /// Its nickname as of now.
    pub name: String,
}

/// A message of a page, as it reads as of the page's head.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct Message {
    /// Its place in the room's log.
    pub seq: Seq,
    /// When it was put there: milliseconds of UTC since 1970.
    pub ts: Timestamp,
    /// Who said it.
    pub from: AccountId,
    /// Its id, made of the sender's credential and the nonce.
    pub id: MessageId,
    /// What it says.
    pub body: TextBody,
}

impl Error {
    /// An error with its default for whether a retry can help.
    #[must_use]
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self { code: code as u16, retry: code.may_be_retried(), detail: 0, message: message.into() }
    }

    /// The same with a figure.
    #[must_use]
    pub fn with_detail(self, detail: u64) -> Self {
        Self { detail, ..self }
    }

    /// The code, when this version knows it.
    #[must_use]
    pub fn known_code(&self) -> Option<ErrorCode> {
        ErrorCode::from_number(self.code)
    }
}
