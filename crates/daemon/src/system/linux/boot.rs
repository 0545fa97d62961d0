//! The start of this machine.

use std::time::Duration;

/// Names it: another one after each start.
pub(crate) fn id() -> Option<u128> {
    let id = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    u128::from_str_radix(&id.trim().replace('-', ""), 16).ok()
}

/// How long ago it was, counting the time in which the machine slept.
pub(crate) fn uptime() -> Option<Duration> {
    let text = std::fs::read_to_string("/proc/uptime").ok()?;
    let seconds = text.split_whitespace().next()?.parse().ok()?;
    Duration::try_from_secs_f64(seconds).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_boot_has_one_id_and_its_time_passes() {
        assert!(id().is_some_and(|id| id != 0));
        assert_eq!(id(), id());
        let (first, second) = (uptime().unwrap(), uptime().unwrap());
        assert!(Duration::ZERO < first && first <= second);
    }
}
