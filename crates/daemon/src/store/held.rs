//! The files that a store holds, and whether they are still in their places: what is committed to
//! a file that nobody can find any more must not be acknowledged.
//!
//! Compares the device and inode under each name with what was opened, when something has happened
//! in the directory, and twice a second.

use std::fs::File;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::fd::AsFd;
use rustix::fs::CWD;
use rustix::io::Errno;
use rustix::path::Arg;

use crate::system::dir_watch::DirWatch;
use crate::system::found_file::device_and_inode;

/// The file of the store; SQLite names its companions after it.
pub(super) const DATABASE: &str = "chatd.db";

/// The newest commits.
pub(super) const WAL: &str = "chatd.db-wal";

/// The index of the WAL, shared by those who have it open.
const INDEX: &str = "chatd.db-shm";

/// See [`super::witness`].
pub(super) const WITNESS: &str = "witness";

/// See [`super::directory`].
pub(super) const LOCK: &str = "lock";

/// How often all names are looked up although nothing has happened in the directory itself: less
/// than the second after which it is to be noticed.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Names one file for as long as somebody has it open.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct FileIdentity {
    device: u64,
    inode: u64,
}

/// A directory and the files in it that are held open.
#[derive(Debug)]
pub(super) struct HeldFiles {
    path: PathBuf,
    /// Kept open, so that no other directory can get its inode.
    dir: File,
    dir_identity: FileIdentity,
    watch: DirWatch,
    /// When all names were last looked up.
    looked_up: Instant,
    /// Those of SQLite are in the list while it has them.
    files: Vec<(&'static str, FileIdentity)>,
}

/// Says that a file is not where it was opened.
#[derive(Debug, thiserror::Error)]
#[error("{} {}", .path.display(), .how)]
pub(super) struct Displaced {
    path: PathBuf,
    /// Its name in the directory; `None`: it is the directory itself.
    pub(super) name: Option<&'static str>,
    how: How,
}

#[derive(Clone, Copy, Debug, thiserror::Error)]
enum How {
    #[error("was removed or renamed while chatd uses it")]
    Gone,
    #[error("was replaced by another file while chatd uses it")]
    Replaced,
    #[error("cannot be looked up any more ({0})")]
    Unknown(Errno),
}

impl FileIdentity {
    pub(super) fn of(file: &File) -> io::Result<Self> {
        let metadata = file.metadata()?;
        Ok(Self { device: metadata.dev(), inode: metadata.ino() })
    }

    pub(super) fn inode(self) -> u64 {
        self.inode
    }

    /// Of whatever a name leads to, from a directory on.
    fn at(dir: impl AsFd, name: impl Arg) -> Result<Self, Errno> {
        let (device, inode) = device_and_inode(dir, name)?;
        Ok(Self { device, inode })
    }

    /// Whether a path leads to the file.
    pub(super) fn is_at(self, path: &Path) -> bool {
        Self::at(CWD, path) == Ok(self)
    }
}

impl HeldFiles {
    /// Of a directory; nothing in it is held yet.
    pub(super) fn of(path: &Path) -> io::Result<Self> {
        let dir = File::open(path)?;
        let dir_identity = FileIdentity::of(&dir)?;
        let (watch, looked_up) = (DirWatch::of(path), Instant::now());
        Ok(Self { path: path.to_owned(), dir, dir_identity, watch, looked_up, files: Vec::new() })
    }

    /// A file that this process has open.
    pub(super) fn hold(&mut self, name: &'static str, file: &File) -> io::Result<()> {
        let identity = FileIdentity::of(file)?;
        self.set(name, Some(identity));
        Ok(())
    }

    /// The companions that SQLite has just opened beside the database.
    pub(super) fn hold_companions(&mut self) {
        for name in [WAL, INDEX] {
            self.set(name, FileIdentity::at(&self.dir, name).ok());
        }
    }

    /// SQLite has closed them, and may make others.
    pub(super) fn release_companions(&mut self) {
        for name in [WAL, INDEX] {
            self.set(name, None);
        }
    }

    /// The same as [`check`](Self::check) where something has happened in the directory, and now and
    /// then in any case.
    pub(super) fn check_news(&mut self) -> Result<(), Displaced> {
        if !self.watch.has_news() && self.looked_up.elapsed() < LOOK_EVERY {
            return Ok(());
        }
        self.looked_up = Instant::now();
        self.check()
    }

    /// Tells which file is not in its place, if any: the directory first, then the database.
    pub(super) fn check(&self) -> Result<(), Displaced> {
        self.compare(None, self.dir_identity, FileIdentity::at(CWD, &self.path))?;
        for (name, identity) in &self.files {
            self.compare(Some(name), *identity, FileIdentity::at(&self.dir, *name))?;
        }
        Ok(())
    }

    fn compare(
        &self,
        name: Option<&'static str>,
        expected: FileIdentity,
        found: Result<FileIdentity, Errno>,
    ) -> Result<(), Displaced> {
        let how = match found {
            Ok(found) if found == expected => return Ok(()),
            Ok(_other) => How::Replaced,
            Err(Errno::NOENT | Errno::NOTDIR) => How::Gone,
            Err(errno) => How::Unknown(errno),
        };
        let path = name.map_or_else(|| self.path.clone(), |name| self.path.join(name));
        Err(Displaced { path, name, how })
    }

    fn set(&mut self, name: &'static str, identity: Option<FileIdentity>) {
        self.files.retain(|(held, _identity)| *held != name);
        self.files.extend(identity.map(|identity| (name, identity)));
    }
}

impl Displaced {
    /// Whether the database itself is still in its place.
    pub(super) fn spares_database(&self) -> bool {
        self.name.is_some_and(|name| name != DATABASE)
    }

    /// What the operator is to do.
    pub(super) fn advice(&self) -> &'static str {
        match self.name {
            None | Some(DATABASE) => {
                "put it back, and chatd goes on by itself. If it is gone for good, stop chatd and \
                 restore a backup: see \"A file that was taken away\" in docs/OPERATING.md"
            }
            Some(WITNESS | LOCK) => "it is made again",
            Some(_companion) => {
                "what is in it is moved into chatd.db. Restart chatd: only a new process can make \
                 it again"
            }
        }
    }
}
