//! Which key somebody wants to be, when it is not the one of their name.
//!
//! A key is chosen once, before anything is said to a server: keys are not tried one after the other,
//! since each of them would be another account.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use chat_files::chosen::{ChosenKey, LockedKey};
use chat_files::key::KeyError;
use chat_inert::inert;
use ssh_key::PublicKey;

use super::agent::{Agent, AgentError, AgentKey};
use super::{Identity, Signer};
use crate::target::Fingerprint;

/// How often a passphrase may be wrong.
const ATTEMPTS: usize = 3;

/// How many keys of an agent a sentence lists.
const LISTED_MAX: usize = 5;

/// Which key somebody wants to be.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum IdentityChoice {
    /// The key of a file: a private key, or a public one of which an agent holds the other half.
    File(PathBuf),
    /// The one key that the agent holds.
    Agent,
    /// The agent's key of this fingerprint.
    AgentFingerprint(Fingerprint),
    /// The agent's key that its owner calls so.
    AgentComment(String),
}

/// Why a chosen key cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// The file cannot be used.
    #[error(transparent)]
    File(#[from] KeyError),
    /// The agent's key cannot be had.
    #[error(transparent)]
    Agent(#[from] AgentError),
    /// The file has a public key, and no agent its other half.
    #[error("the secret of {path:?} is elsewhere, and so an ssh-agent has to hold it: {cause}")]
    NotInAgent {
        /// The file.
        path: PathBuf,
        /// Why the agent's key cannot be had.
        cause: AgentError,
    },
    /// The key has a passphrase, and nobody can be asked.
    #[error(
        "the key {path:?} has a passphrase: {cause}. Give the key to an agent, with ssh-add {path:?}, \
         and say --identity agent"
    )]
    Passphrase {
        /// The file.
        path: PathBuf,
        /// Why nobody was asked, or nothing answered.
        cause: PassphraseError,
    },
}

/// Why there is no passphrase.
#[derive(Debug, thiserror::Error)]
pub enum PassphraseError {
    /// There is no terminal.
    #[error("there is no terminal to ask for it at ({0})")]
    NoTerminal(io::Error),
    /// Whoever was asked did not want to say.
    #[error("it was not given")]
    NotGiven,
    /// It was wrong each time.
    #[error("it was wrong {ATTEMPTS} times")]
    Wrong,
}

impl IdentityChoice {
    /// Reads a choice: `agent`, `agent:COMMENT`, `SHA256:…`, or else a file, whose path `as_path` makes.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(
        text: &str,
        as_path: impl FnOnce(&str) -> Result<PathBuf, String>,
    ) -> Result<Self, String> {
        match text {
            "agent" => Ok(Self::Agent),
            "agent:" => Err("behind agent: is the comment of the key, as in ssh-add -l".to_owned()),
            _ => {
                if let Some(comment) = text.strip_prefix("agent:") {
                    return Ok(Self::AgentComment(comment.to_owned()));
                }
                if text.starts_with("SHA256:") {
                    let fingerprint = text.parse();
                    return fingerprint.map(Self::AgentFingerprint).map_err(|wrong| {
                        format!("{wrong}; ssh-keygen -l and ssh-add -l show fingerprints")
                    });
                }
                as_path(text).map(Self::File)
            }
        }
    }
}

/// As it was written.
impl fmt::Display for IdentityChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(f),
            Self::Agent => f.write_str("agent"),
            Self::AgentFingerprint(fingerprint) => fingerprint.fmt(f),
            Self::AgentComment(comment) => write!(f, "agent:{comment}"),
        }
    }
}

impl Identity {
    /// The key of a choice. `ask` is given the question for a passphrase, and gives it; a file is read
    /// and a person is asked in between: blocking.
    ///
    /// # Errors
    /// [`IdentityError`].
    pub async fn choose(
        choice: &IdentityChoice,
        ask: impl FnMut(&str) -> Result<String, PassphraseError>,
    ) -> Result<Self, IdentityError> {
        match choice {
            IdentityChoice::File(path) => Self::of_file(path, ask).await,
            IdentityChoice::Agent
            | IdentityChoice::AgentFingerprint(_)
            | IdentityChoice::AgentComment(_) => {
                Ok(Self::of_agent(Agent::of_environment()?, choice).await?)
            }
        }
    }

