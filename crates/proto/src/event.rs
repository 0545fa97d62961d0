//! What the daemon says by itself, but for the events of logs, which have a table of their own. Events
//! carry ids, never names, and nothing per recipient: a frame is the same bytes for everyone.

use crate::wire::{Decode, Encode, body};
use crate::{AccountId, CloseReason, GapReason, LogId, RoomId, Seq, Timestamp};

/// How every logged event begins, known or not: enough to keep a cursor in step.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode)]
pub struct LoggedHead {
    /// The log that the event stands in.
    pub log: LogId,
    /// The event's place in it.
    pub seq: Seq,
    /// When it was put there: milliseconds of UTC since 1970.
    pub ts: Timestamp,
}

impl LoggedHead {
    /// Reads the head of a logged event, whatever its kind.
    ///
    /// # Errors
    /// [`crate::WireError`] when the body does not begin with these three.
    pub fn of(frame: &crate::Frame) -> Result<Self, crate::WireError> {
        crate::wire::decode_head(&frame.body)
    }
}

body! {
    /// History that is missing stood here: the cursor goes on after it.
    Gap {
        /// The log that it is missing in.
        log: LogId,
        /// The first seq that is missing.
        from: Seq,
        /// The last seq that is missing; the same, where it is one event.
        to: Seq,
        /// The number of a [`GapReason`]; newer daemons may have more.
        reason: u16,
    }
}
body! {
    /// How many members are connected now; told at most once a second, more seldom where
    /// they are thousands, and may be dropped.
    Presence {
        /// The room whose members are counted.
        room: RoomId,
        /// Accounts, not connections.
        online: u32,
    }
}
body! {
    /// A member of a room that is followed has another nickname. One frame, however many rooms.
    Renamed {
        /// Who; 0: more were renamed than the peer took frames of, so every name may be out of date.
        account: AccountId,
        /// The nickname from now on.
        name: String,
    }
}
body! {
    /// The subscription of a log has ended without being asked to: the account may not read it any
    /// more. Nothing of the log follows.
    SubscriptionEnded {
        /// The log.
        log: LogId,
        /// The number of the [`crate::ErrorCode`] that a subscription would be answered with now.
        code: u16,
        /// A sentence for a person.
        message: String,
    }
}
body! {
    /// Asks the client for a [`crate::ProbeReply`].
    Probe {
        /// To be sent back.
        token: u64,
    }
}
body! {
    /// The daemon closes the connection after this frame.
    Close {
        /// The number of a [`CloseReason`]; newer daemons may have more.
        reason: u16,
        /// The number of the [`crate::ErrorCode`] that led to it, else 0.
        code: u16,
        /// Whether to connect again by itself.
        reconnect: bool,
        /// A sentence for a person.
        message: String,
        /// Not to connect again before so many milliseconds have passed; 0: as the client likes.
        wait_ms: u64,
    }
}

impl Gap {
    /// The reason, when this version knows it.
    #[must_use]
    pub fn known_reason(&self) -> Option<GapReason> {
        GapReason::from_number(self.reason)
    }
}

impl Close {
    /// A close for a reason, with what the reason says about reconnecting.
    #[must_use]
    pub fn new(reason: CloseReason, message: impl Into<String>) -> Self {
        Self {
            reason: reason as u16,
            code: 0,
            reconnect: reason.may_reconnect(),
            message: message.into(),
            wait_ms: 0,
        }
    }

    /// The same, with when the client may come again.
    #[must_use]
    pub fn to_wait(self, wait_ms: u64) -> Self {
        Self { wait_ms, ..self }
    }

    /// The same with the error that led to it.
    #[must_use]
    pub fn because_of(self, code: crate::ErrorCode) -> Self {
        Self { code: code as u16, ..self }
    }

    /// The reason, when this version knows it.
    #[must_use]
    pub fn known_reason(&self) -> Option<CloseReason> {
        CloseReason::from_number(self.reason)
    }
}
