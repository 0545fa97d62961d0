//! Times as a person reads them.

use chat_proto::Timestamp;
use jiff::tz::TimeZone;

/// The time zone of whoever reads.
#[derive(Clone, Debug)]
pub(super) struct Clock {
    zone: TimeZone,
}

impl Clock {
    /// The zone of this machine or of `TZ`.
    pub(super) fn local() -> Self {
        Self { zone: TimeZone::system() }
    }

    /// `HH:MM`, with the date before it when that is not today.
    pub(super) fn time(&self, ts: Timestamp) -> String {
        self.time_as_of(ts, jiff::Timestamp::now())
    }

    fn time_as_of(&self, ts: Timestamp, now: jiff::Timestamp) -> String {
        let milliseconds = i64::try_from(ts.0).unwrap_or(i64::MAX);
        let Ok(time) = jiff::Timestamp::from_millisecond(milliseconds) else {
            return "--:--".to_owned();
        };
        let time = time.to_zoned_datetime(self.zone.clone());
        let is_today = time.date() == now.to_zoned_datetime(self.zone.clone()).date();
        let format = if is_today { "%H:%M" } else { "%Y-%m-%d %H:%M" };
        time.strftime(format).to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_that_of_the_readers_zone_and_has_a_date_unless_it_is_today() {
        let zone = TimeZone::fixed(jiff::tz::offset(2));
        let clock = Clock { zone };
        let now = jiff::Timestamp::UNIX_EPOCH;
        let time = |milliseconds| clock.time_as_of(Timestamp(milliseconds), now);
        assert_eq!(time(0), "02:00");
        assert_eq!(time(21 * 3_600_000 + 59_000), "23:00");
        assert_eq!(time(23 * 3_600_000 + 59_000), "1970-01-02 01:00");
        assert_eq!(time(u64::MAX), "--:--");
    }
}
