//! Writes and fsyncs that fail in a daemon at work.

use anyhow::{Result, ensure};
use chat_tests::crowd::{Crowd, Talk};
use chat_tests::process::Daemon;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tempfile::TempDir;

use crate::faults::Faults;
use crate::probe::Probe;
use crate::{
    HEALED, TROUBLE, nothing_is_lost_doubled_or_reordered, skipped,
    the_operator_was_told_once_a_change,
};

/// What the clients say; enough for the WAL to be copied into the database now and then.
const TALK: Talk = Talk { clients: 4, in_flight: 20, text_bytes: 2_000 };

/// How often the disk begins to fail, each time at another call.
const ROUNDS: usize = 4;

/// The first call that fails in a round is one of so many.
const FIRST_MAX: u32 = 60;

/// After it every so many-th fails at most, also while the daemon tries to recover.
const STEP_MAX: u32 = 9;

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_fsync_is_never_an_ack_and_heals() -> Result<()> {
    fail("a_failed_fsync_is_never_an_ack_and_heals", "fsync,fdatasync:error=EIO").await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_without_room_is_never_an_ack_and_heals() -> Result<()> {
    fail("a_write_without_room_is_never_an_ack_and_heals", "write,pwrite64:error=ENOSPC").await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_write_is_never_an_ack_and_heals() -> Result<()> {
    fail("a_failed_write_is_never_an_ack_and_heals", "write,pwrite64:error=EIO").await
}

async fn fail(test: &str, fault: &str) -> Result<()> {
    let seed = std::env::var("SEED").ok().and_then(|seed| seed.parse().ok());
    let seed = seed.unwrap_or_else(|| u64::from(std::process::id()));
    println!("SEED={seed}");
    let mut chance = ChaCha8Rng::seed_from_u64(seed);
    let dir = TempDir::new()?;
    let data = dir.path().canonicalize()?.join("data");
    let daemon = Daemon::start(&data)?;
    let mut probe = Probe::prepare(&daemon).await?;
    let crowd = Crowd::gather(TALK, &daemon, dir.path()).await?;
    for round in 1..=ROUNDS {
        crowd.more_acks(chance.random_range(1..=100)).await?;
        let first = chance.random_range(1..=FIRST_MAX);
        let step = chance.random_range(1..=STEP_MAX);
        println!("round {round}: call {first}, and each {step}th after it");
        let troubles = daemon.log().with(TROUBLE).len();
        let faults = format!("{fault}:when={first}+{step}");
        let faults = match Faults::inject(&daemon, &data, &faults)? {
            Ok(faults) => faults,
            Err(why_not) => return skipped(test, &why_not),
        };
        daemon.log().wait_for(TROUBLE, troubles + 1).await?;
        probe.reads_go_on().await?;
        drop(faults);
        let healed = daemon.log().with(TROUBLE).len();
        daemon.log().wait_for(HEALED, healed).await?;
        crowd.more_acks(1).await?;
    }
    probe.is_acked(&crowd).await?;
    let history = crowd.settle().await?;
    let log = daemon.log().clone();
    daemon.terminate()?;
    log.ended().await?;
    let troubles = the_operator_was_told_once_a_change(&log)?;
    ensure!(troubles >= ROUNDS, "{troubles} troubles in {ROUNDS} rounds");
    nothing_is_lost_doubled_or_reordered(&history, &data.join("chatd.db"))
}
