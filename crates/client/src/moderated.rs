//! What moderators have done, as the library tells its user.

use chat_proto::{
    AccountId, Banned, Frame, Kicked, Kind, MessagesRemoved, Muted, RoomBanned, RoomId, RoomKicked,
    Seq, SlowSet, Timestamp, Unbanned, Unmuted, WireError,
};

use crate::event::Event;

/// Something that a moderator did in a room, as it stands in the room's log.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Moderated {
    /// The room that it stands in.
    pub room: RoomId,
    /// The room's name, without `#`.
    pub room_name: String,
    /// Its place in the room's log.
    pub seq: Seq,
    /// When the daemon put it there: milliseconds of UTC since 1970.
    pub ts: Timestamp,
    /// Who did it.
    pub by: AccountId,
    /// The name of that account.
    pub by_name: String,
    /// To whom; `None`: to all members.
    pub account: Option<AccountId>,
    /// The name of that account; empty without one.
    pub name: String,
    /// What.
    pub deed: Deed,
    /// As of a message.
    pub live: bool,
}

/// What a moderator does. Reasons are as they were typed: see [`crate::sanitize`] before one is shown.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Deed {
    /// Ended the membership.
    Kicked {
        /// Why; may be empty.
        reason: String,
    },
    /// Keeps the account out.
    Banned {
        /// Until when; `None`: for ever.
        until: Option<Timestamp>,
        /// Why; may be empty.
        reason: String,
    },
    /// Keeps it out no longer.
    Unbanned,
    /// Lets the account say nothing.
    Muted {
        /// Until when; `None`: for ever.
        until: Option<Timestamp>,
        /// Why; may be empty.
        reason: String,
    },
    /// Lets it speak again.
    Unmuted,
    /// Took away what the account has said in the room before: whoever shows it is to show it no longer.
    MessagesRemoved {
        /// From this time on; `None`: ever.
        since: Option<Timestamp>,
    },
    /// Lets members wait behind each of their messages.
    Slow {
        /// How long; 0: not at all.
        seconds: u32,
    },
}

/// What a moderator did to this account. That its membership has ended comes as an event of its own.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Removed {
    /// From which room.
    pub room: RoomId,
    /// The room's name, without `#`.
    pub room_name: String,
    /// Who did it.
    pub by: AccountId,
    /// The name of that account.
    pub by_name: String,
    /// Until when it is kept out (0: for ever); `None`: it may join again.
    pub banned_until: Option<Timestamp>,
    /// Why; may be empty.
    pub reason: String,
}

/// A message that somebody shows to this account, which moderates its room.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Reported {
    /// The room of the message.
    pub room: RoomId,
    /// The room's name, without `#`.
    pub room_name: String,
    /// The message's place in the room's log.
    pub message: Seq,
    /// When it was shown: milliseconds of UTC since 1970.
    pub ts: Timestamp,
    /// Who shows it.
    pub by: AccountId,
    /// The name of that account.
    pub by_name: String,
    /// Why; may be empty.
    pub reason: String,
}

/// What stands in a room's log of it; `None` of any other kind. Names are not set yet.
pub(crate) fn read(frame: &Frame, live: bool) -> Result<Option<Event>, WireError> {
    let deed = match frame.known_kind() {
        Some(Kind::Kicked) => {
            let Kicked { room, seq, ts, account, by, reason } = frame.decode_lenient()?;
            of((room, seq, ts), by, Some(account), Deed::Kicked { reason }, live)
        }
        Some(Kind::Banned) => {
            let Banned { room, seq, ts, account, by, until, reason } = frame.decode_lenient()?;
            let deed = Deed::Banned { until: end(until), reason };
            of((room, seq, ts), by, Some(account), deed, live)
        }
        Some(Kind::Unbanned) => {
            let Unbanned { room, seq, ts, account, by } = frame.decode_lenient()?;
            of((room, seq, ts), by, Some(account), Deed::Unbanned, live)
        }
        Some(Kind::Muted) => {
            let Muted { room, seq, ts, account, by, until, reason } = frame.decode_lenient()?;
            let deed = Deed::Muted { until: end(until), reason };
            of((room, seq, ts), by, Some(account), deed, live)
        }
        Some(Kind::Unmuted) => {
            let Unmuted { room, seq, ts, account, by } = frame.decode_lenient()?;
            of((room, seq, ts), by, Some(account), Deed::Unmuted, live)
        }
        Some(Kind::MessagesRemoved) => {
            let MessagesRemoved { room, seq, ts, account, by, since } = frame.decode_lenient()?;
            let since = (since != Timestamp(0)).then_some(since);
            of((room, seq, ts), by, Some(account), Deed::MessagesRemoved { since }, live)
        }
        Some(Kind::SlowSet) => {
            let SlowSet { room, seq, ts, by, seconds } = frame.decode_lenient()?;
            of((room, seq, ts), by, None, Deed::Slow { seconds }, live)
        }
        _ => return Ok(None),
    };
    Ok(Some(Event::Moderated(deed)))
}

/// What stands in the own log of an account that lost a membership so; `None` of any other kind.
pub(crate) fn read_removal(frame: &Frame) -> Result<Option<Removed>, WireError> {
    let (room, by, banned_until, reason) = match frame.known_kind() {
        Some(Kind::RoomKicked) => {
            let RoomKicked { room, by, reason, .. } = frame.decode_lenient()?;
            (room, by, None, reason)
        }
        Some(Kind::RoomBanned) => {
            let RoomBanned { room, by, until, reason, .. } = frame.decode_lenient()?;
            (room, by, Some(until), reason)
        }
        _ => return Ok(None),
    };
    let (room_name, by_name) = (String::new(), String::new());
    Ok(Some(Removed { room, room_name, by, by_name, banned_until, reason }))
}

/// The same of a message that is shown to the account.
pub(crate) fn read_report(frame: &Frame) -> Result<Option<Reported>, WireError> {
    if frame.known_kind() != Some(Kind::Reported) {
        return Ok(None);
    }
    let chat_proto::Reported { room, ts, by, message, reason, .. } = frame.decode_lenient()?;
    let (room_name, by_name) = (String::new(), String::new());
    Ok(Some(Reported { room, room_name, message, ts, by, by_name, reason }))
}

fn of(
    (room, seq, ts): (RoomId, Seq, Timestamp),
    by: AccountId,
    account: Option<AccountId>,
    deed: Deed,
    live: bool,
) -> Moderated {
    let (room_name, by_name, name) = (String::new(), String::new(), String::new());
    Moderated { room, room_name, seq, ts, by, by_name, account, name, deed, live }
}

/// Not by itself is never.
fn end(until: Timestamp) -> Option<Timestamp> {
    (until != Timestamp(0)).then_some(until)
}
