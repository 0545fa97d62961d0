//! Own messages between the line that is typed and the outbox, and those that were refused.
//!
//! Owns which entry of which room each of them is. It must not know how they are sent.

use super::history::Local;
use super::keys::Action;
use super::model::{Model, RoomIndex};
use super::shown;

/// A message that the outbox has not confirmed yet.
#[derive(Debug)]
pub struct Unqueued {
    /// Names it.
    pub ticket: u64,
    /// Where it is shown.
    pub room: RoomIndex,
    /// What it is there.
    pub local: Local,
    /// What is said.
    pub text: String,
}

impl Model {
    /// The waiting message that this one is, if the outbox tells of it before it answers.
    pub fn take_unqueued(&mut self, room: RoomIndex, text: &str) -> Option<Unqueued> {
        let same = |held: &Unqueued| held.room == room && held.text == text;
        let index = self.unqueued.iter().position(same)?;
        self.unqueued.remove(index)
    }

    /// The send that has this ticket.
    pub fn unqueued_with(&mut self, ticket: u64) -> Option<Unqueued> {
        let index = self.unqueued.iter().position(|held| held.ticket == ticket)?;
        self.unqueued.remove(index)
    }

    /// An own message was refused for good.
    pub fn refuse(&mut self, room: RoomIndex, local: Local, text: String, reason: &str) {
        let (again, drop) = (self.keymap.hint(Action::Again), self.keymap.hint(Action::Discard));
        let reason = shown::line(reason);
        let told = format!("{reason} ({again} sends it again, {drop} drops it)");
        self.rooms[room].refuse(local, text, &told);
    }

    /// A refused message and its text: the lowest that is visible, else the last.
    pub fn take_refused(&mut self) -> Option<(Local, String)> {
        let viewport = self.viewport();
        let room = self.room_mut();
        let visible = room.history.refused_in(viewport);
        let nth = room.refused.iter().rposition(|(local, _text)| Some(*local) == visible);
        let last = room.refused.len().checked_sub(1);
        nth.or(last).map(|nth| room.refused.remove(nth))
    }
}
