//! What to do about a file whose owner or mode keeps the daemon from it.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// Rights of a file's owner.
const OWNER_READS_AND_WRITES: u32 = 0o600;

/// The same for a directory.
const OWNER_READS_WRITES_AND_ENTERS: u32 = 0o700;

/// The command that gives a file of the data directory to whoever runs this process, when that is
/// what is missing. The directory itself comes first: what is in it cannot be had without it.
pub(super) fn advice(path: &Path, cause: &io::Error) -> Option<String> {
    if cause.kind() != io::ErrorKind::PermissionDenied {
        return None;
    }
    let me = rustix::process::geteuid().as_raw();
    path.parent().into_iter().chain([path]).find_map(|part| {
        let metadata = fs::metadata(part).ok()?;
        remedy(part, metadata.is_dir(), metadata.uid(), metadata.mode(), me)
    })
}

fn remedy(path: &Path, is_dir: bool, owner: u32, mode: u32, me: u32) -> Option<String> {
    let path = path.display();
    if owner != me {
        return Some(format!(
            "{path} belongs to user {owner}, and chatd runs as user {me}. \
             FrameRun: chown {me} {path}"
        ));
    }
    let (needed, rights) = match is_dir {
        true => (OWNER_READS_WRITES_AND_ENTERS, "u+rwx"),
        false => (OWNER_READS_AND_WRITES, "u+rw"),
    };
    let mode = mode & 0o7777;
    (mode & needed != needed)
        .then(|| format!("{path} has the mode {mode:04o}. FrameRun: chmod {rights} {path}"))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_wrong_owner_or_mode_is_answered_with_the_command_that_helps() {
        let path = Path::new("/data/chatd.db");
        let remedy = |is_dir, owner, mode| remedy(path, is_dir, owner, mode, 7);
        assert_eq!(remedy(false, 7, 0o100_600), None);
        assert_eq!(remedy(true, 7, 0o040_700), None);
        let said = remedy(false, 0, 0o100_600).unwrap();
        assert!(said.contains("user 0") && said.ends_with("chown 7 /data/chatd.db"), "{said}");
        let said = remedy(false, 7, 0o100_400).unwrap();
        assert!(said.contains("0400") && said.ends_with("chmod u+rw /data/chatd.db"), "{said}");
        let said = remedy(true, 7, 0o040_600).unwrap();
        assert!(said.ends_with("chmod u+rwx /data/chatd.db"), "{said}");
    }

    #[test]
    fn a_file_that_is_in_order_needs_no_command() {
        let dir = tempfile::tempdir().unwrap();
        // Another test may have changed the umask of the process for a moment.
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o700)).unwrap();
        let denied = io::Error::from(io::ErrorKind::PermissionDenied);
        assert_eq!(advice(dir.path(), &io::ErrorKind::NotFound.into()), None);
        assert_eq!(advice(&dir.path().join("missing"), &denied), None);
    }
}
