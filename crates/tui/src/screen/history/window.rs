//! What comes into the window and what leaves it.

use chat_proto::{MessageId, Seq};
use jiff::civil::DateTime;

use super::{Anchor, Below, Bound, Divider, Entry, History, Kind, Mark, Place};

/// Entries that leave at once when the window is full, so that it is not trimmed for each new one.
const TRIM: usize = 128;

/// Entries below the first visible one that are never dropped: more than any screen has rows.
const VISIBLE_MAX: usize = 1024;

impl History {
    /// Takes in a logged event that has just come. Says whether it was new.
    pub fn arrive(&mut self, entry: Entry) -> bool {
        let Some(seq) = entry.place.logged() else {
            return false;
        };
        self.head = self.head.max(seq.0);
        if let Below::Detached { messages, loaded_to } = &mut self.below
            && seq.0 > *loaded_to
        {
            *messages += usize::from(entry.is_message());
            if let Some(id) = entry.id {
                self.drop_waiting(id);
            }
            return true;
        }
        let fresh = self.insert(entry);
        self.trim(Bound::OPEN);
        fresh
    }

    /// Shows an own message that waits for its commit. It has an id once it is in the outbox.
    pub fn wait(&mut self, id: Option<MessageId>, time: DateTime, text: &str) -> Place {
        self.ordinal += 1;
        let place = Place::waiting(self.ordinal);
        let mark = if id.is_some() { Mark::Waiting } else { Mark::Typed };
        self.insert(Entry::new(place, id, time, Kind::Own(mark), text));
        place
    }

    /// A message is in the outbox, under this id. If the message is here under that id already, the waiting
    /// one leaves: an own message is shown once.
    pub fn identify(&mut self, place: Place, id: MessageId) {
        let known = self.knows(id);
        match self.entries.find(place) {
            Ok(index) if known => self.remove_at(index),
            Ok(index) => self.entries.change(index, |entry| {
                (entry.id, entry.kind) = (Some(id), Kind::Own(Mark::Waiting));
            }),
            Err(_gone) => {}
        }
    }

    /// Whether a message with this id is loaded.
    #[must_use]
    pub fn knows(&self, id: MessageId) -> bool {
        self.entries.iter().rev().any(|entry| entry.id == Some(id))
    }

    /// Where an own message stands that is not committed.
    #[must_use]
    pub fn place_of_waiting(&self, id: MessageId) -> Option<Place> {
        self.waiting_index(id).map(|index| self.entries[index].place)
    }

    /// A waiting message goes on under another id.
    pub fn change_id(&mut self, old: MessageId, new: MessageId) {
        if let Some(index) = self.waiting_index(old) {
            self.entries.change(index, |entry| entry.id = Some(new));
        }
    }

    /// Moves an own message to its place in the log. Says whether it was waiting.
    pub fn commit(&mut self, id: MessageId, seq: Seq, time: DateTime) -> bool {
        let Some(index) = self.waiting_index(id) else {
            return false;
        };
        let Some(mut entry) = self.entries.remove(index) else {
            return false;
        };
        let (old, new) = (entry.place, Place::of(seq));
        (entry.place, entry.time, entry.kind) = (new, time, Kind::Own(Mark::Committed));
        if let Anchor::Line { place, .. } = &mut self.anchor
            && *place == old
        {
            *place = new;
        }
        self.arrive(entry);
        true
    }

    /// Marks an own message as refused.
    pub fn refuse(&mut self, id: MessageId, reason: &str) -> bool {
        match self.waiting_index(id) {
            Some(index) => {
                self.entries.change(index, |entry| entry.refuse(reason));
                true
            }
            None => false,
        }
    }

    /// Marks a message that never got an id as refused.
    pub fn refuse_at(&mut self, place: Place, reason: &str) {
        if let Ok(index) = self.entries.find(place) {
            self.entries.change(index, |entry| entry.refuse(reason));
        }
    }

    /// Takes away a message that was refused or waits.
    pub fn discard(&mut self, place: Place) {
        if let Ok(index) = self.entries.find(place) {
            self.remove_at(index);
        }
    }

    /// Lets the screen say something, after everything that is here.
    pub fn say(&mut self, kind: Kind, time: DateTime, text: &str) {
        self.ordinal += 1;
        let last = self.entries.iter().rev().find(|entry| !entry.place.is_waiting());
        let last = last.map_or(0, |entry| entry.place.seq).max(self.head);
        let place = Place::after(last, self.ordinal);
        self.insert(Entry::new(place, None, time, kind, text));
    }

    /// Where the screen's last word stands.
    #[must_use]
    pub fn last_said(&self) -> Option<Place> {
        let is_said = |entry: &&Entry| !entry.is_message() && entry.place.sub > 0;
        self.entries.iter().rev().find(is_said).map(|entry| entry.place)
    }

    /// Changes what the screen has said.
    pub fn retell(&mut self, place: Place, text: &str) {
        if let Ok(index) = self.entries.find(place) {
            self.entries.change(index, |entry| {
                *entry = Entry::new(place, None, entry.time, Kind::Answer, text);
            });
        }
    }

    /// Marks where the new begins, or counts one more.
    pub fn count_as_new(&mut self, place: Place) {
        match &mut self.divider {
            Some(divider) if !divider.seen => {
                divider.count += 1;
                divider.first = divider.first.min(place);
            }
            Some(_) | None => self.divider = Some(Divider { first: place, count: 1, seen: false }),
        }
    }

