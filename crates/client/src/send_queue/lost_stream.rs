//! What becomes of a stream that is of no use any more, as the daemon has lost its end: its messages go
//! on under a fresh one, or are refused.

use chat_proto::{Error, ErrorCode, StreamId};

use super::{Change, Record, SendQueue};
use crate::event::Refusal;
use crate::outbox::{Entry, Outbox};

/// How long to wait before trying again what the disk would not do, in milliseconds.
const RETRY_PAUSE_MS: u64 = 1_000;

impl SendQueue {
    /// A stream that is to be exchanged for a fresh one, when it is time to try.
    pub fn lost(&mut self, now_ms: u64) -> Option<StreamId> {
        let lost = *self.lost.front()?;
        (!self.is_paused(now_ms)).then_some(lost)
    }

    /// A stream that nobody has used, for one that is lost.
    pub fn fresh_stream(&mut self) -> StreamId {
        self.fresh.draw()
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
        epoch.into_iter().chain(moved.pending().map(Record::Push)).collect()
    }

    /// The lost stream goes on under a fresh one.
    pub fn restarted(&mut self, old: StreamId, fresh: StreamId) {
        self.lost.retain(|stream| *stream != old);
        debug_assert!(self.outbox_of(fresh).is_none(), "a stream is one outbox's");
        let Some(outbox) = self.outbox_of(old) else { return };
        let before: Vec<Entry> = outbox.pending().collect();
        let moved = outbox.restart_stream(fresh);
        debug_assert_eq!(before.len(), moved.len(), "everything that waits goes on");
        for (entry, (_old, new)) in before.into_iter().zip(moved) {
            self.changes.push_back(Change::Moved(entry, new));
        }
    }

    /// The journal of the fresh stream cannot be had now.
    pub fn restart_failed(&mut self, now_ms: u64) {
        self.pause(now_ms, RETRY_PAUSE_MS);
    }

    /// The daemon has not what is in front of a message, or knows the stream as another room's.
    pub(super) fn lost_stream(&mut self, stream: StreamId, error: &Error) {
        let is_behind = error.known_code() == Some(ErrorCode::Behind);
        if self.is_restored && is_behind {
            let outbox = self.outbox_of(stream);
            let messages = outbox.map_or(0, |outbox| outbox.take_loss(error.detail));
            self.changes.extend((messages > 0).then_some(Change::Forgotten(messages)));
        }
        // A stream whose id somebody gave cannot be exchanged: the messages are refused here, and so is
        // each that comes later, when the daemon still awaits an earlier one.
        if self.is_firm() {
            let refusal = match (is_behind, self.is_restored) {
                (false, _) => Refusal::from(error.clone()),
                (true, true) => Self::lost_by_restore(),
                (true, false) => Refusal {
                    code: Some(ErrorCode::Behind),
                    reason: "the server has not taken an earlier message of this id; send all of \
                             them again"
                        .to_owned(),
                },
            };
            self.give_up(stream, &refusal);
        } else if !self.lost.contains(&stream) {
            self.lost.push_back(stream);
        }
    }

    pub(super) fn lost_by_restore() -> Refusal {
        Refusal::local(
            "the server was restored from a backup and has lost earlier messages of this id; send \
             all of them again",
        )
    }

    /// Whether a stream that is lost stays what it is.
    pub(super) fn is_firm(&self) -> bool {
        self.firm().is_some()
    }

    /// Everything that waits is refused.
    pub(super) fn give_up(&mut self, stream: StreamId, refusal: &Refusal) {
        let entries = self.outbox_of(stream).map(Outbox::give_up).unwrap_or_default();
        for entry in entries {
            self.refused_for_good(entry, refusal.clone());
        }
    }
}
