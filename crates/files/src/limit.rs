//! The limit on the length of files: `ulimit -f`, `RLIMIT_FSIZE` of getrlimit(2).

use std::io;

use rustix::process::{Resource, Signal, getrlimit};
use tokio::signal::unix::{SignalKind, signal};

/// How long a file of this process may be, in bytes; `None`: as long as it likes.
#[must_use]
pub fn length_max() -> Option<u64> {
    getrlimit(Resource::Fsize).current
}

/// From now on a write beyond the limit fails with `EFBIG`, for the rest of the process's life. Without
/// this, SIGXFSZ ends the process. To be called in a tokio runtime.
///
/// # Errors
/// The signal cannot be handled.
pub fn survive() -> io::Result<()> {
    // Once handled, the signal never has its default effect again; nobody has to listen.
    signal(SignalKind::from_raw(Signal::XFSZ.as_raw())).map(drop)
}
