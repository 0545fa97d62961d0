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
        self.bytes += entry.bytes();
        self.held.insert(index, entry);
    }

    pub(super) fn remove(&mut self, index: usize) -> Option<Entry> {
        let removed = self.held.remove(index)?;
        self.bytes -= removed.bytes();
        Some(removed)
    }

    /// Takes a range away.
    pub(super) fn drain(&mut self, range: Range<usize>) -> impl Iterator<Item = Entry> {
        let dropped = self.held.range(range.clone()).map(Entry::bytes).sum::<usize>();
        self.bytes -= dropped;
        self.held.drain(range)
    }

    pub(super) fn retain(&mut self, keep: impl FnMut(&Entry) -> bool) {
        self.held.retain(keep);
        self.bytes = self.held.iter().map(Entry::bytes).sum();
    }

    /// Changes an entry, but not its place.
    pub(super) fn change(&mut self, index: usize, change: impl FnOnce(&mut Entry)) {
        let Some(entry) = self.held.get_mut(index) else {
            return;
        };
        let (place, before) = (entry.place, entry.bytes());
        change(entry);
        debug_assert_eq!(place, entry.place, "the order is by place");
        self.bytes = self.bytes - before + entry.bytes();
    }
}

impl Deref for Entries {
    type Target = VecDeque<Entry>;

    fn deref(&self) -> &VecDeque<Entry> {
        &self.held
    }
}
