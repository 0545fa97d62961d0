//! The loaded entries of a room, and how much memory they take.
//!
//! Owns the order, by place, and the count of bytes. It knows nothing of the view.

use std::collections::VecDeque;
use std::ops::{Deref, Range};

use super::{Entry, Place};

/// Entries in order of their places.
#[derive(Default, Debug)]
pub(super) struct Entries {
    held: VecDeque<Entry>,
    bytes: usize,
}

impl Entries {
    /// The memory that they take.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// The index of a place, or where it would be.
    pub(super) fn find(&self, place: Place) -> Result<usize, usize> {
        self.held.binary_search_by_key(&place, |entry| entry.place)
    }

    /// Inserts where the order wants it. The index comes from [`Self::find`].
    pub(super) fn insert(&mut self, index: usize, entry: Entry) {
        debug_assert!(self.fits(index, entry.place), "the order is by place, and each has its own");
        self.bytes += entry.bytes();
        self.held.insert(index, entry);
    }

    /// Whether a place is between the neighbours that it would have.
    fn fits(&self, index: usize, place: Place) -> bool {
        let before = index.checked_sub(1).and_then(|before| self.held.get(before));
        let after = self.held.get(index);
        before.is_none_or(|before| before.place < place) && after.is_none_or(|it| place < it.place)
    }

    pub(super) fn remove(&mut self, index: usize) -> Option<Entry> {
        let removed = self.held.remove(index)?;
        debug_assert!(removed.bytes() <= self.bytes, "what leaves was counted");
        self.bytes -= removed.bytes();
        Some(removed)
    }

    /// Takes a range away.
    pub(super) fn drain(&mut self, range: Range<usize>) -> impl Iterator<Item = Entry> {
        let dropped = self.held.range(range.clone()).map(Entry::bytes).sum::<usize>();
        debug_assert!(dropped <= self.bytes, "what leaves was counted");
        self.bytes -= dropped;
        self.held.drain(range)
    }

    /// Takes those away, in order.
    pub(super) fn take_all(&mut self, is_taken: impl Fn(&Entry) -> bool) -> Vec<Entry> {
        let mut taken = Vec::new();
        for index in (0..self.held.len()).rev() {
            if is_taken(&self.held[index]) {
                taken.extend(self.remove(index));
            }
        }
        taken.reverse();
        taken
    }

    /// Lets a logged entry pass so many before it, which stand behind it from then on.
    pub(super) fn let_pass(&mut self, index: usize, count: usize) {
        debug_assert!(count <= index, "only what stands before it is passed");
        let Some(passing) = self.held.remove(index) else {
            return;
        };
        for passed in self.held.range_mut(index - count..index) {
            passed.place.seq = passing.place.seq;
        }
        self.held.insert(index - count, passing);
    }

    /// Changes an entry, but not its place.
    pub(super) fn change(&mut self, index: usize, change: impl FnOnce(&mut Entry)) {
        let Some(entry) = self.held.get_mut(index) else {
            return;
        };
        let (place, before) = (entry.place, entry.bytes());
        change(entry);
        debug_assert_eq!(place, entry.place, "the order is by place");
        debug_assert!(before <= self.bytes, "what changes was counted");
        self.bytes = self.bytes - before + entry.bytes();
    }
}

impl Deref for Entries {
    type Target = VecDeque<Entry>;

    fn deref(&self) -> &VecDeque<Entry> {
        &self.held
    }
}
