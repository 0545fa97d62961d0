//! The outbox of one room on disk: an append-only file of JSON lines, locked as long as the
//! process that writes it lives.
//!
//! Owns the file format and its durability. A send is in the file, synced, before anybody is told
//! that it is kept. Answers are appended without a sync: one that is lost means that the send goes
//! out again under the same nonce, and gets the same answer.
//!
//! ```text
//! {"v":2,"stream":"…","created_ms":1700000000000}
//! {"epoch":7}
//! {"n":1,"name":"ops","text":"…"}
//! {"found":9}
//! {"n":2,"room":9,"name":"ops","text":"…"}
//! {"n":1,"done":true}
//! ```

use std::collections::BTreeSet;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use chat_files::sync_parent;
use chat_proto::{Epoch, RoomId, RoomName, StreamId};
use serde::{Deserialize, Serialize};

use crate::outbox::{Destination, Outbox};
use crate::send_queue::Record;

/// How a journal's file name ends.
pub(crate) const EXTENSION: &str = "jsonl";

/// The version of the format.
const VERSION: u32 = 2;

/// What is behind so many bytes of a journal is not read.
const FILE_BYTES_MAX: u64 = 256 * 1024 * 1024;

/// A journal without unanswered sends is cut back to its first line when it is longer.
const EMPTY_BYTES_MAX: u64 = 1024 * 1024;

/// A locked file of one stream.
#[derive(Debug)]
pub(crate) struct Journal {
    path: PathBuf,
    file: File,
    bytes: u64,
    header_bytes: u64,
    created_ms: u64,
    pending: BTreeSet<u64>,
    /// The last one that is in the file.
    epoch: Option<Epoch>,
}

/// What a dead process left behind.
#[derive(Debug)]
pub(crate) struct Orphan {
    pub(crate) journal: Journal,
    pub(crate) outbox: Outbox,
}

#[derive(Serialize, Deserialize)]
struct Header {
    v: u32,
    stream: String,
    created_ms: u64,
}

/// Every line but the first. Which fields are there says what it is.
#[derive(Default, Serialize, Deserialize)]
struct Line {
    #[serde(skip_serializing_if = "Option::is_none")]
    epoch: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    n: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    room: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    found: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    done: Option<bool>,
}

impl Journal {
    /// A new file in `dir` with these entries. It is locked and whole before it has its name.
    pub(crate) fn create(
        dir: &Path,
        stream: StreamId,
        created_ms: u64,
        entries: &[Record],
    ) -> io::Result<Self> {
        Self::write_new(dir.join(format!("{stream}.{EXTENSION}")), stream, created_ms, entries)
    }

