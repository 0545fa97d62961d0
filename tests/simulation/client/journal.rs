//! The outbox on the client's disk: what is pushed is synced before anybody hears of it; what else is
//! written down may be forgotten by a crash, the newest first.

use std::collections::BTreeMap;

use chat_client::outbox::{Entry, Outbox};
use chat_client::send_queue::Record;
use chat_proto::{Epoch, StreamId};

use crate::chance::Chance;

/// What survives the client process.
pub(crate) struct Journal {
    stream: StreamId,
    next_n: u64,
    epoch: Option<Epoch>,
    entries: BTreeMap<u64, Entry>,
    /// Written but not synced.
    unsynced: Vec<Record>,
}

impl Journal {
    pub(crate) fn new(stream: StreamId) -> Self {
        let (entries, unsynced) = (BTreeMap::new(), Vec::new());
        Self { stream, next_n: 1, epoch: None, entries, unsynced }
    }

    /// Appends records. A push among them is synced, with everything before it.
    pub(crate) fn write(&mut self, records: Vec<Record>) {
        let is_synced = records.iter().any(|record| matches!(record, Record::Push(_)));
        self.unsynced.extend(records);
        if is_synced {
            self.sync();
        }
    }

    /// A file of another stream is in the place of this one.
    pub(crate) fn replace(&mut self, stream: StreamId, records: Vec<Record>) {
        *self = Self::new(stream);
        self.unsynced = records;
        self.sync();
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
        for record in std::mem::take(&mut self.unsynced) {
            self.apply(record);
        }
    }

    fn apply(&mut self, record: Record) {
        match record {
            Record::Push(entry) => {
                self.next_n = entry.nonce.n + 1;
                self.entries.insert(entry.nonce.n, entry);
            }
            Record::Answered(nonce) => drop(self.entries.remove(&nonce.n)),
            Record::Found(nonce, room) => {
                if let Some(entry) = self.entries.get_mut(&nonce.n) {
                    entry.to.room = Some(room);
                }
            }
            Record::Epoch(_, epoch) => {
                if self.epoch.replace(epoch).is_some_and(|before| before != epoch) {
                    let named = self.entries.values_mut().filter(|entry| entry.to.name.is_some());
                    named.for_each(|entry| entry.to.room = None);
                }
            }
        }
    }
}