    /// The reader has looked at what is new; the mark stays where it is.
    pub fn see_new(&mut self) {
        if let Some(divider) = &mut self.divider {
            divider.seen = true;
        }
    }

    /// Drops what is furthest from the view until the bound holds, first on the side that has
    /// more. The server has it; what waits stays, and so does what the view may show.
    pub fn trim(&mut self, bound: Bound) {
        for _side in 0..2 {
            if self.entries.len() <= bound.entries && self.bytes() <= bound.bytes {
                return;
            }
            let above = match self.anchor {
                Anchor::Bottom => self.entries.len(),
                Anchor::Line { place, .. } => self.index_near(place),
            };
            let below = self.entries.len() - above;
            let above_the_view = above - near(self.entries.range(..above).rev(), bound);
            let below_the_view = below - near(self.entries.range(above..), bound);
            if above_the_view >= below_the_view {
                let count = self.excess(self.entries.range(..above_the_view), bound);
                self.drop_above(count);
            } else {
                let count = self.excess(self.entries.range(above..).rev(), bound);
                self.drop_below(count.min(below_the_view));
            }
        }
    }

    /// How many of these have to go, and a few more, so that not each new one trims.
    fn excess<'a>(&self, entries: impl Iterator<Item = &'a Entry>, bound: Bound) -> usize {
        let over = self.entries.len().checked_sub(bound.entries + 1);
        let by_count = over.map_or(0, |over| over + 1 + TRIM.min(bound.entries));
        let bytes = self.bytes().checked_sub(bound.bytes).filter(|over| *over > 0);
        let bytes = bytes.map_or(0, |over| over + bound.bytes / 8);
        let mut freed = 0;
        let enough = |(nth, entry): &(usize, &Entry)| {
            let goes = *nth < by_count || freed < bytes;
            freed += entry.bytes();
            goes
        };
        entries.enumerate().take_while(enough).count()
    }

    fn drop_above(&mut self, count: usize) {
        let waiting =
            self.entries.iter().rev().take_while(|entry| entry.place.is_waiting()).count();
        let count = count.min(self.entries.len() - waiting);
        drop(self.entries.drain(0..count));
        if count > 0 {
            self.paging.more_above = true;
        }
    }

    fn drop_below(&mut self, count: usize) {
        let waiting =
            self.entries.iter().rev().take_while(|entry| entry.place.is_waiting()).count();
        let end = self.entries.len() - waiting;
        let start = end.saturating_sub(count);
        let dropped = self.entries.drain(start..end).filter(Entry::is_message).count();
        let loaded_to = start.checked_sub(1).map_or(0, |last| self.entries[last].place.seq);
        self.below = match self.below {
            Below::Attached => Below::Detached { messages: dropped, loaded_to },
            Below::Detached { messages, loaded_to: before } => {
                Below::Detached { messages: messages + dropped, loaded_to: loaded_to.min(before) }
            }
        };
    }

    /// Inserts in order. What is there already stays; an own message that waited under the same
    /// id leaves for the logged one.
    pub(super) fn insert(&mut self, entry: Entry) -> bool {
        if let (Some(id), false) = (entry.id, entry.place.is_waiting()) {
            self.replace_waiting(id, entry.place);
        }
        match self.entries.find(entry.place) {
            Ok(_there) => false,
            Err(index) => {
                self.entries.insert(index, entry);
                true
            }
        }
    }

    fn replace_waiting(&mut self, id: MessageId, by: Place) {
        let Some(index) = self.waiting_index(id) else {
            return;
        };
        if let Anchor::Line { place, .. } = &mut self.anchor
            && *place == self.entries[index].place
        {
            *place = by;
        }
        self.entries.remove(index);
    }

    fn drop_waiting(&mut self, id: MessageId) {
        if let Some(index) = self.waiting_index(id) {
            self.remove_at(index);
        }
    }

    fn remove_at(&mut self, index: usize) {
        let Some(removed) = self.entries.remove(index) else {
            return;
        };
        if let Anchor::Line { place, byte, .. } = &mut self.anchor
            && *place == removed.place
        {
            match self.entries.get(index).or(self.entries.get(index.wrapping_sub(1))) {
                Some(neighbour) => (*place, *byte) = (neighbour.place, 0),
                None => self.anchor = Anchor::Bottom,
            }
        }
    }

    fn waiting_index(&self, id: MessageId) -> Option<usize> {
        let waiting = self.entries.iter().enumerate().rev();
        let mut waiting = waiting.take_while(|(_index, entry)| entry.place.is_waiting());
        waiting.find(|(_index, entry)| entry.id == Some(id)).map(|(index, _entry)| index)
    }

    /// The index of a place, or of its neighbour.
    pub(super) fn index_near(&self, place: Place) -> usize {
        let index = self.entries.find(place).unwrap_or_else(|would_be| would_be);
        index.min(self.entries.len().saturating_sub(1))
    }
}

/// How many of these, beginning at the view, the view may show: so many rows, or so much text.
fn near<'a>(entries: impl Iterator<Item = &'a Entry>, bound: Bound) -> usize {
    let (entries_max, bytes_max) = (VISIBLE_MAX.min(bound.entries / 2), bound.bytes / 2);
    let mut bytes = 0;
    let is_near = |entry: &&Entry| {
        bytes += entry.bytes();
        bytes <= bytes_max
    };
    entries.take(entries_max).take_while(is_near).count()
}
