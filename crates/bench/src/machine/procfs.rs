//! What the system says of a process: its time on the processor, its memory, how often it woke.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result};

/// How many ticks the kernel counts in a second. Linux tells user space 100 on every machine.
const TICKS_PER_SECOND: u64 = 100;

/// Time on the processor of a whole process, in and outside the kernel.
pub(crate) fn cpu_time(pid: u32) -> Result<Duration> {
    let stat = read(pid, "stat")?;
    let ticks = cpu_ticks(&stat).with_context(|| format!("not a stat line: {stat}"))?;
    Ok(Duration::from_millis(ticks * 1000 / TICKS_PER_SECOND))
}

/// Resident memory in bytes.
pub(crate) fn rss_bytes(pid: u32) -> Result<u64> {
    // The roll-up is exact; `status` may lag behind by what each thread has counted for itself.
    let exact = read(pid, "smaps_rollup").ok().and_then(|text| kilobytes(&text, "Rss:"));
    let kilobytes = match exact {
        Some(kilobytes) => kilobytes,
        None => kilobytes_of_status(pid)?,
    };
    Ok(kilobytes * 1024)
}

/// How often the threads of a process have gone to sleep by themselves so far: what an idle
/// process does as rarely as it can.
pub(crate) fn wakeups(pid: u32) -> Result<u64> {
    let tasks = fs::read_dir(folder(pid).join("task")).context("the process is gone")?;
    let statuses =
        tasks.filter_map(|task| fs::read_to_string(task.ok()?.path().join("status")).ok());
    Ok(statuses.filter_map(|status| number(&status, "voluntary_ctxt_switches:")).sum())
}

/// Bytes that the sockets of a server hold for peers that have not taken them: the send queues of all
/// connections to its port, as `/proc/net/tcp` has them (proc(5)).
pub(crate) fn send_queues_bytes(port: u16) -> Result<u64> {
    let table = fs::read_to_string("/proc/net/tcp").context("cannot read /proc/net/tcp")?;
    Ok(table.lines().skip(1).filter_map(|line| send_queue(line, port)).sum())
}

/// The send queue of a line, if its local port is this one.
fn send_queue(line: &str, port: u16) -> Option<u64> {
    let mut fields = line.split_ascii_whitespace().skip(1);
    let (_address, local) = fields.next()?.rsplit_once(':')?;
    let (sent, _received) = fields.nth(2)?.split_once(':')?;
    let is_ours = u16::from_str_radix(local, 16).ok()? == port;
    is_ours.then(|| u64::from_str_radix(sent, 16).ok()).flatten()
}

fn kilobytes_of_status(pid: u32) -> Result<u64> {
    let status = read(pid, "status")?;
    kilobytes(&status, "VmRSS:").context("no VmRSS in status")
}

fn read(pid: u32, file: &str) -> Result<String> {
    let path = folder(pid).join(file);
    fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))
}

fn folder(pid: u32) -> PathBuf {
    PathBuf::from(format!("/proc/{pid}"))
}

/// User and system ticks of `/proc/PID/stat` (proc(5)). The name in parentheses may hold anything.
fn cpu_ticks(stat: &str) -> Option<u64> {
    let (_pid_and_name, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_ascii_whitespace().skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some(user + system)
}

fn kilobytes(text: &str, key: &str) -> Option<u64> {
    number(text, key)
}

/// The number behind `key` at the beginning of a line.
fn number(text: &str, key: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(key))?;
    line.split_ascii_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_send_queue_of_a_port_is_read() {
        let line = "  12: 0100007F:139A 0100007F:C350 01 000186A0:00000010 00:00000000 00000000 0";
        assert_eq!(send_queue(line, 5018), Some(100_000));
        assert_eq!(send_queue(line, 5019), None);
    }

    #[test]
    fn ticks_are_found_behind_any_name() {
        let stat = "7 (a) b (c)) S 1 7 7 0 -1 4194304 100 0 0 0 250 31 0 0 20 0 4 0 1 1 1";
        assert_eq!(cpu_ticks(stat), Some(281));
        assert_eq!(cpu_ticks("7 (short) S 1 7"), None);
    }

    #[test]
    fn kilobytes_are_found_by_their_key() {
        let status = "Name:\tchatd\nVmHWM:\t  9 kB\nVmRSS:\t   10240 kB\n";
        assert_eq!(kilobytes(status, "VmRSS:"), Some(10240));
        assert_eq!(kilobytes(status, "Rss:"), None);
    }

    #[test]
    fn this_process_has_memory_and_time() {
        let pid = std::process::id();
        assert!(rss_bytes(pid).unwrap() > 0);
        cpu_time(pid).unwrap();
        wakeups(pid).unwrap();
    }
}
