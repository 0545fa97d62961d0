//! A key in a file that somebody chose: one that they have already, of `ssh-keygen`'s making.
//!
//! It must not know where a passphrase comes from.

use std::fs::File;
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use ssh_key::{Algorithm, EcdsaCurve, PrivateKey, PublicKey};

use crate::key::{BYTES_MAX, KeyError, OTHERS, failed};

/// What was found.
#[derive(Clone, Debug)]
pub enum ChosenKey {
    /// A private key.
    Private(PrivateKey),
    /// A private key behind a passphrase.
    Locked(LockedKey),
    /// A key whose secret is elsewhere: a public key, or the handle of a security key.
    Public(PublicKey),
}

/// A private key behind a passphrase.
#[derive(Clone, Debug)]
pub struct LockedKey(PrivateKey);

impl LockedKey {
    /// The key; `None` when it is another passphrase.
    #[must_use]
    pub fn unlock(&self, passphrase: &str) -> Option<PrivateKey> {
        // What it says when the passphrase is wrong depends on where the garbage ends to make sense.
        self.0.decrypt(passphrase).ok()
    }
}

impl ChosenKey {
    /// Reads a key. A symbolic link to it is followed. What no key of its algorithm is good for is told
    /// before anybody is asked for a passphrase.
    ///
    /// # Errors
    /// [`KeyError`], also when there is none.
    pub fn read(path: &Path) -> Result<Self, KeyError> {
        let file = File::open(path).map_err(failed(path))?;
        let mode = file.metadata().map_err(failed(path))?.mode();
        let mut text = String::new();
        file.take(BYTES_MAX).read_to_string(&mut text).map_err(failed(path))?;
        if !text.starts_with("-----BEGIN") {
            let public = PublicKey::from_openssh(text.trim()).map_err(no_key(path))?;
            accepted(path, &public.algorithm())?;
            return Ok(Self::Public(public));
        }
        if mode & OTHERS != 0 {
            return Err(KeyError::Exposed { path: path.to_owned() });
        }
        if text.starts_with("-----BEGIN RSA ") {
            return Err(KeyError::Rsa { path: path.to_owned() });
        }
        let private = PrivateKey::from_openssh(&text).map_err(no_key(path))?;
        accepted(path, &private.public_key().algorithm())?;
        if private.public_key().algorithm() == Algorithm::SkEd25519 {
            return Ok(Self::Public(private.public_key().clone()));
        }
        Ok(match private.is_encrypted() {
            true => Self::Locked(LockedKey(private)),
            false => Self::Private(private),
        })
    }
}

/// Whether servers take keys of an algorithm.
fn accepted(path: &Path, algorithm: &Algorithm) -> Result<(), KeyError> {
    const ACCEPTED: [Algorithm; 3] = [
        Algorithm::Ed25519,
        Algorithm::SkEd25519,
        Algorithm::Ecdsa { curve: EcdsaCurve::NistP256 },
    ];
    let path = || path.to_owned();
    if ACCEPTED.contains(algorithm) {
        return Ok(());
    }
    Err(match matches!(algorithm, Algorithm::Rsa { .. }) {
        true => KeyError::Rsa { path: path() },
        false => KeyError::Algorithm { path: path(), algorithm: algorithm.to_string() },
    })
}

/// A file that was chosen is nobody's identity yet: there is nothing to restore.
fn no_key(path: &Path) -> impl Fn(ssh_key::Error) -> KeyError + '_ {
    |cause| KeyError::NoKey { path: path.to_owned(), cause }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::OpenOptionsExt;
    use std::path::PathBuf;
    use std::{fs, io::Write};

    use super::*;

    const ED25519: &str = include_str!("../../../tests/keys/ed25519");
    const LOCKED: &str = include_str!("../../../tests/keys/ed25519_locked");
    const P256: &str = include_str!("../../../tests/keys/p256");
    const P384: &str = include_str!("../../../tests/keys/p384");
    const RSA: &str = include_str!("../../../tests/keys/rsa");

    fn file(text: &str, mode: u32) -> (tempfile::TempDir, PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("key");
        let mut options = fs::OpenOptions::new();
        let mut file = options.write(true).create_new(true).mode(mode).open(&path).unwrap();
        file.write_all(text.as_bytes()).unwrap();
        (dir, path)
    }

    fn refusal(text: &str) -> String {
        let (_dir, path) = file(text, 0o600);
        ChosenKey::read(&path).unwrap_err().to_string()
    }

    #[test]
    fn keys_of_ssh_keygen_are_read_with_their_comments() {
        for (text, comment) in [(ED25519, "ada@example"), (P256, "p256@example")] {
            let (_dir, path) = file(text, 0o600);
            let ChosenKey::Private(key) = ChosenKey::read(&path).unwrap() else {
                panic!("{comment}")
            };
            assert_eq!(key.comment(), comment);
        }
    }

    #[test]
    fn a_locked_key_opens_with_its_passphrase_alone() {
        let (_dir, path) = file(LOCKED, 0o600);
        let ChosenKey::Locked(locked) = ChosenKey::read(&path).unwrap() else { panic!("it is") };
        assert!(locked.unlock("open sesamy").is_none());
        assert!(locked.unlock("").is_none());
        let key = locked.unlock("open sesame").unwrap();
        assert_eq!(key.comment(), "locked@example");
        assert_eq!(key.public_key().key_data(), locked.0.public_key().key_data());
    }

    #[test]
    fn rsa_is_refused_with_the_line_to_type() {
        let told = refusal(RSA);
        assert!(told.contains("RSA") && told.contains("ssh-keygen -t ed25519"), "{told}");
        let told = refusal("-----BEGIN RSA PRIVATE KEY-----\nMIIB\n");
        assert!(told.contains("ssh-keygen -t ed25519"), "{told}");
        let (_dir, path) = file(RSA, 0o600);
        let private = PrivateKey::from_openssh(fs::read_to_string(path).unwrap()).unwrap();
        let told = refusal(&private.public_key().to_openssh().unwrap());
        assert!(told.contains("ssh-keygen -t ed25519"), "{told}");
    }

    #[test]
    fn another_curve_is_refused_by_its_name() {
        let told = refusal(P384);
        assert!(told.contains("ecdsa-sha2-nistp384") && told.contains("ssh-keygen -t"), "{told}");
    }

    #[test]
    fn a_public_key_is_one_whoever_may_read_it() {
        let private = PrivateKey::from_openssh(ED25519).unwrap();
        let (_dir, path) = file(&(private.public_key().to_openssh().unwrap() + "\n"), 0o644);
        let ChosenKey::Public(key) = ChosenKey::read(&path).unwrap() else { panic!("it is") };
        assert_eq!(key.key_data(), private.public_key().key_data());
    }

    #[test]
    fn a_private_key_that_others_can_reach_is_refused() {
        let (_dir, path) = file(ED25519, 0o640);
        let told = ChosenKey::read(&path).unwrap_err().to_string();
        assert!(told.contains("chmod 600"), "{told}");
    }

    #[test]
    fn what_is_no_key_is_told_so() {
        for text in ["", "hello", "-----BEGIN OPENSSH PRIVATE KEY-----\nhello\n"] {
            assert!(refusal(text).contains("is no OpenSSH key"), "{text}: {}", refusal(text));
        }
    }
}
