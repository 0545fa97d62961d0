//! The key that is a person: one OpenSSH Ed25519 private key for each name, made on first use.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use chat_files::{FILE_MODE, create_dir};
use chat_proto::{Nickname, PublicKey, names_collide};
use ed25519_dalek::{Signer, SigningKey};
use ssh_key::private::Ed25519Keypair;
use ssh_key::{LineEnding, PrivateKey};

/// A key file that is longer is none.
const KEY_FILE_BYTES_MAX: u64 = 64 * 1024;

/// A person's key.
#[derive(Clone)]
pub struct Identity {
    key: SigningKey,
}

/// Says why a person's key cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// The file cannot be read or made.
    #[error("the identity key {path:?} cannot be read or made: {cause}")]
    Io {
        /// The file.
        path: PathBuf,
        /// Why not.
        cause: io::Error,
    },
    /// The file is no key, or one that cannot be used.
    #[error("{path:?} is no usable identity key: {cause}")]
    Key {
        /// The file.
        path: PathBuf,
        /// Why not.
        cause: ssh_key::Error,
    },
    /// The file has a key of another kind, or one with a passphrase.
    #[error("{path:?} is no Ed25519 key without a passphrase")]
    Kind {
        /// The file.
        path: PathBuf,
    },
    /// Others can read the file.
    #[error("others can read the identity key {path:?}; run: chmod 600 {path:?}")]
    Exposed {
        /// The file.
        path: PathBuf,
    },
    /// The system gives no random numbers.
    #[error("the system gives no random numbers: {0}")]
    Random(#[from] getrandom::Error),
}

impl Identity {
    /// The key of `name` under `data_dir`; made when there is none yet. Processes that make it at
    /// the same time all get the same one.
    ///
    /// # Errors
    /// [`IdentityError`].
    pub fn load_or_create(data_dir: &Path, name: &Nickname) -> Result<Self, IdentityError> {
        let dir = data_dir.join("identity");
        let path = dir.join(format!("{name}.key"));
        let io = |cause| IdentityError::Io { path: path.clone(), cause };
        create_dir(&dir).map_err(io)?;
        if let Some(identity) = read_own(&path)? {
            return Ok(identity);
        }
        let path = match key_of_colliding_name(&dir, name).map_err(io)? {
            Some(other) => other,
            None => {
                create(&path)?;
                path.clone()
            }
        };
        read_own(&path)?.ok_or_else(|| io(io::ErrorKind::NotFound.into()))
    }

    /// The key in a file that somebody chose: a symbolic link to it is followed.
    ///
    /// # Errors
    /// [`IdentityError`].
    pub fn load(path: &Path) -> Result<Self, IdentityError> {
        let io = |cause| IdentityError::Io { path: path.to_owned(), cause };
        read(path, File::open(path))?.ok_or_else(|| io(io::ErrorKind::NotFound.into()))
    }

    /// A key of 32 secret random bytes.
    #[must_use]
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        Self { key: SigningKey::from_bytes(seed) }
    }

    /// The public half: the account.
    #[must_use]
    pub fn public_key(&self) -> PublicKey {
        PublicKey(self.key.verifying_key().to_bytes())
    }

    /// Signs (RFC 8032).
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.key.sign(message).to_bytes()
    }
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Identity({})", self.public_key())
    }
}

/// Sixteen random bytes as a part of a file name, or of a stream's id.
pub(crate) fn random_bytes<const N: usize>() -> Result<[u8; N], getrandom::Error> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes)?;
    Ok(bytes)
}

/// The key of a name that nobody else can have beside this one: the same in another case, above all.
fn key_of_colliding_name(dir: &Path, name: &Nickname) -> io::Result<Option<PathBuf>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir)? {
        let path = entry?.path();
        let is_key = path.extension().is_some_and(|extension| extension == "key");
        let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
        if is_key && names_collide(stem, name.as_str()) {
            found.push(path);
        }
    }
    // Of several, always the same.
    Ok(found.into_iter().min())
}

/// A key that the client has made.
fn read_own(path: &Path) -> Result<Option<Identity>, IdentityError> {
    read(path, chat_files::open_to_read(path))
}

fn read(path: &Path, opened: io::Result<File>) -> Result<Option<Identity>, IdentityError> {
    let io = |cause| IdentityError::Io { path: path.to_owned(), cause };
    let file = match opened {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(io(error)),
    };
    if file.metadata().map_err(io)?.mode() & 0o077 != 0 {
        return Err(IdentityError::Exposed { path: path.to_owned() });
    }
    let mut text = String::new();
    file.take(KEY_FILE_BYTES_MAX).read_to_string(&mut text).map_err(io)?;
    let key = PrivateKey::from_openssh(&text)
        .map_err(|cause| IdentityError::Key { path: path.to_owned(), cause })?;
    let key =
        key.key_data().ed25519().ok_or_else(|| IdentityError::Kind { path: path.to_owned() })?;
    Ok(Some(Identity::from_seed(&key.private.to_bytes())))
}

