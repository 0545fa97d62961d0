//! All outbox files of this process, for one account on one daemon.
//!
//! Owns where they are and who may have them. Blocking: it lives on a thread for blocking work
//! while it writes. Two processes share the directory; each has files of its own, and only those
//! whose process is dead are adopted.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use chat_files::{create_dir, sync_parent};
use chat_proto::StreamId;

use crate::journal::{EXTENSION, Journal, Orphan};
use crate::outbox::Outbox;
use crate::send_queue::Record;

/// The outbox files of this process.
#[derive(Debug)]
pub(crate) struct OutboxDir {
    /// `DATA_DIR/outbox`.
    root: PathBuf,
    /// The account's directory name.
    account: String,
    /// Directory names of the daemon: of its address, and of its identity as soon as it is known.
    /// New files go to the last.
    servers: Vec<String>,
    journals: HashMap<StreamId, Journal>,
    /// The streams that dead processes left. A file of another one stays when it is empty, for more.
    adopted: HashSet<StreamId>,
}

impl OutboxDir {
    pub(crate) fn new(root: PathBuf, account: String, address: String) -> Self {
        let (journals, adopted) = (HashMap::new(), HashSet::new());
        Self { root, account, servers: vec![address], journals, adopted }
    }

    /// The daemon's identity is known.
    pub(crate) fn identified(&mut self, server: String) {
        if !self.servers.contains(&server) {
            self.servers.truncate(1);
            self.servers.push(server);
        }
    }

    /// Takes over what dead processes left, the oldest first. Files without unanswered sends are
    /// removed.
    pub(crate) fn adopt(&mut self) -> io::Result<Vec<Outbox>> {
        let mut orphans = Vec::new();
        for server in &self.servers {
            adopt_all(&self.dir(server), &mut orphans)?;
        }
        orphans.sort_by_key(|orphan| (orphan.journal.created_ms(), orphan.outbox.stream()));
        let mut adopted = Vec::new();
        for Orphan { journal, outbox } in orphans {
            if outbox.is_empty() {
                journal.remove()?;
            } else if let Entry::Vacant(place) = self.journals.entry(outbox.stream()) {
                self.adopted.insert(*place.key());
                place.insert(journal);
                adopted.push(outbox);
            }
        }
        Ok(adopted)
    }

    /// Writes records to their streams' files. A push that cannot be written leaves no trace of
    /// its batch, in none of the files; of anything else, only the log is told.
    pub(crate) fn write(&mut self, records: Vec<Record>) -> io::Result<()> {
        let mut by_stream: BTreeMap<StreamId, Vec<Record>> = BTreeMap::new();
        for record in records {
            by_stream.entry(record.stream()).or_default().push(record);
        }
        let has_push = |records: &[Record]| records.iter().any(|it| matches!(it, Record::Push(_)));
        let (pushes, others): (Vec<_>, Vec<_>) =
            by_stream.into_iter().partition(|(_stream, records)| has_push(records));
        for (stream, records) in others {
            if let Err(error) = self.write_to(stream, &records) {
                tracing::warn!(%error, "an answer is not in the outbox file");
            }
        }
        let mut written = Vec::new();
        for (stream, records) in pushes {
            let before = self.journals.get(&stream).map(Journal::bytes);
            if let Err(error) = self.write_to(stream, &records) {
                self.take_back(written);
                return Err(error);
            }
            written.push((stream, before, records));
        }
        Ok(())
    }

    /// Cuts files back to what they were before their last batch.
    fn take_back(&mut self, written: Vec<(StreamId, Option<u64>, Vec<Record>)>) {
        for (stream, before, records) in written {
            let undone = match (before, self.journals.get_mut(&stream)) {
                (Some(bytes), Some(journal)) => journal.cut_back(bytes, &records),
                (None, Some(_)) => self.journals.remove(&stream).map_or(Ok(()), Journal::remove),
                (_, None) => Ok(()),
            };
            if let Err(error) = undone {
                tracing::error!(%error, "the outbox has a message that was not taken");
            }
        }
    }

    /// Moves what is unanswered in one stream's file to a fresh stream.
    pub(crate) fn restart(
        &mut self,
        old: StreamId,
        fresh: StreamId,
        entries: &[Record],
    ) -> io::Result<()> {
        if let Some(journal) = self.journals.get(&old) {
            let replaced = journal.replace(fresh, entries)?;
            self.journals.insert(fresh, replaced);
            self.journals.remove(&old);
        }
        if self.adopted.remove(&old) {
            self.adopted.insert(fresh);
        }
        Ok(())
    }

    /// Removes the files in which nothing is unanswered.
    pub(crate) fn close(self) {
        for journal in self.journals.into_values().filter(Journal::is_empty) {
            if let Err(error) = journal.remove() {
                tracing::warn!(%error, "an empty outbox file stays");
            }
        }
    }

    fn write_to(&mut self, stream: StreamId, records: &[Record]) -> io::Result<()> {
        let Some(journal) = self.journals.get_mut(&stream) else {
            return self.create(stream, records);
        };
        journal.write(records)?;
        let ends = records.iter().any(|record| matches!(record, Record::Ended(_)));
        if (ends || self.adopted.contains(&stream))
            && journal.is_empty()
            && let Some(journal) = self.journals.remove(&stream)
        {
            self.adopted.remove(&stream);
            journal.remove()?;
        }
        Ok(())
    }

