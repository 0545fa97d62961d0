//! One server as the screen knows it: who the reader is there, how the connection is, and its
//! rooms.
//!
//! Owns everything that belongs to one server and nothing that belongs to the terminal: with
//! another server there is another one of these. It must not know tokio, nor how anything is drawn.

use std::collections::HashMap;

use chat_client::Destination;
use chat_client::sanitize::Inert;
use chat_proto::{AccountId, RoomId, RoomName};

use super::clock::Clock;
use super::history::{Entry, Kind, Local, Place, SendMark};
use super::keymap::Keymap;
use super::keys::Action;
use super::outage::Outage;
use super::page_retry::PageRetry;
use super::room::{Room, RoomIndex};
use super::sanitize;
use super::sends::Sends;
use crate::reach::Reach;

/// Which server: its place in [`Model::servers`](super::model::Model::servers), for as long as the
/// screen lives.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ServerId(pub usize);

impl ServerId {
    /// The one that the screen is opened with.
    pub const FIRST: Self = Self(0);
}

/// The connection as a person sees it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Connection {
    /// Nothing was tried yet.
    Starting,
    /// An attempt is under way.
    Connecting {
        /// The address as a person reads it.
        target: Inert,
        /// From 1.
        attempt: u32,
    },
    /// Signed in.
    Online {
        /// How long the server takes to answer.
        latency_ms: Option<u64>,
        /// Since when it owes an answer and says nothing, as in
        /// [`Moment::ms`](super::clock::Moment::ms).
        silent_since_ms: Option<u64>,
    },
    /// There is none; the next attempt begins at this moment.
    Offline {
        /// What went wrong, for a person.
        why: Inert,
        /// As in [`Moment::ms`](super::clock::Moment::ms).
        retry_at_ms: u64,
    },
    /// There is none, and there will be none.
    Ended {
        /// What went wrong, for a person.
        why: Inert,
    },
}

/// Who the reader is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Me {
    /// The account, once signed in.
    pub account: Option<AccountId>,
    /// The nickname: the one in force, else the one wished for.
    pub name: Inert,
}

/// A server.
#[derive(Debug)]
pub struct Server {
    /// Which one it is.
    pub id: ServerId,
    /// Who the reader is there.
    pub me: Me,
    /// How the connection is.
    pub connection: Connection,
    /// Whether there was a connection ever.
    pub was_online: bool,
    /// Whether it was refused for want of an invitation.
    pub needs_invitation: bool,
    /// The present outage, or the last one.
    pub outage: Outage,
    /// How others reach the server, when it is inside this program.
    pub host: Option<Reach>,
    /// How others reach the server, as far as this client knows.
    pub reached: Option<Reach>,
    /// Every room that was heard of. Only ever grows.
    pub rooms: Vec<Room>,
    /// The room that is open, when this server is looked at.
    pub current: RoomIndex,
    /// What the outbox has not taken yet.
    pub sends: Sends,
    /// When a page that could not be had is asked for again.
    pub page_retry: PageRetry,
    by_id: HashMap<RoomId, RoomIndex>,
}

impl Server {
    /// A server of which nothing is known but the name that is wished for there, and one room.
    #[must_use]
    pub fn new(id: ServerId, name: &str, room: &RoomName) -> Self {
        let mut first = Room::new(room.as_str());
        first.wanted = true;
        Self {
            id,
            me: Me { account: None, name: sanitize::line(name) },
            connection: Connection::Starting,
            was_online: false,
            needs_invitation: false,
            outage: Outage::default(),
            host: None,
            reached: None,
            rooms: vec![first],
            current: 0,
            sends: Sends::default(),
            page_retry: PageRetry::default(),
            by_id: HashMap::new(),
        }
    }

    /// Whether there is a connection that is signed in.
    #[must_use]
    pub fn is_online(&self) -> bool {
        matches!(self.connection, Connection::Online { .. })
    }

    /// The room that is open.
    #[must_use]
    pub fn room(&self) -> &Room {
        &self.rooms[self.current]
    }

    /// The room that is open.
    pub fn room_mut(&mut self) -> &mut Room {
        &mut self.rooms[self.current]
    }

    /// The rooms to be listed, by name.
    #[must_use]
    pub fn listed(&self) -> Vec<RoomIndex> {
        let is_listed = |&index: &RoomIndex| {
            let room = &self.rooms[index];
            let is_in = room.member || room.wanted || index == self.current;
            is_in || room.unread > 0 || !room.draft.is_empty()
        };
        let mut listed: Vec<_> = (0..self.rooms.len()).filter(is_listed).collect();
        listed.sort_by(|&a, &b| self.rooms[a].title.cmp(&self.rooms[b].title));
        listed
    }

