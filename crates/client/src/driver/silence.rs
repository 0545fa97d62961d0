//! Whether the daemon answers, as far as a person should know.
//!
//! Owns since when an answer is awaited and nothing is heard, and what is told of it.

use std::time::Duration;

use tokio::time::Instant;

use super::Driver;
use crate::event::Event;
use crate::link::Link;

/// An answer that has not come for so long is told of.
const NO_ANSWER_AFTER: Duration = Duration::from_secs(3);

/// The daemon's silence.
#[derive(Debug, Default)]
pub(super) struct Silence {
    since: Option<Instant>,
    told: bool,
}

impl Silence {
    /// Looks whether there is something to tell.
    fn look(&mut self, awaits: bool, heard_at: Instant, now: Instant) -> Option<Event> {
        let before = self.since;
        self.since = awaits.then(|| before.unwrap_or(now).max(heard_at));
        if self.told {
            let is_heard = self.since != before;
            self.told = !is_heard;
            return is_heard.then_some(Event::Answering);
        }
        let silent = now.saturating_duration_since(self.since?);
        self.told = silent >= NO_ANSWER_AFTER;
        self.told.then_some(Event::NoAnswer(silent))
    }

    /// When to look again.
    pub(super) fn due(&self) -> Option<Instant> {
        self.since.filter(|_since| !self.told).map(|since| since + NO_ANSWER_AFTER)
    }
}

impl Driver {
    /// A user who does not keep up, so that nothing is read, is no silence of the daemon.
    pub(super) fn mind_silence(&mut self) {
        let awaits = self.may_read() && (self.requests.awaits() || self.sending.awaits());
        let told = self.silence.look(awaits, self.heard_at, Instant::now());
        if let Some(event) = told {
            self.events.push(event);
            self.events.flush();
        }
    }

    /// Begins an attempt without a pause, unless there is a connection that answers.
    pub(super) fn retry_now(&mut self) {
        if self.link.is_up() && self.silence.told {
            self.lost("the server did not answer");
        }
        if let Link::Idle { until } = &mut self.link {
            *until = Instant::now();
            self.failures = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silence_is_told_once_and_so_is_its_end() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut silence = Silence::default();
        assert_eq!(silence.look(false, start, at(10)), None, "nothing is owed");
        assert_eq!(silence.due(), None);
        assert_eq!(silence.look(true, start, at(20)), None);
        assert_eq!(silence.due(), Some(at(23)));
        let told = Some(Event::NoAnswer(Duration::from_secs(4)));
        assert_eq!(silence.look(true, start, at(24)), told);
        assert_eq!(silence.look(true, start, at(30)), None);
        assert_eq!(silence.due(), None);
        assert_eq!(silence.look(true, at(31), at(31)), Some(Event::Answering));
        assert_eq!(silence.look(true, at(31), at(33)), None);
        assert_eq!(silence.look(false, at(33), at(40)), None);
    }
}
