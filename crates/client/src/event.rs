//! What the library tells its user, in the order in which it happened.

use std::time::Duration;

use chat_proto::{
    AccountId, Epoch, ErrorCode, GapReason, MessageId, Nonce, PublicKey, Role, RoomId, Seq,
    SessionId, TextKind, Timestamp,
};

use crate::moderated::{Moderated, Removed, Reported};
use crate::outbox::Destination;

/// What happened. Names come with every event: they are the ones in force when the library got it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Event {
    /// An attempt to connect begins.
    Connecting {
        /// The address as a person reads it.
        target: String,
        /// From 1; begins again at 1 after a connection that was signed in.
        attempt: u32,
    },
    /// There is a connection, and it is signed in.
    Connected(Connected),
    /// The connection is gone, or could not be made.
    Disconnected {
        /// A sentence for a person.
        why: String,
        /// When the next attempt begins; `None`: never, the library has stopped trying.
        retry_in: Option<Duration>,
    },
    /// The daemon will not have this client, or is not the daemon that it should be. A
    /// [`Event::Disconnected`] without a retry follows.
    Refused(Refusal),
    /// A room is followed: what is said in it comes from now on. Comes again after each reconnect.
    Subscribed(Subscribed),
    /// The room's log has begun another life (the daemon was restored from a backup): what was
    /// shown may not be in it any more.
    Reset {
        /// The room that it is about.
        room: RoomId,
        /// The room's name, without `#`.
        room_name: String,
        /// The life that its positions are of from now on.
        epoch: Epoch,
        /// The head of the log now.
        head: Seq,
    },
    /// Everything up to the head that a room had when its following began, or when its log began
    /// another life, has been told: what follows is live.
    CaughtUp {
        /// The room that it is about.
        room: RoomId,
        /// The head that was reached.
        head: Seq,
    },
    /// A room is not followed any more without having been asked to: it is gone, or this account may not
    /// read it. Nothing of it follows.
    Ended {
        /// The room that it is about.
        room: RoomId,
        /// The room's name, without `#`.
        room_name: String,
    },
    /// History that is missing stood here.
    Gap {
        /// The room that it is about.
        room: RoomId,
        /// The room's name, without `#`.
        room_name: String,
        /// The first seq that is missing.
        from: Seq,
        /// The last seq that is missing.
        to: Seq,
        /// Why; `None`: the server has a reason that this version does not know.
        reason: Option<GapReason>,
    },
    /// Somebody said something, perhaps this client.
    Message(Message),
    /// Somebody became a member.
    Joined(RoomChange),
    /// A membership ended.
    Left(RoomChange),
    /// Somebody in a room that is followed has another name, perhaps this account. Nobody is told of
    /// one whose old name no event has brought, or who was renamed while the client was away.
    Renamed {
        /// Whose name it is.
        account: AccountId,
        /// The name before.
        old_name: String,
        /// The name from now on.
        name: String,
    },
    /// The room was made. By account 0: the daemon made it.
    RoomCreated(RoomChange),
    /// A moderator has done something in a room that is followed.
    Moderated(Moderated),
    /// A moderator has ended this account's membership of a room, or keeps it out.
    Removed(Removed),
    /// Somebody shows a message to this account, which moderates its room.
    Reported(Reported),
    /// Something else about a room has changed.
    RoomChanged(Box<RoomChanged>),
    /// This account may join a room, of which it may hear nowhere else. Told once, also of what was so
    /// when the client began.
    Invited {
        /// The room.
        room: RoomId,
        /// Its name, without `#`.
        name: String,
    },
    /// This account is a member of a room, or is none any more.
    Membership {
        /// The room that it is about.
        room: RoomId,
        /// The room's name, without `#`.
        name: String,
        /// Whether it is a member now.
        joined: bool,
    },
    /// This account has another name now.
    OwnName {
        /// The nickname from now on.
        name: String,
    },
    /// How many members of a room are connected.
    Presence {
        /// The room that it is about.
        room: RoomId,
        /// Accounts, not connections.
        online: u32,
    },
    /// The state of a message that this client sends: the honest marks.
    Outgoing(Outgoing),
    /// The daemon was restored from a backup, and of the messages that this client sent and that
    /// it had acknowledged, so many are gone.
    Forgotten {
        /// How many messages that is.
        messages: u64,
    },
    /// How long the daemon took to answer a ping.
    Latency(Duration),
    /// The daemon owes an answer and says nothing, for so long already; the connection may be
    /// gone. [`Client::retry`](crate::Client::retry) tries another at once.
    NoAnswer(Duration),
    /// After [`Event::NoAnswer`], the daemon is heard again.
    Answering,
}

/// A connection that is signed in.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Connected {
    /// Who the client is.
    pub account: AccountId,
    /// The nickname in force; it need not be the one wished for.
    pub name: String,
    /// The daemon's identity.
    pub server_key: PublicKey,
    /// The life of the daemon's logs.
    pub epoch: Epoch,
    /// The number of the conversation in the daemon's log.
    pub session: SessionId,
    /// The address that answered.
    pub address: String,
    /// Whether nobody in between can read along.
    pub encrypted: bool,
    /// Whether this was the first contact: the identity was taken on trust and written down. It was
    /// not where a fingerprint was asked for, as by a join line.
    pub first_contact: bool,
}

