//! Files and directories that are one user's alone: the daemon's and those of its clients.
//!
//! Nobody else can read them, put others in their place, or lead the program elsewhere by a
//! symbolic link. They are so from the start: no file is made first and closed to others then.
//! This crate must not know what is in them,
//! but for the keys: all who have one keep it in the same form.

pub mod chosen;
pub mod key;
pub mod limit;
pub mod places;

use std::fs::{DirBuilder, File, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

use rustix::fs::OFlags;
use rustix::io::Errno;

/// Readable and writable by the owner only.
pub const FILE_MODE: u32 = 0o600;

/// The same of a directory. One that somebody else has made keeps the mode it has.
const DIR_MODE: u32 = 0o700;

/// Whoever may write to a directory could put files of his own in the place of any in it.
const WRITABLE_BY_OTHERS: u32 = 0o022;
const _: () = assert!(DIR_MODE & WRITABLE_BY_OTHERS == 0, "one that is made here is not exposed");

/// Makes a directory, with those above it, where it is missing.
///
/// # Errors
/// It cannot be made, or others can write to the one that is there; the sentence says what to do.
pub fn create_dir(dir: &Path) -> io::Result<()> {
    make_dir(dir)?;
    match exposed_mode(dir)? {
        None => Ok(()),
        Some(mode) => Err(io::Error::new(io::ErrorKind::PermissionDenied, exposed(dir, mode))),
    }
}

/// The same, whoever can write to the one that is there.
///
/// # Errors
/// It cannot be made.
pub fn make_dir(dir: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(DIR_MODE).create(dir)
}

/// The mode of a directory that others can write to.
///
/// # Errors
/// It cannot be looked at.
pub fn exposed_mode(dir: &Path) -> io::Result<Option<u32>> {
    let mode = std::fs::metadata(dir)?.permissions().mode() & 0o7777;
    Ok((mode & WRITABLE_BY_OTHERS != 0).then_some(mode))
}

/// Says of a directory that others can write to it, and what helps.
#[must_use]
pub fn exposed(dir: &Path, mode: u32) -> String {
    let dir = dir.display();
    format!(
        "others can write to {dir} (mode {mode:04o}) and could put files of theirs in the place of \
         any in it; run: chmod go-w '{dir}'"
    )
}

/// Opens a regular file as `options` say. A new one is its owner's alone; what a symbolic link
/// leads to is not touched, and a pipe is not waited for.
///
/// # Errors
/// Those of the system, and for whatever is no regular file.
pub fn open(path: &Path, options: &mut OpenOptions) -> io::Result<File> {
    let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed();
    let opened = options.mode(FILE_MODE).custom_flags(flags).open(path);
    let file = opened.map_err(|error| match Errno::from_io_error(&error) {
        // The second is FreeBSD's.
        Some(Errno::LOOP | Errno::MLINK) => {
            io::Error::other("it is a symbolic link, which is not followed")
        }
        Some(_) | None => error,
    })?;
    match file.metadata()?.is_file() {
        true => Ok(file),
        false => Err(io::Error::other("it is not a regular file")),
    }
}

/// Opens a regular file for reading, as [`open`] does.
///
/// # Errors
/// Those of [`open`].
pub fn open_to_read(path: &Path) -> io::Result<File> {
    open(path, OpenOptions::new().read(true))
}

/// Opens a file for reading and writing, made where it is missing, and closed to others also when
/// it was restored by somebody careless.
///
/// # Errors
/// Those of [`open`].
pub fn open_private(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    let file = open(path, options.read(true).write(true).create(true).truncate(false))?;
    if file.metadata()?.permissions().mode() & 0o777 != FILE_MODE {
        file.set_permissions(Permissions::from_mode(FILE_MODE))?;
    }
    Ok(file)
}

/// Makes a new name in a directory survive a power loss.
///
/// # Errors
/// Those of the system.
pub fn sync_parent(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(dir) => File::open(dir)?.sync_all(),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn mode(path: &Path) -> u32 {
        std::fs::symlink_metadata(path).unwrap().permissions().mode() & 0o7777
    }

    #[test]
    fn a_directory_is_made_for_its_owner_and_refused_when_others_can_write_to_it() {
        let dir = tempfile::tempdir().unwrap();
        let inner = dir.path().join("a/b");
        create_dir(&inner).unwrap();
        assert_eq!((mode(&dir.path().join("a")), mode(&inner)), (0o700, 0o700));
        for exposed in [0o770, 0o702, 0o1777] {
            std::fs::set_permissions(&inner, Permissions::from_mode(exposed)).unwrap();
            let refused = create_dir(&inner).unwrap_err().to_string();
            assert!(refused.contains("chmod go-w"), "{exposed:o}: {refused}");
        }
        std::fs::set_permissions(&inner, Permissions::from_mode(0o755)).unwrap();
        create_dir(&inner).unwrap();
    }

    #[test]
    fn a_link_is_neither_read_nor_written_through() {
        let dir = tempfile::tempdir().unwrap();
        let (target, link) = (dir.path().join("target"), dir.path().join("link"));
        symlink(&target, &link).unwrap();
        assert!(open_private(&link).unwrap_err().to_string().contains("symbolic link"));
        assert!(!target.exists(), "nothing is made at its end");
        std::fs::write(&target, "secret").unwrap();
        assert!(open_to_read(&link).unwrap_err().to_string().contains("symbolic link"));
        let truncating = open(&link, OpenOptions::new().write(true).truncate(true).create(true));
        assert!(truncating.is_err());
        assert_eq!(std::fs::read(&target).unwrap(), b"secret");
    }

    #[test]
    fn a_file_is_its_owners_from_the_start_and_closed_again_when_it_is_open() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        drop(open(&path, OpenOptions::new().append(true).create(true)).unwrap());
        assert_eq!(mode(&path), 0o600);
        std::fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
        drop(open_private(&path).unwrap());
        assert_eq!(mode(&path), 0o600);
        assert!(open_to_read(dir.path()).unwrap_err().to_string().contains("regular file"));
    }
}
