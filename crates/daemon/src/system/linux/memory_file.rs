//! Files that are in memory only, and have no name.

use std::io;
use std::os::fd::OwnedFd;

use rustix::fs::{MemfdFlags, memfd_create};

/// Whether a socket takes their bytes by reference (`sendfile`).
pub(crate) const SPARES_COPIES: bool = true;

/// Makes one; `what` is for people who look into `/proc`.
pub(crate) fn create(what: &str) -> io::Result<OwnedFd> {
    Ok(memfd_create(what, MemfdFlags::CLOEXEC)?)
}
