//! How fast an account may ask, over all its connections: the generic cell rate algorithm (ITU-T I.371),
//! which is a token bucket whose whole state is one moment.
//!
//! Whoever reads from connections asks the bucket before a turn, and takes from it what the turn has
//! asked. What each request costs is the session's to say.

use std::sync::atomic::{AtomicI64, Ordering};

const NS_PER_MS: i64 = 1_000_000;
const NS_PER_SECOND: u64 = 1_000_000_000;

/// An account that has used its burst up is read for so long at a time, in milliseconds: little enough
/// that others do not feel a turn, long enough that few turns do for a second.
const TURN_MS: u64 = 5;

/// How fast, and how much at once.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Rate {
    /// Tokens that come back per second.
    pub per_second: u64,
    /// Tokens that a full bucket holds.
    pub burst: u64,
}

impl Rate {
    /// How long one token takes to come back, in nanoseconds.
    fn interval_ns(self) -> i64 {
        i64::try_from(NS_PER_SECOND / self.per_second.max(1)).unwrap_or(i64::MAX)
    }

    /// How long so many tokens take to come back, in nanoseconds.
    fn tokens_ns(self, tokens: u64) -> i64 {
        self.interval_ns().saturating_mul(i64::try_from(tokens).unwrap_or(i64::MAX))
    }

    /// What a turn may take of a bucket that has nothing left.
    fn tokens_of_a_turn(self) -> u64 {
        (self.per_second.saturating_mul(TURN_MS) / 1000).max(1)
    }
}

/// What an account has taken of its rate. It is shared by all who read from its connections, on any
/// thread. The rate is shared by all accounts, and comes with each call: a new one counts from the
/// next token on.
#[derive(Debug)]
pub struct TokenBucket {
    /// When the bucket is no longer overdrawn, in nanoseconds; long ago for one that is full. Nothing
    /// else depends on it, so that no order but its own is needed.
    open_at_ns: AtomicI64,
}

impl Default for TokenBucket {
    /// A full bucket, whatever the rate.
    fn default() -> Self {
        Self { open_at_ns: AtomicI64::new(i64::MIN) }
    }
}

impl TokenBucket {
    /// Takes tokens, also when there are none: the bucket is overdrawn then. The clock is any that
    /// never steps back.
    pub fn take(&self, tokens: u64, rate: Rate, now_ms: u64) {
        let full_ns = ns_of(now_ms).saturating_sub(rate.tokens_ns(rate.burst));
        let taken_ns = rate.tokens_ns(tokens);
        let take = |open_at_ns: i64| Some(open_at_ns.max(full_ns).saturating_add(taken_ns));
        let taken = self.open_at_ns.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take);
        debug_assert!(taken.is_ok(), "tokens can be taken whenever somebody likes");
    }

    /// How long the bucket stays overdrawn, in milliseconds.
    #[must_use]
    pub fn overdrawn_ms(&self, now_ms: u64) -> u64 {
        let wait_ns = self.open_at_ns().saturating_sub(ns_of(now_ms)).max(0);
        u64::try_from(wait_ns).unwrap_or(0).div_ceil(NS_PER_MS as u64)
    }

    /// What a turn may take now: as much as the bucket has, and a little of one that has nothing left,
    /// which makes it overdrawn.
    #[must_use]
    pub fn turn(&self, rate: Rate, now_ms: u64) -> TurnTokens {
        if self.overdrawn_ms(now_ms) > 0 {
            return TurnTokens::default();
        }
        let open_for_ns = ns_of(now_ms).saturating_sub(self.open_at_ns());
        let saved = u64::try_from(open_for_ns / rate.interval_ns().max(1)).unwrap_or(0);
        TurnTokens::of(saved.min(rate.burst).max(rate.tokens_of_a_turn()))
    }

    /// Whether nothing is known of it that a new one would not tell as well.
    #[must_use]
    pub fn is_full(&self, rate: Rate, now_ms: u64) -> bool {
        self.open_at_ns() <= ns_of(now_ms).saturating_sub(rate.tokens_ns(rate.burst))
    }

    fn open_at_ns(&self) -> i64 {
        self.open_at_ns.load(Ordering::Relaxed)
    }
}

/// What may be asked in one turn, and what was.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct TurnTokens {
    left: u64,
    taken: u64,
}

impl TurnTokens {
    /// So many.
    #[must_use]
    pub fn of(left: u64) -> Self {
        Self { left, taken: 0 }
    }

    /// Takes as many as something costs. The last thing of a turn may cost more than there is.
    pub(crate) fn take(&mut self, tokens: u64) {
        self.left = self.left.saturating_sub(tokens);
        self.taken += tokens;
    }

