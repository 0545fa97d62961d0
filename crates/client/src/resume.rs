//! One cursor for each followed log: what to ask for after a reconnect, and which event is next
//! (promise G4).
//!
//! Sans-IO: it must not know about sockets, files, the clock or randomness; the simulator runs this
//! very type.

use std::collections::BTreeMap;

use chat_proto::{Epoch, Gap, LogId, LoggedHead, Position, Reset, Seq, Subscribe, Subscribed};

/// Where to go on in a log that has begun another life.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum AfterReset {
    /// With its first event: nothing of the new life is missed, what survived comes again.
    #[default]
    FromStart,
    /// With what is new: for readers that page the history anew by themselves.
    FromHead,
}

/// What an event is to its cursor.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Step {
    /// The next one: the cursor stands on it now.
    Fresh,
    /// The reader has it already.
    Duplicate,
    /// Events before it are missing: the cursor has not moved; subscribe again.
    Hole {
        /// The seq that should have come.
        expected: Seq,
    },
    /// The log is not followed, or its subscription is not answered yet.
    NotFollowed,
}

/// The cursors of one reader.
#[derive(Clone, Debug, Default)]
pub struct Resume {
    cursors: BTreeMap<LogId, Option<Position>>,
    after_reset: AfterReset,
}

impl Resume {
    /// No cursors yet.
    #[must_use]
    pub fn new(after_reset: AfterReset) -> Self {
        Self { cursors: BTreeMap::new(), after_reset }
    }

    /// Follows a log, from behind a position; `None`: only what is new. A log that is followed
    /// already goes on from there.
    pub fn follow(&mut self, log: LogId, after: Option<Position>) {
        self.cursors.insert(log, after);
    }

    /// Follows a log no more.
    pub fn forget(&mut self, log: LogId) {
        self.cursors.remove(&log);
    }

    /// What to ask for on a new connection.
    #[must_use]
    pub fn connected(&self) -> Vec<Subscribe> {
        self.cursors.iter().map(|(&log, &after)| Subscribe { log, after }).collect()
    }

    /// What to ask for to go on in one log.
    #[must_use]
    pub fn ask(&self, log: LogId) -> Option<Subscribe> {
        let after = *self.cursors.get(&log)?;
        Some(Subscribe { log, after })
    }

    /// The daemon has opened the cursor: its epoch is in force, and a cursor without a position
    /// gets one, the head.
    pub fn subscribed(&mut self, subscribed: &Subscribed) {
        if let Some(cursor) = self.cursors.get_mut(&subscribed.log) {
            // The seq stays: the daemon goes on behind it, and would have answered a place of another
            // epoch with a reset.
            *cursor = Some(Position {
                epoch: subscribed.epoch,
                seq: cursor.map_or(subscribed.head, |position| position.seq),
            });
        }
    }

    /// The log has begun another life: gives what to ask for to go on. Whoever shows the log must
    /// say so: what it has shown may not be in the log any more.
    pub fn reset(&mut self, reset: &Reset) -> Subscribe {
        let seq = match self.after_reset {
            AfterReset::FromStart => Seq::ZERO,
            AfterReset::FromHead => reset.head,
        };
        let after = Some(Position { epoch: reset.epoch, seq });
        if let Some(cursor) = self.cursors.get_mut(&reset.log) {
            *cursor = after;
        }
        Subscribe { log: reset.log, after }
    }

    /// An event has come. Only a [`Step::Fresh`] one moves the cursor and may be shown.
    pub fn event(&mut self, head: LoggedHead) -> Step {
        self.advance(head.log, head.seq, head.seq)
    }

    /// Events that are gone from the log stood here. [`Step::Fresh`]: the cursor stands behind them.
    pub fn gap(&mut self, gap: &Gap) -> Step {
        self.advance(gap.log, gap.from, gap.to)
    }

    /// The last event that the reader has.
    #[must_use]
    pub fn position(&self, log: LogId) -> Option<Position> {
        self.cursors.get(&log).copied().flatten()
    }

    /// Whether the log is followed.
    #[must_use]
    pub fn follows(&self, log: LogId) -> bool {
        self.cursors.contains_key(&log)
    }

    /// The followed logs.
    pub fn logs(&self) -> impl Iterator<Item = LogId> {
        self.cursors.keys().copied()
    }

    /// The epoch of a followed log, as far as the daemon has said it.
    #[must_use]
    pub fn epoch(&self, log: LogId) -> Option<Epoch> {
        self.position(log).map(|position| position.epoch)
    }

