//! Eight clients send as fast as they can while the daemon is killed again and again; then the
//! history of what they saw is held against the database.
//!
//! `KILLS=n` sets how often, `SEED=n` at which moments.

use std::time::Duration;

use anyhow::{Result, ensure};
use chat_tests::crowd::{Crowd, Talk};
use chat_tests::process::Daemon;
use chat_tests::truth;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tempfile::TempDir;

/// What the clients say: as much as they can.
const TALK: Talk = Talk { clients: 8, in_flight: 200, text_bytes: 0 };

/// A kill comes after at most so many more acks: before, during and after commits.
const ACKS_BETWEEN_KILLS_MAX: u64 = 3_000;

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_doubled_or_reordered_however_often_the_daemon_is_killed() -> Result<()> {
    let kills = from_env("KILLS", if cfg!(debug_assertions) { 15 } else { 100 });
    let seed = from_env("SEED", u64::from(std::process::id()));
    println!("SEED={seed} KILLS={kills}");
    let mut chance = ChaCha8Rng::seed_from_u64(seed);
    let dir = TempDir::new()?;
    let data = dir.path().join("data");
    let mut daemon = Daemon::start(&data)?;
    let crowd = Crowd::gather(TALK, &daemon, dir.path()).await?;
    let mut ready = Vec::new();
    for _ in 0..kills {
        crowd.more_acks(chance.random_range(1..=ACKS_BETWEEN_KILLS_MAX)).await?;
        daemon.kill()?;
        daemon = Daemon::start(&data)?;
        ready.push(daemon.ready_after);
    }
    let history = crowd.settle().await?;
    daemon.terminate()?;

    let truth = truth::read(&data.join("chatd.db"))?;
    let posted = truth::room(&truth, "lobby")?.events.len();
    println!("{posted} events in the log, {} observations", history.len());
    println!("ready again after: {}", spread(&mut ready));
    let violations = history.check(&truth);
    ensure!(violations.is_empty(), "{} violations: {:#?}", violations.len(), &violations[..1]);
    Ok(())
}

fn from_env(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|value| value.parse().ok()).unwrap_or(default)
}

fn spread(times: &mut [Duration]) -> String {
    times.sort_unstable();
    let (Some(first), Some(last)) = (times.first(), times.last()) else {
        return "no kill".to_owned();
    };
    format!("min {first:.0?}, median {:.0?}, max {last:.0?}", times[times.len() / 2])
}
