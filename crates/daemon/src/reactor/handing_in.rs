//! What goes from a reactor to the committing thread. It must not know what any of it asks.

use chat_core::Conn;

use super::Reactor;
use crate::fair_queue::Party;

impl Reactor {
    /// Puts what a turn has brought into the queue, in its party's line.
    pub(super) fn hand_in(&mut self, party: Party) {
        if !self.batch.is_empty() {
            self.counts.requests += self.batch.len() as u64;
            self.sequencer.push(party, self.batch.drain());
            self.is_to_wake = true;
        }
    }

    /// A connection is gone: that comes behind everything it has asked.
    pub(super) fn hand_in_gone(&mut self, party: Party, conn: Conn) {
        self.sequencer.push_gone(party, conn);
        self.is_to_wake = true;
    }

    pub(super) fn wake_committing(&mut self) {
        if std::mem::take(&mut self.is_to_wake) && self.sequencer.wake().is_err() {
            // The daemon stops: whoever waits for an answer does not get one.
            tracing::debug!("the committing thread has ended");
        }
    }
}
