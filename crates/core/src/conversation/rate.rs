//! How fast a connection may ask: the generic cell rate algorithm (ITU-T I.371), which is a token
//! bucket whose whole state is one moment.

const NS_PER_MS: i64 = 1_000_000;
const NS_PER_SECOND: u64 = 1_000_000_000;

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

    /// How long a bucket takes to become full, in nanoseconds.
    fn full_after_ns(self) -> i64 {
        self.interval_ns().saturating_mul(i64::try_from(self.burst).unwrap_or(i64::MAX))
    }
}

/// What one connection has taken of its rate. The rate is shared by all, and comes with each call:
/// a new one counts from the next token on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TokenBucket {
    /// When the bucket is no longer overdrawn, in nanoseconds; long ago for one that is full.
    open_at_ns: i64,
}

impl TokenBucket {
    /// A full bucket, whatever the rate.
    pub const FULL: Self = Self { open_at_ns: i64::MIN };

    /// Takes a token, also when there is none: the bucket is overdrawn then. The clock is any that
    /// never steps back.
    pub fn take(&mut self, rate: Rate, now_ms: u64) {
        let full_ns = ns_of(now_ms).saturating_sub(rate.full_after_ns());
        self.open_at_ns = self.open_at_ns.max(full_ns).saturating_add(rate.interval_ns());
    }

    /// How long the bucket stays overdrawn, in milliseconds.
    #[must_use]
    pub fn overdrawn_ms(&self, now_ms: u64) -> u64 {
        let wait_ns = self.open_at_ns.saturating_sub(ns_of(now_ms)).max(0);
        u64::try_from(wait_ns).unwrap_or(0).div_ceil(NS_PER_MS as u64)
    }
}

fn ns_of(ms: u64) -> i64 {
    i64::try_from(ms).unwrap_or(i64::MAX).saturating_mul(NS_PER_MS)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How long whoever takes so many tokens at once has to wait.
    fn wait_after(bucket: &mut TokenBucket, rate: Rate, tokens: usize, now_ms: u64) -> u64 {
        (0..tokens).for_each(|_| bucket.take(rate, now_ms));
        bucket.overdrawn_ms(now_ms)
    }

    #[test]
    fn a_burst_passes_and_then_the_rate_holds() {
        let (mut bucket, rate) = (TokenBucket::FULL, Rate { per_second: 2, burst: 3 });
        assert_eq!(wait_after(&mut bucket, rate, 3, 0), 0);
        assert_eq!(wait_after(&mut bucket, rate, 1, 0), 500);
        assert_eq!((bucket.overdrawn_ms(499), bucket.overdrawn_ms(500)), (1, 0));
        assert_eq!(wait_after(&mut bucket, rate, 1, 500), 500);
        // In ten seconds at twice a second there are twenty, and no more than the burst is saved.
        assert_eq!(wait_after(&mut bucket, rate, 3, 10_000), 0);
        assert_eq!(wait_after(&mut bucket, rate, 1, 10_000), 500);
    }

    #[test]
    fn a_clock_that_steps_back_gives_nothing_away() {
        let (mut bucket, rate) = (TokenBucket::FULL, Rate { per_second: 1, burst: 1 });
        assert_eq!(wait_after(&mut bucket, rate, 1, 10_000), 0);
        assert_eq!(wait_after(&mut bucket, rate, 1, 0), 11_000);
    }

    #[test]
    fn another_rate_counts_from_the_next_token_on() {
        let mut bucket = TokenBucket::FULL;
        let (slow, fast) = (Rate { per_second: 1, burst: 1 }, Rate { per_second: 1000, burst: 1 });
        assert_eq!(wait_after(&mut bucket, slow, 2, 0), 1000);
        assert_eq!(wait_after(&mut bucket, fast, 1, 0), 1001);
    }

    #[test]
    fn no_rate_overflows() {
        for per_second in [0, u64::MAX] {
            let (mut bucket, rate) = (TokenBucket::FULL, Rate { per_second, burst: u64::MAX });
            assert_eq!(wait_after(&mut bucket, rate, 9, u64::MAX), 0);
        }
    }
}
