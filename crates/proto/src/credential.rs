//! Credentials: what an account signs in with. An account is not its credential: it may have
//! several, and lose one.

use sha2::{Digest, Sha256};

use crate::ids::{bytes_id, first_16_of_sha256};
use crate::ssh::ssh_ed25519_key;
use crate::wire::{Decode, Encode};
use crate::{CredentialId, CredentialKind, PublicKey, SshKey};

/// What one sign-in proves. On the wire it is the number of its kind and 32 bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Credential {
    /// A key: its holder signs the challenge.
    Key(PublicKey),
    /// A program's token.
    Token(TokenId),
    /// An ECDSA key on P-256.
    EcdsaP256(KeyDigest),
    /// An Ed25519 key on a security key.
    SkEd25519(KeyDigest),
}

bytes_id! {
    /// Names a token without telling it.
    TokenId[32]
}

bytes_id! {
    /// Names a key that has more than 32 bytes: SHA-256 of it as SSH writes it, which `ssh-keygen -l`
    /// shows as `SHA256:…`.
    KeyDigest[32]
}

impl KeyDigest {
    /// The digest of a public key as SSH writes it.
    #[must_use]
    pub fn of(ssh_key: &[u8]) -> Self {
        Self(Sha256::digest(ssh_key).into())
    }
}

impl Credential {
    /// The credential of a kind's number and its bytes, when this version knows the kind.
    #[must_use]
    pub fn from_parts(kind: u16, bytes: [u8; 32]) -> Option<Self> {
        Some(match CredentialKind::from_number(kind)? {
            CredentialKind::Key => Self::Key(PublicKey(bytes)),
            CredentialKind::Token => Self::Token(TokenId(bytes)),
            CredentialKind::EcdsaP256 => Self::EcdsaP256(KeyDigest(bytes)),
            CredentialKind::SkEd25519 => Self::SkEd25519(KeyDigest(bytes)),
        })
    }

    /// What kind of credential it is.
    #[must_use]
    pub fn kind(&self) -> CredentialKind {
        match self {
            Self::Key(_) => CredentialKind::Key,
            Self::Token(_) => CredentialKind::Token,
            Self::EcdsaP256(_) => CredentialKind::EcdsaP256,
            Self::SkEd25519(_) => CredentialKind::SkEd25519,
        }
    }

    /// Its id: SHA-256 of a domain string, the number of its kind as `u16` LE, and its bytes, cut to
    /// its first 16 bytes.
    #[must_use]
    pub fn id(&self) -> CredentialId {
        let mut bytes = [0; 52];
        bytes[..18].copy_from_slice(b"chatd credential 1");
        bytes[18..20].copy_from_slice(&(self.kind() as u16).to_le_bytes());
        bytes[20..].copy_from_slice(self.bytes());
        CredentialId(first_16_of_sha256(&bytes))
    }

    /// What tells it from the others of its kind.
    #[must_use]
    pub fn bytes(&self) -> &[u8; 32] {
        match self {
            Self::Key(PublicKey(bytes))
            | Self::Token(TokenId(bytes))
            | Self::EcdsaP256(KeyDigest(bytes))
            | Self::SkEd25519(KeyDigest(bytes)) => bytes,
        }
    }

    /// What people compare, as `ssh-keygen -l` shows it behind `SHA256:`; of a token, its name.
    #[must_use]
    pub fn fingerprint(&self) -> [u8; 32] {
        match self {
            Self::Key(key) => KeyDigest::of(&ssh_ed25519_key(key)).0,
            Self::Token(TokenId(bytes))
            | Self::EcdsaP256(KeyDigest(bytes))
            | Self::SkEd25519(KeyDigest(bytes)) => *bytes,
        }
    }
}

impl SshKey<'_> {
    /// The credential of a key, of which these are the bytes that SSH writes.
    #[must_use]
    pub fn credential(&self, bytes: &[u8]) -> Credential {
        debug_assert!(SshKey::read(bytes) == Some(*self), "the bytes are those of the key");
        match self {
            SshKey::Ed25519(key) => Credential::Key(*key),
            SshKey::EcdsaP256(_) => Credential::EcdsaP256(KeyDigest::of(bytes)),
            SshKey::SkEd25519 { .. } => Credential::SkEd25519(KeyDigest::of(bytes)),
        }
    }
}

impl From<PublicKey> for Credential {
    fn from(key: PublicKey) -> Self {
        Self::Key(key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_credential_is_its_kind_and_its_bytes() {
        for kind in CredentialKind::ALL {
            let credential = Credential::from_parts(*kind as u16, [7; 32]).unwrap();
            assert_eq!((credential.kind(), credential.bytes()), (*kind, &[7; 32]));
        }
        assert_eq!(Credential::from_parts(0, [7; 32]), None);
        assert_eq!(Credential::from_parts(u16::MAX, [7; 32]), None);
    }
}
