//! The daemon's identity: one OpenSSH Ed25519 private key, made at the first start. Its
//! fingerprint is what people see in join lines and what clients pin.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use chat_core::ServerKey;
use ssh_key::private::Ed25519Keypair;
use ssh_key::{HashAlg, LineEnding, PrivateKey};

/// A key file that is longer is none.
const KEY_FILE_BYTES_MAX: u64 = 64 * 1024;

/// Readable and writable by the owner only.
const FILE_MODE: u32 = 0o600;

/// Of the public half: for whoever wants to read it.
const PUBLIC_MODE: u32 = 0o644;

/// The same of a directory.
const DIR_MODE: u32 = 0o700;

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

/// Says why the daemon has no identity, and what to do.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// The file cannot be read or made.
    #[error("the identity key {path:?} cannot be read or made: {cause}. Look at its directory")]
    Io {
        /// The file.
        path: PathBuf,
        /// Why not.
        cause: io::Error,
    },
    /// The file is none.
    #[error(
        "the identity key {path:?} cannot be used: {cause}. Restore it from a backup; \
         with a new one, no client knows this server any more"
    )]
    Key {
        /// The file.
        path: PathBuf,
        /// Why not.
        cause: ssh_key::Error,
    },
    /// The file has a key of another kind, or one with a passphrase.
    #[error(
        "the identity key {path:?} is no Ed25519 key without a passphrase. Make one with: \
         ssh-keygen -t ed25519 -N '' -f {path:?}"
    )]
    Kind {
        /// The file.
        path: PathBuf,
    },
    /// Others can read the file, or write it.
    #[error("others have access to the identity key {path:?}. Run: chmod 600 {path:?}")]
    Exposed {
        /// The file.
        path: PathBuf,
    },
    /// The system gives no random numbers.
    #[error("the system gives no random numbers: {0}")]
    Random(#[from] getrandom::Error),
}

impl Identity {
    /// The identity under a data directory; made when there is none. Its public half is written
    /// beside it, for people.
    ///
    /// # Errors
    /// [`IdentityError`] says why not, and what to do.
    pub fn load_or_make(data_dir: &Path) -> Result<Self, IdentityError> {
        let path = data_dir.join("identity");
        let failed = |cause| IdentityError::Io { path: path.clone(), cause };
        DirBuilder::new().recursive(true).mode(DIR_MODE).create(data_dir).map_err(failed)?;
        let key = match read(&path)? {
            Some(key) => key,
            None => {
                place(&path, &new_key(&path)?).map_err(failed)?;
                read(&path)?.ok_or_else(|| failed(io::ErrorKind::NotFound.into()))?
            }
        };
        publish(&path, &key)?;
        let fingerprint = key.fingerprint(HashAlg::Sha256).to_string();
        let pair = key.key_data().ed25519().ok_or(IdentityError::Kind { path })?;
        Ok(Self { key: ServerKey::from_seed(&pair.private.to_bytes()), fingerprint })
    }
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Identity({})", self.fingerprint)
    }
}

fn read(path: &Path) -> Result<Option<PrivateKey>, IdentityError> {
    let failed = |cause| IdentityError::Io { path: path.to_owned(), cause };
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(error)),
    };
    if file.metadata().map_err(failed)?.mode() & 0o077 != 0 {
        return Err(IdentityError::Exposed { path: path.to_owned() });
    }
    let mut text = String::new();
    file.take(KEY_FILE_BYTES_MAX).read_to_string(&mut text).map_err(failed)?;
    let unusable = |cause| IdentityError::Key { path: path.to_owned(), cause };
    let key = PrivateKey::from_openssh(&text).map_err(unusable)?;
    match key.key_data().ed25519() {
        Some(_) => Ok(Some(key)),
        None => Err(IdentityError::Kind { path: path.to_owned() }),
    }
}

fn new_key(path: &Path) -> Result<String, IdentityError> {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed)?;
    let mut key = PrivateKey::from(Ed25519Keypair::from_seed(&seed));
    key.set_comment(COMMENT);
    let text = key.to_openssh(LineEnding::LF);
    let text = text.map_err(|cause| IdentityError::Key { path: path.to_owned(), cause })?;
    Ok(text.to_string())
}

/// Writes the whole file under another name, then gives it its own: a start that is killed leaves
/// a key or none, and never replaces one.
fn place(path: &Path, text: &str) -> io::Result<()> {
    let temporary = temporary_of(path);
    write_new(&temporary, FILE_MODE, text)?;
    // A file system without links can still rename: the data directory's lock keeps others away.
    if std::fs::hard_link(&temporary, path).is_ok() || path.exists() {
        std::fs::remove_file(&temporary)?;
    } else {
        std::fs::rename(&temporary, path)?;
    }
    match path.parent() {
        Some(dir) => File::open(dir)?.sync_all(),
        None => Ok(()),
    }
}

/// Writes the public half where it is missing or differs.
fn publish(path: &Path, key: &PrivateKey) -> Result<(), IdentityError> {
    let public = path.with_extension("pub");
    let text = key.public_key().to_openssh();
    let text = text.map_err(|cause| IdentityError::Key { path: path.to_owned(), cause })? + "\n";
    if std::fs::read_to_string(&public).is_ok_and(|present| present == text) {
        return Ok(());
    }
    let failed = |cause| IdentityError::Io { path: public.clone(), cause };
    let temporary = temporary_of(&public);
    write_new(&temporary, PUBLIC_MODE, &text).map_err(failed)?;
    std::fs::rename(&temporary, &public).map_err(failed)
}

/// A name beside a file, of this process.
fn temporary_of(path: &Path) -> PathBuf {
    path.with_extension(format!("new-{}", std::process::id()))
}

/// Writes a whole file that nobody has made for us: what a symbolic link leads to is not touched.
fn write_new(path: &Path, mode: u32, text: &str) -> io::Result<()> {
    // A process of this number may have been killed here.
    drop(std::fs::remove_file(path));
    let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

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
        assert_eq!(mode(&data_dir), 0o700);
        assert!(first.fingerprint.starts_with("SHA256:"), "{}", first.fingerprint);

        let mut names: Vec<_> =
            data_dir.read_dir().unwrap().map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        assert_eq!(names, ["identity", "identity.pub"]);
    }

    #[test]
    fn the_public_half_has_the_fingerprint_and_comes_back() {
        let dir = tempfile::tempdir().unwrap();
        let identity = Identity::load_or_make(dir.path()).unwrap();
        let path = dir.path().join("identity.pub");
        std::fs::write(&path, "old").unwrap();
        Identity::load_or_make(dir.path()).unwrap();
        let public = ssh_key::PublicKey::read_openssh_file(&path).unwrap();
        assert_eq!(public.fingerprint(HashAlg::Sha256).to_string(), identity.fingerprint);
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

    #[test]
    fn a_key_that_others_can_reach_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        Identity::load_or_make(dir.path()).unwrap();
        let path = dir.path().join("identity");
        for mode in [0o640, 0o604, 0o620] {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            let refused = Identity::load_or_make(dir.path()).unwrap_err();
            assert!(refused.to_string().contains("chmod 600"), "{refused}");
        }
    }

    #[test]
    fn a_file_that_is_no_key_is_refused_and_kept() {
        let dir = tempfile::tempdir().unwrap();
        Identity::load_or_make(dir.path()).unwrap();
        let path = dir.path().join("identity");
        std::fs::write(&path, "hello").unwrap();
        let refused = Identity::load_or_make(dir.path());
        assert!(matches!(refused, Err(IdentityError::Key { .. })));
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "hello");
    }
}
