//! How often the followers of a room are told of nothing but who came and went.
//!
//! To tell is a write for each follower. When many come at once, each is told to all who came before:
//! that is quadratic. So what can wait is gathered, as presence is, in rooms that many follow. It
//! waits in the tail, in its order: whatever is said there takes it along.

use chat_proto::LogId;
use rustc_hash::FxHashMap;

/// For fewer followers nothing waits: people see each other come.
const FOLLOWERS_MIN: usize = 64;

/// Between two tellings there is a second, and another one for each thousand of followers…
const REST_MS: u64 = 1_000;
const REST_MS_PER_FOLLOWER: u64 = 1;

/// …but never more than this.
const REST_MS_MAX: u64 = 10_000;

/// The logs whose followers were told of memberships of late.
#[derive(Clone, Debug)]
pub struct WakePace {
    rests: FxHashMap<LogId, Rest>,
    followers_min: usize,
}

#[derive(Clone, Copy, Debug)]
struct Rest {
    until_ms: u64,
    length_ms: u64,
    /// Whether something waits for its end.
    waits: bool,
}

impl Default for WakePace {
    fn default() -> Self {
        Self::with_followers(FOLLOWERS_MIN)
    }
}

impl WakePace {
    /// For logs that have at least so many followers.
    #[must_use]
    pub fn with_followers(followers_min: usize) -> Self {
        Self { rests: FxHashMap::default(), followers_min }
    }

    /// A log that has so many followers has grown. Whether they are to be woken now; if not, the log
    /// is among those that [`Self::due`] names, unless something else wakes them before.
    pub fn wakes_now(&mut self, log: LogId, can_wait: bool, followers: usize, now_ms: u64) -> bool {
        if !can_wait || followers < self.followers_min {
            self.woken(log);
            return true;
        }
        let rests = self.rests.get_mut(&log).filter(|rest| !rest.is_over(now_ms));
        if let Some(rest) = rests {
            rest.waits = true;
            return false;
        }
        let by_followers = REST_MS_PER_FOLLOWER.saturating_mul(followers as u64);
        let length_ms = REST_MS.saturating_add(by_followers).min(REST_MS_MAX);
        let until_ms = now_ms.saturating_add(length_ms);
        self.rests.insert(log, Rest { until_ms, length_ms, waits: false });
        true
    }

    /// The followers of a log are woken for another reason.
    pub fn woken(&mut self, log: LogId) {
        if let Some(rest) = self.rests.get_mut(&log) {
            rest.waits = false;
        }
    }

    /// The logs whose followers have waited for long enough; they are to be woken now.
    pub fn due(&mut self, now_ms: u64) -> Vec<LogId> {
        let mut due = Vec::new();
        self.rests.retain(|log, rest| {
            if !rest.is_over(now_ms) {
                return true;
            }
            rest.until_ms = now_ms.saturating_add(rest.length_ms);
            let waited = std::mem::take(&mut rest.waits);
            if waited {
                due.push(*log);
            }
            waited
        });
        due.sort_unstable();
        due
    }
}

impl Rest {
    /// A clock that was set back makes nobody wait longer.
    fn is_over(&self, now_ms: u64) -> bool {
        self.until_ms <= now_ms || self.until_ms - now_ms > self.length_ms
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOM: LogId = LogId(1);
    const NOW_MS: u64 = 1_000_000;

    #[test]
    fn a_thousand_who_come_within_a_second_are_told_of_twice() {
        let mut pace = WakePace::default();
        let mut wakes = 0;
        for joiner in 0..1000 {
            wakes += usize::from(pace.wakes_now(ROOM, true, 1000, NOW_MS + joiner));
        }
        assert_eq!(wakes, 1, "the first is told at once");
        assert_eq!(pace.due(NOW_MS + 1999), []);
        assert_eq!(pace.due(NOW_MS + 2000), [ROOM]);
        assert!(!pace.wakes_now(ROOM, true, 1000, NOW_MS + 2001), "and then it rests again");
        assert_eq!(pace.due(NOW_MS + 4000), [ROOM]);
        assert_eq!(pace.due(NOW_MS + 6000), []);
        assert!(pace.rests.is_empty(), "who rests no more is forgotten");
    }

    #[test]
    fn what_is_said_takes_along_who_came() {
        let mut pace = WakePace::default();
        assert!(pace.wakes_now(ROOM, true, 1000, NOW_MS));
        assert!(!pace.wakes_now(ROOM, true, 1000, NOW_MS));
        assert!(pace.wakes_now(ROOM, false, 1000, NOW_MS));
        assert_eq!(pace.due(NOW_MS + 2000), [], "nothing waits any more");
    }

    #[test]
    fn in_a_small_room_nobody_waits() {
        let mut pace = WakePace::default();
        assert!((0..100).all(|_| pace.wakes_now(ROOM, true, FOLLOWERS_MIN - 1, NOW_MS)));
        assert_eq!(pace.due(NOW_MS + REST_MS_MAX), []);
    }

    #[test]
    fn nobody_waits_long_however_many_follow_or_the_clock_goes() {
        let mut pace = WakePace::default();
        for now_ms in [NOW_MS, NOW_MS] {
            pace.wakes_now(ROOM, true, usize::MAX, now_ms);
        }
        assert_eq!(pace.due(NOW_MS + REST_MS_MAX), [ROOM]);
        assert!(!pace.wakes_now(ROOM, true, 1000, NOW_MS + REST_MS_MAX));
        assert_eq!(pace.due(5), [ROOM], "the clock was set back by much");
    }
}
