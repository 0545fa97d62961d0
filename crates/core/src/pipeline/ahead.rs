//! Readers that are ahead of this node: they ask for a log past its head, in its own epoch, because
//! they come from another node, which is further. Each waits until the log has come so far, or for a
//! while.
//!
//! Bounded: by the connections, and by how many of each may wait.

use std::collections::BTreeMap;

use chat_proto::{AccountId, LogId, Position, QueryRequest, Seq, Subscribe};
use rustc_hash::FxHashMap;

use super::commit_batch::Waiting;
use crate::{Conn, Origin, Refusal};

/// So many of a connection may wait. Whoever asks for more is answered at once; the window of queries
/// leaves room for others.
const WAITS_PER_CONNECTION_MAX: usize = 2;

/// Ticks that one waits: three seconds, and what is left of the one that it came in.
const WAIT_TICKS: u8 = 4;

/// Whoever waits.
#[derive(Default, Debug)]
pub(super) struct AheadReaders {
    /// By what is awaited: those that a log has reached lie together.
    waiting: BTreeMap<Key, Reader>,
    of: FxHashMap<Conn, Vec<Key>>,
    /// Tells apart those that await the same.
    last_ticket: u64,
}

/// A log, the seq that is awaited in it, and a number of its own.
type Key = (LogId, Seq, u64);

#[derive(Debug)]
struct Reader {
    origin: Origin,
    account: AccountId,
    after: Position,
    ticks_left: u8,
}

impl AheadReaders {
    /// Lets a reader wait.
    ///
    /// # Errors
    /// The refusal, when as many of its connection wait as may.
    pub(super) fn wait(
        &mut self,
        origin: Origin,
        account: AccountId,
        log: LogId,
        after: Position,
    ) -> Result<(), Refusal> {
        let keys = self.of.entry(origin.conn).or_default();
        if keys.len() >= WAITS_PER_CONNECTION_MAX {
            return Err(Refusal::NotThereYet { log: log.0 });
        }
        self.last_ticket += 1;
        let key = (log, after.seq, self.last_ticket);
        keys.push(key);
        self.waiting.insert(key, Reader { origin, account, after, ticks_left: WAIT_TICKS });
        Ok(())
    }

    /// Those whose place a log has reached, as the questions that they are.
    pub(super) fn reached(&mut self, log: LogId, head: Seq) -> Vec<Waiting> {
        let reached = self.waiting.range((log, Seq::ZERO, 0)..=(log, head, u64::MAX));
        let keys: Vec<Key> = reached.map(|(key, _reader)| *key).collect();
        keys.into_iter()
            .filter_map(|key| {
                let Reader { origin, account, after, .. } = self.take(key)?;
                let query = QueryRequest::Subscribe(Subscribe { log, after: Some(after) });
                Some(Waiting::Query { origin, account, query })
            })
            .collect()
    }

    /// A second has passed: those who have waited long enough, and what they are told.
    pub(super) fn tick(&mut self) -> Vec<(Origin, Refusal)> {
        let mut over = Vec::new();
        for (key, reader) in &mut self.waiting {
            reader.ticks_left -= 1;
            if reader.ticks_left == 0 {
                over.push(*key);
            }
        }
        self.refuse(over)
    }

    /// A connection does not wait for a log any more: who has waited, and what they are told.
    pub(super) fn end(&mut self, conn: Conn, log: LogId) -> Vec<(Origin, Refusal)> {
        let Some(keys) = self.of.get(&conn) else { return Vec::new() };
        let over = keys.iter().copied().filter(|(awaited, ..)| *awaited == log).collect();
        self.refuse(over)
    }

    fn refuse(&mut self, over: Vec<Key>) -> Vec<(Origin, Refusal)> {
        over.into_iter()
            .filter_map(|key| {
                let refusal = Refusal::NotThereYet { log: key.0.0 };
                Some((self.take(key)?.origin, refusal))
            })
            .collect()
    }

    /// A connection is gone.
    pub(super) fn gone(&mut self, conn: Conn) {
        for key in self.of.remove(&conn).unwrap_or_default() {
            self.waiting.remove(&key);
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    fn take(&mut self, key: Key) -> Option<Reader> {
        let reader = self.waiting.remove(&key)?;
        if let Some(keys) = self.of.get_mut(&reader.origin.conn) {
            keys.retain(|held| *held != key);
            if keys.is_empty() {
                self.of.remove(&reader.origin.conn);
            }
        }
        debug_assert!(self.of.len() <= self.waiting.len(), "who waits for nothing is not kept");
        Some(reader)
    }
}
