//! Whether the system still gives memory to this process.
//!
//! Where its address space is limited (`ulimit -v`, `prlimit --as`), an allocation that fails ends the
//! process. So nobody more is taken in while little is left.

use rustix::process::{Resource, getrlimit};

/// What has to be left, in bytes: for those who are there already.
const RESERVE_BYTES: u64 = 24 * 1024 * 1024;

/// Whether there is memory for more connections.
pub(crate) fn is_left() -> bool {
    match getrlimit(Resource::As).current {
        None => true,
        Some(limit) => used().is_none_or(|used| used.saturating_add(RESERVE_BYTES) <= limit),
    }
}

/// Bytes of address space in use, as far as the system tells.
fn used() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    size_in(&status)
}

fn size_in(status: &str) -> Option<u64> {
    let size = status.lines().find_map(|line| line.strip_prefix("VmSize:"))?;
    let kib: u64 = size.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kib * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_size_of_the_process_is_read() {
        let status = "Name:\tchatd\nVmPeak:\t   99 kB\nVmSize:\t   12 kB\nVmRSS:\t   7 kB\n";
        assert_eq!(size_in(status), Some(12 * 1024));
        assert_eq!(size_in("Name:\tchatd\n"), None);
        assert!(used().is_none_or(|used| used > 1024 * 1024));
    }
}
