//! Typed texts on disk: a small JSON file for each running screen, replaced in one step.
//!
//! Owns where the files are and who may have them. Two screens of one person share the directory;
//! each has a file of its own under a lock, and takes over what dead ones have left. Blocking.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use super::typed::Typed;

/// Screens of one person on one server that keep what is typed; one more does not.
const FILES_MAX: usize = 64;

/// What is behind so many bytes of a file is not read, and such a file is none.
const FILE_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// The file of one screen.
#[derive(Debug)]
pub(super) struct DraftFile {
    path: PathBuf,
    /// Locked as long as this lives. A file of its own, because the other one is replaced.
    _lock: File,
}

impl DraftFile {
    /// Takes a file in `dir`, and what dead screens have left there, the newest first.
    pub(super) fn open(dir: &Path) -> io::Result<(Self, Typed)> {
        chat_files::create_dir(dir)?;
        let mut free = Vec::new();
        let mut own = None;
        for nth in 1..=FILES_MAX {
            let path = dir.join(format!("{nth}.json"));
            if own.is_some() && !path.exists() {
                continue;
            }
            let Some(lock) = lock(&path)? else { continue };
            let changed = std::fs::metadata(&path).and_then(|metadata| metadata.modified()).ok();
            let file = Self { path, _lock: lock };
            free.push((changed, nth));
            own.get_or_insert_with(Vec::new).push((nth, file));
        }
        let mut files = own.ok_or_else(|| io::Error::other("too many screens are open"))?;
        free.sort_by(|one, other| other.cmp(one));
        let mut typed = Typed::default();
        for (_changed, nth) in &free {
            if let Some((_nth, file)) = files.iter().find(|(other, _file)| other == nth) {
                typed.adopt(file.read());
            }
        }
        let (_first, own) = files.remove(0);
        own.write(&typed)?;
        // Everything is in the own file now.
        for (_nth, other) in files {
            std::fs::remove_file(&other.path).or_else(ignore_missing)?;
        }
        Ok((own, typed))
    }

    /// Takes over what dead screens have left in another directory, if it is there.
    pub(super) fn take_over(&self, other: &Path, typed: &mut Typed) -> io::Result<()> {
        if !other.try_exists()? {
            return Ok(());
        }
        let (emptied, left) = Self::open(other)?;
        typed.adopt(left);
        // Written here before it is gone there.
        self.write(typed)?;
        std::fs::remove_file(&emptied.path).or_else(ignore_missing)
    }

    /// Puts another text in the place of the file's: at no time is it missing or half.
    pub(super) fn write(&self, typed: &Typed) -> io::Result<()> {
        let temporary = self.path.with_extension("new");
        let mut options = OpenOptions::new();
        let options = options.write(true).create(true).truncate(true);
        let mut file = chat_files::open(&temporary, options)?;
        file.write_all(&serde_json::to_vec(typed)?)?;
        file.sync_data()?;
        std::fs::rename(&temporary, &self.path)
    }

    /// A file that is damaged is put aside, not overwritten.
    fn read(&self) -> Typed {
        let mut bytes = Vec::new();
        let read = chat_files::open_to_read(&self.path)
            .and_then(|file| file.take(FILE_BYTES_MAX).read_to_end(&mut bytes));
        match read {
            Ok(_count) => {}
            Err(missing) if missing.kind() == io::ErrorKind::NotFound => return Typed::default(),
            Err(error) => {
                tracing::warn!(path = %self.path.display(), %error, "typed texts cannot be read");
            }
        }
        serde_json::from_slice(&bytes).unwrap_or_else(|error| {
            let aside = self.path.with_extension("damaged");
            let moved = std::fs::rename(&self.path, &aside);
            tracing::warn!(path = %aside.display(), %error, ?moved, "typed texts are damaged");
            Typed::default()
        })
    }
}

/// `None`: its screen lives.
fn lock(path: &Path) -> io::Result<Option<File>> {
    let mut options = OpenOptions::new();
    let options = options.write(true).create(true).truncate(false);
    let file = chat_files::open(&path.with_extension("lock"), options)?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

fn ignore_missing(error: io::Error) -> io::Result<()> {
    if error.kind() == io::ErrorKind::NotFound { Ok(()) } else { Err(error) }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn draft(room: &str, text: &str) -> Typed {
        let mut typed = Typed::default();
        typed.drafts.insert(room.to_owned(), text.to_owned());
        typed
    }

    #[test]
    fn what_dead_screens_left_is_taken_over_and_living_ones_keep_theirs() {
        let dir = tempfile::tempdir().unwrap();
        let dir = dir.path().join("drafts");
        let (first, nothing) = DraftFile::open(&dir).unwrap();
        assert_eq!(nothing, Typed::default());
        first.write(&draft("lobby", "of the first")).unwrap();
        let (second, nothing) = DraftFile::open(&dir).unwrap();
        assert_eq!(nothing, Typed::default(), "the first screen lives");
        second.write(&draft("dev", "of the second")).unwrap();
        drop((first, second));
        let (_third, left) = DraftFile::open(&dir).unwrap();
        assert_eq!(left.drafts["lobby"], "of the first");
        assert_eq!(left.drafts["dev"], "of the second");
        let mode = std::fs::metadata(dir.join("1.json")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert!(!dir.join("2.json").exists());
    }

    #[test]
    fn what_was_typed_before_the_first_contact_goes_over_once() {
        let dir = tempfile::tempdir().unwrap();
        let (of_address, of_server) = (dir.path().join("address"), dir.path().join("server"));
        let (before, _nothing) = DraftFile::open(&of_address).unwrap();
        before.write(&draft("lobby", "before")).unwrap();
        drop(before);
        for _start in 0..2 {
            let (file, mut typed) = DraftFile::open(&of_server).unwrap();
            file.take_over(&of_address, &mut typed).unwrap();
            assert_eq!(typed, draft("lobby", "before"));
            file.take_over(&dir.path().join("nowhere"), &mut typed).unwrap();
        }
        assert!(!of_address.join("1.json").exists());
        let (_file, kept) = DraftFile::open(&of_server).unwrap();
        assert_eq!(kept, draft("lobby", "before"));
    }

    #[test]
    fn a_damaged_file_is_put_aside() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("1.json"), "{half").unwrap();
        let (_file, typed) = DraftFile::open(dir.path()).unwrap();
        assert_eq!(typed, Typed::default());
        assert_eq!(std::fs::read(dir.path().join("1.damaged")).unwrap(), b"{half");
    }

    #[test]
    fn nothing_is_read_or_written_through_a_link_nor_beside_others() {
        use std::os::unix::fs::symlink;
        let dir = tempfile::tempdir().unwrap();
        let secret = dir.path().join("secret");
        let kept = serde_json::to_vec(&draft("lobby", "secret")).unwrap();
        std::fs::write(&secret, &kept).unwrap();
        for linked in ["1.lock", "1.new", "1.json"] {
            let drafts = dir.path().join(linked.replace('.', "-"));
            std::fs::create_dir(&drafts).unwrap();
            symlink(&secret, drafts.join(linked)).unwrap();
            if let Ok((file, typed)) = DraftFile::open(&drafts) {
                assert_eq!(typed, Typed::default(), "{linked}");
                file.write(&draft("lobby", "mine")).unwrap();
            }
            assert_eq!(std::fs::read(&secret).unwrap(), kept, "{linked}");
        }
        std::fs::set_permissions(dir.path(), std::fs::Permissions::from_mode(0o777)).unwrap();
        let refused = DraftFile::open(dir.path()).unwrap_err().to_string();
        assert!(refused.contains("others can write"), "{refused}");
    }
}