/// A room as it is when its following begins or goes on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Subscribed {
    /// The room, whose id is also the id of its log.
    pub room: RoomId,
    /// Its name, without `#`; of the conversation with somebody, `@` and what that one is called.
    pub name: String,
    /// What it is about, as it was sent; empty: nothing is said of it.
    pub topic: String,
    /// The life of its log.
    pub epoch: Epoch,
    /// The head of its log.
    pub head: Seq,
    /// The first members in order of their ids (at most 256);
    /// [`Client::members`](crate::Client::members) gives all of them.
    pub members: Vec<chat_proto::Member>,
    /// How many accounts are members.
    pub member_count: u32,
    /// How many of them are connected.
    pub online: u32,
    /// The first seq that follows; up to `head` it is history (`live` is false there).
    pub from: Seq,
}

/// A message, with the names that were in force when it was told.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Message {
    /// The room that it stands in.
    pub room: RoomId,
    /// The room's name, without `#`.
    pub room_name: String,
    /// Its place in the room's log.
    pub seq: Seq,
    /// When the daemon put it there: milliseconds of UTC since 1970.
    pub ts: Timestamp,
    /// The account that said it.
    pub from: AccountId,
    /// The sender's name.
    pub from_name: String,
    /// Its id: the same for every reader and for every repetition.
    pub id: MessageId,
    /// How its words are meant.
    pub kind: TextKind,
    /// What, as it was sent: see [`crate::sanitize`] before it is shown.
    pub text: String,
    /// The event of the same room that it answers.
    pub reply_to: Option<Seq>,
    /// Whether it was said after the subscription, or while the connection was away.
    pub live: bool,
}

/// A change of a room that is written in its log.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RoomChange {
    /// The room that it stands in.
    pub room: RoomId,
    /// The room's name, without `#`.
    pub room_name: String,
    /// Its place in the room's log.
    pub seq: Seq,
    /// When the daemon put it there: milliseconds of UTC since 1970.
    pub ts: Timestamp,
    /// Whom it is about.
    pub account: AccountId,
    /// The account's name.
    pub name: String,
    /// As of a message.
    pub live: bool,
}

/// What has changed about a room, besides who is in it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RoomChanged {
    /// Where and when, and by whom; by account 0: the daemon did it.
    pub change: RoomChange,
    /// What.
    pub what: RoomNews,
}

/// What can change about a room.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum RoomNews {
    /// A member has another role.
    Role {
        /// Whose it is.
        account: AccountId,
        /// That one's name.
        name: String,
        /// The role from now on.
        role: Role,
    },
    /// Others know of it from now on, or not.
    Access {
        /// Whether only its members, and who is invited, do.
        is_private: bool,
    },
    /// Somebody may join it, or not.
    Invitation {
        /// Who.
        account: AccountId,
        /// That one's name.
        name: String,
        /// Whether it is so, or no more.
        is_set: bool,
    },
    /// What it is about; empty: nothing is said of it. See [`crate::sanitize`] before it is shown.
    Topic(String),
    /// Who posts in it.
    ReadOnly {
        /// Whether only its moderators and owners do.
        is_read_only: bool,
    },
    /// It is a conversation of two, and begins here.
    DirectBegun {
        /// The other.
        account: AccountId,
        /// That one's name.
        name: String,
    },
}

/// A message on its way.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Outgoing {
    /// The name of the send, for ever.
    pub nonce: Nonce,
    /// The id that the message has or will have.
    pub id: MessageId,
    /// The room that it is for.
    pub to: Destination,
    /// The text, as it was typed or piped in.
    pub text: String,
    /// What has become of it so far.
    pub state: OutgoingState,
}

/// How far a message is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum OutgoingState {
    /// Kept (on disk, of a screen), and not sent yet; or found on disk at the start.
    Waiting,
    /// Sent; no answer yet.
    InFlight,
    /// The daemon has committed it: it survives.
    Acked {
        /// The room that it is about.
        room: RoomId,
        /// Its place in the room's log.
        seq: Seq,
        /// When the daemon put it there: milliseconds of UTC since 1970.
        ts: Timestamp,
    },
    /// Refused for good.
    Refused(Refusal),
    /// The daemon had lost the end of its logs: the message goes on under another nonce.
    Moved {
        /// The nonce from now on.
        nonce: Nonce,
        /// The id from now on.
        id: MessageId,
    },
}

/// Why something will not be done.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{reason}")]
pub struct Refusal {
    /// The daemon's number for it, when it is one that this version knows.
    pub code: Option<ErrorCode>,
    /// A sentence for a person.
    pub reason: String,
}

impl Refusal {
    /// A refusal that is not the daemon's.
    pub(crate) fn local(reason: impl Into<String>) -> Self {
        Self { code: None, reason: reason.into() }
    }
}

impl From<chat_proto::Error> for Refusal {
    fn from(error: chat_proto::Error) -> Self {
        Self { code: error.known_code(), reason: error.message }
    }
}
