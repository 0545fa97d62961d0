//! The time, as the runtime tells it, and as the reader's clock on the wall shows it.
//!
//! Owns the time zone. Nothing here moves by itself.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;

/// The time, as the runtime tells it with every message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Moment {
    /// Milliseconds since the screen was opened; never goes back.
    pub ms: u64,
    /// The clock on the wall.
    pub wall: jiff::Timestamp,
}

/// The reader's clock.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Clock {
    /// The time of the last update.
    pub now: Moment,
    /// Where the clock hangs.
    pub zone: TimeZone,
}

impl Clock {
    /// The time now, as the reader reads it.
    #[must_use]
    pub fn local_now(&self) -> DateTime {
        self.zone.to_datetime(self.now.wall)
    }

    /// A time of the server, in milliseconds since 1970; one that no calendar has is now.
    #[must_use]
    pub fn local(&self, unix_ms: u64) -> DateTime {
        let wall = i64::try_from(unix_ms)
            .ok()
            .and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok())
            .unwrap_or(self.now.wall);
        self.zone.to_datetime(wall)
    }
}
