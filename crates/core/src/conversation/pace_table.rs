//! How often each of many may do something: a token bucket for each, in a table of bounded size.
//!
//! The algorithm is that of [`TokenBucket`](crate::TokenBucket), for what is done seldom and by whoever
//! comes. The table forgets whoever has done nothing for longest, and whoever is forgotten finds a full
//! bucket again: to be forgotten early takes as many others as the table has room for, each of whom has a
//! bucket of its own, so that nobody gains by it. What belongs together has to have one key.
//!
//! Time is data. Strangers choose the keys, so nothing here can be made slow by choosing them.

use std::collections::BTreeMap;

/// Those that a table remembers: some 8 MiB of them.
pub const PACE_ENTRIES_MAX: usize = 64 * 1024;

/// How many of the oldest that need not be remembered any more go for each that comes.
const RESTED_PER_ENTRY: usize = 2;

/// How often something may be done.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Pace {
    /// How often at once; at least once.
    pub burst: u64,
    /// After which time once more, in milliseconds.
    pub interval_ms: u64,
    /// Whoever is too fast may be made to wait for so long, in milliseconds, and is refused only where
    /// that is not enough. 0 where nothing can wait.
    pub patience_ms: u64,
}

/// Whoever is too fast even for one who waits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TooFast {
    /// After which time it would not have to wait, in milliseconds.
    pub wait_ms: u64,
}

impl Pace {
    /// So often in so many milliseconds, and as often at once.
    #[must_use]
    pub fn per(span_ms: u64, times: u64) -> Self {
        let times = times.max(1);
        Self { burst: times, interval_ms: span_ms.div_ceil(times).max(1), patience_ms: 0 }
    }

    /// The same, and so often at once.
    #[must_use]
    pub fn with_burst(self, burst: u64) -> Self {
        Self { burst: burst.max(1), ..self }
    }

    /// The same, and whoever is too fast waits for so long.
    #[must_use]
    pub fn with_patience(self, patience_ms: u64) -> Self {
        Self { patience_ms, ..self }
    }

    /// The same, so many times as fast.
    #[must_use]
    pub fn times(self, factor: u64) -> Self {
        let interval_ms = (self.interval_ms / factor.max(1)).max(1);
        Self { burst: self.burst.saturating_mul(factor), interval_ms, ..self }
    }

    /// How long an empty bucket takes to be full.
    fn span_ms(self) -> u64 {
        self.burst.saturating_mul(self.interval_ms)
    }

    /// How long the wait is, of a bucket that is full at that time.
    fn wait_ms(self, full_at_ms: u64, now_ms: u64) -> u64 {
        // A clock that was set back must not make the wait longer.
        let most_ms = self.span_ms().saturating_add(self.patience_ms);
        let used_ms = full_at_ms.saturating_sub(now_ms).min(most_ms);
        used_ms.saturating_sub(self.span_ms().saturating_sub(self.interval_ms))
    }
}

/// A bucket for each.
#[derive(Clone, Debug)]
pub struct PaceTable<K> {
    entries_max: usize,
    of: BTreeMap<K, Bucket>,
    /// By the number of its last use.
    by_use: BTreeMap<u64, K>,
    uses: u64,
}

#[derive(Clone, Copy, Debug)]
struct Bucket {
    /// When it is full again.
    full_at_ms: u64,
    last_use: u64,
}

impl<K> Default for PaceTable<K> {
    fn default() -> Self {
        Self::with_room_for(PACE_ENTRIES_MAX)
    }
}

impl<K> PaceTable<K> {
    /// One that remembers so many.
    #[must_use]
    pub fn with_room_for(entries_max: usize) -> Self {
        let (of, by_use) = (BTreeMap::new(), BTreeMap::new());
        Self { entries_max: entries_max.max(1), of, by_use, uses: 0 }
    }

    /// How many are remembered.
    #[must_use]
    pub fn len(&self) -> usize {
        self.of.len()
    }

    /// Whether nobody is remembered.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.of.is_empty()
    }
}

