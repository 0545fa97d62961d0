//! The state of the screen: everything that the view needs, and nothing that moves by itself.
//!
//! Owns the servers, the one that is looked at, the line that is typed and what is open above the
//! room. It must not know tokio, crossterm's terminal, or how anything is drawn.

use chat_client::sanitize::Inert;
use chat_proto::RoomName;
use jiff::tz::TimeZone;

use super::clock::{Clock, Moment};
use super::history::{ALL_BYTES_MAX, Bound, History};
use super::input::Input;
use super::keymap::Keymap;
use super::layers::{Context, Layers};
use super::room::{Room, RoomIndex};
use super::server::{Server, ServerId};
use super::theme::Theme;

/// The state of the screen.
#[derive(Debug)]
pub struct Model {
    /// Columns and rows of the terminal.
    pub size: (u16, u16),
    /// Whether the terminal has the focus.
    pub has_focus: bool,
    /// The reader's clock.
    pub clock: Clock,
    /// The servers, by their ids: today one.
    pub servers: Vec<Server>,
    /// The server that is looked at.
    pub focus: ServerId,
    /// The line that is typed.
    pub input: Input,
    /// What is open above the room.
    pub layers: Layers,
    /// Which key does what.
    pub keymap: Keymap,
    /// How everything is painted.
    pub theme: Theme,
    /// A word that stays until the next key.
    pub flash: Option<Inert>,
}

impl Model {
    /// The screen as it opens: one room, no connection, the usual keys, no colours.
    #[must_use]
    pub fn new(size: (u16, u16), now: Moment, zone: TimeZone, name: &str, room: &RoomName) -> Self {
        Self {
            size,
            has_focus: true,
            clock: Clock { now, zone },
            servers: vec![Server::new(ServerId::FIRST, name, room)],
            focus: ServerId::FIRST,
            input: Input::default(),
            layers: Layers::default(),
            keymap: Keymap::default(),
            theme: Theme::mono(),
            flash: None,
        }
    }

    /// The server that is looked at.
    #[must_use]
    pub fn server(&self) -> &Server {
        &self.servers[self.focus.0]
    }

    /// The server that is looked at.
    pub fn server_mut(&mut self) -> &mut Server {
        &mut self.servers[self.focus.0]
    }

    /// The room that is open.
    #[must_use]
    pub fn room(&self) -> &Room {
        self.server().room()
    }

    /// The room that is open.
    pub fn room_mut(&mut self) -> &mut Room {
        self.server_mut().room_mut()
    }

    /// Answers a command, where the reader is.
    pub fn answer(&mut self, text: &str) {
        let clock = &self.clock;
        self.servers[self.focus.0].answer(text, clock);
    }

    /// Tells of trouble, where the reader is.
    pub fn trouble(&mut self, text: &str) {
        let clock = &self.clock;
        self.servers[self.focus.0].trouble(text, clock);
    }

    /// Opens a room of the server that is looked at: what was unread there is marked as new, and
    /// counts as read.
    pub fn open(&mut self, index: RoomIndex) {
        if index == self.server().current || index >= self.server().rooms.len() {
            return;
        }
        let draft = self.input.draft();
        self.input.take();
        let left = self.room_mut();
        left.draft = draft;
        left.history.divider = None;
        left.history.note_shown(None, 0);
        left.history.trim(Bound::RESTING);
        self.server_mut().current = index;
        let opened = self.room_mut();
        opened.unread = 0;
        opened.mentions = 0;
        let draft = std::mem::take(&mut opened.draft);
        opened.history.retry_pages();
        self.input.put(&draft);
    }

    /// Opens a room of a server; of one that is not looked at, it is open when that is.
    pub fn open_in(&mut self, id: ServerId, index: RoomIndex) {
        match id == self.focus {
            true => self.open(index),
            false => self.servers[id.0].current = index,
        }
    }

    /// Keeps the memory of all rooms of all servers together in bounds: the largest of those that
    /// are not open forget what the server has.
    pub fn bound_memory(&mut self) {
        let rooms = self.servers.iter().flat_map(|server| &server.rooms);
        let mut total: usize = rooms.map(|room| room.history.bytes()).sum();
        while total > ALL_BYTES_MAX {
            let Some(history) = self.largest_resting() else { return };
            let (entries, bytes) = (history.entries().len(), history.bytes());
            history.trim(Bound { entries: entries / 2, bytes: bytes / 2 });
            let freed = bytes - history.bytes();
            if freed == 0 {
                return; // Only what waits is left, which the outbox bounds.
            }
            total -= freed;
        }
    }

    /// The largest history that is not open.
    fn largest_resting(&mut self) -> Option<&mut History> {
        let focus = self.focus;
        let resting = self.servers.iter_mut().flat_map(|server| {
            let open = (server.id == focus).then_some(server.current);
            let rooms = server.rooms.iter_mut().enumerate();
            rooms.filter(move |(index, _room)| Some(*index) != open)
        });
        let histories = resting.map(|(_index, room)| &mut room.history);
        histories.max_by_key(|history| history.bytes())
    }

    /// What a layer sees.
    #[must_use]
    pub fn layer_context(&self) -> Context<'_> {
        let server = self.server();
        Context {
            size: self.size,
            keymap: &self.keymap,
            theme: &self.theme,
            rooms: &server.rooms,
            listed: server.listed(),
        }
    }
}
