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

    /// `HH:MM`.
    pub(super) fn hours_and_minutes(&self, ts: Timestamp) -> String {
        let milliseconds = i64::try_from(ts.0).unwrap_or(i64::MAX);
        match jiff::Timestamp::from_millisecond(milliseconds) {
            Ok(time) => time.to_zoned(self.zone.clone()).strftime("%H:%M").to_string(),
            Err(_out_of_range) => "--:--".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_that_of_the_readers_zone() {
        let zone = TimeZone::fixed(jiff::tz::offset(2));
        let clock = Clock { zone };
        assert_eq!(clock.hours_and_minutes(Timestamp(0)), "02:00");
        assert_eq!(clock.hours_and_minutes(Timestamp(23 * 3_600_000 + 59_000)), "01:00");
        assert_eq!(clock.hours_and_minutes(Timestamp(u64::MAX)), "--:--");
    }
}
