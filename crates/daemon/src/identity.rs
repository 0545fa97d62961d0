//! The daemon's identity: one key, made at the first start. Its fingerprint is what people see in
//! join lines and what clients pin.

mod signatures;

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use chat_core::ServerKey;
use chat_files::create_dir;
use chat_files::key::{Key, KeyError};

pub use signatures::server_key;

/// Of the public half: for whoever wants to read it.
const PUBLIC_MODE: u32 = 0o644;

/// What the public half's file says behind the key.
const COMMENT: &str = "chatd";

/// The daemon's key.
#[derive(Clone)]
pub struct Identity {
    /// Signs for the daemon.
    pub key: ServerKey,
    /// What people compare, as `ssh-keygen -l` shows it: `SHA256:…`.
    pub fingerprint: String,
}

impl Identity {
    /// The identity under a data directory; made when there is none. Its public half is written
    /// beside it, for people.
    ///
    /// # Errors
    /// [`KeyError`] says why not, and what to do.
    pub fn load_or_make(data_dir: &Path) -> Result<Self, KeyError> {
        let path = data_dir.join("identity");
        create_dir(data_dir).map_err(|cause| KeyError::Io { path: path.clone(), cause })?;
        let key = Key::read_or_make(&path, COMMENT)?;
        publish(&path, &key)?;
        Ok(Self { key: server_key(key.seed()), fingerprint: key.fingerprint() })
    }
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Identity({})", self.fingerprint)
    }
}

/// Writes the public half where it is missing or differs.
fn publish(path: &Path, key: &Key) -> Result<(), KeyError> {
    let public = path.with_extension("pub");
    let line = key.public_line();
    let line = line.map_err(|cause| KeyError::Unusable { path: path.to_owned(), cause })?;
    let text = line + "\n";
    if std::fs::read_to_string(&public).is_ok_and(|present| present == text) {
        return Ok(());
    }
    replace(&public, &text).map_err(|cause| KeyError::Io { path: public, cause })
}

/// Puts a whole file in the place of whatever is there: what a symbolic link leads to is not touched.
fn replace(path: &Path, text: &str) -> io::Result<()> {
    let temporary: PathBuf = path.with_extension(format!("new-{}", std::process::id()));
    // A process of this number may have been killed here.
    drop(std::fs::remove_file(&temporary));
    let mut options = OpenOptions::new();
    let mut file = options.write(true).create_new(true).mode(PUBLIC_MODE).open(&temporary)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    std::fs::rename(&temporary, path)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt;

    use super::*;

    fn mode(path: &Path) -> u32 {
        path.metadata().unwrap().mode() & 0o777
    }

    #[test]
    fn an_identity_is_made_once_and_stays() {
        let dir = tempfile::tempdir().unwrap();
        let data_dir = dir.path().join("deep/data");
        let first = Identity::load_or_make(&data_dir).unwrap();
        let again = Identity::load_or_make(&data_dir).unwrap();
        assert_eq!(first.key.public(), again.key.public());
        assert_eq!(mode(&data_dir.join("identity")), 0o600);
        assert_eq!(mode(&data_dir.join("identity.pub")), 0o644);
        assert_eq!(mode(&data_dir), 0o700);
        assert!(first.fingerprint.starts_with("SHA256:"), "{}", first.fingerprint);

        let mut names: Vec<_> =
            data_dir.read_dir().unwrap().map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        assert_eq!(names, ["identity", "identity.pub"]);
    }

    #[test]
    fn the_public_half_comes_back() {
        let dir = tempfile::tempdir().unwrap();
        Identity::load_or_make(dir.path()).unwrap();
        let path = dir.path().join("identity.pub");
        let first = std::fs::read_to_string(&path).unwrap();
        assert!(first.starts_with("ssh-ed25519 ") && first.ends_with(" chatd\n"), "{first}");
        std::fs::write(&path, "old").unwrap();
        Identity::load_or_make(dir.path()).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), first);
    }

    #[test]
    fn the_public_half_is_not_written_through_a_link() {
        let dir = tempfile::tempdir().unwrap();
        let victim = dir.path().join("victim");
        std::fs::write(&victim, "mine").unwrap();
        std::os::unix::fs::symlink(&victim, dir.path().join("identity.pub")).unwrap();
        Identity::load_or_make(dir.path()).unwrap();
        assert_eq!(std::fs::read_to_string(&victim).unwrap(), "mine");
        let public = dir.path().join("identity.pub");
        assert!(std::fs::symlink_metadata(&public).unwrap().is_file(), "it took the link's place");
    }
}
