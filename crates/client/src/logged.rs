//! Logged frames as events for the user.

mod settings;

use chat_proto::{
    AccountCreated, AccountId, AccountRenamed, EventSeq, Frame, InvitationWithdrawn, Joined, Kind,
    Left, Posted, RoomCreated, RoomId, RoomInvited, RoomJoined, RoomLeft, Seq, TextBody, TextKind,
    Timestamp, WireError,
};

use crate::event::{Event, Message, RoomChange};
use crate::moderated::{self, Removed, Reported};
use crate::names::Names;

/// What a logged frame says.
pub(crate) enum Logged {
    /// Something in a room; names are not set yet.
    Room(Event),
    /// In the own log.
    RoomJoined(RoomId),
    /// In the own log.
    RoomLeft(RoomId),
    /// In the own log: a moderator has ended the membership.
    Removed(Removed),
    /// In the own log; names are not set yet.
    Reported(Reported),
    /// In the own log: a room that may be joined, and its name.
    Invited(RoomId, String),
    /// In the own log.
    Uninvited(RoomId),
    /// In the own log.
    OwnName(String),
    /// A kind that this version does not know.
    Unknown,
}

impl Logged {
    pub(crate) fn read(frame: &Frame, live: bool) -> Result<Self, WireError> {
        let logged = match frame.known_kind() {
            Some(Kind::Posted) => Self::Room(message(frame.decode_lenient()?, live)),
            Some(Kind::Joined) => {
                let Joined { room, seq, ts, account } = frame.decode_lenient()?;
                Self::Room(Event::Joined(change(room, seq, ts, account, live)))
            }
            Some(Kind::Left) => {
                let Left { room, seq, ts, account } = frame.decode_lenient()?;
                Self::Room(Event::Left(change(room, seq, ts, account, live)))
            }
            Some(Kind::RoomCreated) => {
                let RoomCreated { room, seq, ts, by, name: _ } = frame.decode_lenient()?;
                Self::Room(Event::RoomCreated(change(room, seq, ts, by, live)))
            }
            Some(Kind::RoomInvited) => {
                let RoomInvited { room, name, .. } = frame.decode_lenient()?;
                Self::Invited(room, name)
            }
            Some(Kind::InvitationWithdrawn) => {
                Self::Uninvited(frame.decode_lenient::<InvitationWithdrawn>()?.room)
            }
            Some(
                Kind::RoleSet
                | Kind::AccessSet
                | Kind::InvitationSet
                | Kind::TopicSet
                | Kind::ReadOnlySet
                | Kind::DirectBegun,
            ) => Self::Room(Event::RoomChanged(Box::new(settings::read(frame, live)?))),
            Some(Kind::AccountCreated) => {
                Self::OwnName(frame.decode_lenient::<AccountCreated>()?.name)
            }
            Some(Kind::AccountRenamed) => {
                Self::OwnName(frame.decode_lenient::<AccountRenamed>()?.name)
            }
            Some(Kind::RoomJoined) => Self::RoomJoined(frame.decode_lenient::<RoomJoined>()?.room),
            Some(Kind::RoomLeft) => Self::RoomLeft(frame.decode_lenient::<RoomLeft>()?.room),
            _ => return Self::read_moderation(frame, live),
        };
        Ok(logged)
    }

    fn read_moderation(frame: &Frame, live: bool) -> Result<Self, WireError> {
        if let Some(event) = moderated::read(frame, live)? {
            return Ok(Self::Room(event));
        }
        if let Some(removed) = moderated::read_removal(frame)? {
            return Ok(Self::Removed(removed));
        }
        Ok(moderated::read_report(frame)?.map_or(Self::Unknown, Self::Reported))
    }
}

/// The accounts whose names must be known before an event can be told.
pub(crate) fn wanted_names(event: &Event) -> impl Iterator<Item = AccountId> {
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "the other events are about nobody, or bring the name"
    )]
    let (first, second) = match event {
        Event::Message(message) => (Some(message.from), None),
        Event::Joined(change) | Event::Left(change) | Event::RoomCreated(change) => {
            (Some(change.account), None)
        }
        Event::Moderated(moderated) => (Some(moderated.by), moderated.account),
        Event::Removed(removed) => (Some(removed.by), None),
        Event::Reported(reported) => (Some(reported.by), None),
        Event::RoomChanged(changed) => (Some(changed.change.account), changed.what.target()),
        _ => (None, None),
    };
    first.into_iter().chain(second)
}

/// Sets the names of an event whose turn it is: as they are now.
pub(crate) fn set_names(event: &mut Event, names: &Names) {
    let named = |account| names.account(account).unwrap_or_default().to_owned();
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "the other events bring the names that they need"
    )]
    match event {
        Event::Message(message) => {
            debug_assert!(names.account(message.from).is_some(), "its turn comes with its name");
            message.room_name = names.room(message.room);
            message.from_name = names.account(message.from).unwrap_or_default().to_owned();
        }
        Event::Joined(change) | Event::Left(change) | Event::RoomCreated(change) => {
            set_change_names(change, names);
        }
        Event::RoomChanged(changed) => {
            set_change_names(&mut changed.change, names);
            changed.what.set_name(names);
        }
        Event::Moderated(moderated) => {
            moderated.room_name = names.room(moderated.room);
            moderated.by_name = named(moderated.by);
            moderated.name = moderated.account.map(named).unwrap_or_default();
        }
        Event::Removed(removed) => {
            removed.room_name = names.room(removed.room);
            removed.by_name = named(removed.by);
        }
        Event::Reported(reported) => {
            reported.room_name = names.room(reported.room);
            reported.by_name = named(reported.by);
        }
        _ => {}
    }
}

fn set_change_names(change: &mut RoomChange, names: &Names) {
    change.room_name = names.room(change.room);
    change.name = names.account(change.account).unwrap_or_default().to_owned();
}

/// A message without its names.
pub(crate) fn message(posted: Posted, live: bool) -> Event {
    let kind = kind_of(&posted.body);
    let TextBody { text, reply_to, .. } = posted.body;
    Event::Message(Message {
        room: posted.room,
        room_name: String::new(),
        seq: posted.seq,
        ts: posted.ts,
        from: posted.from,
        from_name: String::new(),
        id: posted.id,
        kind,
        text,
        reply_to: reply_to.map(EventSeq::seq),
        live,
    })
}

/// A kind that this version does not know is told as plain words.
pub(crate) fn kind_of(body: &TextBody) -> TextKind {
    body.known_kind().unwrap_or(TextKind::Say)
}

fn change(room: RoomId, seq: Seq, ts: Timestamp, account: AccountId, live: bool) -> RoomChange {
    RoomChange { room, room_name: String::new(), seq, ts, account, name: String::new(), live }
}