impl<K: Copy + Ord> PaceTable<K> {
    /// How long it has to wait before it may do so again, in milliseconds.
    #[must_use]
    pub fn wait_ms(&self, key: K, pace: Pace, now_ms: u64) -> u64 {
        self.of.get(&key).map_or(0, |bucket| pace.wait_ms(bucket.full_at_ms, now_ms))
    }

    /// It wants to do so: counts it, and tells how long it is to be made to wait, in milliseconds.
    ///
    /// # Errors
    /// [`TooFast`] when that is longer than anybody is made to wait. Nothing is counted then.
    pub fn take(&mut self, key: K, pace: Pace, now_ms: u64) -> Result<u64, TooFast> {
        let wait_ms = self.wait_ms(key, pace, now_ms);
        if wait_ms > pace.patience_ms {
            return Err(TooFast { wait_ms });
        }
        self.count(key, pace, now_ms);
        Ok(wait_ms)
    }

    /// It has done so.
    pub fn count(&mut self, key: K, pace: Pace, now_ms: u64) {
        let most_ms = pace.span_ms().saturating_add(pace.patience_ms);
        let latest_ms = now_ms.saturating_add(most_ms);
        let full_at_ms = self.of.get(&key).map_or(0, |bucket| bucket.full_at_ms);
        let full_at_ms = full_at_ms.max(now_ms).saturating_add(pace.interval_ms).min(latest_ms);
        self.remember(key, full_at_ms, now_ms);
    }

    /// It has not done so, or has undone it: as if it had done so once less. Nobody gets more than the
    /// whole burst.
    pub fn give_back(&mut self, key: K, pace: Pace) {
        if let Some(bucket) = self.of.get_mut(&key) {
            bucket.full_at_ms = bucket.full_at_ms.saturating_sub(pace.interval_ms);
        }
    }

    /// Forgets those who may do as they like again.
    pub fn forget_rested(&mut self, now_ms: u64) {
        let Self { of, by_use, .. } = self;
        of.retain(|_key, bucket| {
            let is_rested = bucket.full_at_ms <= now_ms;
            if is_rested {
                by_use.remove(&bucket.last_use);
            }
            !is_rested
        });
    }

    fn remember(&mut self, key: K, full_at_ms: u64, now_ms: u64) {
        self.uses += 1;
        match self.of.insert(key, Bucket { full_at_ms, last_use: self.uses }) {
            Some(before) => drop(self.by_use.remove(&before.last_use)),
            None => self.make_room(now_ms),
        }
        self.by_use.insert(self.uses, key);
        debug_assert!(self.of.len() == self.by_use.len(), "each has been used last once");
        debug_assert!(self.of.len() <= self.entries_max, "the table is bounded");
    }

