//! Why a daemon does not start: what whoever reads it can do.

use std::path::PathBuf;

use chat_core::{RestoreError, StoreError};
use chat_files::key::KeyError;

use crate::store::OpenError;
use crate::tls::CertificateError;

/// File descriptors that are not for connections: the store, the listeners, the log.
pub(crate) const SPARE_DESCRIPTORS: u64 = 64;

/// With room for fewer connections, the daemon is of no use.
pub(crate) const CONNECTIONS_MIN: u64 = 16;

/// Why a daemon did not start. Each says what happened, why, and what to do.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// An address cannot be listened at.
    #[error("cannot listen at {address}: {cause}. Choose another one with --listen ADDR:PORT")]
    Listen {
        /// As it was given.
        address: String,
        /// Why.
        cause: std::io::Error,
    },
    /// The Unix socket cannot be made.
    #[error("cannot make the socket {}: {cause}. Choose another place with --socket PATH", .path.display())]
    Socket {
        /// Where.
        path: PathBuf,
        /// Why.
        cause: std::io::Error,
    },
    /// The group of the Unix socket is none.
    #[error(
        "there is no group {group:?} on this system: make it (groupadd), or change --socket-group"
    )]
    NoGroup {
        /// As it was given.
        group: String,
    },
    /// The socket cannot be given to its group.
    #[error(
        "the socket {} cannot be given to the group {group}: {cause}. The user who runs chatd must be in \
         it (usermod -aG, SupplementaryGroups= in a systemd unit)",
        .path.display()
    )]
    SocketGroup {
        /// Where.
        path: PathBuf,
        /// As it was given.
        group: String,
        /// Why.
        cause: std::io::Error,
    },
    /// Somebody answers at the Unix socket.
    #[error(
        "another server answers at the socket {}. Stop it, or choose another place with \
         --socket PATH",
        .path.display()
    )]
    SocketInUse {
        /// Where.
        path: PathBuf,
    },
    /// The identity key cannot be read or made.
    #[error(transparent)]
    Identity(#[from] KeyError),
    /// The certificate cannot be used.
    #[error("{0}. Look at --tls-certificate and --tls-key")]
    Certificate(#[from] CertificateError),
    /// The store cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The store failed while it was opened.
    #[error("{0}. Look at the disk that holds the data directory")]
    Store(#[from] StoreError),
    /// What the store says cannot be carried on.
    #[error(transparent)]
    Restore(RestoreError),
    /// There are too few file descriptors to serve anybody.
    #[error(
        "this process may open {open_max} files, and {} are needed to serve anybody. Raise the \
         limit: `ulimit -n 1024` in a shell, LimitNOFILE=65536 in a systemd unit",
        SPARE_DESCRIPTORS + CONNECTIONS_MIN
    )]
    Descriptors {
        /// How many files it may open.
        open_max: u64,
    },
    /// The system refused a thread, or what it waits with.
    #[error("cannot start a thread: {0}. Look at the limits of this user")]
    Thread(std::io::Error),
}

impl From<RestoreError> for StartError {
    fn from(error: RestoreError) -> Self {
        match error {
            RestoreError::Store(error) => Self::Store(error),
            other @ (RestoreError::NewerRules { .. }
            | RestoreError::OlderRules { .. }
            | RestoreError::NoSecret
            | RestoreError::SameNames { .. }) => Self::Restore(other),
        }
    }
}
