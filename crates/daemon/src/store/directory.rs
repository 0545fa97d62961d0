//! The data directory: for its owner only, and for one daemon at a time.

use std::fs::{File, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

pub(super) use chat_files::open_private;
use chat_files::{exposed_mode, make_dir};

use super::OpenError;
use super::held::{DATABASE, LOCK, WITNESS};
use super::holder::Holder;

/// A data directory that is ours for as long as this lives: the system takes the lock back from a
/// process that dies.
#[derive(Debug)]
pub(super) struct DataDir {
    path: PathBuf,
    lock: File,
}

impl DataDir {
    /// Makes the directory where it is missing, and takes its lock.
    pub(super) fn lock(path: &Path) -> Result<Self, OpenError> {
        let unusable = |cause| OpenError::Dir { dir: path.to_owned(), cause };
        make_dir(path).map_err(unusable)?;
        if let Some(mode) = exposed_mode(path).map_err(unusable)? {
            return Err(OpenError::Exposed { dir: path.to_owned(), mode });
        }
        let lock = lock(path)?;
        Ok(Self { path: path.to_owned(), lock })
    }

    /// Takes the lock again where its file is gone: nobody else may find the directory free.
    pub(super) fn lock_again(&mut self) -> Result<(), OpenError> {
        self.lock = lock(&self.path)?;
        Ok(())
    }

    pub(super) fn lock_file(&self) -> &File {
        &self.lock
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn database(&self) -> PathBuf {
        self.path.join(DATABASE)
    }

    pub(super) fn witness(&self) -> PathBuf {
        self.path.join(WITNESS)
    }

    /// What this process may still write to its disk, in bytes.
    pub(super) fn bytes_free(&self) -> io::Result<u64> {
        bytes_free(&self.path)
    }

    /// Makes the names of new files survive a loss of power.
    pub(super) fn sync(&self) -> io::Result<()> {
        File::open(&self.path)?.sync_all()
    }
}

fn lock(dir: &Path) -> Result<File, OpenError> {
    let path = dir.join(LOCK);
    let unusable = |cause| OpenError::file(&path, cause);
    let mut lock = open_private(&path).map_err(unusable)?;
    match lock.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            return Err(OpenError::InUse { dir: dir.to_owned(), by: Holder::named_in(&mut lock) });
        }
        Err(TryLockError::Error(cause)) => return Err(unusable(cause)),
    }
    if let Err(error) = sign(&lock) {
        // It is for people only, and a full disk is no reason not to start.
        tracing::debug!(%error, "the lock does not name its holder");
    }
    Ok(lock)
}

/// See [`DataDir::bytes_free`].
pub(super) fn bytes_free(dir: &Path) -> io::Result<u64> {
    let disk = rustix::fs::statvfs(dir)?;
    // What is reserved for root is of use to root.
    let is_root = rustix::process::geteuid().is_root();
    let blocks = if is_root { disk.f_bfree } else { disk.f_bavail };
    Ok(blocks.saturating_mul(disk.f_frsize))
}

fn sign(mut lock: &File) -> io::Result<()> {
    lock.set_len(0)?;
    lock.write_all(format!("{}\n", std::process::id()).as_bytes())
}
