//! A screen at which nothing happens does nothing.

use std::time::Duration;

use anyhow::{Context, Result};
use chat_tests::pty::Pty;

use crate::stage::Stage;

/// How long nothing must happen.
const WINDOW: Duration = Duration::from_secs(1);

/// Windows that are looked at before the test gives up: something may still settle, and now and
/// then the connection is asked whether it lives.
const WINDOWS_MAX: u32 = 8;

/// CPU time of all threads, in clock ticks, and how often they have gone to sleep.
fn used(pty: &Pty) -> Result<(u64, u64)> {
    let process = format!("/proc/{}", pty.pid()?.as_raw_nonzero());
    let stat = std::fs::read_to_string(format!("{process}/stat"))?;
    let after_name = stat.rsplit_once(')').context("a name in brackets")?.1;
    let fields: Vec<&str> = after_name.split_whitespace().collect();
    let ticks = fields[11].parse::<u64>()? + fields[12].parse::<u64>()?;
    let mut sleeps = 0;
    for thread in std::fs::read_dir(format!("{process}/task"))? {
        let status = std::fs::read_to_string(thread?.path().join("status"))?;
        let line = status.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
        sleeps += line.context("a count of switches")?.trim().parse::<u64>()?;
    }
    Ok((ticks, sleeps))
}

/// Waits until nothing is used and nothing is drawn for a whole window; tells how often some
/// thread has woken in it.
fn rests(pty: &Pty) -> Result<u64> {
    for _ in 0..WINDOWS_MAX {
        let (ticks, sleeps) = used(pty)?;
        let has_drawn = pty.stirs(WINDOW);
        let (ticks_after, sleeps_after) = used(pty)?;
        if !has_drawn && ticks == ticks_after {
            return Ok(sleeps_after - sleeps);
        }
    }
    anyhow::bail!("it does not come to rest:\n{}", pty.contents());
}

#[test]
fn an_idle_screen_uses_no_cpu() -> Result<()> {
    let stage = Stage::new()?;
    let _daemon = stage.daemon()?;
    let mut ada = stage.enter("ada")?;
    ada.enters("hello")?;
    ada.shows("hello ✓")?;
    let woken = rests(&ada)?;
    println!("idle for {WINDOW:?}: no CPU time, woken {woken} times");
    assert!(woken < 50, "something ticks");
    Ok(())
}
