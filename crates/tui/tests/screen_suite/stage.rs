//! A screen without a terminal, a network or a clock.

use chat_client::{Connected, Destination, Event, Message, Outgoing, OutgoingState, Subscribed};
use chat_proto::{
    AccountId, Epoch, MessageId, Nonce, PublicKey, RoomId, RoomName, Seq, SessionId, StreamId,
    TextKind, Timestamp,
};
use chat_tui::screen::clock::Moment;
use chat_tui::screen::model::Model;
use chat_tui::screen::server::ServerId;
use chat_tui::screen::update::{Answer, Effect, Msg, ServerEffect, update};
use chat_tui::screen::view;
use chat_tui::text;
use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use jiff::tz::TimeZone;
use ratatui::Terminal;
use ratatui::backend::TestBackend;

/// 2026-03-04T10:00:00Z, a Wednesday.
pub(crate) const MORNING_MS: u64 = 1_772_618_400_000;
pub(crate) const MINUTE_MS: u64 = 60_000;
pub(crate) const LOBBY: RoomId = RoomId(1);
pub(crate) const DEV: RoomId = RoomId(2);
pub(crate) const ME: AccountId = AccountId(100);
pub(crate) const ADA: AccountId = AccountId(101);

pub(crate) struct Stage {
    pub(crate) model: Model,
    pub(crate) now_ms: u64,
    /// What the screen wanted, in order.
    pub(crate) effects: Vec<Effect>,
}

impl Stage {
    /// Opened, nothing tried yet.
    pub(crate) fn new(columns: u16, rows: u16) -> Self {
        let lobby = RoomName::parse("lobby").unwrap();
        let now = moment(0);
        let model = Model::new((columns, rows), now, TimeZone::UTC, "me", &lobby);
        Self { model, now_ms: 0, effects: Vec::new() }
    }

    /// Signed in, in the lobby, whose log is empty.
    pub(crate) fn online(columns: u16, rows: u16) -> Self {
        let mut stage = Self::new(columns, rows);
        stage.connect();
        stage.subscribe(LOBBY, "lobby", 0);
        stage.answer_pages(&[]);
        stage.effects.clear();
        stage
    }

    pub(crate) fn feed(&mut self, msg: Msg) {
        let now = moment(self.now_ms);
        self.effects.extend(update(&mut self.model, now, msg));
    }

    pub(crate) fn event(&mut self, event: Event) {
        self.feed(Msg::Client(ServerId::FIRST, event));
    }

    pub(crate) fn connect(&mut self) {
        self.event(Event::Connecting { target: "server:5018".into(), attempt: 1 });
        self.event(Event::Connected(Connected {
            account: ME,
            name: "me".into(),
            server_key: PublicKey([9; 32]),
            epoch: Epoch(7),
            session: SessionId(1),
            address: "server:5018".into(),
            encrypted: false,
            first_contact: false,
        }));
    }

    pub(crate) fn disconnect(&mut self) {
        self.event(Event::Disconnected {
            why: "the server is gone".into(),
            retry_in: Some(std::time::Duration::from_millis(2500)),
        });
    }

    pub(crate) fn subscribe(&mut self, room: RoomId, name: &str, head: u64) {
        self.event(Event::Subscribed(Subscribed {
            room,
            name: name.into(),
            topic: String::new(),
            epoch: Epoch(7),
            head: Seq(head),
            members: Vec::new(),
            member_count: 3,
            online: 2,
            from: Seq(head + 1),
        }));
    }

    /// Answers the pages that were asked for from this log, as the server would.
    pub(crate) fn answer_pages(&mut self, log: &[Message]) {
        let head = log.last().map_or(0, |message| message.seq.0);
        self.answer_pages_as_of(log, head);
    }

    pub(crate) fn answer_pages_as_of(&mut self, log: &[Message], head: u64) {
        loop {
            let wanted = self.effects.iter().position(|effect| {
                matches!(effect, Effect::Server(ServerId::FIRST, ServerEffect::Page(..)))
            });
            let Some(index) = wanted else { return };
            let Effect::Server(ServerId::FIRST, ServerEffect::Page(room, id, request)) =
                self.effects.remove(index)
            else {
                return;
            };
            let of_room = log.iter().filter(|message| message.room == id);
            let before: Vec<_> = of_room.filter(|message| message.seq < request.before).collect();
            let first = before.len().saturating_sub(usize::from(request.limit));
            let page = chat_client::HistoryPage {
                room: id,
                epoch: Epoch(7),
                as_of: Seq(head),
                messages: before[first..].iter().map(|message| (*message).clone()).collect(),
                more: first > 0,
                gaps: Vec::new(),
            };
            self.feed(Msg::Answer(ServerId::FIRST, Answer::Page(room, request, Ok(page))));
        }
    }

