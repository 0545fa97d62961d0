//! One command at work: where its events go, and which time they get.
//!
//! It must not know what any action leads to.

use chat_proto::{LogId, Seq, Timestamp};

use super::State;
use crate::{Content, Event, Lookup, StoreError};

/// One command at work: the state as it is, the time, and the events so far. What each action leads to
/// stands in the modules beside this one.
pub(super) struct Transition<'a> {
    pub(super) state: &'a State,
    pub(super) now: Timestamp,
    pub(super) lookup: &'a dyn Lookup,
    pub(super) events: Vec<Event>,
    /// The lookup failed: nothing of the command counts.
    pub(super) failure: Option<StoreError>,
}

impl Transition<'_> {
    /// Appends an event to a log that exists, or that it makes, under the next seq.
    pub(super) fn append(&mut self, log: LogId, content: Content) {
        let head = self.state.head_of(log);
        self.append_after(head, log, content);
    }

    /// The same for whoever knows the log's head; tells the event's place and time.
    pub(super) fn append_after(
        &mut self,
        head: Seq,
        log: LogId,
        content: Content,
    ) -> (Seq, Timestamp) {
        debug_assert_eq!(head, self.state.head_of(log), "the head of log {log}");
        let appended = self.events.iter().filter(|event| event.log == log).count();
        let (seq, ts) = (Seq(head.0 + appended as u64 + 1), self.time_in(log));
        self.events.push(Event { log, seq, ts, content });
        (seq, ts)
    }

    /// The time that the next event of a log gets: now, but never before the log's newest event.
    fn time_in(&mut self, log: LogId) -> Timestamp {
        if self.now >= self.state.last_ts {
            return self.now;
        }
        let floor = match self.state.floors.get(&log) {
            Some(floor) => *floor,
            None => self.lookup.newest_ts(log).unwrap_or_else(|error| {
                self.failure = Some(error);
                Timestamp::default()
            }),
        };
        self.now.max(floor)
    }
}
