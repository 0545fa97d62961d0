//! Whether anything has happened in a directory since the last look: one system call, where looking
//! up each file under its name takes one for each.
//!
//! Uses inotify(7), which queues what happened before the call that did it returns. What it does not
//! see is a directory above that was moved, and what another machine does on a network file system:
//! names are still to be looked up now and then.

use std::os::fd::OwnedFd;
use std::path::Path;

use rustix::fs::inotify::{CreateFlags, WatchFlags, add_watch, init};
use rustix::io::{Errno, read};

/// What changes which file a name leads to. Writes do not.
const CHANGES: WatchFlags = WatchFlags::CREATE
    .union(WatchFlags::DELETE)
    .union(WatchFlags::MOVE)
    .union(WatchFlags::DELETE_SELF)
    .union(WatchFlags::MOVE_SELF)
    .union(WatchFlags::ONLYDIR);

/// Room for some dozens of changes at a time, in bytes.
const CHANGES_BYTES: usize = 4096;

/// Watches one directory.
#[derive(Debug)]
pub(crate) struct DirWatch {
    /// `None`: the system watches no more for this user, and everything is news.
    changes: Option<OwnedFd>,
}

impl DirWatch {
    /// Of a directory, from now on.
    pub(crate) fn of(path: &Path) -> Self {
        let watched = init(CreateFlags::NONBLOCK | CreateFlags::CLOEXEC)
            .and_then(|changes| add_watch(&changes, path, CHANGES).map(|_watch| changes));
        if let Err(error) = &watched {
            tracing::debug!(%error, "the data directory is looked at instead of being watched");
        }
        Self { changes: watched.ok() }
    }

    /// Whether anything has happened since the last call.
    pub(crate) fn has_news(&self) -> bool {
        let Some(changes) = &self.changes else { return true };
        let mut has_news = false;
        loop {
            match read(changes, &mut [0; CHANGES_BYTES]) {
                Ok(1..) => has_news = true,
                Err(Errno::AGAIN) => return has_news,
                Err(Errno::INTR) => {}
                // It tells nothing any more.
                Ok(0) | Err(_) => return true,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn what_a_name_leads_to_is_news_once_and_a_write_is_none() {
        let dir = tempfile::tempdir().expect("there is room");
        let file = dir.path().join("a");
        let watch = DirWatch::of(dir.path());
        assert!(!watch.has_news());
        let expect_news = |change: &dyn Fn() -> std::io::Result<()>| {
            change().expect("it can be done");
            assert!(watch.has_news());
            assert!(!watch.has_news(), "once");
        };
        expect_news(&|| fs::write(&file, "1"));
        expect_news(&|| fs::rename(&file, dir.path().join("b")));
        expect_news(&|| fs::rename(dir.path().join("b"), &file));
        fs::write(&file, "2").expect("it can be written");
        assert!(!watch.has_news(), "it is the same file");
        expect_news(&|| fs::remove_file(&file));
        fs::remove_dir(dir.path()).expect("it is empty");
        assert!(watch.has_news());
    }

    #[test]
    fn where_nothing_can_be_watched_everything_is_news() {
        let watch = DirWatch::of(Path::new("/proc/self/no-such-directory"));
        assert!(watch.has_news() && watch.has_news());
    }
}
