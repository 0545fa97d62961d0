//! Refusals: why a request was not carried out, as code and sentence.

use chat_proto::limits::{
    CREDENTIALS_PER_ACCOUNT_MAX, INVITATION_ROOMS_MAX, INVITATION_USES_MAX, INVITATIONS_MAX,
    INVITATIONS_PER_ACCOUNT_MAX, NAME_BYTES_MAX, REASON_BYTES_MAX, ROOM_INVITATIONS_MAX,
    ROOMS_PER_ACCOUNT_MAX, SANCTIONS_MAX, SLOW_SECONDS_MAX, SUBSCRIPTIONS_MAX, TEXT_BYTES_MAX,
    TOPIC_BYTES_MAX,
};
use chat_proto::{Error, ErrorCode, NameError, Role, TextError, Timestamp};

use super::moment::{Because, Until};

use crate::Registration;

/// Why a request was not carried out. The connection lives on.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Refusal {
    /// The name breaks a rule.
    #[error("{0}. Choose another name")]
    BadName(#[from] NameError),
    /// The name belongs to somebody else, or looks like one that does.
    #[error("the name {wished} is taken, or looks like {holder}. Choose another one")]
    NameTaken {
        /// What was wished for.
        wished: String,
        /// Who has it.
        holder: String,
    },
    /// Nobody may have the name.
    #[error(
        "the name {wished} could be taken for the server or for its reader. Choose another one"
    )]
    NameReserved {
        /// What was wished for.
        wished: String,
    },
    /// Nobody signs in to the account.
    #[error("this account is disabled{}. Whoever runs the server can enable it", because(reason))]
    AccountDisabled {
        /// Why, as it was said; may be empty.
        reason: String,
    },
    /// Only the operator may.
    #[error("that is for whoever runs the server, with chatd ctl on its machine")]
    NotOperator,
    /// There is no such account.
    #[error("no account is called {name}; chatd ctl accounts lists them")]
    UnknownAccount {
        /// As it was asked for.
        name: String,
    },
    /// The key is an account's already.
    #[error("the key signs in to {holder} already")]
    KeyTaken {
        /// What that one is called.
        holder: String,
    },
    /// The text is no message.
    #[error(transparent)]
    BadText(#[from] TextError),
    /// There is no such room.
    #[error("there is no room {room}. Joining makes it")]
    UnknownRoom {
        /// As it was asked for.
        room: String,
    },
    /// Only members may speak.
    #[error("you are not a member of {room}. Join it first")]
    NotMember {
        /// Its name.
        room: String,
    },
    /// The account's role is not enough.
    #[error("that is for the {least}s of {room}; ask one of them")]
    RoleTooLow {
        /// Its name.
        room: String,
        /// The lowest role that is.
        least: Role,
    },
    /// Whom it is about has the same role, or a higher one.
    #[error("somebody whose role in {room} is not below yours cannot be acted upon; ask an owner")]
    Outranked {
        /// Its name.
        room: String,
    },
    /// Members only read here.
    #[error("only the moderators and owners of {room} post there; you can read it")]
    ReadOnly {
        /// Its name.
        room: String,
    },
    /// There is no such account.
    #[error("there is no such account")]
    NoSuchAccount,
    /// It makes no sense there.
    #[error("{what} is not possible")]
    NotPossible {
        /// What was asked for.
        what: &'static str,
    },
    /// Others are to join first, or not to be invited any more.
    #[error(
        "as many are invited to #{room} as may be, {ROOM_INVITATIONS_MAX}. Take an invitation back first"
    )]
    TooManyInvited {
        /// Its name.
        room: String,
    },
    /// Nobody would read it.
    #[error("the topic has {bytes} bytes; at most {TOPIC_BYTES_MAX} are possible. Shorten it")]
    TopicTooLong {
        /// Its bytes of UTF-8.
        bytes: usize,
    },
    /// Whom it is about is not there.
    #[error("nobody of that name is a member of {room}")]
    NoSuchMember {
        /// Its name.
        room: String,
    },
    /// A room is to have an owner.
    #[error("you are the only owner of {room}. Make somebody else one first")]
    LastOwner {
        /// Its name.
        room: String,
    },
    /// A moderator keeps the account out.
    #[error("you are banned from #{room}{}{}", Until(*until), Because(reason))]
    Banned {
        /// Its name.
        room: String,
        /// When that ends; 0: not by itself.
        until: Timestamp,
        /// Why, as the moderator typed it.
        reason: String,
    },
    /// A moderator lets the account say nothing.
    #[error("you are mute in #{room}{}{}", Until(*until), Because(reason))]
    Muted {
        /// Its name.
        room: String,
        /// When that ends; 0: not by itself.
        until: Timestamp,
        /// Why, as the moderator typed it.
        reason: String,
    },
    /// Members of the room wait behind each of their messages.
    #[error("#{room} is slow: the next message can be sent in {} s", wait_ms.div_ceil(1000))]
    SlowMode {
        /// Its name.
        room: String,
        /// How long to wait.
        wait_ms: u64,
    },
    /// A room keeps so many out, or mute, and no more.
    #[error(
        "in #{room} {SANCTIONS_MAX} are banned, or as many mute; no more are possible. End some of it"
    )]
    TooManySanctions {
        /// Its name.
        room: String,
    },
    /// It would end before it begins.
    #[error("that would be over already. Give a time that is to come")]
    TimeIsOver,
    /// A wait that is too long.
    #[error("members can be made to wait {SLOW_SECONDS_MAX} s at the most. Choose less")]
    TooSlow,
    /// The log is somebody else's, or is not there.
    #[error("there is no log {log} that you may read")]
    NotReadable {
        /// Its id.
        log: u64,
    },
    /// The nonce names another message.
    #[error("this send's nonce has been used for another message. Send under a new one")]
    NonceReused,
    /// The stream's first send went to another room.
    #[error(
        "this send's stream belongs to room {room}, where its first send was to go. \
         Send to each room in a stream of its own"
    )]
    StreamBound {
        /// The id of that room.
        room: u64,
    },
    /// An earlier send is missing.
    #[error("an earlier send of this stream is missing: number {awaited} is awaited")]
    Behind {
        /// Its `n`.
        awaited: u64,
    },
    /// The store cannot write.
    #[error(
        "the server cannot write to its disk now, so the outcome is unknown. \
         Sending the same again later is safe"
    )]
    Unavailable,
    /// Too fast.
    #[error("too fast; go on in {} s", wait_ms.div_ceil(1000))]
    RateLimited {
        /// How long to wait.
        wait_ms: u64,
    },
    /// Too many reads.
    #[error("other reads of this account wait already. Ask again when one is answered")]
    Busy,
    /// Another node is further.
    #[error("this server has not got so far in log {log} yet. Ask again")]
    NotThereYet {
        /// Its id.
        log: u64,
    },
    /// Too many cursors.
    #[error("a connection may follow at most {SUBSCRIPTIONS_MAX} logs. Stop following one first")]
    TooManySubscriptions,
    /// Too many memberships.
    #[error("an account may be a member of at most {ROOMS_PER_ACCOUNT_MAX} rooms. Leave one first")]
    TooManyRooms,
    /// It answers an event that is not there.
    #[error("event {seq} is not in the room, whose last one is {head}. Nothing was sent")]
    UnknownEvent {
        /// Which event.
        seq: u64,
        /// The head of the room.
        head: u64,
    },
    /// It has a place in the protocol, and nothing behind it yet.
    #[error("{what} is not known to this server yet. A newer one may know it")]
    Unsupported {
        /// What was asked for.
        what: &'static str,
    },
    /// No device is linked with it.
    #[error(
        "no device can be linked with this code: it was used, has expired, or never was one. \
         Ask for another with /link where you are signed in"
    )]
    BadLinkCode,
    /// What was signed in with was taken from its account.
    #[error(
        "this device was revoked: it signs in no more. Where you are signed in, /link lets it in again"
    )]
    CredentialRevoked,
    /// Nothing signs in with the token.
    #[error(
        "nobody signs in with this token: it was revoked, has expired, or never was one. Whoever runs the \
         server makes another with chatd ctl token-create"
    )]
    BadToken,
    /// The token is not for that.
    #[error("this account may not {what}; whoever runs the server says what a token is for")]
    OutOfScope {
        /// What was asked for.
        what: &'static str,
    },
    /// There is no program of that name.
    #[error("no program is called {name}. chatd ctl accounts lists who there is")]
    UnknownBot {
        /// As it was asked for.
        name: String,
    },
    /// The key is an account's already.
    #[error(
        "this key signs in to an account already. Link the device under another key (--identity), \
         or sign in without a code"
    )]
    CredentialInUse,
    /// It is the only one.
    #[error("this is the only device of the account. Link another one first, with /link")]
    LastCredential,
    /// There are enough.
    #[error(
        "an account has at most {CREDENTIALS_PER_ACCOUNT_MAX} devices. Revoke one first, with /devices"
    )]
    TooManyCredentials,
    /// There is no such device.
    #[error("the account has no such device. /devices lists them")]
    UnknownCredential,
    /// The send was refused earlier, and would not be now.
    #[error(
        "this send was refused before, and is not posted any more. Send it anew, under a new nonce"
    )]
    RefusedBefore,
    /// It has no account here, or has not proven that it has; and gets none.
    #[error("nobody signs in here with this key, or it was not proven. {}", registration.hint())]
    NotAdmitted {
        /// How registration stands.
        registration: Registration,
    },
    /// The code is good for nothing.
    #[error("this invitation is not valid, or not any more. Ask for another one")]
    BadInvitation,
    /// Too many are open.
    #[error(
        "as many invitations are open as may be: {INVITATIONS_PER_ACCOUNT_MAX} of one account, and \
         {INVITATIONS_MAX} of all. Revoke one, or wait until one expires"
    )]
    TooManyInvitations,
    /// It would be good for too much, or for nothing.
    #[error(
        "an invitation is for 1 to {INVITATION_USES_MAX} accounts, {INVITATION_ROOMS_MAX} rooms at \
         the most, and a year at the longest; a name in it has {NAME_BYTES_MAX} bytes at the most"
    )]
    BadTerms,
    /// There is none that could be ended.
    #[error("you have no such invitation, or it is not open any more")]
    UnknownInvitation,
}

