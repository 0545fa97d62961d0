//! The key that is a person: one OpenSSH Ed25519 private key for each name, made on first use, or one
//! that somebody has chosen ([`IdentityChoice`]), which an agent may hold.

mod agent;
mod choice;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use chat_files::create_dir;
use chat_files::key::{Key, KeyError};
use chat_proto::{
    Credential, Nickname, PublicKey, SignIn, SshKey, Token, TokenId, names_collide, sshsig_message,
};
use ed25519_dalek::{Signer as Sign, SigningKey};
use ssh_key::PrivateKey;

use crate::target::Fingerprint;
use agent::{Agent, AgentKey};

pub use agent::{AgentError, is_agent_answer};
pub use choice::{IdentityChoice, IdentityError, PassphraseError};

/// A person's key.
#[derive(Clone)]
pub struct Identity {
    credential: Credential,
    signer: Arc<Signer>,
}

/// Who signs for the person.
enum Signer {
    /// This program, natively.
    Ed25519(SigningKey),
    /// This program, with a token.
    Token(SigningKey),
    /// This program, as SSH does.
    Ssh(Box<PrivateKey>),
    /// An agent, as SSH does.
    Agent(Agent, AgentKey),
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

    /// A key of 32 secret random bytes.
    #[must_use]
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        let key = SigningKey::from_bytes(seed);
        let credential = Credential::Key(PublicKey(key.verifying_key().to_bytes()));
        Self { credential, signer: Arc::new(Signer::Ed25519(key)) }
    }

    /// The key of a token.
    #[must_use]
    pub fn of_token(token: &Token) -> Self {
        let key = SigningKey::from_bytes(&token.0);
        let public = PublicKey(key.verifying_key().to_bytes());
        let credential = Credential::Token(TokenId::of_key(&public));
        Self { credential, signer: Arc::new(Signer::Token(key)) }
    }

    /// What it signs in as.
    #[must_use]
    pub fn credential(&self) -> Credential {
        self.credential
    }

    /// What people compare, as `ssh-keygen -l` shows it.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint(self.credential.fingerprint())
    }

    /// What to tell of a key that an agent holds: which one it is. `None`: this program holds the key.
    #[must_use]
    pub fn agents_key(&self) -> Option<String> {
        match &*self.signer {
            Signer::Ed25519(_) | Signer::Token(_) | Signer::Ssh(_) => None,
            Signer::Agent(_, key) => Some(key.to_string()),
        }
    }

    /// The answer to a challenge.
    ///
    /// # Errors
    /// [`AgentError`] when the agent does not sign.
    pub(crate) async fn sign_in(
        &self,
        transcript: &[u8],
        name: &str,
    ) -> Result<SignIn, AgentError> {
        let (key, signature) = match (&*self.signer, self.credential) {
            (Signer::Ed25519(key), Credential::Key(public)) => {
                return Ok(SignIn::with_key(public, key.sign(transcript).to_bytes(), name));
            }
            (Signer::Token(key), _) => {
                let public = PublicKey(key.verifying_key().to_bytes());
                return Ok(SignIn::with_token(public, key.sign(transcript).to_bytes()));
            }
            (Signer::Ed25519(_), _) => unreachable!("it is made with its credential"),
            (Signer::Ssh(key), _) => {
                let message = sshsig_message(transcript);
                let signature: ssh_key::Signature = Sign::sign(&**key, &message);
                let signature = Vec::try_from(signature).expect("memory takes it");
                (key.public_key().to_bytes().expect("memory takes it"), signature)
            }
            (Signer::Agent(agent, key), _) => {
                (key.bytes.clone(), agent.sign(key, &sshsig_message(transcript)).await?)
            }
        };
        Ok(SignIn::with_ssh_key(&key, &signature, name).expect("both were looked at"))
    }

    /// A private key of somebody's; `None` when servers do not take its algorithm.
    fn of_private_key(key: PrivateKey) -> Option<Self> {
        if let Some(pair) = key.key_data().ed25519() {
            return Some(Self::from_seed(&pair.private.to_bytes()));
        }
        let bytes = key.public_key().to_bytes().ok()?;
        let credential = SshKey::read(&bytes)?.credential(&bytes);
        Some(Self { credential, signer: Arc::new(Signer::Ssh(Box::new(key))) })
    }
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Identity({})", self.fingerprint())
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
        assert_eq!(first.credential(), again.credential());
        assert_ne!(first.credential(), other.credential());
    }

    #[test]
    fn a_name_in_another_case_has_the_same_key() {
        let dir = tempfile::tempdir().unwrap();
        let key = |name| {
            let name = Nickname::parse(name).unwrap();
            Identity::load_or_create(dir.path(), &name).unwrap().credential()
        };
        let upper = key("CI");
        assert_eq!(key("ci"), upper);
        assert_eq!(key("Ci"), upper);
        assert_ne!(key("ci-2"), upper);
    }

    #[test]
    fn a_made_key_is_not_read_through_a_link() {
        let dir = tempfile::tempdir().unwrap();
        Identity::load_or_create(dir.path(), &ada()).unwrap();
        let (made, moved) = (dir.path().join("identity/ada.key"), dir.path().join("moved"));
        std::fs::rename(&made, &moved).unwrap();
        std::os::unix::fs::symlink(&moved, &made).unwrap();
        let refused = Identity::load_or_create(dir.path(), &ada()).unwrap_err().to_string();
        assert!(refused.contains("symbolic link"), "{refused}");
    }
}