    pub(crate) fn hears(&mut self, message: Message) {
        self.event(Event::Message(message));
    }

    pub(crate) fn outgoing(&mut self, n: u64, text: &str, state: OutgoingState) {
        let to = Destination { room: Some(LOBBY), name: RoomName::parse("lobby").ok() };
        self.event(Event::Outgoing(Outgoing {
            nonce: nonce(n),
            id: id(1000 + n),
            to,
            text: text.into(),
            state,
        }));
    }

    /// The tickets and texts of the sends that the screen wanted, which are taken away.
    pub(crate) fn sends(&mut self) -> Vec<(u64, String)> {
        let mut sends = Vec::new();
        for effect in std::mem::take(&mut self.effects) {
            if let Effect::Server(ServerId::FIRST, ServerEffect::Send { ticket, text, .. }) = effect
            {
                sends.push((ticket, text));
            } else {
                self.effects.push(effect);
            }
        }
        sends
    }

    pub(crate) fn press(&mut self, code: KeyCode) {
        self.feed(Msg::Key(KeyEvent::new(code, KeyModifiers::NONE)));
    }

    pub(crate) fn press_with(&mut self, modifiers: KeyModifiers, code: KeyCode) {
        self.feed(Msg::Key(KeyEvent::new(code, modifiers)));
    }

    pub(crate) fn ctrl(&mut self, character: char) {
        self.press_with(KeyModifiers::CONTROL, KeyCode::Char(character));
    }

    pub(crate) fn alt(&mut self, character: char) {
        self.press_with(KeyModifiers::ALT, KeyCode::Char(character));
    }

    pub(crate) fn types(&mut self, text: &str) {
        for character in text.chars() {
            self.press(KeyCode::Char(character));
        }
    }

    pub(crate) fn enters(&mut self, text: &str) {
        self.types(text);
        self.press(KeyCode::Enter);
    }

    /// The screen as text, without the spaces at the ends of lines.
    pub(crate) fn screen(&self) -> String {
        let (columns, rows) = self.model.size;
        let mut terminal = Terminal::new(TestBackend::new(columns, rows)).unwrap();
        terminal.draw(|frame| view::draw(&self.model, frame)).unwrap();
        let buffer = terminal.backend().buffer();
        let mut lines = Vec::new();
        for y in 0..rows {
            let mut line = String::new();
            let mut x = 0;
            while x < columns {
                let symbol = buffer[(x, y)].symbol();
                line.push_str(symbol);
                x += u16::try_from(text::width(symbol).max(1)).unwrap();
            }
            lines.push(line.trim_end().to_owned());
        }
        lines.join("\n")
    }

    /// The cell of the cursor.
    pub(crate) fn cursor(&self) -> (u16, u16) {
        let (columns, rows) = self.model.size;
        let mut terminal = Terminal::new(TestBackend::new(columns, rows)).unwrap();
        terminal.draw(|frame| view::draw(&self.model, frame)).unwrap();
        let position = terminal.get_cursor_position().unwrap();
        (position.x, position.y)
    }

    pub(crate) fn shows(&self, text: &str) -> bool {
        self.screen().contains(text)
    }

    /// How often a text is on the screen.
    pub(crate) fn count(&self, text: &str) -> usize {
        self.screen().matches(text).count()
    }
}

pub(crate) fn moment(ms: u64) -> Moment {
    let wall = i64::try_from(MORNING_MS + ms).unwrap();
    Moment { ms, wall: jiff::Timestamp::from_millisecond(wall).unwrap() }
}

pub(crate) fn id(n: u64) -> MessageId {
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&n.to_le_bytes());
    MessageId(bytes)
}

pub(crate) fn nonce(n: u64) -> Nonce {
    Nonce { stream: StreamId([1; 16]), n }
}

/// A message of ada in the lobby, a minute after the one before.
pub(crate) fn said(seq: u64, text: &str) -> Message {
    said_in(LOBBY, "lobby", seq, text)
}

pub(crate) fn said_in(room: RoomId, room_name: &str, seq: u64, text: &str) -> Message {
    Message {
        room,
        room_name: room_name.into(),
        seq: Seq(seq),
        ts: Timestamp(MORNING_MS + seq * MINUTE_MS),
        from: ADA,
        from_name: "ada".into(),
        id: id(seq),
        kind: TextKind::Say,
        text: text.into(),
        reply_to: None,
        live: true,
    }
}

/// The same, from the reader, under the id of the `n`th send.
pub(crate) fn own(seq: u64, n: u64, text: &str) -> Message {
    Message { from: ME, from_name: "me".into(), id: id(1000 + n), ..said(seq, text) }
}

/// A log of numbered messages.
pub(crate) fn log(first: u64, last: u64) -> Vec<Message> {
    (first..=last).map(|seq| said(seq, &format!("line {seq}"))).collect()
}
