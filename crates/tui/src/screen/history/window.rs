//! What comes into the window and what leaves it.

use super::{Anchor, Below, Bound, Divider, Entry, History, Place};

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
                self.drop_pending(id);
            }
            return true;
        }
        let fresh = self.insert(entry);
        self.trim(Bound::OPEN);
        fresh
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
            debug_assert!(above <= self.entries.len(), "the view begins inside the window");
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
        let count = count.min(self.entries.len() - self.floating());
        let dropped: Vec<Entry> = self.entries.drain(0..count).collect();
        self.paging.more_above |= dropped.iter().any(|entry| entry.place.logged().is_some());
        self.keep_aside(dropped);
    }

    fn drop_below(&mut self, count: usize) {
        let end = self.entries.len() - self.floating();
        let start = end.saturating_sub(count);
        let dropped: Vec<Entry> = self.entries.drain(start..end).collect();
        let dropped = self.keep_aside(dropped);
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
        if let (Some(id), Some(_seq)) = (entry.id, entry.place.logged()) {
            self.replace_pending(id, entry.place);
        }
        match self.entries.find(entry.place) {
            Ok(_there) => false,
            Err(index) => {
                self.entries.insert(index, entry);
                true
            }
        }
    }

    /// How many entries stand below everything.
    fn floating(&self) -> usize {
        self.entries.iter().rev().take_while(|entry| entry.place.is_floating()).count()
    }

    pub(super) fn remove_at(&mut self, index: usize) {
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
