//! The state of the screen: everything that the view needs, and nothing that moves by itself.
//!
//! Owns the rooms, the connection as a person sees it, the line that is typed and what is open
//! above the room. It must not know tokio, crossterm's terminal, or how anything is drawn.

use std::collections::{HashMap, VecDeque};

use chat_client::Destination;
use chat_proto::{AccountId, RoomId, RoomName};
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use super::areas;
use super::history::{ALL_BYTES_MAX, Bound, Entry, Kind, Local, Mark, Place, Viewport};
use super::input::Input;
use super::keymap::Keymap;
use super::layers::{Context, Layers};
use super::outage::Outage;
use super::page_retry::PageRetry;
pub use super::room::{Room, RoomIndex};
pub use super::sends::Unqueued;
use super::shown;
use super::theme::Theme;
use crate::reach::Reach;

/// The time, as the runtime tells it with every message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Moment {
    /// Milliseconds since the screen was opened; never goes back.
    pub ms: u64,
    /// The clock on the wall.
    pub wall: jiff::Timestamp,
}

/// The connection as a person sees it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Connection {
    /// Nothing was tried yet.
    Starting,
    /// An attempt is under way.
    Connecting {
        /// The address as a person reads it.
        target: String,
        /// From 1.
        attempt: u32,
    },
    /// Signed in.
    Online {
        /// How long the server takes to answer.
        latency_ms: Option<u64>,
        /// Since when it owes an answer and says nothing, as in [`Moment::ms`].
        silent_since_ms: Option<u64>,
    },
    /// There is none; the next attempt begins at this moment.
    Offline {
        /// A sentence.
        why: String,
        /// As in [`Moment::ms`].
        retry_at_ms: u64,
    },
    /// There is none, and there will be none.
    Ended {
        /// A sentence.
        why: String,
    },
}

/// Who the reader is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Me {
    /// The account, once signed in.
    pub account: Option<AccountId>,
    /// The nickname: the one in force, else the one wished for.
    pub name: String,
}

/// The state of the screen.
#[derive(Debug)]
pub struct Model {
    /// Columns and rows of the terminal.
    pub size: (u16, u16),
    /// The time of the last update.
    pub now: Moment,
    /// Where the reader's clock hangs.
    pub zone: TimeZone,
    /// Who reads.
    pub me: Me,
    /// How the connection is.
    pub connection: Connection,
    /// The present outage, once it was told, or the last one as far as it is told of.
    pub outage: Outage,
    /// How others reach the server inside this program, if there is one.
    pub host: Option<Reach>,
    /// How others reach the server, as far as this client knows.
    pub reached: Option<Reach>,
    /// Whether there was a connection ever.
    pub was_online: bool,
    /// Every room that was heard of. Only ever grows.
    pub rooms: Vec<Room>,
    /// The room that is open.
    pub current: RoomIndex,
    /// The line that is typed.
    pub input: Input,
    /// What is open above the room.
    pub layers: Layers,
    /// Which key does what.
    pub keymap: Keymap,
    /// How everything is painted.
    pub theme: Theme,
    /// A word that stays until the next key.
    pub flash: Option<String>,
    /// Messages that were said while the connection was away.
    pub missed: usize,
    /// Whether the terminal has the focus.
    pub focused: bool,
    /// Sends that the outbox has not taken yet, in order.
    pub unqueued: VecDeque<Unqueued>,
    /// Numbers them.
    pub tickets: u64,
    /// When a page that could not be had is asked for again.
    pub page_retry: PageRetry,
    by_id: HashMap<RoomId, RoomIndex>,
}

impl Model {
    /// The screen as it opens: one room, no connection, the usual keys, no colours.
    #[must_use]
    pub fn new(size: (u16, u16), now: Moment, zone: TimeZone, name: &str, room: &RoomName) -> Self {
        let me = Me { account: None, name: shown::line(name) };
        let mut model = Self {
            size,
            now,
            zone,
            me,
            connection: Connection::Starting,
            outage: Outage::default(),
            host: None,
            reached: None,
            was_online: false,
            rooms: Vec::new(),
            current: 0,
            input: Input::default(),
            layers: Layers::default(),
            keymap: Keymap::default(),
            theme: Theme::mono(),
            flash: None,
            missed: 0,
            focused: true,
            unqueued: VecDeque::new(),
            tickets: 0,
            page_retry: PageRetry::default(),
            by_id: HashMap::new(),
        };
        let first = model.room_by_title(room.as_str());
        model.rooms[first].wanted = true;
        model
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

    /// The pane that the history is shown in.
    #[must_use]
    pub fn viewport(&self) -> Viewport {
        let pane = areas::of(self).history;
        Viewport::new(pane.width, pane.height)
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
        let title = shown::line(name);
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
        self.me = Me { account: None, name: shown::line(name) };
        self.connection = Connection::Starting;
        (self.outage, self.was_online) = (Outage::default(), false);
        for room in &mut self.rooms {
            room.wanted |= room.member;
            room.member = false;
        }
    }

    /// A moment on the reader's clock.
    #[must_use]
    pub fn clock(&self, unix_ms: u64) -> DateTime {
        let wall = i64::try_from(unix_ms)
            .ok()
            .and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok())
            .unwrap_or(self.now.wall);
        self.zone.to_datetime(wall)
    }