    /// Opens a file that a dead process left. `None`: its process lives, or it is gone, or it is no
    /// journal.
    pub(crate) fn adopt(path: &Path) -> io::Result<Option<Orphan>> {
        let file = chat_files::open(path, OpenOptions::new().read(true).append(true))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(None),
            Err(TryLockError::Error(error)) => return Err(error),
        }
        // Another process may have removed or replaced it between the opening and the lock.
        let (opened, named) = (file.metadata()?, std::fs::symlink_metadata(path)?);
        if (opened.dev(), opened.ino()) != (named.dev(), named.ino()) {
            return Ok(None);
        }
        read(path, file)
    }

    pub(crate) fn created_ms(&self) -> u64 {
        self.created_ms
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.pending.is_empty()
    }

    /// Appends records of this stream. With a push or a refusal among them they are synced; when that fails,
    /// none of them is in the file.
    pub(crate) fn write(&mut self, records: &[Record]) -> io::Result<()> {
        let mut bytes = Vec::new();
        for record in records.iter().filter(|record| !self.has(record)) {
            write_line(&mut bytes, &Line::from(record))?;
        }
        let is_synced = |record: &Record| matches!(record, Record::Push(_) | Record::Refused(_));
        let sync = records.iter().any(is_synced);
        if let Err(error) = self.append(&bytes, sync) {
            if let Err(stuck) = self.file.set_len(self.bytes) {
                tracing::error!(path = %self.path.display(), error = %stuck,
                    "the outbox has a line that should not be there");
            }
            return Err(error);
        }
        self.bytes += bytes.len() as u64;
        for record in records {
            self.count(record);
        }
        if self.is_empty() && self.bytes > EMPTY_BYTES_MAX {
            self.file.set_len(self.header_bytes)?;
            self.bytes = self.header_bytes;
            self.epoch = None;
        }
        Ok(())
    }

    /// How long the file is: a place to [cut it back](Self::cut_back) to.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Takes back pushes that were written last, when the file was so long.
    pub(crate) fn cut_back(&mut self, bytes: u64, pushes: &[Record]) -> io::Result<()> {
        self.file.set_len(bytes)?;
        self.bytes = bytes;
        // Should its line be cut off, it is written again.
        self.epoch = None;
        for record in pushes {
            if let Record::Push(entry) = record {
                self.pending.remove(&entry.nonce.n);
            }
        }
        Ok(())
    }

    /// Puts a file with another stream in the place of this one, in one step: at no time both or
    /// none of them are there. On an error this one is as it was.
    pub(crate) fn replace(&self, stream: StreamId, entries: &[Record]) -> io::Result<Self> {
        Self::write_new(self.path.clone(), stream, self.created_ms, entries)
    }

    /// Removes the file.
    pub(crate) fn remove(self) -> io::Result<()> {
        std::fs::remove_file(&self.path)
    }

    fn write_new(
        path: PathBuf,
        stream: StreamId,
        created_ms: u64,
        entries: &[Record],
    ) -> io::Result<Self> {
        let temporary = path.with_extension(format!("{stream}.new"));
        let mut options = OpenOptions::new();
        let file = chat_files::open(&temporary, options.read(true).append(true).create_new(true))?;
        file.lock()?;
        let mut bytes = Vec::new();
        let header = Header { v: VERSION, stream: stream.to_string(), created_ms };
        write_line(&mut bytes, &header)?;
        let mut journal = Self {
            path,
            file,
            bytes: 0,
            header_bytes: bytes.len() as u64,
            created_ms,
            pending: BTreeSet::new(),
            epoch: None,
        };
        for record in entries {
            write_line(&mut bytes, &Line::from(record))?;
            journal.count(record);
        }
        let placed = journal
            .append(&bytes, true)
            .and_then(|()| std::fs::rename(&temporary, &journal.path))
            .and_then(|()| sync_parent(&journal.path));
        if let Err(error) = placed {
            drop(std::fs::remove_file(&temporary));
            return Err(error);
        }
        journal.bytes = bytes.len() as u64;
        Ok(journal)
    }

    fn append(&mut self, bytes: &[u8], sync: bool) -> io::Result<()> {
        self.file.write_all(bytes)?;
        if sync { self.file.sync_data() } else { Ok(()) }
    }

    fn count(&mut self, record: &Record) {
        match record {
            Record::Push(entry) => drop(self.pending.insert(entry.nonce.n)),
            Record::Answered(nonce) | Record::Refused(nonce) => {
                self.pending.remove(&nonce.n);
            }
            Record::Epoch(_, epoch) => self.epoch = Some(*epoch),
            Record::Found(..) | Record::Ended(_) => {}
        }
    }

    /// The epoch is noted with every batch; only another one needs a line. The end of a stream is that of
    /// its file.
    fn has(&self, record: &Record) -> bool {
        match record {
            Record::Epoch(_, epoch) => self.epoch == Some(*epoch),
            Record::Ended(_) => true,
            Record::Push(_) | Record::Answered(_) | Record::Refused(_) | Record::Found(..) => false,
        }
    }
}

impl Record {
    pub(crate) fn stream(&self) -> StreamId {
        match self {
            Self::Push(entry) => entry.nonce.stream,
            Self::Answered(nonce) | Self::Refused(nonce) => nonce.stream,
            Self::Found(stream, _) | Self::Epoch(stream, _) | Self::Ended(stream) => *stream,
        }
    }
}

impl From<&Record> for Line {
    fn from(record: &Record) -> Self {
        match record {
            Record::Push(entry) => Self {
                n: Some(entry.nonce.n),
                room: entry.to.room.map(|room| room.0),
                name: entry.to.name.as_ref().map(RoomName::to_string),
                text: Some(entry.text.clone()),
                ..Self::default()
            },
            Record::Answered(nonce) | Record::Refused(nonce) => {
                Self { n: Some(nonce.n), done: Some(true), ..Self::default() }
            }
            Record::Found(_, room) => Self { found: Some(room.0), ..Self::default() },
            Record::Ended(_) => Self::default(),
            Record::Epoch(_, epoch) => Self { epoch: Some(epoch.0), ..Self::default() },
        }
    }
}