    /// Moves over `from..=to` when the expected one is among them.
    fn advance(&mut self, log: LogId, from: Seq, to: Seq) -> Step {
        let Some(Some(position)) = self.cursors.get_mut(&log) else {
            return Step::NotFollowed;
        };
        let expected = position.seq.next();
        if to < expected {
            Step::Duplicate
        } else if expected < from {
            Step::Hole { expected }
        } else {
            debug_assert!(position.seq < to, "a cursor never goes back");
            position.seq = to;
            Step::Fresh
        }
    }
}

#[cfg(test)]
mod tests {
    use chat_proto::{List, Timestamp};

    use super::*;

    const LOG: LogId = LogId(7);

    fn head(seq: u64) -> LoggedHead {
        LoggedHead { log: LOG, seq: Seq(seq), ts: Timestamp(0) }
    }

    fn position(epoch: u64, seq: u64) -> Position {
        Position { epoch: Epoch(epoch), seq: Seq(seq) }
    }

    fn subscribed(epoch: u64, head: u64) -> Subscribed {
        Subscribed {
            log: LOG,
            epoch: Epoch(epoch),
            head: Seq(head),
            name: "lobby".into(),
            topic: String::new(),
            members: List::default(),
            member_count: 0,
            online: 0,
        }
    }

    #[test]
    fn a_cursor_without_a_position_begins_at_the_head() {
        let mut resume = Resume::default();
        resume.follow(LOG, None);
        assert_eq!(resume.event(head(11)), Step::NotFollowed);
        resume.subscribed(&subscribed(1, 10));
        assert_eq!(resume.position(LOG), Some(position(1, 10)));
        assert_eq!(resume.event(head(11)), Step::Fresh);
        assert_eq!(resume.connected(), [Subscribe { log: LOG, after: Some(position(1, 11)) }]);
    }

    #[test]
    fn a_cursor_with_a_position_keeps_it_and_takes_the_epoch() {
        let mut resume = Resume::default();
        resume.follow(LOG, Some(position(0, 0)));
        resume.subscribed(&subscribed(3, 10));
        assert_eq!(resume.position(LOG), Some(position(3, 0)));
        assert_eq!(resume.event(head(1)), Step::Fresh);
    }

    #[test]
    fn only_the_next_event_moves_the_cursor() {
        let mut resume = Resume::default();
        resume.follow(LOG, Some(position(1, 5)));
        assert_eq!(resume.event(head(5)), Step::Duplicate);
        assert_eq!(resume.event(head(7)), Step::Hole { expected: Seq(6) });
        assert_eq!(resume.event(head(6)), Step::Fresh);
        assert_eq!(resume.event(head(6)), Step::Duplicate);
        assert_eq!(resume.event(head(7)), Step::Fresh);
        assert_eq!(resume.position(LOG), Some(position(1, 7)));
    }

    #[test]
    fn a_gap_moves_the_cursor_behind_it_but_never_back() {
        let gap = |from, to| Gap { log: LOG, from: Seq(from), to: Seq(to), reason: 2 };
        let mut resume = Resume::default();
        resume.follow(LOG, Some(position(1, 5)));
        assert_eq!(resume.gap(&gap(2, 5)), Step::Duplicate);
        assert_eq!(resume.gap(&gap(8, 9)), Step::Hole { expected: Seq(6) });
        assert_eq!(resume.gap(&gap(1, 9)), Step::Fresh);
        assert_eq!(resume.event(head(9)), Step::Duplicate);
        assert_eq!(resume.event(head(10)), Step::Fresh);
    }

    #[test]
    fn a_reset_goes_on_in_the_new_life() {
        let reset = Reset { log: LOG, epoch: Epoch(2), head: Seq(3) };
        let mut from_start = Resume::default();
        from_start.follow(LOG, Some(position(1, 9)));
        assert_eq!(from_start.reset(&reset).after, Some(position(2, 0)));
        from_start.subscribed(&subscribed(2, 3));
        assert_eq!(from_start.event(head(1)), Step::Fresh);

        let mut from_head = Resume::new(AfterReset::FromHead);
        from_head.follow(LOG, Some(position(1, 9)));
        assert_eq!(from_head.reset(&reset).after, Some(position(2, 3)));
        from_head.subscribed(&subscribed(2, 4));
        assert_eq!(from_head.event(head(4)), Step::Fresh);
    }

    #[test]
    fn a_forgotten_log_is_not_asked_for_again() {
        let mut resume = Resume::default();
        resume.follow(LOG, Some(position(1, 5)));
        resume.forget(LOG);
        assert_eq!(resume.event(head(6)), Step::NotFollowed);
        assert_eq!(resume.connected(), []);
        assert_eq!(resume.ask(LOG), None);
    }
}
