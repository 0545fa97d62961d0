//! One budget for what all connections of a reactor have sent and what is not understood yet.
//!
//! A frame that does not come to its end is kept for as long as its peer likes. So there is a bound
//! for all of them together: past it the largest has to go, and long before it little is read at once.

use std::sync::Arc;

use crate::memory_return::HeldBytes;

/// The budget of a daemon, in bytes. It is shared out among its reactors.
const BYTES_MAX: usize = 8 * 1024 * 1024;

/// What is read at once from somebody who may not keep much: a few requests.
pub(super) const CAUTIOUS_READ_BYTES: usize = 1024;

/// How much of the budget is in use.
#[derive(Debug)]
pub(super) struct Unread {
    held: usize,
    max: usize,
    /// That of all reactors.
    held_of_all: Arc<HeldBytes>,
}

impl Unread {
    pub(super) fn of_one_in(reactors: usize, held_of_all: Arc<HeldBytes>) -> Self {
        Self { held: 0, max: BYTES_MAX / reactors.max(1), held_of_all }
    }

    /// A connection keeps another number of bytes than before.
    pub(super) fn changed(&mut self, before: usize, after: usize) {
        debug_assert!(self.held >= before, "what is let go was held");
        self.held = (self.held + after).saturating_sub(before);
        self.held_of_all.changed(before, after);
    }

    /// What one read may bring, of as much as there is room for.
    pub(super) fn read_bytes(&self, most: usize) -> usize {
        if self.held > self.max / 2 { CAUTIOUS_READ_BYTES } else { most }
    }

    /// Somebody has to go.
    pub(super) fn is_spent(&self) -> bool {
        self.held > self.max
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn little_is_read_at_once_before_the_budget_is_spent() {
        let mut unread = Unread::of_one_in(2, Arc::default());
        assert_eq!((unread.read_bytes(65_536), unread.is_spent()), (65_536, false));
        unread.changed(0, BYTES_MAX / 4 + 1);
        assert_eq!((unread.read_bytes(65_536), unread.is_spent()), (CAUTIOUS_READ_BYTES, false));
        unread.changed(1, BYTES_MAX / 4 + 1);
        assert!(unread.is_spent());
        unread.changed(BYTES_MAX / 4 + 1, 0);
        unread.changed(BYTES_MAX / 4, 0);
        assert_eq!((unread.read_bytes(65_536), unread.is_spent()), (65_536, false));
    }
}
