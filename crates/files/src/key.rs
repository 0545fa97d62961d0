//! Key files: in each one OpenSSH Ed25519 private key without a passphrase, made once and never
//! replaced. A daemon is one, and so is a person; `ssh-keygen` understands them.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use ssh_key::private::Ed25519Keypair;
use ssh_key::{HashAlg, LineEnding, PrivateKey};

use crate::{FILE_MODE, open, open_to_read, sync_parent};

/// A key file that is longer is none.
pub(crate) const BYTES_MAX: u64 = 64 * 1024;

/// Whoever else has any access to a key file.
pub(crate) const OTHERS: u32 = 0o077;
const _: () = assert!(FILE_MODE & OTHERS == 0, "a key that is made here can be read here");

/// Says why a key cannot be used, and what to do.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The file cannot be read or made.
    #[error("the identity key {path:?} cannot be read or made: {cause}. Look at its directory")]
    Io {
        /// Where the key's file is.
        path: PathBuf,
        /// What the system, or the parser of OpenSSH keys, said.
        cause: io::Error,
    },
    /// The file is no key, or one that cannot be used.
    #[error(
        "the identity key {path:?} cannot be used: {cause}. Restore it from a backup; with a new \
         one it is somebody else to all who know this one"
    )]
    Unusable {
        /// Where the key's file is.
        path: PathBuf,
        /// What the system, or the parser of OpenSSH keys, said.
        cause: ssh_key::Error,
    },
    /// The file has a key of another kind, or one with a passphrase.
    #[error(
        "the identity key {path:?} is no Ed25519 key without a passphrase. Make one with: \
         ssh-keygen -t ed25519 -N '' -f {path:?}"
    )]
    Kind {
        /// Where the key's file is.
        path: PathBuf,
    },
    /// The file that was chosen is no key that can be read.
    #[error(
        "{path:?} is no OpenSSH key: {cause}. A private key in another form becomes one with: \
         ssh-keygen -p -f {path:?}"
    )]
    NoKey {
        /// Where it is.
        path: PathBuf,
        /// What the parser of OpenSSH keys said.
        cause: ssh_key::Error,
    },
    /// The file that was chosen has an RSA key.
    #[error(
        "{path:?} is an RSA key, and those are not accepted. Make an Ed25519 key with: \
         ssh-keygen -t ed25519"
    )]
    Rsa {
        /// Where it is.
        path: PathBuf,
    },
    /// The file that was chosen has a key of another algorithm that is not accepted.
    #[error(
        "{path:?} is a key of {algorithm}, which is not accepted. Make an Ed25519 key with: \
         ssh-keygen -t ed25519"
    )]
    Algorithm {
        /// Where it is.
        path: PathBuf,
        /// What SSH calls the algorithm.
        algorithm: String,
    },
    /// Others can read the file, or write it.
    #[error("others have access to the identity key {path:?}. Run: chmod 600 {path:?}")]
    Exposed {
        /// Where the key's file is.
        path: PathBuf,
    },
    /// The system gives no random numbers.
    #[error("the system gives no random numbers: {0}")]
    Random(#[from] getrandom::Error),
}

/// A key that was read.
#[derive(Clone)]
pub struct Key {
    private: PrivateKey,
    seed: [u8; 32],
}

impl Key {
    /// Reads a key of this program's own, if there is one. A symbolic link is not followed.
    ///
    /// # Errors
    /// [`KeyError`].
    pub fn read(path: &Path) -> Result<Option<Self>, KeyError> {
        read(path, open_to_read(path))
    }

    /// Reads the key of a file; made when there is none. Processes that make it at the same time
    /// all get the same one.
    ///
    /// # Errors
    /// [`KeyError`].
    pub fn read_or_make(path: &Path, comment: &str) -> Result<Self, KeyError> {
        if let Some(key) = Self::read(path)? {
            return Ok(key);
        }
        make(path, comment)?;
        Self::read(path)?.ok_or_else(|| failed(path)(io::ErrorKind::NotFound.into()))
    }

    /// The secret from which the key is made (RFC 8032).
    #[must_use]
    pub fn seed(&self) -> &[u8; 32] {
        &self.seed
    }

    /// What people compare, as `ssh-keygen -l` shows it: `SHA256:…`.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        self.private.fingerprint(HashAlg::Sha256).to_string()
    }

    /// The line of a `.pub` file, without its end.
    ///
    /// # Errors
    /// The key's comment cannot be written.
    pub fn public_line(&self) -> Result<String, ssh_key::Error> {
        self.private.public_key().to_openssh()
    }
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Key({})", self.fingerprint())
    }
}

