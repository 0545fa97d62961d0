//! What the machine says: cores, clocks, processes, the disk. Nothing here knows what is measured.

pub(crate) mod cores;
pub(crate) mod disk;
pub(crate) mod host;
pub(crate) mod mount;
pub(crate) mod process;
pub(crate) mod procfs;

use std::sync::OnceLock;
use std::time::Instant;

/// Nanoseconds since the first call: a clock that never steps back, small enough for a stamp.
pub(crate) fn now_ns() -> u64 {
    static START: OnceLock<Instant> = OnceLock::new();
    u64::try_from(START.get_or_init(Instant::now).elapsed().as_nanos()).unwrap_or(u64::MAX)
}
