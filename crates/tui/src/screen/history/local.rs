//! What only the screen has: the lines that it says, and own messages that are not committed.
//!
//! Owns their numbers and their places in time: each stands after the event that was the last one
//! when it came. Where that part of the log is not loaded, they are kept aside until it is: no page
//! that comes or goes takes them away.

use std::collections::{BTreeMap, VecDeque};
use std::ops::RangeInclusive;

use jiff::civil::DateTime;

use super::pending::UncommittedSend;
use super::unseen::Unseen;
use super::{Anchor, Below, Bound, Entry, History, Kind, Local, Place};

/// Lines of the screen that are kept aside, the newest. Own messages come on top, as many as the
/// outbox holds.
const ASIDE_LINES_MAX: usize = 256;

/// What is known of it beside the entries that are loaded.
#[derive(Default, Debug)]
pub(super) struct Locals {
    last: u64,
    /// Whether the log's head was heard of: before, nothing has a place in time.
    is_placed: bool,
    /// What stands where the log is not loaded.
    aside: BTreeMap<Place, Entry>,
    /// Own messages that are not committed.
    pub(super) pending: BTreeMap<Local, UncommittedSend>,
    /// What the reader has not seen yet, the oldest first.
    pub(super) unseen: VecDeque<Unseen>,
}

impl Locals {
    fn next(&mut self) -> Local {
        self.last += 1;
        Local(self.last)
    }

    fn set_aside(&mut self, entry: Entry) {
        self.aside.insert(entry.place, entry);
        let is_line = |(_place, entry): &(&Place, &Entry)| !entry.is_message();
        if self.aside.len() > ASIDE_LINES_MAX + self.pending.len()
            && let Some(oldest) = self.aside.iter().find(is_line).map(|(place, _entry)| *place)
        {
            self.aside.remove(&oldest);
        }
    }

    fn find_aside(&self, local: Local) -> Option<Place> {
        self.aside.keys().find(|place| place.local() == Some(local)).copied()
    }
}

impl History {
    /// Lets the screen say something. What is about the reader stays below everything until it was
    /// seen; the rest stands after what is here.
    pub fn say(&mut self, kind: Kind, time: DateTime, text: &str) -> Local {
        let local = self.locals.next();
        let after = self.last_event();
        let place = match kind {
            Kind::Answer | Kind::Trouble => {
                self.hold_as_unseen(local, after);
                Place::floating(local)
            }
            Kind::Message { .. } | Kind::Own(_) | Kind::Notice => Place::after(after, local),
        };
        self.place_local(Entry::new(place, None, time, kind, text));
        self.trim(Bound::OPEN);
        local
    }

    /// Shows an own message, after what is here.
    pub(super) fn say_own(&mut self, entry: impl FnOnce(Place) -> Entry) -> Local {
        let local = self.locals.next();
        let place = Place::after(self.last_event(), local);
        self.place_local(entry(place));
        local
    }

    /// Changes what the screen has said.
    pub fn retell(&mut self, local: Local, kind: Kind, text: &str) {
        match self.index_of_local(local) {
            Some(index) => self.amend_at(index, kind, text),
            None => self.change_local(local, |entry| entry.amend(kind, text)),
        }
    }

    /// The last event that was heard of.
    fn last_event(&self) -> u64 {
        let shown = self.entries.iter().rev().find(|entry| !entry.place.is_floating());
        shown.map_or(0, |entry| entry.place.seq).max(self.head)
    }

    /// The seqs of which everything is loaded.
    fn loaded(&self) -> Option<RangeInclusive<u64>> {
        let first = match (self.paging.awaits_target(), self.paging.more_above) {
            (true, _) => return None,
            (false, true) => self.first_logged()?,
            (false, false) => 0,
        };
        let last = match self.below {
            Below::Attached => u64::MAX,
            Below::Detached { loaded_to, .. } => loaded_to,
        };
        (first <= last).then_some(first..=last)
    }

    fn place_local(&mut self, entry: Entry) {
        let is_loaded = self.loaded().is_some_and(|loaded| loaded.contains(&entry.place.seq));
        match is_loaded || entry.place.is_floating() {
            true => drop(self.insert(entry)),
            false => self.locals.set_aside(entry),
        }
    }