fn read(path: &Path, opened: io::Result<File>) -> Result<Option<Key>, KeyError> {
    let file = match opened {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(path)(error)),
    };
    if file.metadata().map_err(failed(path))?.mode() & OTHERS != 0 {
        return Err(KeyError::Exposed { path: path.to_owned() });
    }
    let mut text = String::new();
    file.take(BYTES_MAX).read_to_string(&mut text).map_err(failed(path))?;
    let private = PrivateKey::from_openssh(&text).map_err(unusable(path))?;
    let pair = private.key_data().ed25519();
    let seed = pair.ok_or_else(|| KeyError::Kind { path: path.to_owned() })?.private.to_bytes();
    Ok(Some(Key { private, seed }))
}

/// Writes a new key under another name, then gives it its own unless another process was faster: who
/// is killed meanwhile leaves a key or none.
fn make(path: &Path, comment: &str) -> Result<(), KeyError> {
    let (mut seed, mut suffix) = ([0; 32], [0; 8]);
    getrandom::fill(&mut seed)?;
    getrandom::fill(&mut suffix)?;
    let mut key = PrivateKey::from(Ed25519Keypair::from_seed(&seed));
    key.set_comment(comment);
    let text = key.to_openssh(LineEnding::LF).map_err(unusable(path))?;
    debug_assert!((text.len() as u64) < BYTES_MAX, "a key that is made here is read whole");
    let temporary = path.with_extension(format!("new-{:016x}", u64::from_le_bytes(suffix)));
    let placed = place(&temporary, path, text.as_bytes());
    let removed = match std::fs::remove_file(&temporary) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        Ok(()) | Err(_) => Ok(()),
    };
    placed.and(removed).map_err(failed(path))
}

fn place(temporary: &Path, path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = open(temporary, OpenOptions::new().write(true).create_new(true))?;
    file.write_all(bytes)?;
    file.sync_all()?;
    match std::fs::hard_link(temporary, path) {
        Ok(()) => sync_parent(path),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        // A file system without links. Nothing is overwritten here either, but for a moment in
        // which two processes start for the first time.
        Err(_no_links) if !path.exists() => {
            std::fs::rename(temporary, path)?;
            sync_parent(path)
        }
        Err(error) => Err(error),
    }
}

pub(crate) fn failed(path: &Path) -> impl Fn(io::Error) -> KeyError + '_ {
    |cause| KeyError::Io { path: path.to_owned(), cause }
}

fn unusable(path: &Path) -> impl Fn(ssh_key::Error) -> KeyError + '_ {
    |cause| KeyError::Unusable { path: path.to_owned(), cause }
}

#[cfg(test)]
mod tests {
    use std::fs::Permissions;
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    fn place_for_one() -> (tempfile::TempDir, PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("key");
        (dir, path)
    }

    #[test]
    fn a_key_is_made_once_for_its_owner_alone_and_nothing_else_is_left() {
        let (dir, path) = place_for_one();
        assert!(Key::read(&path).unwrap().is_none());
        let first = Key::read_or_make(&path, "a comment").unwrap();
        let again = Key::read_or_make(&path, "another").unwrap();
        assert_eq!(first.seed(), again.seed());
        assert_eq!(path.metadata().unwrap().mode() & 0o777, 0o600);
        assert_eq!(dir.path().read_dir().unwrap().count(), 1);
        assert!(first.public_line().unwrap().ends_with(" a comment"));
        let public: ssh_key::PublicKey = first.public_line().unwrap().parse().unwrap();
        assert_eq!(public.fingerprint(HashAlg::Sha256).to_string(), first.fingerprint());
    }

    #[test]
    fn many_that_start_at_once_get_one_key() {
        let (_dir, path) = place_for_one();
        let seeds: Vec<_> = std::thread::scope(|scope| {
            let load = || *Key::read_or_make(&path, "").unwrap().seed();
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(load)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert!(seeds.iter().all(|seed| *seed == seeds[0]));
    }

    #[test]
    fn a_key_that_others_can_reach_is_refused() {
        let (_dir, path) = place_for_one();
        Key::read_or_make(&path, "").unwrap();
        for mode in [0o640, 0o604, 0o620] {
            std::fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
            let refused = Key::read(&path).unwrap_err();
            assert!(matches!(refused, KeyError::Exposed { .. }), "{refused}");
            assert!(refused.to_string().contains("chmod 600"), "{refused}");
        }
    }

    #[test]
    fn a_file_that_is_no_key_is_refused_and_kept() {
        let (_dir, path) = place_for_one();
        Key::read_or_make(&path, "").unwrap();
        std::fs::write(&path, "hello").unwrap();
        let refused = Key::read_or_make(&path, "").unwrap_err();
        assert!(matches!(refused, KeyError::Unusable { .. }), "{refused}");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "hello");
    }

    #[test]
    fn a_made_key_is_not_read_through_a_link() {
        let (dir, path) = place_for_one();
        Key::read_or_make(&path, "").unwrap();
        let link = dir.path().join("link");
        symlink(&path, &link).unwrap();
        let refused = Key::read(&link).unwrap_err().to_string();
        assert!(refused.contains("symbolic link"), "{refused}");
    }
}
