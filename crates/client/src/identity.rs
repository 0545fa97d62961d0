//! The key that is a person: one OpenSSH Ed25519 private key for each name, made on first use.

use std::io;
use std::path::{Path, PathBuf};

use chat_files::create_dir;
use chat_files::key::{Key, KeyError};
use chat_proto::{Nickname, PublicKey, names_collide};
use ed25519_dalek::{Signer, SigningKey};

/// A person's key.
#[derive(Clone)]
pub struct Identity {
    key: SigningKey,
}

impl Identity {
    /// The key of `name` under `data_dir`; made when there is none yet. Processes that make it at
    /// the same time all get the same one.
    ///
    /// # Errors
    /// [`KeyError`].
    pub fn load_or_create(data_dir: &Path, name: &Nickname) -> Result<Self, KeyError> {
        let dir = data_dir.join("identity");
        let path = dir.join(format!("{name}.key"));
        let io = |cause| KeyError::Io { path: path.clone(), cause };
        create_dir(&dir).map_err(io)?;
        if let Some(key) = Key::read(&path)? {
            return Ok(Self::from_seed(key.seed()));
        }
        let path = key_of_colliding_name(&dir, name).map_err(io)?.unwrap_or(path);
        Ok(Self::from_seed(Key::read_or_make(&path, "")?.seed()))
    }

    /// The key in a file that somebody chose: a symbolic link to it is followed.
    ///
    /// # Errors
    /// [`KeyError`].
    pub fn load(path: &Path) -> Result<Self, KeyError> {
        Ok(Self::from_seed(Key::read_chosen(path)?.seed()))
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
