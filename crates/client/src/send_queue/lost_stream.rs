//! What becomes of a stream whose end the daemon has lost: its messages go on under a fresh one, or
//! are refused.

use chat_proto::{ErrorCode, StreamId};

use super::{Change, Policy, Record, SendQueue};
use crate::event::Refusal;
use crate::outbox::{Entry, Outbox};

/// How long to wait before trying again what the disk would not do, in milliseconds.
const RETRY_PAUSE_MS: u64 = 1_000;

impl SendQueue {
    /// A stream that is to be exchanged for a fresh one, when it is time to try.
    pub fn lost(&mut self, now_ms: u64) -> Option<StreamId> {
        self.lost.filter(|_lost| !self.is_paused(now_ms))
    }

    /// What a journal of the fresh stream begins with, before [`Self::restarted`].
    #[must_use]
    pub fn restart_records(&self, old: StreamId, fresh: StreamId) -> Vec<Record> {
        let Some(outbox) = self.outboxes.iter().find(|outbox| outbox.stream() == old) else {
            return Vec::new();
        };
        let mut moved = outbox.clone();
        moved.restart_stream(fresh);
        let epoch = self.epoch.map(|epoch| Record::Epoch(fresh, epoch));
        epoch.into_iter().chain(moved.pending().cloned().map(Record::Push)).collect()
    }

    /// The lost stream goes on under a fresh one.
    pub fn restarted(&mut self, old: StreamId, fresh: StreamId) {
        debug_assert_eq!(self.lost, Some(old), "only what is lost is restarted");
        self.lost = None;
        let Some(outbox) = self.outbox_of(old) else { return };
        let before: Vec<Entry> = outbox.pending().cloned().collect();
        let moved = outbox.restart_stream(fresh);
        for (entry, (old, new)) in before.into_iter().zip(moved) {
            if let Some(reason) = self.doomed.remove(&old) {
                self.doomed.insert(new, reason);
            }
            self.changes.push_back(Change::Moved(entry, new));
        }
    }

    /// The journal of the fresh stream cannot be had now.
    pub fn restart_failed(&mut self, now_ms: u64) {
        self.pause(now_ms, RETRY_PAUSE_MS);
    }

    /// Of what was acked, the daemon has what is before `awaited`.
    pub(super) fn lost_stream(&mut self, stream: StreamId, awaited: u64) {
        if self.is_restored && !std::mem::replace(&mut self.has_told_loss, true) {
            let outbox = self.outbox_of(stream);
            let messages = outbox.map_or(0, |outbox| outbox.acked_from(awaited));
            self.changes.extend((messages > 0).then_some(Change::Forgotten(messages)));
        }
        match self.policy {
            Policy::Script { is_stream_firm: true } => self.give_up(stream),
            Policy::Screen | Policy::Script { is_stream_firm: false } => self.lost = Some(stream),
        }
    }

    /// A stream whose id somebody gave cannot be exchanged: the messages are refused here, and so
    /// is each that comes later, when the daemon still awaits an earlier one.
    fn give_up(&mut self, stream: StreamId) {
        let refusal = match self.is_restored {
            true => Refusal::local(
                "the server was restored from a backup and has lost earlier messages of this id; \
                 send all of them again",
            ),
            false => Refusal {
                code: Some(ErrorCode::Behind),
                reason: "the server has not taken an earlier message of this id; send all of them \
                         again"
                    .to_owned(),
            },
        };
        let entries = self.outbox_of(stream).map(Outbox::give_up).unwrap_or_default();
        for entry in entries {
            self.refused_for_good(entry, refusal.clone());
        }
    }
}
