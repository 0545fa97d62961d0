//! Writes and fsyncs that fail in a daemon at work.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Result, ensure};
use chat_tests::crowd::{Crowd, Talk};
use chat_tests::process::Daemon;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tempfile::TempDir;

use crate::faults::Faults;
use crate::probe::Probe;
use crate::{
    FAULT, HEALED, UNMOVED, nothing_is_lost_doubled_or_reordered, skipped,
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

/// A round in which so many sends are acked meets no failure that matters.
const ACKS_MAX: u64 = 3_000;

/// The daemon moves its WAL at the latest after so long.
const MOVED_EVERY: Duration = Duration::from_secs(5);

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
    let mut place = Place::prepare().await?;
    for round in 1..=ROUNDS {
        let crowd = &place.crowd;
        crowd.more_acks(chance.random_range(1..=100)).await?;
        let first = chance.random_range(1..=FIRST_MAX);
        let step = chance.random_range(1..=STEP_MAX);
        println!("round {round}: call {first}, and each {step}th after it");
        let log = place.daemon.log();
        let troubles = log.with(FAULT).len();
        let faults = format!("{fault}:when={first}+{step}");
        let faults = match Faults::inject(&place.daemon, &place.files(), &faults)? {
            Ok(faults) => faults,
            Err(why_not) => return skipped(test, &why_not),
        };
        // Calls that move the WAL into the database may fail without harm, and only they.
        tokio::select! {
            told = log.wait_for(FAULT, troubles + 1) => told?,
            acks = crowd.more_acks(ACKS_MAX) => acks?,
        }
        place.probe.reads_go_on().await?;
        drop(faults);
        let troubles = log.with(FAULT).len();
        log.wait_for(HEALED, troubles).await?;
        crowd.more_acks(1).await?;
    }
    let troubles = place.settle().await?;
    ensure!(troubles > 0, "nothing failed");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_cannot_be_synchronised_is_left_alone_and_the_wal_takes_all() -> Result<()>
{
    let test = "a_database_that_cannot_be_synchronised_is_left_alone_and_the_wal_takes_all";
    let place = Place::prepare().await?;
    let database = &place.files()[..1];
    let faults = match Faults::inject(&place.daemon, database, "fsync,fdatasync:error=EIO")? {
        Ok(faults) => faults,
        Err(why_not) => return skipped(test, &why_not),
    };
    place.daemon.log().wait_for(UNMOVED, 1).await?;
    place.crowd.more_acks(1).await?;
    drop(faults);
    // What the system has dropped of it is unknown: not even a disk that is well again gets more.
    let database = &place.files()[0];
    let before = database.metadata()?.modified()?;
    tokio::time::sleep(MOVED_EVERY + Duration::from_secs(1)).await;
    place.crowd.more_acks(1).await?;
    ensure!(database.metadata()?.modified()? == before, "chatd.db was written to");
    ensure!(place.daemon.log().with(UNMOVED).len() == 1, "once");
    ensure!(place.settle().await? == 0, "commits were never in trouble");
    Ok(())
}

/// A daemon at work.
struct Place {
    dir: TempDir,
    daemon: Daemon,
    probe: Probe,
    crowd: Crowd,
}

impl Place {
    async fn prepare() -> Result<Self> {
        let dir = TempDir::new()?;
        let daemon = Daemon::start(&dir.path().canonicalize()?.join("data"))?;
        let probe = Probe::prepare(&daemon).await?;
        let crowd = Crowd::gather(TALK, &daemon, dir.path()).await?;
        Ok(Self { dir, daemon, probe, crowd })
    }

    /// The database and its WAL.
    fn files(&self) -> [PathBuf; 2] {
        let data = self.dir.path().join("data");
        let data = data.canonicalize().unwrap_or(data);
        ["chatd.db", "chatd.db-wal"].map(|file| data.join(file))
    }

    /// Ends everything, and looks at what came of it; tells how often commits were in trouble.
    async fn settle(mut self) -> Result<usize> {
        self.probe.is_acked(&self.crowd).await?;
        let database = self.files()[0].clone();
        let history = self.crowd.settle().await?;
        let log = self.daemon.log().clone();
        self.daemon.terminate()?;
        log.ended().await?;
        nothing_is_lost_doubled_or_reordered(&history, &database)?;
        the_operator_was_told_once_a_change(&log)
    }
}
