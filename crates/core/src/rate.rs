//! A token bucket: how fast a connection may ask.

/// How fast, and how much at once.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Rate {
    /// Tokens that come back per second.
    pub per_second: u64,
    /// Tokens that a full bucket holds.
    pub burst: u64,
}

/// Counts tokens in thousandths, so that a millisecond's worth is not lost to rounding.
#[derive(Clone, Debug)]
pub struct TokenBucket {
    rate: Rate,
    millitokens: u64,
    filled_at_ms: u64,
}

impl TokenBucket {
    /// A full bucket.
    #[must_use]
    pub fn full(rate: Rate, now_ms: u64) -> Self {
        Self { rate, millitokens: rate.burst * 1000, filled_at_ms: now_ms }
    }

    /// Takes a token.
    ///
    /// # Errors
    /// The milliseconds until there is one.
    pub fn take(&mut self, now_ms: u64) -> Result<(), u64> {
        self.fill(now_ms);
        if self.millitokens >= 1000 {
            self.millitokens -= 1000;
            return Ok(());
        }
        Err((1000 - self.millitokens).div_ceil(self.rate.per_second.max(1)))
    }

    fn fill(&mut self, now_ms: u64) {
        let elapsed_ms = now_ms.saturating_sub(self.filled_at_ms);
        let gained = elapsed_ms.saturating_mul(self.rate.per_second);
        self.millitokens = self.millitokens.saturating_add(gained).min(self.rate.burst * 1000);
        self.filled_at_ms = self.filled_at_ms.max(now_ms);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_passes_and_then_the_rate_holds() {
        let mut bucket = TokenBucket::full(Rate { per_second: 2, burst: 3 }, 0);
        assert_eq!((0..4).map(|_| bucket.take(0)).filter(Result::is_ok).count(), 3);
        assert_eq!(bucket.take(0), Err(500));
        assert_eq!(bucket.take(499), Err(1));
        assert_eq!(bucket.take(500), Ok(()));
    }

    #[test]
    fn a_clock_that_steps_back_gives_nothing_away() {
        let mut bucket = TokenBucket::full(Rate { per_second: 1, burst: 1 }, 10_000);
        assert_eq!(bucket.take(10_000), Ok(()));
        assert_eq!(bucket.take(0), Err(1000));
        assert_eq!(bucket.take(10_500), Err(500));
    }
}
