//! Who holds the lock of a data directory, as the lock's file says: for people only.

use std::fmt;
use std::fs::File;
use std::io::Read;

/// A process id is far shorter.
const LOCK_BYTES_MAX: u64 = 32;

/// Whoever has the lock.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Holder {
    /// Its process id, if it could be read.
    pub pid: Option<u32>,
}

impl Holder {
    /// Whom the file of a lock names.
    pub(super) fn named_in(lock: &mut File) -> Self {
        let mut text = String::new();
        let read = lock.take(LOCK_BYTES_MAX).read_to_string(&mut text);
        Self { pid: read.ok().and_then(|_bytes| text.trim().parse().ok()) }
    }
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.pid {
            Some(pid) => write!(f, "another chatd, process {pid}"),
            None => f.write_str("another chatd"),
        }
    }
}