    /// The time now on the reader's clock.
    #[must_use]
    pub fn clock_now(&self) -> DateTime {
        self.zone.to_datetime(self.now.wall)
    }

    /// The entry of a logged message.
    #[must_use]
    pub fn entry_of(&self, message: &chat_client::Message) -> Entry {
        let text = shown::text(&message.text);
        let kind = match self.is_own(message) {
            true => Kind::Own(Mark::Committed),
            false => Kind::Message {
                from: shown::name(&message.from_name),
                mention: shown::mentions(&message.text, &self.me.name),
            },
        };
        let place = Place::of(message.seq);
        Entry::new(place, Some(message.id), self.clock(message.ts.0), kind, &text)
    }

    /// Whether the reader said it.
    #[must_use]
    pub fn is_own(&self, message: &chat_client::Message) -> bool {
        self.me.account == Some(message.from)
    }

    /// Lets the screen say something in a room.
    pub fn say(&mut self, room: RoomIndex, kind: Kind, text: &str) -> Local {
        let time = self.clock_now();
        self.rooms[room].history.say(kind, time, &shown::text(text))
    }

    /// Answers a command, where the reader is.
    pub fn answer(&mut self, text: &str) {
        self.say(self.current, Kind::Answer, text);
    }

    /// Tells of trouble, where the reader is.
    pub fn trouble(&mut self, text: &str) -> Local {
        self.say(self.current, Kind::Trouble, text)
    }

    /// Opens a room: what was unread there is marked as new, and counts as read.
    pub fn open(&mut self, index: RoomIndex) {
        if index == self.current || index >= self.rooms.len() {
            return;
        }
        let draft = self.input.draft();
        self.input.take();
        let left = self.room_mut();
        left.draft = draft;
        left.history.divider = None;
        left.history.note_shown(None, 0);
        left.history.trim(Bound::RESTING);
        self.current = index;
        let opened = self.room_mut();
        opened.unread = 0;
        opened.mentions = 0;
        let draft = std::mem::take(&mut opened.draft);
        opened.history.retry_pages();
        self.input.put(&draft);
    }

    /// Keeps the memory of all rooms together in bounds: the largest of those that are not open
    /// forget what the server has.
    pub fn bound_memory(&mut self) {
        let mut total: usize = self.rooms.iter().map(|room| room.history.bytes()).sum();
        while total > ALL_BYTES_MAX {
            let resting = (0..self.rooms.len()).filter(|&index| index != self.current);
            let largest = resting.max_by_key(|&index| self.rooms[index].history.bytes());
            let Some(index) = largest else { return };
            let history = &mut self.rooms[index].history;
            let (entries, bytes) = (history.entries().len(), history.bytes());
            history.trim(Bound { entries: entries / 2, bytes: bytes / 2 });
            let freed = bytes - history.bytes();
            if freed == 0 {
                return; // Only what waits is left, which the outbox bounds.
            }
            total -= freed;
        }
    }

    /// Whether the reader sees what comes into a room.
    #[must_use]
    pub fn is_watched(&self, index: RoomIndex) -> bool {
        index == self.current && self.focused && self.rooms[index].history.is_at_bottom()
    }

    /// What a layer sees.
    #[must_use]
    pub fn layer_context(&self) -> Context<'_> {
        Context {
            size: self.size,
            keymap: &self.keymap,
            theme: &self.theme,
            rooms: &self.rooms,
            listed: self.listed(),
        }
    }

    /// Notes which of the screen's lines the reader can see from now on.
    pub fn note_shown(&mut self) {
        let is_seen = self.focused && self.layers.is_empty();
        let viewport = is_seen.then(|| self.viewport());
        let now_ms = self.now.ms;
        self.room_mut().history.note_shown(viewport, now_ms);
    }

    /// The reader does something, and has seen what stood there for a while.
    pub fn see_shown(&mut self) {
        let now_ms = self.now.ms;
        self.room_mut().history.see_shown(now_ms);
    }
}
