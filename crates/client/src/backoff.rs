//! When the next attempt to connect begins.

use std::time::Duration;

use crate::target::Target;

/// The first retry waits at least so long.
const FIRST_MS_MIN: u64 = 100;

/// The first retry waits at most so long: a daemon that was restarted is back by then.
const FIRST_MS_MAX: u64 = 900;

/// On this machine an attempt costs nothing, and a person waits.
const LOCAL_MS_MAX: u64 = 1_900;

/// Over a network the daemon may have thousands of clients that all come back.
const NETWORK_MS_MAX: u64 = 4_900;

/// The pause after the `failures`th failure in a row (from 1): the first under a second, then
/// doubling up to the longest, with full jitter, so that many clients do not come back at once.
/// The longest is short, because it is what a person waits for once the daemon is there again.
/// `random` is any random number.
pub(crate) fn pause(target: &Target, failures: u32, random: u64) -> Duration {
    let longest = match target {
        Target::Local | Target::Unix(_) => LOCAL_MS_MAX,
        Target::Tcp { .. } => NETWORK_MS_MAX,
    };
    let doublings = failures.saturating_sub(1).min(16);
    let most = (FIRST_MS_MAX << doublings).min(longest);
    debug_assert!(most >= FIRST_MS_MIN, "there is room for the jitter");
    let jitter = random % (most - FIRST_MS_MIN + 1);
    Duration::from_millis(FIRST_MS_MIN + jitter)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn targets() -> [(Target, u64); 3] {
        let network = Target::Tcp { host: "example.org".into(), port: 1 };
        let socket = Target::Unix("/run/chatd.sock".into());
        [(Target::Local, 2_000), (socket, 2_000), (network, 5_000)]
    }

    #[test]
    fn the_first_retry_is_under_a_second_and_none_keeps_a_person_waiting() {
        for (target, longest) in targets() {
            for random in [0, 1, 801, u64::MAX] {
                assert!(pause(&target, 1, random) >= Duration::from_millis(FIRST_MS_MIN));
                assert!(pause(&target, 1, random) <= Duration::from_millis(FIRST_MS_MAX));
                for failures in [0, 2, 5, 60, u32::MAX] {
                    assert!(pause(&target, failures, random) < Duration::from_millis(longest));
                }
            }
        }
    }

    #[test]
    fn later_retries_spread_over_the_whole_range() {
        for (target, longest) in targets() {
            let pauses = (0..100_000u64).map(|random| pause(&target, 9, random));
            let shortest = pauses.clone().min();
            assert_eq!(shortest, Some(Duration::from_millis(FIRST_MS_MIN)));
            assert_eq!(pauses.max(), Some(Duration::from_millis(longest - 100)));
        }
    }
}
