//! A daemon that has no descriptors left: it waits, says so now and then, and goes on by itself.

use std::time::Duration;

use anyhow::{Context, Result};
use chat_proto::{Ping, Pong};
use chat_tests::process::Daemon;
use chat_tests::raw::Raw;
use rustix::process::{Pid, Resource, Rlimit, prlimit};
use tempfile::TempDir;
use tokio::time::Instant;

const REFUSED: &str = "connections cannot be accepted";

/// How long nothing can be accepted, and what of it the daemon may be busy for: a twentieth.
const SHORTAGE: Duration = Duration::from_secs(6);
const BUSY_MAX: Duration = Duration::from_millis(300);

/// In which `/proc` counts it (`USER_HZ`, the same on every Linux).
const TICKS_PER_SECOND: u64 = 100;

/// What a process has used of the processors.
fn busy(daemon: &Daemon) -> Result<Duration> {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", daemon.pid()))?;
    let (_name, fields) = stat.rsplit_once(')').context("the name ends")?;
    let ticks = fields.split_whitespace().skip(11).take(2).map(str::parse::<u64>);
    let ticks: u64 = ticks.sum::<Result<_, _>>()?;
    Ok(Duration::from_millis(ticks * 1_000 / TICKS_PER_SECOND))
}

#[tokio::test]
async fn without_descriptors_it_waits_says_so_seldom_and_goes_on_within_a_second() -> Result<()> {
    let dir = TempDir::new()?;
    let daemon = Daemon::start(&dir.path().join("data"))?;
    let (mut bystander, _) = Raw::sign_in(daemon.address(), 1, "bystander").await?;
    let pid = i32::try_from(daemon.pid()).ok().and_then(Pid::from_raw).context("a pid")?;
    let open = std::fs::read_dir(format!("/proc/{}/fd", daemon.pid()))?.count();
    let few = Rlimit { current: Some(u64::try_from(open)?), maximum: None };
    let before = prlimit(Some(pid), Resource::Nofile, Rlimit { maximum: hard(pid)?, ..few })?;
    let mut waiting = Vec::new();
    for _ in 0..20 {
        waiting.push(Raw::connect(daemon.address()).await?);
    }
    daemon.log().wait_for(REFUSED, 1).await?;
    let (began, busy_before) = (Instant::now(), busy(&daemon)?);
    while began.elapsed() < SHORTAGE {
        let _: Pong = bystander.ask(&Ping { token: 1 }).await?;
        // What is measured is what the daemon does meanwhile by itself.
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    let used = busy(&daemon)? - busy_before;
    let told = daemon.log().with(REFUSED);
    println!("{used:?} of {SHORTAGE:?}, {} lines", told.len());
    assert!(used < BUSY_MAX, "{used:?} of {SHORTAGE:?}");
    assert!(told.len() <= 2, "{told:?}");
    prlimit(Some(pid), Resource::Nofile, before)?;
    let free = Instant::now();
    for raw in &mut waiting {
        raw.greet().await.context("who waited is served")?;
    }
    println!("served {:?} after there were descriptors again", free.elapsed());
    assert!(free.elapsed() < Duration::from_secs(10), "{:?}", free.elapsed());
    Ok(())
}

/// The hard limit of the process, which stays.
fn hard(pid: Pid) -> Result<Option<u64>> {
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", pid.as_raw_nonzero()))?;
    let line = limits.lines().find(|line| line.starts_with("Max open files"));
    let hard = line.and_then(|line| line.split_whitespace().nth(4)).context("the limit")?;
    Ok(hard.parse().ok())
}
