//! Why a client could not start.

use std::path::PathBuf;

use chat_files::key::KeyError;

/// Why a client could not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The name breaks the rules for names.
    #[error("{name:?} is no nickname: {cause}")]
    BadName {
        /// The nickname that was wished for.
        name: String,
        /// Which rule it breaks.
        cause: chat_proto::NameError,
    },
    /// The key that is the identity could not be read or made.
    #[error(transparent)]
    Identity(#[from] KeyError),
    /// Others can write to the directory that everything is in.
    #[error("{}", chat_files::exposed(dir, *mode))]
    Exposed {
        /// The data directory.
        dir: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The outbox could not be read or made.
    #[error("the outbox in {path:?} cannot be used: {cause}")]
    Outbox {
        /// The data directory.
        path: PathBuf,
        /// What the system said.
        cause: std::io::Error,
    },
    /// The file of known servers could not be read.
    #[error("the list of known servers in {path:?} cannot be read: {cause}")]
    KnownServers {
        /// Where the file is.
        path: PathBuf,
        /// What the system said.
        cause: std::io::Error,
    },
    /// Not called from a tokio runtime.
    #[error("a client runs in a tokio runtime, and there is none")]
    NoRuntime,
}
