//! A line of an `authorized_keys` file: whose key it is, and what signs in with it.
//!
//! It must not know who is given an account, and for what.

use chat_proto::{Credential, KeyDigest, PublicKey};
use ssh_key::authorized_keys::Entry;
use ssh_key::public::KeyData;
use ssh_key::{EcdsaCurve, HashAlg};

/// A key that somebody can sign in with.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct AuthorizedKey {
    pub(super) credential: Credential,
    /// What people compare, as `ssh-keygen -l` shows it.
    pub(super) fingerprint: String,
    /// What stands behind the key; mostly somebody's name.
    pub(super) comment: String,
}

/// Why a line is not taken.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub(super) enum LineError {
    /// It is not understood.
    #[error("it is no line of an authorized_keys file: {0}")]
    NoKey(ssh_key::Error),
    /// It says more than whose the key is.
    #[error(
        "it has options ({0}), which mean something to sshd and nothing here. Remove them to let the \
         key in without them"
    )]
    Options(String),
    /// Its kind is not taken.
    #[error(
        "keys of the kind {0} are not taken: make one with ssh-keygen -t ed25519 (or ecdsa -b 256, \
         ed25519-sk)"
    )]
    Kind(String),
}

impl AuthorizedKey {
    /// Reads a line that is neither empty nor a comment.
    #[expect(clippy::wildcard_enum_match_arm, reason = "more kinds may come, and are not taken")]
    pub(super) fn read(line: &str) -> Result<Self, LineError> {
        let entry: Entry = line.trim().parse().map_err(LineError::NoKey)?;
        if !entry.config_opts().is_empty() {
            return Err(LineError::Options(entry.config_opts().to_string()));
        }
        let key = entry.public_key();
        let blob = key.to_bytes().map_err(LineError::NoKey)?;
        let credential = match key.key_data() {
            KeyData::Ed25519(key) => Credential::Key(PublicKey(key.0)),
            KeyData::Ecdsa(key) if key.curve() == EcdsaCurve::NistP256 => {
                Credential::EcdsaP256(KeyDigest::of(&blob))
            }
            KeyData::SkEd25519(_) => Credential::SkEd25519(KeyDigest::of(&blob)),
            _ => return Err(LineError::Kind(key.algorithm().to_string())),
        };
        let fingerprint = key.fingerprint(HashAlg::Sha256).to_string();
        Ok(Self { credential, fingerprint, comment: key.comment().trim().to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ED25519: &str =
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAILM+rvN+ot98qgEN796jTiQfZfG1KaT0PtFDJ/XFSqti";

    #[test]
    fn a_key_is_read_with_its_comment() {
        let key = AuthorizedKey::read(&format!("  {ED25519} ada lovelace \n")).unwrap();
        assert_eq!(key.comment, "ada lovelace");
        assert!(matches!(key.credential, Credential::Key(_)), "{key:?}");
        assert_eq!(key.fingerprint, "SHA256:UCUiLr7Pjs9wFFJMDByLgc3NrtdU344OgUM45wZPcIQ");
        assert_eq!(AuthorizedKey::read(ED25519).unwrap().comment, "");
    }

    #[test]
    fn options_and_other_kinds_are_refused_with_what_to_do() {
        let with_options = AuthorizedKey::read(&format!("no-pty,command=\"ls\" {ED25519} ada"));
        let said = with_options.unwrap_err().to_string();
        assert!(said.contains("no-pty") && said.contains("Remove them"), "{said}");
        for line in ["ada", "ssh-ed25519 AAAA ada", "ssh-ed25519", "ssh-dss x ada", "# no", ""] {
            let refused = AuthorizedKey::read(line);
            assert!(matches!(refused, Err(LineError::NoKey(_))), "{line}: {refused:?}");
        }
    }
}
