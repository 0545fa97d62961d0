//! Whether the system still gives memory to this process.
//!
//! Where its address space is limited (`ulimit -v`, `prlimit --as`), an allocation that fails ends the
//! process. So nobody more is taken in while little is left.

use rustix::process::{Resource, getrlimit};

use crate::system::address_space;

/// What has to be left, in bytes: for those who are there already.
const RESERVE_BYTES: u64 = 24 * 1024 * 1024;

/// Whether there is memory for more connections.
pub(crate) fn is_left() -> bool {
    match getrlimit(Resource::As).current {
        None => true,
        Some(limit) => {
            address_space::used().is_none_or(|used| used.saturating_add(RESERVE_BYTES) <= limit)
        }
    }
}
