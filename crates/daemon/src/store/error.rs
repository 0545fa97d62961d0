//! Why a store does not open.

use std::error::Error;
use std::io;
use std::path::PathBuf;

use super::Holder;

/// Says why a store does not open, and what to do.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The directory cannot be made, or its files cannot be written.
    #[error("the data directory {dir:?} cannot be used: {cause}. Choose another with --data-dir")]
    Dir {
        /// The directory.
        dir: PathBuf,
        /// Why not.
        cause: io::Error,
    },
    /// Another daemon has it.
    #[error(
        "the data directory {dir:?} is in use by {by}. \
         Stop it first, or choose another directory with --data-dir"
    )]
    InUse {
        /// The directory.
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
    pub(super) fn because<E>(doing: &'static str) -> impl FnOnce(E) -> Self
    where
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        move |cause| Self::Database { doing, cause: cause.into() }
    }
}