    /// The room with an id.
    #[must_use]
    pub fn room_of(&self, id: RoomId) -> Option<RoomIndex> {
        self.by_id.get(&id).copied()
    }

    /// The room with this id and name, which is made when it was not heard of. A room that was
    /// known by name only gets its id.
    pub fn room_with(&mut self, id: RoomId, name: &str) -> RoomIndex {
        if let Some(index) = self.room_of(id) {
            return index;
        }
        let index = self.room_by_title(name);
        let index = match self.rooms[index].id {
            None => index,
            Some(_another) => self.new_room(name),
        };
        self.rooms[index].id = Some(id);
        self.by_id.insert(id, index);
        index
    }

    /// The room with this name, which is made when it was not heard of.
    pub fn room_by_title(&mut self, name: &str) -> RoomIndex {
        let title = sanitize::line(name);
        let known = self.rooms.iter().position(|room| room.title == title);
        known.unwrap_or_else(|| self.new_room(name))
    }

    /// The room that a message goes to.
    pub fn room_to(&mut self, to: &Destination) -> RoomIndex {
        let named = to.name.as_ref().map(RoomName::as_str);
        match (to.room, named) {
            (Some(id), Some(name)) => self.room_with(id, name),
            (None, Some(name)) => self.room_by_title(name),
            (Some(id), None) => self.room_of(id).unwrap_or(self.current),
            (None, None) => self.current,
        }
    }

    fn new_room(&mut self, name: &str) -> RoomIndex {
        self.rooms.push(Room::new(name));
        self.rooms.len() - 1
    }

    /// Forgets who the reader was: another name is signed in with, and joins the same rooms.
    pub fn begin_anew(&mut self, name: &str) {
        self.me = Me { account: None, name: sanitize::line(name) };
        self.connection = Connection::Starting;
        (self.outage, self.was_online) = (Outage::default(), false);
        self.needs_invitation = false;
        for room in &mut self.rooms {
            room.wanted |= room.member;
            room.member = false;
        }
    }

    /// The entry of a logged message.
    #[must_use]
    pub fn entry_of(&self, message: &chat_client::Message, clock: &Clock) -> Entry {
        let kind = match self.is_own(message) {
            true => Kind::Own(SendMark::Committed),
            false => Kind::Message {
                from: sanitize::name(&message.from_name),
                mention: sanitize::mentions(&message.text, &self.me.name),
            },
        };
        let place = Place::of(message.seq);
        let time = clock.local(message.ts.0);
        Entry::new(place, Some(message.id), time, kind, &message.text)
            .meant_as(message.kind)
            .said_by(message.from)
    }

    /// Whether the reader said it.
    #[must_use]
    pub fn is_own(&self, message: &chat_client::Message) -> bool {
        self.me.account == Some(message.from)
    }

    /// Lets the screen say something in a room.
    pub fn say(&mut self, room: RoomIndex, kind: Kind, text: &str, clock: &Clock) -> Local {
        self.rooms[room].history.say(kind, clock.local_now(), text)
    }

    /// Answers a command, in the room that is open.
    pub fn answer(&mut self, text: &str, clock: &Clock) {
        self.say(self.current, Kind::Answer, text, clock);
    }

    /// Tells of trouble, in the room that is open.
    pub fn trouble(&mut self, text: &str, clock: &Clock) {
        self.say(self.current, Kind::Trouble, text, clock);
    }

    /// The connection is lost: says so, in a line that is changed when it is back.
    pub fn tell_of_outage(&mut self, text: &str, clock: &Clock) {
        let line = self.say(self.current, Kind::Trouble, text, clock);
        self.outage.line = Some((self.current, line));
    }

    /// Puts what is known of an outage that is over in the place of "connection lost".
    pub fn retell_outage(&mut self) {
        if let (Some(text), Some((room, line))) = (self.outage.told_after(), self.outage.line) {
            self.rooms[room].history.retell(line, Kind::Answer, &text);
        }
    }

    /// An own message was refused for good. The keys that help are named with the reason.
    pub fn refuse(
        &mut self,
        room: RoomIndex,
        local: Local,
        text: String,
        reason: &str,
        keymap: &Keymap,
    ) {
        let (again, drop) = (keymap.hint(Action::Again), keymap.hint(Action::Discard));
        let reason = sanitize::line(reason);
        let told = format!("{reason} ({again} sends it again, {drop} drops it)");
        self.rooms[room].refuse(local, text, &told);
    }
}
