//! How the process ends: the one list of exit codes that scripts may rely on.

use std::process::ExitCode;

/// Why the process ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Exit {
    /// Done.
    Ok = 0,
    /// Something failed that neither the user nor the server is to blame for.
    Internal = 1,
    /// The command line, a setting or an environment variable is wrong.
    Usage = 2,
    /// No connection to the server, or the server is not the one that it should be.
    CannotConnect = 3,
    /// The server does not let this person in, or not there.
    NotAllowed = 4,
    /// The time was over, or what was asked for did not come.
    Timeout = 5,
    /// The server refused.
    Refused = 6,
    /// A request had left and no answer came: it may have been carried out or not.
    OutcomeUnknown = 7,
    /// Ctrl-C: 128 and the number of the signal, as a shell shows it.
    Interrupted = 130,
    /// Nobody reads stdout any more (SIGPIPE).
    BrokenPipe = 141,
    /// SIGTERM.
    Terminated = 143,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}
