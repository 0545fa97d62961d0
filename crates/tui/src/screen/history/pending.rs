//! Own messages that are not committed: they wait, or were refused.
//!
//! Owns under which id each is known. It must not know the outbox.

use chat_proto::{MessageId, Seq};
use jiff::civil::DateTime;

use super::{Entry, History, Kind, Local, Place, Row, SendMark, Viewport};

/// An own message that is not committed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct UncommittedSend {
    /// Its id, once it is in the outbox.
    id: Option<MessageId>,
    is_refused: bool,
}

impl History {
    /// Shows an own message that waits for its commit. It has an id once it is in the outbox.
    pub fn wait(&mut self, id: Option<MessageId>, time: DateTime, text: &str) -> Local {
        let mark = if id.is_some() { SendMark::Waiting } else { SendMark::Typed };
        let local = self.say_own(|place| Entry::new(place, id, time, Kind::Own(mark), text));
        self.locals.pending.insert(local, UncommittedSend { id, is_refused: false });
        local
    }

    /// How many own messages wait.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.locals.pending.values().filter(|pending| !pending.is_refused).count()
    }

    /// A message is in the outbox, under this id. If the message is here under that id already, the waiting
    /// one leaves: an own message is shown once.
    pub fn identify(&mut self, local: Local, id: MessageId) {
        if self.knows(id) {
            return self.discard(local);
        }
        if let Some(pending) = self.locals.pending.get_mut(&local) {
            pending.id = Some(id);
            self.change_local(local, |entry| {
                (entry.id, entry.kind) = (Some(id), Kind::Own(SendMark::Waiting));
            });
        }
    }

    /// Whether a message with this id is loaded, or waits.
    #[must_use]
    pub fn knows(&self, id: MessageId) -> bool {
        self.pending_with(id).is_some()
            || self.entries.iter().rev().any(|entry| entry.id == Some(id))
    }

    /// The own message with this id that is not committed.
    #[must_use]
    pub fn pending_with(&self, id: MessageId) -> Option<Local> {
        let mut pending = self.locals.pending.iter();
        pending.find(|(_local, pending)| pending.id == Some(id)).map(|(local, _pending)| *local)
    }

    /// A waiting message goes on under another id.
    pub fn change_id(&mut self, old: MessageId, new: MessageId) {
        if let Some(local) = self.pending_with(old)
            && let Some(pending) = self.locals.pending.get_mut(&local)
        {
            pending.id = Some(new);
            self.change_local(local, |entry| entry.id = Some(new));
        }
    }

    /// Moves an own message to its place in the log. Says whether it was waiting.
    pub fn commit(&mut self, id: MessageId, seq: Seq, time: DateTime) -> bool {
        let Some(local) = self.pending_with(id) else {
            return false;
        };
        self.locals.pending.remove(&local);
        let Some(mut entry) = self.take_local(local) else {
            return false;
        };
        let new = Place::of(seq);
        self.anchor_follows(entry.place, new);
        (entry.place, entry.time, entry.kind) = (new, time, Kind::Own(SendMark::Committed));
        self.arrive(entry);
        true
    }

    /// Marks an own message as refused.
    pub fn refuse(&mut self, local: Local, reason: &str) {
        if let Some(pending) = self.locals.pending.get_mut(&local) {
            pending.is_refused = true;
            self.change_local(local, |entry| entry.refuse(reason));
        }
    }

    /// The lowest visible message that was refused.
    #[must_use]
    pub fn refused_in(&self, viewport: Viewport) -> Option<Local> {
        let refused = |row: &Row<'_>| match row {
            Row::Body { entry, .. } if entry.kind == Kind::Own(SendMark::Refused) => {
                entry.place.local()
            }
            Row::Body { .. } | Row::Lead(_) | Row::Blank => None,
        };
        self.rows(viewport).iter().rev().find_map(refused)
    }

    /// Takes away a message that was refused or waits.
    pub fn discard(&mut self, local: Local) {
        self.locals.pending.remove(&local);
        match self.index_of_local(local) {
            Some(index) => self.remove_at(index),
            None => drop(self.take_local(local)),
        }
    }

    /// The logged message under an id has come: the one that waited under it leaves.
    pub(super) fn replace_pending(&mut self, id: MessageId, by: Place) {
        let Some(local) = self.pending_with(id) else {
            return;
        };
        self.locals.pending.remove(&local);
        if let Some(entry) = self.take_local(local) {
            self.anchor_follows(entry.place, by);
        }
    }

    /// The same when it has come where nothing is loaded.
    pub(super) fn drop_pending(&mut self, id: MessageId) {
        if let Some(local) = self.pending_with(id) {
            self.discard(local);
        }
    }
}
