//! What tells that there was a store where there is none now. Beginning a new one there would hide
//! that the old one is missing, and would overwrite what is left of it.

use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::held::{WAL, WITNESS};

/// The server's private key: no store is without one for long.
const IDENTITY: &str = "identity";

/// Names tried for a WAL that is set aside.
const ASIDE_MAX: u32 = 1_000;

/// The files that tell of a store.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Traces(Vec<String>);

impl fmt::Display for Traces {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join(", "))
    }
}

impl Traces {
    /// Of a directory whose store is missing or empty; `commits` is what its witness says.
    pub(super) fn of(dir: &Path, commits: Option<u64>) -> Self {
        let mut traces = Vec::new();
        if let Some(bytes) = bytes_of(&dir.join(WAL)) {
            traces.push(format!("{WAL} (commits in {} KiB)", bytes.div_ceil(1024)));
        }
        if let Some(commits) = commits.filter(|commits| *commits > 0) {
            traces.push(format!("{WITNESS} (it saw {commits} events)"));
        }
        if bytes_of(&dir.join(IDENTITY)).is_some() {
            traces.push(format!("{IDENTITY} (this server's key)"));
        }
        Self(traces)
    }

    /// Whether nothing tells of a store.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// The WAL of a lost file is of no use to a new one, and SQLite would remove it; but it may be all
/// that is left. Tells where it is now; `None`: there was none.
pub(super) fn set_wal_aside(dir: &Path) -> io::Result<Option<PathBuf>> {
    let wal = dir.join(WAL);
    if bytes_of(&wal).is_none() {
        return Ok(None);
    }
    for n in 1..=ASIDE_MAX {
        let aside = dir.join(format!("{WAL}.old-{n}"));
        if !aside.try_exists()? {
            fs::rename(&wal, &aside)?;
            return Ok(Some(aside));
        }
    }
    Err(io::ErrorKind::AlreadyExists.into())
}

/// How large a file is that holds something.
fn bytes_of(path: &Path) -> Option<u64> {
    fs::metadata(path).ok().map(|metadata| metadata.len()).filter(|bytes| *bytes > 0)
}
