//! The start of this machine, of which nobody tells.

use std::time::Duration;

/// Names it: another one after each start.
pub(crate) fn id() -> Option<u128> {
    None
}

/// How long ago it was.
pub(crate) fn uptime() -> Option<Duration> {
    None
}
