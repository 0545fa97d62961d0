//! A time without a server: what is said of it while it lasts, and when it is over.
//!
//! Owns when it began, what was missed, and the line of the history that tells of it.

use super::history::Local;
use super::room::RoomIndex;

/// The present outage, once it was told, or the last one as far as it is told of.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Outage {
    /// When the connection was lost, as in [`super::clock::Moment::ms`], while it is.
    pub since_ms: Option<u64>,
    /// How long the last one was, until the reader does something.
    pub over_after_ms: Option<u64>,
    /// Messages that were said while the connection was away.
    pub missed: usize,
    /// Whether it was told.
    pub told: bool,
    /// The line that tells of it.
    pub line: Option<(RoomIndex, Local)>,
}

impl Outage {
    /// The connection is back; what was missed is counted from here on. `is_return`: it was there
    /// before.
    pub fn end(&mut self, now_ms: u64, is_return: bool) {
        let lasted = self.since_ms.map(|since_ms| now_ms.saturating_sub(since_ms));
        self.over_after_ms = lasted.filter(|_lasted| is_return);
        (self.since_ms, self.told, self.missed) = (None, false, 0);
    }

    /// The reader goes on: what is told of the last outage is not said for ever.
    pub fn see(&mut self) {
        (self.missed, self.over_after_ms) = (0, None);
    }

    /// What is said of an outage that is over.
    #[must_use]
    pub fn told_after(&self) -> Option<String> {
        let seconds = self.over_after_ms?.div_ceil(1000);
        Some(match self.missed {
            0 => format!("back after {seconds} s"),
            missed => format!("back after {seconds} s, missed {missed}"),
        })
    }
}
