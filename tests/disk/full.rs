//! A disk that fills up, and has room again.

use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Result, ensure};
use chat_tests::crowd::{Crowd, Talk};
use chat_tests::process::Daemon;
use tempfile::TempDir;

use crate::probe::Probe;
use crate::small_disk::SmallDisk;
use crate::{
    FAULT, FULL, HEALED, nothing_is_lost_doubled_or_reordered, skipped,
    the_operator_was_told_once_a_change,
};

/// The disk, in MiB.
const SIZE_MIB: u64 = 8;

/// What the daemon is left of it: less than it demands to be free before it goes on, so that it
/// does not go on before somebody makes room.
const LEFT_MIB: u64 = 2;

/// Large messages: some hundreds fill the disk.
const TALK: Talk = Talk { clients: 6, in_flight: 10, text_bytes: 4_000 };

/// Acks of a crowd that talks again.
const TALKING: u64 = 90;

struct Place {
    disk: SmallDisk,
    dir: TempDir,
}

impl Place {
    /// A disk of 8 MiB; none where it cannot be had, which is said.
    fn prepare(test: &str) -> Result<Option<Self>> {
        let dir = TempDir::new()?;
        let mount = dir.path().join("disk");
        std::fs::create_dir(&mount)?;
        match SmallDisk::mount(&mount, SIZE_MIB)? {
            Ok(disk) => Ok(Some(Self { disk, dir })),
            Err(why_not) => skipped(test, &why_not).map(|()| None),
        }
    }

    fn start(&self, flags: &[&str]) -> Result<Daemon> {
        self.disk.launch(&self.socket()).flags(flags).start()
    }

    fn socket(&self) -> PathBuf {
        self.dir.path().join("chatd.sock")
    }

    /// A copy of the database of a daemon that has stopped, where SQLite finds it by its name.
    fn database(&self) -> Result<PathBuf> {
        let copy = self.dir.path().join("chatd.db");
        std::fs::copy(self.disk.data().join("chatd.db"), &copy)?;
        Ok(copy)
    }

    fn clients(&self) -> &Path {
        self.dir.path()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_takes_nothing_serves_reads_and_goes_on_when_there_is_room() -> Result<()> {
    fill_up_and_make_room(
        "a_full_disk_takes_nothing_serves_reads_and_goes_on_when_there_is_room",
        &[],
    )
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_is_survived_without_synchronising_too() -> Result<()> {
    let flags = ["--durability", "process"];
    fill_up_and_make_room("a_full_disk_is_survived_without_synchronising_too", &flags).await
}

async fn fill_up_and_make_room(test: &str, flags: &[&str]) -> Result<()> {
    let Some(place) = Place::prepare(test)? else { return Ok(()) };
    place.disk.leave(LEFT_MIB)?;
    let daemon = place.start(flags)?;
    let mut probe = Probe::prepare(&daemon).await?;
    let crowd = Crowd::gather(TALK, &daemon, place.clients()).await?;

    daemon.log().wait_for(FULL, 1).await?;
    probe.is_refused(&crowd).await?;
    probe.strangers_are_sent_away().await?;
    probe.reads_go_on().await?;
    probe.is_refused(&crowd).await?;

    let acks = crowd.acks();
    let emptied = Instant::now();
    place.disk.empty()?;
    daemon.log().wait_for(HEALED, 1).await?;
    let writes_after = emptied.elapsed();
    probe.is_acked(&crowd).await?;
    crowd.more_acks(1).await?;
    println!(
        "after room was made, writes went on in {writes_after:.0?}, and the clients, which had \
         {acks} acks, had the next in {:.0?}",
        emptied.elapsed()
    );
    crowd.more_acks(TALKING).await?;
    let history = crowd.settle().await?;
    let log = daemon.log().clone();
    daemon.terminate()?;
    log.ended().await?;
    ensure!(the_operator_was_told_once_a_change(&log)? == 1, "once");
    nothing_is_lost_doubled_or_reordered(&history, &place.database()?)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_daemon_that_is_killed_or_stopped_on_a_full_disk_starts_and_serves_reads() -> Result<()> {
    let test = "a_daemon_that_is_killed_or_stopped_on_a_full_disk_starts_and_serves_reads";
    let Some(place) = Place::prepare(test)? else { return Ok(()) };
    place.disk.leave(LEFT_MIB)?;
    let daemon = place.start(&[])?;
    let mut probe = Probe::prepare(&daemon).await?;
    let crowd = Crowd::gather(TALK, &daemon, place.clients()).await?;
    daemon.log().wait_for(FULL, 1).await?;
    // Not even a small write fits.
    place.disk.leave(0)?;

    daemon.kill()?;
    let daemon = place.start(&[])?;
    println!("ready on a full disk after {:.0?}", daemon.ready_after);
    daemon.log().wait_for(FULL, 1).await?;
    probe.is_refused(&crowd).await?;
    probe.reads_go_on().await?;

    let (status, took) = daemon.terminate()?;
    println!("stopped on a full disk in {took:.0?}");
    ensure!(status.code() == Some(0), "{status}");
    let daemon = place.start(&[])?;
    daemon.log().wait_for(FULL, 1).await?;
    probe.is_refused(&crowd).await?;
    probe.reads_go_on().await?;

    place.disk.empty()?;
    crowd.more_acks(TALKING).await?;
    probe.is_acked(&crowd).await?;
    let history = crowd.settle().await?;
    let log = daemon.log().clone();
    daemon.terminate()?;
    log.ended().await?;
    ensure!(the_operator_was_told_once_a_change(&log)? == 1, "once");
    nothing_is_lost_doubled_or_reordered(&history, &place.database()?)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_is_filled_to_the_brim_and_grows_loses_nothing() -> Result<()> {
    let test = "a_disk_that_is_filled_to_the_brim_and_grows_loses_nothing";
    let Some(place) = Place::prepare(test)? else { return Ok(()) };
    let daemon = place.start(&[])?;
    let mut probe = Probe::prepare(&daemon).await?;
    let talk = Talk { in_flight: 60, text_bytes: 12_000, ..TALK };
    let crowd = Crowd::gather(talk, &daemon, place.clients()).await?;
    // The WAL is copied and cut now and then: it may be full more than once.
    daemon.log().wait_for(FULL, 1).await?;
    probe.reads_go_on().await?;
    place.disk.grow(8 * SIZE_MIB)?;
    crowd.more_acks(TALKING).await?;
    probe.is_acked(&crowd).await?;
    let history = crowd.settle().await?;
    let log = daemon.log().clone();
    daemon.terminate()?;
    log.ended().await?;
    the_operator_was_told_once_a_change(&log)?;
    nothing_is_lost_doubled_or_reordered(&history, &place.database()?)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_daemon_without_the_room_to_start_says_so() -> Result<()> {
    let Some(place) = Place::prepare("a_daemon_without_the_room_to_start_says_so")? else {
        return Ok(());
    };
    place.start(&[])?.terminate()?;
    place.disk.leave(0)?;
    let refused = place.disk.launch(&place.socket()).command()?.output()?;
    let said = String::from_utf8(refused.stderr)?;
    ensure!(refused.status.code() == Some(1), "{said}");
    let last = said.lines().last().unwrap_or_default();
    ensure!(last.starts_with("chatd: ") && last.contains("make room"), "{said}");
    println!("{last}");

    place.disk.empty()?;
    let daemon = place.start(&[])?;
    ensure!(daemon.log().with(FAULT).is_empty());
    Ok(())
}
