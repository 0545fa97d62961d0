//! Own messages between the line that is typed and the outbox.
//!
//! Owns which entry of which room each of them is. It must not know how they are sent.

use std::collections::VecDeque;

use super::history::Local;
use super::room::RoomIndex;

/// Sends that the outbox has not taken yet, at most; past it what is typed stays where it is.
pub const UNQUEUED_MAX: usize = 256;

/// A message that the outbox has not confirmed yet.
#[derive(Debug)]
pub struct Unqueued {
    /// Names the message until it has an id.
    pub ticket: u64,
    /// Where it is shown.
    pub room: RoomIndex,
    /// What it is there.
    pub local: Local,
    /// What is said.
    pub text: String,
}

/// The messages that the outbox has not confirmed yet, in order.
#[derive(Debug, Default)]
pub struct Sends {
    unqueued: VecDeque<Unqueued>,
    /// The last ticket that was given.
    last_ticket: u64,
}

impl Sends {
    /// Adds a message that is shown as `local`; gives its ticket.
    pub fn push(&mut self, room: RoomIndex, local: Local, text: String) -> u64 {
        self.last_ticket += 1;
        let ticket = self.last_ticket;
        self.unqueued.push_back(Unqueued { ticket, room, local, text });
        ticket
    }

    /// Whether so many more can be taken.
    #[must_use]
    pub fn has_room_for(&self, count: usize) -> bool {
        self.unqueued.len() + count <= UNQUEUED_MAX
    }

    /// The waiting message that this one is, if the outbox tells of it before it answers.
    pub fn take_with_text(&mut self, room: RoomIndex, text: &str) -> Option<Unqueued> {
        let same = |held: &Unqueued| held.room == room && held.text == text;
        let index = self.unqueued.iter().position(same)?;
        self.unqueued.remove(index)
    }

    /// The message that has this ticket.
    pub fn take(&mut self, ticket: u64) -> Option<Unqueued> {
        let index = self.unqueued.iter().position(|held| held.ticket == ticket)?;
        self.unqueued.remove(index)
    }

    /// The texts, in order.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        self.unqueued.iter().map(|held| held.text.as_str())
    }
}
