//! How the sentence of a refusal says until when, and why.
//!
//! It must not know the time: it is told.

use std::fmt;

use chat_proto::Timestamp;

/// When something ends; nothing of what does not end by itself.
pub(super) struct Until(pub(super) Timestamp);

/// Why, in the words of whoever did it; nothing where there are none.
pub(super) struct Because<'a>(pub(super) &'a str);

const DAY_S: u64 = 24 * 60 * 60;

impl fmt::Display for Until {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Timestamp(ms) = self.0;
        if ms == 0 {
            return Ok(());
        }
        let (days, second) = (ms / 1_000 / DAY_S, ms / 1_000 % DAY_S);
        let (year, month, day) = date_of(days);
        let (hour, minute) = (second / 3_600, second / 60 % 60);
        write!(f, " until {year:04}-{month:02}-{day:02} {hour:02}:{minute:02} UTC")
    }
}

impl fmt::Display for Because<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            "" => Ok(()),
            reason => write!(f, ": {reason}"),
        }
    }
}

/// Year, month and day of so many days since 1970, in the Gregorian calendar.
fn date_of(days: u64) -> (u64, u64, u64) {
    // Years are taken from March on, so that a leap day is the last of its year; whole cycles of 400
    // years have 146,097 days. 1970 began 719,468 days behind the March of year 0.
    let day = days + 719_468;
    let (cycle, day) = (day / 146_097, day % 146_097);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    // Of five months from March on, 153 days.
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (month, is_next_year) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    (400 * cycle + year + is_next_year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_said_as_its_minute_in_utc() {
        for (ms, said) in [
            (1, " until 1970-01-01 00:00 UTC"),
            (951_825_599_000, " until 2000-02-29 11:59 UTC"),
            (1_772_323_199_999, " until 2026-02-28 23:59 UTC"),
            (1_772_323_200_000, " until 2026-03-01 00:00 UTC"),
            (4_107_542_400_000, " until 2100-03-01 00:00 UTC"),
        ] {
            assert_eq!(Until(Timestamp(ms)).to_string(), said, "{ms}");
        }
        assert_eq!(Until(Timestamp(0)).to_string(), "");
        // Nobody lives so long, and nothing breaks.
        assert!(Until(Timestamp(u64::MAX)).to_string().ends_with(" UTC"));
    }

    #[test]
    fn no_reason_says_nothing() {
        assert_eq!(Because("").to_string(), "");
        assert_eq!(Because("spam").to_string(), ": spam");
    }
}
