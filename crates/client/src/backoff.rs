//! When the next attempt to connect begins.

use std::time::Duration;

/// The first retry waits at least so long.
const FIRST_MS_MIN: u64 = 100;

/// The first retry waits at most so long: a daemon that was restarted is back by then.
const FIRST_MS_MAX: u64 = 900;

/// No retry waits longer.
const WAIT_MS_MAX: u64 = 30_000;

/// The pause after the `failures`th failure in a row (from 1): the first under a second, then
/// doubling up to the longest, with full jitter, so that many clients do not come back at once.
/// `random` is any random number.
pub(crate) fn pause(failures: u32, random: u64) -> Duration {
    let doublings = failures.saturating_sub(1).min(16);
    let most = (FIRST_MS_MAX << doublings).min(WAIT_MS_MAX);
    let jitter = random % (most - FIRST_MS_MIN + 1);
    Duration::from_millis(FIRST_MS_MIN + jitter)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_retry_is_under_a_second_and_none_is_over_half_a_minute() {
        for random in [0, 1, 801, u64::MAX] {
            assert!(pause(1, random) >= Duration::from_millis(FIRST_MS_MIN));
            assert!(pause(1, random) <= Duration::from_millis(FIRST_MS_MAX));
            for failures in [0, 2, 5, 60, u32::MAX] {
                assert!(pause(failures, random) <= Duration::from_millis(WAIT_MS_MAX));
            }
        }
    }

    #[test]
    fn later_retries_spread_over_the_whole_range() {
        let longest = (0..100_000u64).map(|random| pause(9, random)).max();
        assert_eq!(longest, Some(Duration::from_millis(WAIT_MS_MAX)));
    }
}