    /// Shows what was kept aside, as far as its part of the log is loaded by now.
    pub(super) fn bring_back(&mut self) {
        let Some(loaded) = self.loaded() else {
            return;
        };
        let (first, last) = loaded.into_inner();
        let first = Place { seq: first, sub: 0 };
        let last = Place { seq: last, sub: u64::MAX };
        debug_assert!(first <= last, "what is loaded has a beginning before its end");
        let mut later = self.locals.aside.split_off(&first);
        let beyond = later.split_off(&last);
        for entry in later.into_values() {
            self.insert(entry);
        }
        self.locals.aside.extend(beyond);
    }

    /// Keeps aside what leaves the window, if only the screen has it. Says how many logged
    /// messages left.
    pub(super) fn keep_aside(&mut self, left: Vec<Entry>) -> usize {
        let mut messages = 0;
        for entry in left {
            match entry.place.local() {
                Some(_local) => self.locals.set_aside(entry),
                None => messages += usize::from(entry.is_message()),
            }
        }
        messages
    }

    /// Forgets what is loaded. What floats stays, and own messages do, if they shall.
    pub(super) fn unload(&mut self, keeps_own: bool) {
        let loaded = self.entries.len();
        let all: Vec<Entry> = self.entries.drain(0..loaded).collect();
        self.keep_aside(all);
        let aside = std::mem::take(&mut self.locals.aside);
        for (place, entry) in aside {
            match place.is_floating() || (keeps_own && entry.is_message()) {
                true => drop(self.insert(entry)),
                false => drop(self.locals.aside.insert(place, entry)),
            }
        }
    }

    /// The head of the log is heard of. What was said before that first time was said after it.
    pub(super) fn place_at_head(&mut self, head: u64) {
        if !std::mem::replace(&mut self.locals.is_placed, true) {
            self.move_locals(|seq| seq.max(head));
        }
    }

    /// Moves everything that only the screen has to other events; never past each other.
    pub(super) fn move_locals(&mut self, moved: impl Fn(u64) -> u64) {
        for unseen in &mut self.locals.unseen {
            unseen.after = moved(unseen.after);
        }
        let is_moved = |entry: &Entry| entry.place.local().is_some() && !entry.place.is_floating();
        for mut entry in self.entries.take_all(is_moved) {
            let place = Place { seq: moved(entry.place.seq), ..entry.place };
            self.anchor_follows(entry.place, place);
            entry.place = place;
            self.insert(entry);
        }
        let aside = std::mem::take(&mut self.locals.aside);
        for mut entry in aside.into_values() {
            entry.place.seq = moved(entry.place.seq);
            self.locals.aside.insert(entry.place, entry);
        }
    }

    /// A message has come that was said while the connection was away. What came here after it was
    /// said stands behind it.
    pub fn pass_earlier(&mut self, place: Place) {
        let Ok(index) = self.entries.find(place) else {
            return;
        };
        let time = self.entries[index].time;
        let before = self.entries.range(..index).rev();
        let is_later = |entry: &&Entry| entry.place.local().is_some() && entry.time > time;
        let later = before.take_while(is_later).count();
        for at in index - later..index {
            let old = self.entries[at].place;
            self.anchor_follows(old, Place { seq: place.seq, ..old });
        }
        self.entries.let_pass(index, later);
    }

    pub(super) fn anchor_follows(&mut self, old: Place, new: Place) {
        if let Anchor::Line { place, .. } = &mut self.anchor
            && *place == old
        {
            *place = new;
        }
    }

    /// Gives something that only the screen has another place.
    pub(super) fn move_local(&mut self, local: Local, place: Place) {
        if let Some(mut entry) = self.take_local(local) {
            self.anchor_follows(entry.place, place);
            entry.place = place;
            self.place_local(entry);
        }
    }

    /// Takes something away that only the screen has; the view keeps its anchor.
    pub(super) fn take_local(&mut self, local: Local) -> Option<Entry> {
        match self.index_of_local(local) {
            Some(index) => self.entries.remove(index),
            None => self.locals.aside.remove(&self.locals.find_aside(local)?),
        }
    }

    pub(super) fn change_local(&mut self, local: Local, change: impl FnOnce(&mut Entry)) {
        if let Some(index) = self.index_of_local(local) {
            self.entries.change(index, change);
        } else if let Some(place) = self.locals.find_aside(local)
            && let Some(entry) = self.locals.aside.get_mut(&place)
        {
            change(entry);
        }
    }

    pub(super) fn index_of_local(&self, local: Local) -> Option<usize> {
        self.entries.iter().rposition(|entry| entry.place.local() == Some(local))
    }
}
