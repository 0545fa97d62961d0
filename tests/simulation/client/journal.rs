//! The outboxes on the client's disk, a file for each stream: what is pushed is synced before anybody
//! hears of it; what else is written down may be forgotten by a crash, the newest first.

use std::collections::BTreeMap;

use chat_client::outbox::{Destination, Outbox};
use chat_client::send_queue::Record;
use chat_proto::{Epoch, StreamId};

use crate::chance::Chance;

/// What survives the client process.
#[derive(Default)]
pub(crate) struct Journal {
    /// In the order in which they were made.
    files: Vec<File>,
}

/// One outbox.
struct File {
    stream: StreamId,
    next_n: u64,
    epoch: Option<Epoch>,
    to: Destination,
    texts: BTreeMap<u64, String>,
    /// Written but not synced.
    unsynced: Vec<Record>,
}

impl Journal {
    /// Appends records to the files of their streams. A push, or a refusal, is synced, with everything
    /// before it in its file; the first one makes the file.
    pub(crate) fn write(&mut self, records: Vec<Record>) {
        for record in records {
            let stream = stream_of(&record);
            let at = self.files.iter().position(|file| file.stream == stream);
            match (at, record) {
                (Some(at), Record::Ended(_)) => drop(self.files.remove(at)),
                (Some(at), record) => self.files[at].write(record),
                // The epoch is noted with each batch, in front of its pushes.
                (None, record @ (Record::Push(_) | Record::Epoch(..))) => {
                    let mut file = File::new(stream);
                    file.write(record);
                    self.files.push(file);
                }
                (
                    None,
                    Record::Answered(_) | Record::Refused(_) | Record::Found(..) | Record::Ended(_),
                ) => {}
            }
        }
    }

    /// A file of another stream is in the place of an old one.
    pub(crate) fn replace(&mut self, old: StreamId, fresh: StreamId, records: Vec<Record>) {
        let Some(at) = self.files.iter().position(|file| file.stream == old) else { return };
        self.files[at] = File::new(fresh);
        self.files[at].unsynced = records;
        self.files[at].sync();
    }

    /// The process dies and another one reads what is there.
    pub(crate) fn restore(&mut self, chance: &mut Chance) -> Vec<Outbox> {
        for file in &mut self.files {
            file.unsynced.truncate(chance.below(file.unsynced.len() + 1));
            file.sync();
        }
        self.files.retain(|file| !file.texts.is_empty());
        self.files.iter().map(File::outbox).collect()
    }
}

impl File {
    fn new(stream: StreamId) -> Self {
        let to = Destination { room: None, name: None };
        let (texts, unsynced) = (BTreeMap::new(), Vec::new());
        Self { stream, next_n: 1, epoch: None, to, texts, unsynced }
    }

    fn write(&mut self, record: Record) {
        let is_synced = matches!(record, Record::Push(_) | Record::Refused(_));
        self.unsynced.push(record);
        if is_synced {
            self.sync();
        }
    }

    fn outbox(&self) -> Outbox {
        let texts = self.texts.iter().map(|(n, text)| (*n, text.clone())).collect();
        let outbox = Outbox::restore(self.stream, self.to.clone(), self.next_n, texts);
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
                self.to.room = entry.to.room.or(self.to.room);
                self.to.name = entry.to.name.or(self.to.name.take());
                self.texts.insert(entry.nonce.n, entry.text);
            }
            Record::Answered(nonce) | Record::Refused(nonce) => drop(self.texts.remove(&nonce.n)),
            Record::Found(_, room) => self.to.room = Some(room),
            Record::Epoch(_, epoch) => {
                let is_another = self.epoch.replace(epoch).is_some_and(|before| before != epoch);
                if is_another && self.to.name.is_some() {
                    self.to.room = None;
                }
            }
            Record::Ended(_) => {}
        }
    }
}

fn stream_of(record: &Record) -> StreamId {
    match record {
        Record::Push(entry) => entry.nonce.stream,
        Record::Answered(nonce) | Record::Refused(nonce) => nonce.stream,
        Record::Found(stream, _) | Record::Epoch(stream, _) | Record::Ended(stream) => *stream,
    }
}