fn write_line(bytes: &mut Vec<u8>, line: &impl Serialize) -> io::Result<()> {
    serde_json::to_writer(&mut *bytes, line)?;
    bytes.push(b'\n');
    Ok(())
}

/// A last line without its end was being written when the process died: nobody was told that it is
/// kept, and it is cut off. Any other line that cannot be read is passed over.
fn read(path: &Path, mut file: File) -> io::Result<Option<Orphan>> {
    let mut bytes = Vec::new();
    file.seek(SeekFrom::Start(0))?;
    (&file).take(FILE_BYTES_MAX).read_to_end(&mut bytes)?;
    let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
    bytes.truncate(whole);
    file.set_len(whole as u64)?;

    let mut lines = bytes.split_inclusive(|byte| *byte == b'\n');
    let Some(first) = lines.next() else {
        return Ok(None);
    };
    let Some((header, stream)) = read_header(first) else {
        tracing::warn!(path = %path.display(), "this is no outbox of a version that is known here");
        return Ok(None);
    };
    let contents = Contents::of(lines);
    let epoch = contents.epoch;
    let mut outbox = Outbox::restore(stream, contents.to, contents.next_n, contents.sends);
    if let Some(epoch) = epoch {
        outbox = outbox.of_epoch(epoch);
    }
    let journal = Journal {
        path: path.to_owned(),
        file,
        bytes: whole as u64,
        header_bytes: first.len() as u64,
        created_ms: header.created_ms,
        pending: outbox.pending().map(|entry| entry.nonce.n).collect(),
        epoch,
    };
    Ok(Some(Orphan { journal, outbox }))
}

fn read_header(line: &[u8]) -> Option<(Header, StreamId)> {
    let header: Header = serde_json::from_slice(line).ok()?;
    let stream = header.stream.parse().ok()?;
    (header.v == VERSION).then_some((header, stream))
}

struct Contents {
    next_n: u64,
    epoch: Option<Epoch>,
    to: Destination,
    sends: Vec<(u64, String)>,
}

impl Contents {
    fn of<'a>(lines: impl Iterator<Item = &'a [u8]>) -> Self {
        let to = Destination { room: None, name: None };
        let mut contents = Self { next_n: 1, epoch: None, to, sends: Vec::new() };
        for line in lines {
            match serde_json::from_slice(line) {
                Ok(line) => contents.apply(line),
                Err(error) => tracing::warn!(%error, "a line of the outbox cannot be read"),
            }
        }
        contents
    }

    fn apply(&mut self, line: Line) {
        if let Some(epoch) = line.epoch {
            self.begin_epoch(Epoch(epoch));
        }
        if let Some(room) = line.found {
            self.to.room = Some(RoomId(room));
        }
        let Some(n) = line.n else { return };
        let place = self.sends.binary_search_by_key(&n, |(n, _text)| *n);
        if let Some(text) = line.text {
            let to = Destination {
                room: line.room.map(RoomId),
                name: line.name.and_then(|name| RoomName::parse(&name).ok()),
            };
            if n >= self.next_n && self.take_room(to) {
                self.next_n = n.saturating_add(1);
                self.sends.push((n, text));
            }
        } else if let (Ok(place), Some(true)) = (place, line.done) {
            self.sends.remove(place);
        }
    }

    /// The first message says where all of them go. One to another room, which only a file that was
    /// written by hand can hold, is passed over.
    fn take_room(&mut self, to: Destination) -> bool {
        let is_first = self.to.room.is_none() && self.to.name.is_none();
        if !is_first && !self.to.is_same(&to) {
            tracing::warn!("a line of the outbox is for another room than those before it");
            return false;
        }
        self.to =
            Destination { room: to.room.or(self.to.room), name: to.name.or(self.to.name.take()) };
        true
    }

    /// As [`Outbox::connected`] does: in another life, the room is found by its name again.
    fn begin_epoch(&mut self, epoch: Epoch) {
        if self.epoch.replace(epoch).is_some_and(|old| old != epoch) && self.to.name.is_some() {
            self.to.room = None;
        }
    }
}

#[cfg(test)]
#[path = "journal_tests.rs"]
mod tests;