/// Writes a new key next to its place, and links it there unless another process was faster.
fn create(path: &Path) -> Result<(), IdentityError> {
    let pair = Ed25519Keypair::from_seed(&random_bytes::<32>()?);
    let text = PrivateKey::from(pair)
        .to_openssh(LineEnding::LF)
        .map_err(|cause| IdentityError::Key { path: path.to_owned(), cause })?;
    let suffix = u64::from_le_bytes(random_bytes()?);
    let temporary = path.with_extension(format!("new-{suffix:016x}"));
    let placed = place(&temporary, path, text.as_bytes());
    let removed = std::fs::remove_file(&temporary);
    placed
        .and(removed.or_else(ignore_missing))
        .map_err(|cause| IdentityError::Io { path: path.to_owned(), cause })
}

fn place(temporary: &Path, path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut options = OpenOptions::new();
    let mut file = options.write(true).create_new(true).mode(FILE_MODE).open(temporary)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    match std::fs::hard_link(temporary, path) {
        Ok(()) => sync_parent(path),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        // A file system without links. Nothing is overwritten here either, but for a moment in
        // which two processes start for the first time.
        Err(_no_links) if !path.exists() => std::fs::rename(temporary, path),
        Err(error) => Err(error),
    }
}

fn ignore_missing(error: io::Error) -> io::Result<()> {
    if error.kind() == io::ErrorKind::NotFound { Ok(()) } else { Err(error) }
}

/// Makes a new name in a directory survive a power loss.
pub(crate) fn sync_parent(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(dir) => File::open(dir)?.sync_all(),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ada() -> Nickname {
        Nickname::parse("ada").unwrap()
    }

    #[test]
    fn a_name_keeps_its_key_and_another_name_has_another() {
        let dir = tempfile::tempdir().unwrap();
        let first = Identity::load_or_create(dir.path(), &ada()).unwrap();
        let again = Identity::load_or_create(dir.path(), &ada()).unwrap();
        let bob = Nickname::parse("bob").unwrap();
        let other = Identity::load_or_create(dir.path(), &bob).unwrap();
        assert_eq!(first.public_key(), again.public_key());
        assert_ne!(first.public_key(), other.public_key());
    }

    #[test]
    fn the_key_file_is_for_its_owner_only_and_nothing_else_is_left() {
        let dir = tempfile::tempdir().unwrap();
        Identity::load_or_create(dir.path(), &ada()).unwrap();
        let files: Vec<_> = std::fs::read_dir(dir.path().join("identity")).unwrap().collect();
        assert_eq!(files.len(), 1);
        let meta = files[0].as_ref().unwrap().metadata().unwrap();
        assert_eq!(meta.mode() & 0o777, FILE_MODE);
    }

    #[test]
    fn many_that_start_at_once_are_one_person() {
        let dir = tempfile::tempdir().unwrap();
        let keys: Vec<_> = std::thread::scope(|scope| {
            let load = || Identity::load_or_create(dir.path(), &ada()).unwrap().public_key();
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(load)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert!(keys.iter().all(|key| *key == keys[0]));
    }

    #[test]
    fn a_name_in_another_case_has_the_same_key() {
        let dir = tempfile::tempdir().unwrap();
        let key = |name| {
            let name = Nickname::parse(name).unwrap();
            Identity::load_or_create(dir.path(), &name).unwrap().public_key()
        };
        let upper = key("CI");
        assert_eq!(key("ci"), upper);
        assert_eq!(key("Ci"), upper);
        assert_ne!(key("ci-2"), upper);
    }

    #[test]
    fn a_key_that_others_can_read_is_refused() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        Identity::load_or_create(dir.path(), &ada()).unwrap();
        let path = dir.path().join("identity/ada.key");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        let refused = Identity::load_or_create(dir.path(), &ada());
        assert!(matches!(refused, Err(IdentityError::Exposed { .. })));
    }

    #[test]
    fn a_file_that_is_no_key_is_refused_and_kept() {
        let dir = tempfile::tempdir().unwrap();
        Identity::load_or_create(dir.path(), &ada()).unwrap();
        let path = dir.path().join("identity/ada.key");
        std::fs::write(&path, "hello").unwrap();
        let refused = Identity::load_or_create(dir.path(), &ada());
        assert!(matches!(refused, Err(IdentityError::Key { .. })));
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "hello");
    }

    #[test]
    fn a_made_key_is_not_read_through_a_link_and_a_chosen_one_is() {
        let dir = tempfile::tempdir().unwrap();
        Identity::load_or_create(dir.path(), &ada()).unwrap();
        let (made, moved) = (dir.path().join("identity/ada.key"), dir.path().join("moved"));
        std::fs::rename(&made, &moved).unwrap();
        std::os::unix::fs::symlink(&moved, &made).unwrap();
        let refused = Identity::load_or_create(dir.path(), &ada()).unwrap_err().to_string();
        assert!(refused.contains("symbolic link"), "{refused}");
        Identity::load(&made).unwrap();
    }
}
