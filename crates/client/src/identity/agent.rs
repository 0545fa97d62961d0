//! Keys that an ssh-agent holds: the two messages of its protocol that a sign-in needs
//! (draft-ietf-sshm-ssh-agent), over the socket that `SSH_AUTH_SOCK` names.
//!
//! An agent is another program: what it says is bounded and looked at, and it is waited for with a
//! deadline. It must not know what a signature is for.

mod messages;

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use chat_proto::{SshKey, SshSignature};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::time::timeout;

pub(super) use messages::AgentKey;
use messages::{Request, keys_of, signature_of};

/// Whether an agent's answer is a list of keys or a signature: for tests that throw bytes at what reads it.
#[doc(hidden)]
#[must_use]
pub fn is_agent_answer(answer: &[u8]) -> bool {
    let signature = || signature_of(answer).is_ok_and(|signature| signature.is_some());
    keys_of(answer).is_ok_and(|keys| keys.iter().any(|key| key.known().is_some())) || signature()
}

/// How long the agent may take to list its keys.
const LIST_TIMEOUT: Duration = Duration::from_secs(5);

/// How long it may take to sign: somebody may have to say yes to it. The server waits two seconds
/// longer for the whole sign-in.
const SIGN_TIMEOUT: Duration = Duration::from_secs(8);

/// A longer answer is none: that of OpenSSH's agent is never longer.
const ANSWER_BYTES_MAX: u32 = 256 * 1024;

/// Why an agent's key cannot be had, or does not sign.
#[derive(Debug, thiserror::Error)]
pub enum AgentError {
    /// Nobody says where an agent is.
    #[error(
        "there is no ssh-agent: SSH_AUTH_SOCK is not set. Start one with: eval \"$(ssh-agent)\", \
         and add the key with: ssh-add"
    )]
    NoAgent,
    /// The agent cannot be talked to.
    #[error("the ssh-agent at {socket:?} cannot be asked: {cause}. Look at it with: ssh-add -l")]
    Io {
        /// Where it should be.
        socket: PathBuf,
        /// What the system said.
        cause: io::Error,
    },
    /// The agent does not answer.
    #[error(
        "the ssh-agent at {socket:?} has not answered in {seconds} s; perhaps it waits for somebody \
         to touch the key, or to say yes"
    )]
    TimedOut {
        /// Where it is.
        socket: PathBuf,
        /// How long it was waited for.
        seconds: u64,
    },
    /// What the agent says makes no sense.
    #[error("the ssh-agent at {socket:?} answers what is no answer: {what}")]
    Nonsense {
        /// Where it is.
        socket: PathBuf,
        /// What is wrong with it.
        what: &'static str,
    },
    /// The agent does not sign.
    #[error(
        "the ssh-agent at {socket:?} does not sign with {key}: somebody said no, or it does not hold \
         the key any more (ssh-add -l lists those that it holds)"
    )]
    Refused {
        /// Where it is.
        socket: PathBuf,
        /// Which key.
        key: String,
    },
    /// The key that was chosen is not there.
    #[error(
        "the ssh-agent has no key {wanted} that can be used; it has {held}. Ed25519 and P-256 keys \
         can, and Ed25519 security keys: make one with ssh-keygen -t ed25519, and add it with ssh-add"
    )]
    NoSuchKey {
        /// What was asked for.
        wanted: String,
        /// What there is.
        held: String,
    },
    /// There are several that could be meant.
    #[error(
        "the ssh-agent has {count} keys that could be meant by {wanted}: {held}. Say which: \
         --identity SHA256:…"
    )]
    SeveralKeys {
        /// How many.
        count: usize,
        /// What was asked for.
        wanted: String,
        /// The first of them.
        held: String,
    },
}

/// An agent.
#[derive(Clone, Debug)]
pub(super) struct Agent {
    socket: PathBuf,
}

impl Agent {
    /// The agent that the environment names.
    pub(super) fn of_environment() -> Result<Self, AgentError> {
        let socket = std::env::var_os("SSH_AUTH_SOCK").filter(|socket| !socket.is_empty());
        socket.map(Self::at).ok_or(AgentError::NoAgent)
    }

    /// The agent of a socket.
    pub(super) fn at(socket: impl Into<PathBuf>) -> Self {
        Self { socket: socket.into() }
    }

    /// The keys that it holds, in its order, of whatever algorithm.
    pub(super) async fn keys(&self) -> Result<Vec<AgentKey>, AgentError> {
        let answer = self.ask(&Request::Identities, LIST_TIMEOUT).await?;
        keys_of(&answer).map_err(|what| self.nonsense(what))
    }

    /// A key's signature of a message, in the form of SSH.
    pub(super) async fn sign(&self, key: &AgentKey, message: &[u8]) -> Result<Vec<u8>, AgentError> {
        let request = Request::Sign { key: &key.bytes, message };
        let answer = self.ask(&request, SIGN_TIMEOUT).await?;
        let signature = signature_of(&answer).map_err(|what| self.nonsense(what))?;
        let Some(signature) = signature else {
            return Err(AgentError::Refused { socket: self.socket.clone(), key: key.to_string() });
        };
        match (key.known(), SshSignature::read(signature)) {
            (Some(SshKey::Ed25519(_)), Some(SshSignature::Ed25519(_)))
            | (Some(SshKey::EcdsaP256(_)), Some(SshSignature::EcdsaP256(_)))
            | (Some(SshKey::SkEd25519 { .. }), Some(SshSignature::SkEd25519 { .. })) => {
                Ok(signature.to_vec())
            }
            _ => Err(self.nonsense("a signature that is not of the key's algorithm")),
        }
    }

    /// One question and its answer, on a connection of its own.
    async fn ask(&self, request: &Request<'_>, within: Duration) -> Result<Vec<u8>, AgentError> {
        let asked = timeout(within, exchange(&self.socket, &request.bytes())).await;
        let socket = || self.socket.clone();
        match asked {
            Ok(Ok(Some(answer))) => Ok(answer),
            Ok(Ok(None)) => Err(self.nonsense("one of no length, or of more than 256 KiB")),
            Ok(Err(cause)) => Err(AgentError::Io { socket: socket(), cause }),
            Err(_elapsed) => {
                Err(AgentError::TimedOut { socket: socket(), seconds: within.as_secs() })
            }
        }
    }

    fn nonsense(&self, what: &'static str) -> AgentError {
        AgentError::Nonsense { socket: self.socket.clone(), what }
    }
}

/// `None`: the length of the answer is none that is read.
async fn exchange(socket: &Path, request: &[u8]) -> io::Result<Option<Vec<u8>>> {
    let mut stream = UnixStream::connect(socket).await?;
    stream.write_all(request).await?;
    let length = stream.read_u32().await?;
    if !(1..=ANSWER_BYTES_MAX).contains(&length) {
        return Ok(None);
    }
    // Room is made for what comes, not for what is announced.
    let mut answer = Vec::new();
    (&mut stream).take(u64::from(length)).read_to_end(&mut answer).await?;
    match answer.len() == length as usize {
        true => Ok(Some(answer)),
        false => Err(io::ErrorKind::UnexpectedEof.into()),
    }
}

#[cfg(test)]
pub(super) mod tests;
