//! Whether every byte of the WAL is on the disk, as far as anybody can know.
//!
//! A system that could not write some pages of a file says so to one fsync, keeps the pages as
//! clean ones, and never writes them again: the next fsync finds nothing to do and succeeds. So
//! after a failure the WAL is distrusted, and before anything is built on it, it is written once
//! more, byte for byte in its place, and synchronised. Who reads it sees no difference.
//!
//! A new process does not know what an earlier one was told: it begins with distrust.
//!
//! A file that need not grow is synchronised faster: it is filled with zeros before its first commits,
//! which SQLite, that looks for the salts of its header in each frame, takes for no frames.

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use rusqlite::ffi;

/// What is read and written in one go, in bytes.
const CHUNK_BYTES: usize = 1024 * 1024;

/// Pages that are written before the file is laid out: a store that is hardly used needs it not.
const LAID_OUT_AFTER_PAGES: usize = 16;

/// A WAL that is to be laid out when it has got so far.
#[derive(Debug)]
pub(super) struct WalLayout {
    bytes: u64,
    /// Pages that were written, about.
    pages: usize,
}

impl WalLayout {
    /// A file of at least so many bytes.
    pub(super) fn of(bytes: u64) -> Self {
        Self { bytes, pages: 0 }
    }

    /// A commit has put so many pages into the WAL. Tells how long it is to be now.
    pub(super) fn note_commit(&mut self, pages: usize) -> Option<u64> {
        self.pages += pages;
        (self.pages >= LAID_OUT_AFTER_PAGES).then_some(self.bytes)
    }
}

/// The WAL of a store. The thread that writes it and the one that moves it share this.
#[derive(Debug)]
pub(super) struct Wal {
    path: PathBuf,
    /// How often it was distrusted, and how many of those times are settled. A failure that comes
    /// while it is written again counts.
    distrusted: AtomicU64,
    settled: AtomicU64,
}

impl Wal {
    /// The WAL of a database, which nobody has looked after yet.
    pub(super) fn of(database: &Path) -> Self {
        let mut path = database.as_os_str().to_owned();
        path.push("-wal");
        Self { path: path.into(), distrusted: AtomicU64::new(1), settled: AtomicU64::new(0) }
    }

    /// Something of it may not be on the disk although the system takes it for written.
    pub(super) fn distrust(&self) {
        self.distrusted.fetch_add(1, Ordering::AcqRel);
    }

    /// Whether nothing has failed since it was last made durable.
    pub(super) fn is_trusted(&self) -> bool {
        self.settled.load(Ordering::Acquire) == self.distrusted.load(Ordering::Acquire)
    }

    /// Writes all of it again where it is distrusted. Nobody may write it meanwhile.
    pub(super) fn make_durable(&self) -> io::Result<()> {
        let distrusted = self.distrusted.load(Ordering::Acquire);
        let settled = self.settled.load(Ordering::Acquire);
        if settled == distrusted {
            return Ok(());
        }
        match OpenOptions::new().read(true).write(true).open(&self.path) {
            Ok(file) => rewrite(&file)?,
            // Only before a start is there none.
            Err(error) if error.kind() == ErrorKind::NotFound && settled == 0 => {}
            Err(error) => return Err(error),
        }
        debug_assert!(settled < distrusted, "what is settled is never unsettled");
        self.settled.store(distrusted, Ordering::Release);
        Ok(())
    }

    /// Makes the file longer where it is shorter than so many bytes. Nobody may write it meanwhile.
    /// It is no trouble when there is no room.
    pub(super) fn lay_out(&self, bytes: u64) {
        if let Err(error) = self.try_lay_out(bytes) {
            tracing::debug!(%error, "the WAL could not be laid out");
        }
    }

    fn try_lay_out(&self, bytes: u64) -> io::Result<()> {
        let file = OpenOptions::new().write(true).open(&self.path)?;
        let begin = file.metadata()?.len();
        let filled = fill(&file, begin, bytes);
        if filled.is_err() {
            // What is beside the zeros may be lost with them.
            self.distrust();
            file.set_len(begin)?;
        }
        filled
    }
}

/// The error as SQLite would have told of it: to the operator it is the same trouble.
pub(super) fn as_of_sqlite(error: &io::Error) -> rusqlite::Error {
    tracing::debug!(%error, "the WAL could not be written once more");
    let (code, said) = match error.kind() == ErrorKind::StorageFull {
        true => (ffi::SQLITE_FULL, "database or disk is full"),
        false => (ffi::SQLITE_IOERR_FSYNC, "disk I/O error"),
    };
    rusqlite::Error::SqliteFailure(ffi::Error::new(code), Some(said.to_owned()))
}

/// Appends zeros to a file up to a length, and waits until they are on the disk.
fn fill(file: &File, begin: u64, end: u64) -> io::Result<()> {
    let zeros = vec![0; CHUNK_BYTES];
    let mut at = begin;
    while at < end {
        let left = usize::try_from(end - at).unwrap_or(CHUNK_BYTES).min(CHUNK_BYTES);
        debug_assert!(left > 0, "it comes to its end");
        file.write_all_at(&zeros[..left], at)?;
        at += left as u64;
    }
    if at > begin { file.sync_all() } else { Ok(()) }
}

/// Writes what a file holds over itself, and waits until it is on the disk.
fn rewrite(file: &File) -> io::Result<()> {
    let mut chunk = vec![0; CHUNK_BYTES];
    let mut at = 0;
    loop {
        let read = match file.read_at(&mut chunk, at) {
            Ok(0) => break,
            Ok(read) => read,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        file.write_all_at(&chunk[..read], at)?;
        at += read as u64;
    }
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_that_fails_says_what_it_says_to_sqlite() {
        let told = |kind| as_of_sqlite(&io::Error::from(kind)).to_string();
        assert_eq!(told(ErrorKind::StorageFull), "database or disk is full");
        assert_eq!(told(ErrorKind::Other), "disk I/O error");
    }

    #[test]
    fn it_is_made_longer_and_never_shorter() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("chatd.db-wal");
        let wal = Wal::of(&dir.path().join("chatd.db"));
        wal.lay_out(10);
        assert!(!path.exists(), "there is none");
        std::fs::write(&path, "frames").unwrap();
        let bytes = CHUNK_BYTES + 10;
        wal.lay_out(bytes as u64);
        let laid_out = std::fs::read(&path).unwrap();
        assert_eq!(laid_out.len(), bytes);
        assert!(laid_out.starts_with(b"frames\0") && laid_out[6..].iter().all(|byte| *byte == 0));
        wal.lay_out(10);
        assert_eq!(std::fs::read(&path).unwrap(), laid_out);
    }

    #[test]
    fn it_is_distrusted_at_first_and_after_each_failure_until_it_was_written_again() {
        let dir = tempfile::tempdir().unwrap();
        let bytes: Vec<u8> = (0..3 * CHUNK_BYTES / 2).map(|at| (at % 251) as u8).collect();
        let path = dir.path().join("chatd.db-wal");
        std::fs::write(&path, &bytes).unwrap();
        let wal = Wal::of(&dir.path().join("chatd.db"));
        for _ in 0..2 {
            assert!(!wal.is_trusted());
            wal.make_durable().unwrap();
            assert!(wal.is_trusted());
            assert_eq!(std::fs::read(&path).unwrap(), bytes);
            wal.distrust();
        }
        std::fs::remove_file(&path).unwrap();
        assert!(wal.make_durable().is_err(), "it is gone");
        assert!(!wal.is_trusted());
    }
}
