//! The clock of the machine, and what an operator is told when it is wrong.
//!
//! No log's time goes back: while the clock is behind times that are stored, the logs that have them
//! stay at theirs.

use std::fmt;
use std::sync::OnceLock;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use chat_proto::Timestamp;

use crate::system::boot;

/// Being behind by less is what corrections of a good clock come to, in milliseconds.
const BEHIND_MS_MAX: u64 = 2_000;

/// A step by less is no news, in milliseconds.
const STEP_MS_MAX: u64 = 5_000;

/// The time of day.
pub(crate) fn utc_now() -> Timestamp {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(u64::try_from(since_epoch.as_millis()).unwrap_or(u64::MAX))
}

/// Time that passes whatever the clock is set to; on Linux also while the machine sleeps.
pub(crate) fn since_boot() -> Duration {
    static ELSEWHERE: OnceLock<Instant> = OnceLock::new();
    boot::uptime().unwrap_or_else(|| ELSEWHERE.get_or_init(Instant::now).elapsed())
}

/// Compares the clock with what it said before, and with the times that are stored.
#[derive(Debug, Default)]
pub(crate) struct ClockWatch {
    last: Option<(Timestamp, Duration)>,
    is_behind: bool,
}

/// Something that the operator is to know of the clock.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Notice {
    /// It is earlier than the latest event.
    Behind { now: Timestamp, latest: Timestamp },
    /// It is so no more.
    CaughtUp,
    /// It went on by more, or less, than the time that has passed.
    Stepped { expected: Timestamp, now: Timestamp },
}

impl ClockWatch {
    /// Looks at the clock. `latest` is the latest time that is stored.
    pub(crate) fn look(
        &mut self,
        now: Timestamp,
        since_boot: Duration,
        latest: Timestamp,
    ) -> Option<Notice> {
        let last = self.last.replace((now, since_boot));
        let is_behind = now.0.saturating_add(BEHIND_MS_MAX) < latest.0;
        if is_behind != self.is_behind {
            self.is_behind = is_behind;
            return Some(match is_behind {
                true => Notice::Behind { now, latest },
                false => Notice::CaughtUp,
            });
        }
        let (before, then) = last?;
        let passed = since_boot.saturating_sub(then).as_millis();
        let expected =
            Timestamp(before.0.saturating_add(u64::try_from(passed).unwrap_or(u64::MAX)));
        let stepped = expected.0.abs_diff(now.0) > STEP_MS_MAX;
        stepped.then_some(Notice::Stepped { expected, now })
    }
}

impl Notice {
    pub(crate) fn tell(self) {
        match self {
            Self::Behind { now, latest } => tracing::warn!(
                now = %Utc(now), latest_event = %Utc(latest),
                "the clock is behind the times of messages: it is wrong, or was ahead. Rooms with \
                 later times stay at them until it has caught up. If it is right now, restart once \
                 with --correct-times"
            ),
            Self::CaughtUp => tracing::info!("the clock has caught up with the times of messages"),
            Self::Stepped { expected, now } => tracing::warn!(
                expected = %Utc(expected), now = %Utc(now),
                "the clock was set; messages get its time from now on"
            ),
        }
    }
}

/// A time as people write it, in UTC.
struct Utc(Timestamp);

impl fmt::Display for Utc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let time = i64::try_from(self.0.0).ok().map(jiff::Timestamp::from_millisecond);
        match time {
            Some(Ok(time)) => time.fmt(f),
            Some(Err(_)) | None => write!(f, "{} ms", self.0.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const YEAR_MS: u64 = 365 * 24 * 3_600_000;
    const START: u64 = 1_790_000_000_000;

    fn look(watch: &mut ClockWatch, now: u64, second: u64, latest: u64) -> Option<Notice> {
        watch.look(Timestamp(now), Duration::from_secs(second), Timestamp(latest))
    }

    #[test]
    fn a_clock_that_is_behind_at_the_start_is_told_once_and_so_is_its_end() {
        let mut watch = ClockWatch::default();
        let (now, latest) = (Timestamp(START), Timestamp(START + YEAR_MS));
        let told = look(&mut watch, START, 0, latest.0);
        assert_eq!(told, Some(Notice::Behind { now, latest }));
        assert_eq!(look(&mut watch, START + 1_000, 1, latest.0), None);
        // A year passes.
        let later = YEAR_MS / 1_000 + 1;
        let told = look(&mut watch, START + later * 1_000, later, latest.0);
        assert_eq!(told, Some(Notice::CaughtUp));
    }

    #[test]
    fn a_clock_that_jumps_ahead_and_comes_back_is_told_at_once_both_times() {
        let mut watch = ClockWatch::default();
        assert_eq!(look(&mut watch, START, 0, START), None);
        let (expected, now) = (Timestamp(START + 1_000), Timestamp(START + YEAR_MS));
        let told = look(&mut watch, now.0, 1, START);
        assert_eq!(told, Some(Notice::Stepped { expected, now }));
        let told = look(&mut watch, START + 2_000, 2, now.0);
        assert_eq!(told, Some(Notice::Behind { now: Timestamp(START + 2_000), latest: now }));
        assert_eq!(look(&mut watch, START + 3_000, 3, now.0), None);
    }

    #[test]
    fn small_corrections_and_sleep_are_no_news() {
        let mut watch = ClockWatch::default();
        assert_eq!(look(&mut watch, START, 0, START), None);
        assert_eq!(look(&mut watch, START - 1_500, 0, START), None);
        assert_eq!(look(&mut watch, START + 4_000_000, 4_000, START), None, "it slept");
    }

    #[test]
    fn times_are_told_as_people_write_them() {
        assert_eq!(Utc(Timestamp(START)).to_string(), "2026-09-21T14:13:20Z");
        assert_eq!(Utc(Timestamp(u64::MAX)).to_string(), "18446744073709551615 ms");
    }
}
