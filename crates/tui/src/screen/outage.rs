//! A time without a server: what is said of it while it lasts, and when it is over.
//!
//! Owns when it began, and the line of the history that tells of it.

use super::history::Local;
use super::model::{Model, RoomIndex};

/// The present or the last outage.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Outage {
    /// When the connection was lost, as in [`super::model::Moment::ms`], while it is.
    pub since_ms: Option<u64>,
    /// How long the last one was, until the reader does something.
    pub over_after_ms: Option<u64>,
    /// Whether it was told.
    pub told: bool,
    /// The line that tells of it.
    line: Option<(RoomIndex, Local)>,
}

impl Model {
    /// The connection is lost: says so, in a line that is changed when it is back.
    pub fn tell_of_outage(&mut self, text: &str) {
        let line = self.trouble(text);
        self.outage.line = Some((self.current, line));
    }

    /// The connection is back.
    pub fn end_outage(&mut self) {
        let lasted = self.outage.since_ms.map(|since| self.now.ms.saturating_sub(since));
        self.outage.over_after_ms = lasted.filter(|_lasted| self.was_online);
        (self.outage.since_ms, self.outage.told) = (None, false);
        self.retell_outage();
    }

    /// Puts what is known now in the place of "connection lost".
    pub fn retell_outage(&mut self) {
        if let (Some(text), Some((room, line))) = (self.back_again(), self.outage.line) {
            self.rooms[room].history.retell(line, &text);
        }
    }

    /// The reader goes on: what is told of the last outage is not said for ever.
    pub fn seen_missed(&mut self) {
        (self.missed, self.outage.over_after_ms) = (0, None);
    }

    /// What is said of an outage that is over.
    #[must_use]
    pub fn back_again(&self) -> Option<String> {
        let seconds = self.outage.over_after_ms?.div_ceil(1000);
        Some(match self.missed {
            0 => format!("back after {seconds} s"),
            missed => format!("back after {seconds} s, missed {missed}"),
        })
    }
}