    /// Somebody has come: the oldest go, if they are rested, or if there is no room.
    fn make_room(&mut self, now_ms: u64) {
        for _ in 0..RESTED_PER_ENTRY {
            let Some((last_use, key)) = self.by_use.first_key_value() else { return };
            let (last_use, key) = (*last_use, *key);
            let is_rested = self.of.get(&key).is_none_or(|oldest| oldest.full_at_ms <= now_ms);
            if !is_rested && self.of.len() <= self.entries_max {
                return;
            }
            self.by_use.remove(&last_use);
            self.of.remove(&key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PACE: Pace = Pace { burst: 5, interval_ms: 10_000, patience_ms: 0 };
    const NOW_MS: u64 = 1_000_000;

    fn take_all(table: &mut PaceTable<u64>, key: u64, now_ms: u64) -> u64 {
        (0..100).take_while(|_| table.take(key, PACE, now_ms).is_ok()).count() as u64
    }

    #[test]
    fn a_burst_passes_and_then_one_at_a_time() {
        let mut table = PaceTable::default();
        assert_eq!(take_all(&mut table, 1, NOW_MS), 5);
        assert_eq!(table.take(1, PACE, NOW_MS), Err(TooFast { wait_ms: 10_000 }));
        assert_eq!(table.wait_ms(2, PACE, NOW_MS), 0, "each has a bucket of its own");
        assert_eq!(take_all(&mut table, 1, NOW_MS + 9_999), 0);
        assert_eq!(take_all(&mut table, 1, NOW_MS + 10_000), 1);
        assert_eq!(take_all(&mut table, 1, NOW_MS + 10_000_000), 5, "and no more is saved");
    }

    #[test]
    fn who_is_too_fast_waits_first_and_is_refused_only_beyond_that() {
        let (mut table, pace) = (PaceTable::default(), PACE.with_patience(25_000));
        let mut waits = || table.take(1, pace, NOW_MS);
        assert_eq!([(); 5].map(|()| waits()), [Ok(0); 5]);
        assert_eq!([(); 2].map(|()| waits()), [Ok(10_000), Ok(20_000)]);
        assert_eq!([(); 2].map(|()| waits()), [Err(TooFast { wait_ms: 30_000 }); 2]);
        assert_eq!(table.take(1, pace, NOW_MS + 5_000), Ok(25_000));
        assert_eq!(table.take(1, pace, NOW_MS + 40_000), Ok(0), "as it was told");
    }

    #[test]
    fn what_is_given_back_may_be_done_again_and_no_more() {
        let mut table = PaceTable::default();
        table.give_back(1, PACE);
        assert_eq!(take_all(&mut table, 1, NOW_MS), 5, "who has done nothing gets nothing");
        (0..2).for_each(|_| table.give_back(1, PACE));
        assert_eq!(take_all(&mut table, 1, NOW_MS), 2);
        (0..15).for_each(|_| table.give_back(1, PACE));
        assert_eq!(take_all(&mut table, 1, NOW_MS), 5);
    }

    #[test]
    fn a_clock_that_was_set_back_makes_nobody_wait_longer() {
        let mut table = PaceTable::default();
        take_all(&mut table, 1, 1_000_000_000);
        assert_eq!(table.wait_ms(1, PACE, 5), 10_000);
        assert_eq!(take_all(&mut table, 1, 5), 0);
        table.count(1, PACE, 5);
        assert_eq!(take_all(&mut table, 1, 5 + 20_000), 2);
    }

    #[test]
    fn the_table_forgets_who_did_nothing_for_longest_and_who_comes_again_has_a_full_bucket() {
        let mut table = PaceTable::with_room_for(100);
        (0..100).for_each(|key| assert_eq!(take_all(&mut table, key, NOW_MS), 5));
        table.count(0, PACE, NOW_MS);
        assert_eq!(table.take(100, PACE, NOW_MS), Ok(0));
        assert_eq!(table.len(), 100);
        assert_eq!(take_all(&mut table, 1, NOW_MS), 5, "it was the oldest, and is forgotten");
        assert_eq!([0, 3, 99].map(|key| take_all(&mut table, key, NOW_MS)), [0; 3], "not they");
    }

    #[test]
    fn two_to_the_twentieth_keys_take_no_more_room_than_the_table_has() {
        let mut table = PaceTable::default();
        for key in 0..1 << 20 {
            assert_eq!(table.take(key, PACE, NOW_MS), Ok(0));
        }
        assert_eq!((table.len(), table.by_use.len()), (PACE_ENTRIES_MAX, PACE_ENTRIES_MAX));
        let rested = NOW_MS + PACE.interval_ms;
        (0..PACE_ENTRIES_MAX as u64).for_each(|key| table.count(key, PACE, rested));
        assert!(table.len() <= PACE_ENTRIES_MAX, "those who are rested go by themselves");
        table.forget_rested(rested + PACE.interval_ms);
        assert!(table.is_empty() && table.by_use.is_empty());
    }

    #[test]
    fn no_pace_overflows_and_each_lets_somebody_through() {
        for pace in [Pace::per(u64::MAX, 1), Pace::per(60_000, u64::MAX), Pace::per(0, 0)] {
            let pace = pace.times(u64::MAX).with_patience(u64::MAX);
            let mut table = PaceTable::default();
            assert_eq!(table.take(1, pace, u64::MAX), Ok(0));
        }
        assert_eq!(Pace::per(60_000, 600), Pace { burst: 600, interval_ms: 100, patience_ms: 0 });
    }
}