    /// A stream without a file gets one with its first push.
    fn create(&mut self, stream: StreamId, records: &[Record]) -> io::Result<()> {
        if !records.iter().any(|record| matches!(record, Record::Push(_))) {
            return Ok(());
        }
        let server = self.servers.last().map_or("", String::as_str);
        let dir = self.dir(server);
        create_dir(&dir)?;
        for made in dir.ancestors().take(3) {
            sync_parent(made)?;
        }
        let journal = Journal::create(&dir, stream, now_ms(), records)?;
        self.journals.insert(stream, journal);
        Ok(())
    }

    fn dir(&self, server: &str) -> PathBuf {
        self.root.join(server).join(&self.account)
    }
}

fn adopt_all(dir: &Path, orphans: &mut Vec<Orphan>) -> io::Result<()> {
    let files = match std::fs::read_dir(dir) {
        Ok(files) => files,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    for file in files {
        let path = file?.path();
        if path.extension().is_none_or(|extension| extension != EXTENSION) {
            continue;
        }
        match Journal::adopt(&path) {
            Ok(found) => orphans.extend(found),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Only puts the files of dead processes in an order.
fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use chat_proto::{Nonce, RoomId};

    use super::*;
    use crate::outbox;

    fn outbox_dir(root: &Path) -> OutboxDir {
        let (account, address) = ("ada".to_owned(), "@here".to_owned());
        OutboxDir::new(root.to_owned(), account, address)
    }

    fn push(stream: u8, n: u64) -> Record {
        Record::Push(outbox::Entry {
            nonce: nonce(stream, n),
            to: RoomId(1).into(),
            text: format!("{stream}/{n}"),
        })
    }

    fn nonce(stream: u8, n: u64) -> Nonce {
        let stream = StreamId([stream; 16]);
        Nonce { stream, n }
    }

    fn files(dir: &Path) -> usize {
        std::fs::read_dir(dir.join("@here/ada")).map_or(0, Iterator::count)
    }

    #[test]
    fn two_processes_have_two_files_and_neither_takes_the_others() {
        let root = tempfile::tempdir().unwrap();
        let (mut one, mut two) = (outbox_dir(root.path()), outbox_dir(root.path()));
        one.write(vec![push(1, 1)]).unwrap();
        two.write(vec![push(2, 1)]).unwrap();
        assert!(one.adopt().unwrap().is_empty() && two.adopt().unwrap().is_empty());
        drop(one);
        let adopted = two.adopt().unwrap();
        assert_eq!(adopted.len(), 1);
        assert_eq!(adopted[0].stream(), StreamId([1; 16]));
        assert!(two.adopt().unwrap().is_empty(), "only once");
    }

    #[test]
    fn an_adopted_file_is_removed_with_its_last_answer() {
        let root = tempfile::tempdir().unwrap();
        outbox_dir(root.path()).write(vec![push(1, 1)]).unwrap();
        let mut next = outbox_dir(root.path());
        assert_eq!(next.adopt().unwrap().len(), 1);
        next.write(vec![Record::Answered(nonce(1, 1))]).unwrap();
        assert_eq!(files(root.path()), 0);
    }

    #[test]
    fn an_own_file_is_removed_at_the_end_unless_something_is_unanswered() {
        let root = tempfile::tempdir().unwrap();
        let mut one = outbox_dir(root.path());
        one.write(vec![push(1, 1)]).unwrap();
        one.write(vec![Record::Answered(nonce(1, 1))]).unwrap();
        one.write(vec![push(1, 2)]).unwrap();
        one.write(vec![Record::Answered(nonce(1, 2))]).unwrap();
        assert_eq!(files(root.path()), 1);
        one.close();
        assert_eq!(files(root.path()), 0);
        let mut two = outbox_dir(root.path());
        two.write(vec![push(2, 1)]).unwrap();
        two.close();
        assert_eq!(files(root.path()), 1);
    }

    #[test]
    fn what_was_typed_before_the_first_contact_is_found_after_it() {
        let root = tempfile::tempdir().unwrap();
        outbox_dir(root.path()).write(vec![push(1, 1)]).unwrap();
        let mut known = outbox_dir(root.path());
        known.identified("server".into());
        known.write(vec![push(2, 1)]).unwrap();
        drop(known);
        let mut next = outbox_dir(root.path());
        next.identified("server".into());
        assert_eq!(next.adopt().unwrap().len(), 2);
    }

    #[test]
    fn a_file_whose_stream_has_ended_is_removed() {
        let root = tempfile::tempdir().unwrap();
        let mut one = outbox_dir(root.path());
        one.write(vec![push(1, 1), push(2, 1)]).unwrap();
        one.write(vec![Record::Answered(nonce(1, 1)), Record::Answered(nonce(2, 1))]).unwrap();
        assert_eq!(files(root.path()), 2);
        one.write(vec![Record::Ended(StreamId([1; 16]))]).unwrap();
        assert_eq!(files(root.path()), 1);
    }

    #[test]
    fn a_batch_for_two_rooms_that_fails_in_one_is_in_neither() {
        let root = tempfile::tempdir().unwrap();
        let mut one = outbox_dir(root.path());
        one.write(vec![push(1, 1)]).unwrap();
        // The second room's file cannot be made: something else has its name.
        std::fs::create_dir(root.path().join(format!("@here/ada/{}.jsonl", StreamId([3; 16]))))
            .unwrap();
        one.write(vec![push(1, 2), push(2, 1), push(3, 1)]).unwrap_err();
        one.write(vec![push(1, 2)]).unwrap();
        drop(one);
        std::fs::remove_dir(root.path().join(format!("@here/ada/{}.jsonl", StreamId([3; 16]))))
            .unwrap();
        let left = outbox_dir(root.path()).adopt().unwrap();
        let waiting: Vec<_> = left.iter().map(|it| (it.stream(), it.len())).collect();
        assert_eq!(waiting, [(StreamId([1; 16]), 2)]);
    }
}
