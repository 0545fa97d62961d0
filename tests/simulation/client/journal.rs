//! The outbox on the client's disk: what is pushed is synced before anybody hears of it; that it was
//! answered may be forgotten by a crash.

use std::collections::BTreeMap;

use chat_client::outbox::{Entry, Outbox};
use chat_proto::{Epoch, StreamId};

use crate::chance::Chance;

/// What survives the client process.
pub(crate) struct Journal {
    stream: StreamId,
    next_n: u64,
    epoch: Option<Epoch>,
    entries: BTreeMap<u64, Entry>,
    /// Answers that are written but not synced.
    unsynced: Vec<u64>,
}

impl Journal {
    pub(crate) fn new(stream: StreamId) -> Self {
        let (entries, unsynced) = (BTreeMap::new(), Vec::new());
        Self { stream, next_n: 1, epoch: None, entries, unsynced }
    }

    pub(crate) fn pushed(&mut self, entry: Entry) {
        self.sync();
        self.next_n = entry.nonce.n + 1;
        self.entries.insert(entry.nonce.n, entry);
    }

    pub(crate) fn answered(&mut self, n: u64) {
        self.unsynced.push(n);
    }

    /// The room ids of the entries are of this epoch from now on.
    pub(crate) fn connected(&mut self, epoch: Epoch, outbox: &Outbox) {
        self.sync();
        self.epoch = Some(epoch);
        self.rewrite(outbox);
    }

    /// The entries have other nonces, or other rooms.
    pub(crate) fn rewrite(&mut self, outbox: &Outbox) {
        self.sync();
        self.stream = outbox.stream();
        self.next_n = outbox.next_n();
        let entries = outbox.pending().map(|entry| (entry.nonce.n, entry.clone()));
        self.entries = entries.collect();
    }

    /// The process dies and another one reads what is there.
    pub(crate) fn restore(&mut self, chance: &mut Chance) -> Outbox {
        self.unsynced.truncate(chance.below(self.unsynced.len() + 1));
        self.sync();
        let entries = self.entries.values().cloned().collect();
        let outbox = Outbox::restore(self.stream, self.next_n, entries);
        match self.epoch {
            Some(epoch) => outbox.of_epoch(epoch),
            None => outbox,
        }
    }

    fn sync(&mut self) {
        for n in self.unsynced.drain(..) {
            self.entries.remove(&n);
        }
    }
}