impl Refusal {
    /// The number that the peer sees.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::BadName(_) | Self::NameReserved { .. } => ErrorCode::BadName,
            Self::NameTaken { .. } => ErrorCode::NameTaken,
            Self::BadText(error) => error.code(),
            Self::AccountDisabled { .. } => ErrorCode::AccountDisabled,
            Self::NotOperator => ErrorCode::NotOperator,
            Self::UnknownAccount { .. } => ErrorCode::UnknownAccount,
            Self::KeyTaken { .. } => ErrorCode::NameTaken,
            Self::UnknownRoom { .. } => ErrorCode::UnknownRoom,
            Self::NotMember { .. } => ErrorCode::NotMember,
            Self::RoleTooLow { .. } | Self::Outranked { .. } => ErrorCode::RoleTooLow,
            Self::NoSuchMember { .. } | Self::NoSuchAccount => ErrorCode::NoSuchMember,
            Self::ReadOnly { .. } => ErrorCode::ReadOnly,
            Self::NotPossible { .. } | Self::TooManyInvited { .. } => ErrorCode::NotPossible,
            Self::TopicTooLong { .. } => ErrorCode::TextTooLong,
            Self::LastOwner { .. } => ErrorCode::LastOwner,
            Self::Banned { .. } => ErrorCode::Banned,
            Self::Muted { .. } => ErrorCode::Muted,
            Self::SlowMode { .. } => ErrorCode::SlowMode,
            Self::TooManySanctions { .. } => ErrorCode::TooManySanctions,
            Self::TimeIsOver | Self::TooSlow => ErrorCode::BadTime,
            Self::NotReadable { .. } => ErrorCode::NotReadable,
            Self::NonceReused => ErrorCode::NonceReused,
            Self::StreamBound { .. } => ErrorCode::StreamBound,
            Self::Behind { .. } => ErrorCode::Behind,
            Self::Unavailable => ErrorCode::Unavailable,
            Self::RateLimited { .. } => ErrorCode::RateLimited,
            Self::Busy | Self::NotThereYet { .. } => ErrorCode::Busy,
            Self::TooManySubscriptions => ErrorCode::TooManySubscriptions,
            Self::TooManyRooms => ErrorCode::TooManyRooms,
            Self::UnknownEvent { .. } => ErrorCode::UnknownEvent,
            Self::Unsupported { .. } => ErrorCode::Unsupported,
            Self::BadLinkCode => ErrorCode::BadLinkCode,
            Self::BadToken => ErrorCode::BadToken,
            Self::OutOfScope { .. } => ErrorCode::OutOfScope,
            Self::UnknownBot { .. } => ErrorCode::UnknownCredential,
            Self::CredentialRevoked => ErrorCode::CredentialRevoked,
            Self::CredentialInUse => ErrorCode::CredentialInUse,
            Self::LastCredential | Self::TooManyCredentials => ErrorCode::CredentialLimit,
            Self::UnknownCredential => ErrorCode::UnknownCredential,
            Self::RefusedBefore => ErrorCode::RefusedBefore,
            Self::NotAdmitted { .. } => ErrorCode::NotAdmitted,
            Self::BadInvitation => ErrorCode::BadInvitation,
            Self::TooManyInvitations => ErrorCode::TooManyInvitations,
            Self::BadTerms => ErrorCode::BadTerms,
            Self::UnknownInvitation => ErrorCode::UnknownInvitation,
        }
    }

    /// The body that the peer sees.
    #[must_use]
    pub fn to_error(&self) -> Error {
        Error::new(self.code(), self.to_string()).with_detail(self.detail())
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "most refusals have no figure")]
    fn detail(&self) -> u64 {
        match self {
            Self::BadText(TextError::TooLong { .. }) => TEXT_BYTES_MAX as u64,
            Self::TopicTooLong { .. } => TOPIC_BYTES_MAX as u64,
            Self::Behind { awaited } => *awaited,
            Self::StreamBound { room } => *room,
            Self::UnknownEvent { head, .. } => *head,
            Self::RateLimited { wait_ms } | Self::SlowMode { wait_ms, .. } => *wait_ms,
            Self::BadText(TextError::ReasonTooLong { .. }) => REASON_BYTES_MAX as u64,
            Self::Banned { until, .. } | Self::Muted { until, .. } => until.0,
            Self::TooSlow => u64::from(SLOW_SECONDS_MAX),
            Self::LastCredential | Self::TooManyCredentials => CREDENTIALS_PER_ACCOUNT_MAX as u64,
            _ => 0,
        }
    }
}

fn because(reason: &str) -> String {
    match reason {
        "" => String::new(),
        reason => format!(": {reason}"),
    }
}
