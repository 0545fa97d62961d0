//! Why a store does not open.

use std::error::Error;
use std::io;
use std::path::{Path, PathBuf};

use super::{Holder, Traces, access};

/// Says why a store does not open, and what to do.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The directory cannot be made, or its files cannot be written.
    #[error("the data directory {dir:?} cannot be used: {cause}. Choose another with --data-dir")]
    Dir {
        /// The data directory.
        dir: PathBuf,
        /// What the system or SQLite said.
        cause: io::Error,
    },
    /// One of its files cannot be used.
    #[error("the file {} cannot be used: {cause}. {advice}", .path.display())]
    File {
        /// Where the file is.
        path: PathBuf,
        /// What the system or SQLite said.
        cause: io::Error,
        /// What to do.
        advice: String,
    },
    /// Others could put files in the place of those that are there.
    #[error(
        "others may write to the data directory {} (its mode is {mode:04o}). Run `chmod 700 {}`, and \
         look whether they have put anything there",
        .dir.display(),
        .dir.display()
    )]
    Exposed {
        /// The data directory.
        dir: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The file under the store's name is another program's.
    #[error(
        "{} is a database of another program, or of an early build of chatd; it was not changed. \
         Move it away, or choose another directory with --data-dir",
        .path.display()
    )]
    Foreign {
        /// Where the file is.
        path: PathBuf,
    },
    /// There was a store, and it is missing.
    #[error(
        "{database} is missing or empty in {}, but there was one: {traces}. Put it back, or restore \
         it from a backup. To begin with nothing all the same, start once with --new-store",
        .dir.display()
    )]
    Missing {
        /// The data directory.
        dir: PathBuf,
        /// The store's file.
        database: &'static str,
        /// What tells of it.
        traces: Traces,
    },
    /// The newest commits are those of another file.
    #[error(
        "{} was left by the file that {} was put in the place of: together they would be a damaged \
         store. If that one was restored from a backup, remove chatd.db-wal and chatd.db-shm; \
         otherwise put the earlier file back",
        .wal.display(),
        .database.display()
    )]
    StrayWal {
        /// The WAL.
        wal: PathBuf,
        /// The file that it does not belong to.
        database: PathBuf,
    },
    /// Another daemon has it.
    #[error(
        "the data directory {dir:?} is in use by {by}. \
         Stop it first, or choose another directory with --data-dir"
    )]
    InUse {
        /// The data directory.
        dir: PathBuf,
        /// Who has it.
        by: Holder,
    },
    /// The file is from the future.
    #[error(
        "the store was written by a newer version of chatd (its format is {found}, \
         this version knows {known}). Run the newer version"
    )]
    Newer {
        /// The file's format.
        found: usize,
        /// The newest that is known here.
        known: usize,
    },
    /// The file is of a shape that was given up before the first release.
    #[error(
        "the store was made by an earlier, unreleased version of chatd (its format is {found}, this \
         version knows {known}); it was not changed. Run that version, or move chatd.db, chatd.db-wal \
         and chatd.db-shm away to keep them for it, and start once with --new-store"
    )]
    Unreleased {
        /// The file's format.
        found: usize,
        /// The only one that is known here.
        known: usize,
    },
    /// SQLite, or the file, fails.
    #[error(
        "the store's file chatd.db could not be {doing}: {cause}. \
         Look at its disk; if the file is damaged, restore it from a backup"
    )]
    Database {
        /// What failed, as in "opened".
        doing: &'static str,
        /// Why.
        cause: Box<dyn Error + Send + Sync>,
    },
    /// There is no room for what even reading needs.
    #[error(
        "the store's file chatd.db could not be {doing}: {cause}. \
         The disk of {dir:?} is full: make room on it, then start again"
    )]
    NoRoom {
        /// The data directory.
        dir: PathBuf,
        /// What failed, as in "opened".
        doing: &'static str,
        /// How the want of room showed.
        cause: Box<dyn Error + Send + Sync>,
    },
    /// The system gives no random numbers.
    #[error("the system gives no random numbers: {0}")]
    Random(#[from] getrandom::Error),
}

impl OpenError {
    pub(super) fn file(path: &Path, cause: io::Error) -> Self {
        let advice = access::advice(path, &cause).unwrap_or_else(|| {
            "Look at it and at its disk, or choose another --data-dir".to_owned()
        });
        Self::File { path: path.to_owned(), cause, advice }
    }

    pub(super) fn because<E>(doing: &'static str) -> impl FnOnce(E) -> Self
    where
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        move |cause| Self::Database { doing, cause: cause.into() }
    }
}
