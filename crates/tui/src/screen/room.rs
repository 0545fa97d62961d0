//! One room as the screen knows it.
//!
//! Owns what is remembered of a room beside its history. It knows nothing of other rooms.

use std::collections::BTreeSet;

use chat_client::sanitize::Inert;
use chat_proto::{AccountId, RoomId, Seq};

use super::history::{History, Local, Viewport};
use super::sanitize;

/// People that are remembered of a room.
const PEOPLE_MAX: usize = 1024;

/// A room's place among those of the screen, for as long as that lives.
pub type RoomIndex = usize;

/// A line that says which events are gone.
#[derive(Clone, Copy, Debug)]
pub struct ToldGone {
    /// The line.
    pub line: Local,
    /// The first that is gone.
    pub first: Seq,
    /// The last, as far as is known.
    pub last: Seq,
}

/// A room.
#[derive(Debug)]
pub struct Room {
    /// The name as shown, without `#`; with `@` of the conversation with somebody.
    pub title: Inert,
    /// What it is about.
    pub topic: Inert,
    /// Its id, once the server has told it.
    pub id: Option<RoomId>,
    /// Whether the account is a member.
    pub member: bool,
    /// Whether it is to be joined as soon as there is a connection.
    pub wanted: bool,
    /// What was said.
    pub history: History,
    /// Messages that came and were not looked at.
    pub unread: usize,
    /// How many of them name the reader.
    pub mentions: usize,
    /// Messages up to here that come by themselves were said while the connection was away.
    pub missed_to: Seq,
    /// How many members are connected.
    pub online: Option<u32>,
    /// The newest line that says that events are gone.
    pub told_gone: Option<ToldGone>,
    /// Members that the reader can have seen: what becomes of their names is told here.
    people: BTreeSet<AccountId>,
    /// What was typed here and not sent.
    pub draft: String,
    /// The texts of refused messages, to send them again.
    pub refused: Vec<(Local, String)>,
}

impl Room {
    /// What it is called where it is shown: `#den`, or `@ada` of the conversation with somebody.
    #[must_use]
    pub fn label(&self) -> String {
        match self.is_direct() {
            true => self.title.to_string(),
            false => format!("#{}", self.title),
        }
    }

    /// Whether it is the conversation with somebody.
    #[must_use]
    pub fn is_direct(&self) -> bool {
        self.title.starts_with('@')
    }

    /// A room that was heard of by its name.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self {
            title: sanitize::line(name),
            topic: Inert::default(),
            id: None,
            member: false,
            wanted: false,
            history: History::default(),
            unread: 0,
            mentions: 0,
            missed_to: Seq::ZERO,
            online: None,
            told_gone: None,
            people: BTreeSet::new(),
            draft: String::new(),
            refused: Vec::new(),
        }
    }

    /// An own message was refused; what the reader is told of it is inert. Its text is kept apart
    /// from the history, as it was typed, so that it can be sent again.
    pub fn refuse(&mut self, local: Local, text: String, told: &str) {
        if self.refused.iter().any(|(known, _text)| *known == local) {
            return;
        }
        self.history.refuse(local, told);
        self.refused.push((local, text));
    }

    /// A refused message and its text, which is taken away: the lowest that is visible, else the
    /// last.
    pub fn take_refused(&mut self, viewport: Viewport) -> Option<(Local, String)> {
        let visible = self.history.refused_in(viewport);
        let nth = self.refused.iter().rposition(|(local, _text)| Some(*local) == visible);
        let last = self.refused.len().checked_sub(1);
        nth.or(last).map(|nth| self.refused.remove(nth))
    }

    /// Somebody was seen here.
    pub fn meet(&mut self, account: AccountId) {
        if self.people.len() < PEOPLE_MAX {
            self.people.insert(account);
        }
    }

    /// Somebody is no member any more.
    pub fn part_with(&mut self, account: AccountId) {
        self.people.remove(&account);
    }

    /// Whether somebody was seen here.
    #[must_use]
    pub fn has_met(&self, account: AccountId) -> bool {
        self.people.contains(&account)
    }

    /// What is unread: a number, with `!` when the reader is named.
    #[must_use]
    pub fn unread_label(&self) -> String {
        match (self.unread, self.mentions) {
            (0, _) => String::new(),
            (unread, 0) => capped(unread),
            (_, mentions) => format!("!{}", capped(mentions)),
        }
    }
}

/// A count in few cells.
#[must_use]
pub fn capped(count: usize) -> String {
    if count > 999 { "999+".to_owned() } else { count.to_string() }
}
