//! When a page of history that could not be had is asked for again.
//!
//! Owns the pauses. It knows neither the page nor why it could not be had.

/// A page that could not be had is asked for again by itself, each time after twice as long.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct PageRetry {
    /// As in [`Moment::ms`](super::clock::Moment::ms).
    pub at_ms: Option<u64>,
    /// Failures in a row.
    failures: u32,
}

/// The pause after the first failure, in milliseconds.
const PAGE_RETRY_MS: u64 = 1000;
/// The pause grows so often.
const PAGE_RETRY_DOUBLINGS: u32 = 5;

impl PageRetry {
    /// A page could not be had.
    pub fn failed(&mut self, now_ms: u64) {
        let pause = PAGE_RETRY_MS << self.failures.min(PAGE_RETRY_DOUBLINGS);
        self.failures = self.failures.saturating_add(1);
        self.at_ms = Some(now_ms.saturating_add(pause));
    }

    /// Whether it is time; then it is not any more.
    pub fn take_due(&mut self, now_ms: u64) -> bool {
        let is_due = self.at_ms.is_some_and(|at_ms| at_ms <= now_ms);
        if is_due {
            self.at_ms = None;
        }
        is_due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_half_a_minute_and_each_is_over_once() {
        let mut retry = PageRetry::default();
        for pause_ms in [1000, 2000, 4000, 8000, 16_000, 32_000, 32_000] {
            retry.failed(5);
            assert_eq!(retry.at_ms, Some(5 + pause_ms));
        }
        assert!(!retry.take_due(32_004) && retry.take_due(32_005) && !retry.take_due(32_005));
    }
}