    async fn of_file(
        path: &Path,
        ask: impl FnMut(&str) -> Result<String, PassphraseError>,
    ) -> Result<Self, IdentityError> {
        let private = match ChosenKey::read(path)? {
            ChosenKey::Private(private) => private,
            ChosenKey::Locked(locked) => unlock(path, &locked, ask)
                .map_err(|cause| IdentityError::Passphrase { path: path.to_owned(), cause })?,
            ChosenKey::Public(public) => {
                let held = Self::of_agent_key(&public).await;
                return held
                    .map_err(|cause| IdentityError::NotInAgent { path: path.to_owned(), cause });
            }
        };
        let algorithm = private.algorithm().to_string();
        Self::of_private_key(private)
            .ok_or_else(|| KeyError::Algorithm { path: path.to_owned(), algorithm }.into())
    }

    async fn of_agent_key(public: &PublicKey) -> Result<Self, AgentError> {
        let mut hash = [0; 32];
        hash.copy_from_slice(public.fingerprint(ssh_key::HashAlg::Sha256).as_bytes());
        let wanted = IdentityChoice::AgentFingerprint(Fingerprint(hash));
        Self::of_agent(Agent::of_environment()?, &wanted).await
    }

    /// The one key of an agent that can be meant.
    pub(super) async fn of_agent(
        agent: Agent,
        wanted: &IdentityChoice,
    ) -> Result<Self, AgentError> {
        let mut held = agent.keys().await?;
        let is_meant = |key: &AgentKey| match wanted {
            IdentityChoice::AgentFingerprint(fingerprint) => key.fingerprint() == *fingerprint,
            IdentityChoice::AgentComment(comment) => key.comment == *comment,
            IdentityChoice::Agent | IdentityChoice::File(_) => true,
        };
        let fits = |key: &AgentKey| key.credential().is_some() && is_meant(key);
        match held.iter().filter(|key| fits(key)).count() {
            0 => Err(AgentError::NoSuchKey {
                wanted: inert(&wanted.to_string()).into(),
                held: list(held.iter()),
            }),
            1 => {
                let key = held.swap_remove(held.iter().position(fits).expect("there is one"));
                let credential = key.credential().expect("it can be used");
                let signer = Signer::Agent(agent, key);
                Ok(Self { credential, signer: signer.into() })
            }
            count => Err(AgentError::SeveralKeys {
                count,
                wanted: inert(&wanted.to_string()).into(),
                held: list(held.iter().filter(|key| fits(key))),
            }),
        }
    }
}

/// Asks until the passphrase is right.
fn unlock(
    path: &Path,
    locked: &LockedKey,
    mut ask: impl FnMut(&str) -> Result<String, PassphraseError>,
) -> Result<ssh_key::PrivateKey, PassphraseError> {
    let path = path.display().to_string();
    for attempt in 0..ATTEMPTS {
        let wrong = if attempt == 0 { "" } else { "It was another one. " };
        let passphrase = ask(&format!("{wrong}Passphrase of {}: ", inert(&path)))?;
        if let Some(private) = locked.unlock(&passphrase) {
            return Ok(private);
        }
    }
    Err(PassphraseError::Wrong)
}

/// The first of some keys, as a sentence lists them.
fn list<'a>(keys: impl Iterator<Item = &'a AgentKey> + Clone) -> String {
    let count = keys.clone().count();
    let mut listed: Vec<_> = keys.take(LISTED_MAX).map(AgentKey::to_string).collect();
    match count.saturating_sub(LISTED_MAX) {
        0 if count == 0 => return "none".to_owned(),
        0 => {}
        more => listed.push(format!("and {more} more")),
    }
    listed.join(", ")
}

#[cfg(test)]
mod tests;
