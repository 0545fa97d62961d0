//! A store in memory for tests of the state: what was decided of sends, and when logs were written last.

use std::collections::BTreeMap;

use chat_proto::{AccountId, LogId, Nonce, RoomId, StreamId, Timestamp};

use super::Decision;
use crate::{BoundStream, Content, Lookup, PastSend, StoreError};

/// Remembers what was appended, as a store would.
#[derive(Clone, Default)]
pub(super) struct Memory {
    past: BTreeMap<(AccountId, Nonce), PastSend>,
    /// The room of each stream's first send.
    streams: BTreeMap<(AccountId, StreamId), RoomId>,
    newest: BTreeMap<LogId, Timestamp>,
}

impl Memory {
    /// The latest time of any event.
    pub(super) fn latest_ts(&self) -> Timestamp {
        self.newest.values().max().copied().unwrap_or_default()
    }

    pub(super) fn keep(&mut self, account: AccountId, applied: &Decision) {
        for event in &applied.events {
            self.newest.insert(event.log, event.ts);
            if let Content::Posted { id, nonce, digest, .. } = &event.content {
                let (room, digest) = (RoomId(event.log.0), *digest);
                let past = PastSend::Posted { room, seq: event.seq, ts: event.ts, id: *id, digest };
                self.streams.entry((account, nonce.stream)).or_insert(room);
                self.past.insert((account, *nonce), past);
            }
        }
    }
}

impl Lookup for Memory {
    fn stream(&self, by: AccountId, stream: StreamId) -> Result<Option<BoundStream>, StoreError> {
        let Some(room) = self.streams.get(&(by, stream)).copied() else { return Ok(None) };
        let decided = self.past.keys().filter(|(of, nonce)| (*of, nonce.stream) == (by, stream));
        let high_water = decided.map(|(_by, nonce)| nonce.n).max().unwrap_or(0);
        Ok(Some(BoundStream { room, high_water }))
    }

    fn past_send(&self, by: AccountId, nonce: Nonce) -> Result<Option<PastSend>, StoreError> {
        Ok(self.past.get(&(by, nonce)).cloned())
    }

    fn newest_ts(&self, log: LogId) -> Result<Timestamp, StoreError> {
        Ok(self.newest.get(&log).copied().unwrap_or_default())
    }
}
