//! The address space of this process.

/// Bytes of it in use.
pub(crate) fn used() -> Option<u64> {
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
        assert!(used().is_some_and(|used| used > 1024 * 1024));
    }
}