    /// How much may still be asked.
    #[must_use]
    pub fn left(&self) -> u64 {
        self.left
    }

    /// Whether nothing more may be asked.
    #[must_use]
    pub fn are_spent(&self) -> bool {
        self.left == 0
    }

    /// What was asked.
    #[must_use]
    pub fn taken(&self) -> u64 {
        self.taken
    }
}

fn ns_of(ms: u64) -> i64 {
    i64::try_from(ms).unwrap_or(i64::MAX).saturating_mul(NS_PER_MS)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How long whoever takes so many tokens at once has to wait.
    fn wait_after(bucket: &TokenBucket, rate: Rate, tokens: u64, now_ms: u64) -> u64 {
        bucket.take(tokens, rate, now_ms);
        bucket.overdrawn_ms(now_ms)
    }

    #[test]
    fn a_burst_passes_and_then_the_rate_holds() {
        let (bucket, rate) = (TokenBucket::default(), Rate { per_second: 2, burst: 3 });
        assert_eq!(wait_after(&bucket, rate, 3, 0), 0);
        assert_eq!(wait_after(&bucket, rate, 1, 0), 500);
        assert_eq!((bucket.overdrawn_ms(499), bucket.overdrawn_ms(500)), (1, 0));
        assert_eq!(wait_after(&bucket, rate, 1, 500), 500);
        // In ten seconds at twice a second there are twenty, and no more than the burst is saved.
        assert_eq!(wait_after(&bucket, rate, 3, 10_000), 0);
        assert_eq!(wait_after(&bucket, rate, 1, 10_000), 500);
    }

    #[test]
    fn a_clock_that_steps_back_gives_nothing_away() {
        let (bucket, rate) = (TokenBucket::default(), Rate { per_second: 1, burst: 1 });
        assert_eq!(wait_after(&bucket, rate, 1, 10_000), 0);
        assert_eq!(wait_after(&bucket, rate, 1, 0), 11_000);
    }

    #[test]
    fn another_rate_counts_from_the_next_token_on() {
        let bucket = TokenBucket::default();
        let (slow, fast) = (Rate { per_second: 1, burst: 1 }, Rate { per_second: 1000, burst: 1 });
        assert_eq!(wait_after(&bucket, slow, 2, 0), 1000);
        assert_eq!(wait_after(&bucket, fast, 1, 0), 1001);
    }

    #[test]
    fn no_rate_overflows() {
        for per_second in [0, u64::MAX] {
            let (bucket, rate) = (TokenBucket::default(), Rate { per_second, burst: u64::MAX });
            assert_eq!(wait_after(&bucket, rate, 9, u64::MAX), 0);
            assert!(!bucket.turn(rate, u64::MAX).are_spent());
        }
    }

    #[test]
    fn a_turn_has_what_was_saved_and_then_a_few_milliseconds_worth() {
        let (bucket, rate) = (TokenBucket::default(), Rate { per_second: 1000, burst: 300 });
        assert_eq!(bucket.turn(rate, 0), TurnTokens::of(300));
        bucket.take(200, rate, 0);
        assert_eq!(bucket.turn(rate, 0), TurnTokens::of(100));
        bucket.take(100, rate, 0);
        assert_eq!(bucket.turn(rate, 0), TurnTokens::of(5), "it has nothing, and is not overdrawn");
        bucket.take(5, rate, 0);
        assert!(bucket.turn(rate, 4).are_spent());
        assert_eq!(bucket.turn(rate, 5), TurnTokens::of(5));
        assert_eq!(bucket.turn(rate, 55), TurnTokens::of(50));
        let slow = Rate { per_second: 3, burst: 1 };
        assert_eq!(bucket.turn(slow, 5), TurnTokens::of(1), "the least that a turn can ask");
    }

    #[test]
    fn a_bucket_is_full_again_when_all_that_was_taken_has_come_back() {
        let (bucket, rate) = (TokenBucket::default(), Rate { per_second: 1000, burst: 300 });
        assert!(bucket.is_full(rate, 0));
        bucket.take(10, rate, 1000);
        assert!(!bucket.is_full(rate, 1009) && bucket.is_full(rate, 1010));
    }

    #[test]
    fn the_last_thing_of_a_turn_may_cost_more_than_there_is() {
        let mut tokens = TurnTokens::of(3);
        tokens.take(2);
        assert!(!tokens.are_spent());
        tokens.take(9);
        assert_eq!((tokens.are_spent(), tokens.taken()), (true, 11));
    }
}
