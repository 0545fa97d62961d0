//! When memory that peers had taken goes back to the system.
//!
//! The allocator keeps what is freed, for the next who wants it. That is as it should be while there is
//! a next one; after a flood it would be kept for good. So whoever holds much for its peers reports how
//! much that is, and when most of it was let go the allocator is asked to give it back. It must not
//! know who holds what.

use std::sync::atomic::{AtomicUsize, Ordering};

/// It has to be worth it, in bytes.
const PEAK_MIN: usize = 1024 * 1024;

/// So much less than at the peak is held when most was let go.
const FALLEN_TO_ONE_IN: usize = 4;

/// Looks, a second apart, that find it so: who comes again at once finds the memory still there.
const LOOKS: u32 = 2;

/// Looks between two times that memory is given back: it costs a millisecond or more, in which nobody
/// else allocates.
const REST_LOOKS: u32 = 10;

/// How much is held for peers, and the most that it was since somebody looked.
#[derive(Debug, Default)]
pub(crate) struct HeldBytes {
    now: AtomicUsize,
    peak: AtomicUsize,
}

impl HeldBytes {
    /// Somebody holds another number of bytes than before.
    pub(crate) fn changed(&self, before: usize, after: usize) {
        if after > before {
            let more = after - before;
            let now = self.now.fetch_add(more, Ordering::Relaxed) + more;
            self.peak.fetch_max(now, Ordering::Relaxed);
        } else if before > after {
            self.now.fetch_sub(before - after, Ordering::Relaxed);
        }
    }

    /// The most since the last look.
    pub(crate) fn take_peak(&self) -> usize {
        let now = self.now.load(Ordering::Relaxed);
        self.peak.swap(now, Ordering::Relaxed).max(now)
    }
}

/// Decides when it is time.
#[derive(Debug, Default)]
pub(crate) struct MemoryReturn {
    /// The most that was held since memory was given back last.
    peak: usize,
    /// Looks in a row that found little.
    quiet: u32,
    /// Looks until it may be done again.
    rest: u32,
}

impl MemoryReturn {
    /// A second has passed, in which so much was held at the most: whether memory is to be given back.
    pub(crate) fn is_due(&mut self, held_max: usize) -> bool {
        self.rest = self.rest.saturating_sub(1);
        self.peak = self.peak.max(held_max);
        let has_fallen = self.peak >= PEAK_MIN && held_max < self.peak / FALLEN_TO_ONE_IN;
        self.quiet = if has_fallen { self.quiet + 1 } else { 0 };
        let is_due = self.quiet >= LOOKS && self.rest == 0;
        if is_due {
            *self = Self { peak: held_max, quiet: 0, rest: REST_LOOKS };
        }
        is_due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MUCH: usize = 8 * PEAK_MIN;

    #[test]
    fn memory_is_given_back_a_second_after_most_was_let_go_and_once() {
        let mut due = MemoryReturn::default();
        assert!([0, 100, MUCH, MUCH].iter().all(|held| !due.is_due(*held)));
        assert!(!due.is_due(MUCH / 2) && !due.is_due(MUCH / 16), "most of it a moment ago");
        assert!(due.is_due(MUCH / 16));
        assert!((0..100).all(|_| !due.is_due(0)), "there is nothing more to be had");
    }

    #[test]
    fn what_comes_again_and_again_is_left_where_it_is() {
        let mut due = MemoryReturn::default();
        assert!((0..100).all(|look| !due.is_due(if look % 2 == 0 { MUCH } else { 0 })));
        let mut little = MemoryReturn::default();
        assert!((0..100).all(|look| !little.is_due(if look < 50 { PEAK_MIN - 1 } else { 0 })));
    }

    #[test]
    fn it_rests_between_two_times() {
        let mut due = MemoryReturn::default();
        let floods = [MUCH, 0, 0].iter().cycle().take(90);
        let times = floods.filter(|held| due.is_due(**held)).count();
        assert!((5..=9).contains(&times), "{times} times in 90 seconds");
    }

    #[test]
    fn the_most_between_two_looks_is_seen() {
        let held = HeldBytes::default();
        held.changed(0, 500);
        held.changed(500, 100);
        assert_eq!((held.take_peak(), held.take_peak()), (500, 100));
        held.changed(100, 0);
        assert_eq!((held.take_peak(), held.take_peak()), (100, 0));
    }
}
