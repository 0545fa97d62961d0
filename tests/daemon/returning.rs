//! Who comes back, joins again, and takes the name that it has: nothing is written.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use chat_proto::{Done, Join, Rename, RoomInfo};
use chat_tests::process::Daemon;
use chat_tests::raw::Raw;
use tempfile::TempDir;

const RETURNS: usize = 1_000;

/// Longer than the daemon puts anything off: the WAL is moved into the database after five seconds.
const QUIET: Duration = Duration::from_secs(7);

const PATIENCE: Duration = Duration::from_secs(60);

/// Every byte that the daemon keeps of rooms and people.
fn stored(data: &Path) -> Result<Vec<Vec<u8>>> {
    let read = |name| std::fs::read(data.join(name)).with_context(|| format!("read {name}"));
    ["chatd.db", "chatd.db-wal", "witness"].into_iter().map(read).collect()
}

/// Waits until nothing is written any more: where the newest events are is told late.
fn settled(data: &Path) -> Result<Vec<Vec<u8>>> {
    let (start, mut since) = (Instant::now(), Instant::now());
    let mut seen = stored(data)?;
    while since.elapsed() < QUIET {
        ensure!(start.elapsed() < PATIENCE, "it does not stop writing");
        // Polling another process's files, not synchronising with it.
        std::thread::sleep(Duration::from_millis(100));
        let now = stored(data)?;
        if now != seen {
            (seen, since) = (now, Instant::now());
        }
    }
    Ok(seen)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_who_come_back_leave_every_stored_byte_as_it_was() -> Result<()> {
    let dir = TempDir::new()?;
    let data = dir.path().join("data");
    let daemon = Daemon::start(&data)?;
    let (mut ada, first) = Raw::sign_in(daemon.address(), 1, "ada").await?;
    let room: RoomInfo = ada.ask(&Join { name: "ops".to_owned() }).await?;
    let before = settled(&data)?;
    for _ in 0..RETURNS {
        let (mut again, signed_in) = Raw::sign_in(daemon.address(), 1, "whoever").await?;
        let joined: RoomInfo = again.ask(&Join { name: "OPS".to_owned() }).await?;
        let _: Done = again.ask(&Rename { name: "ada".to_owned() }).await?;
        let who = (signed_in.account, joined.room);
        ensure!(who == (first.account, room.room), "it is the same person: {who:?}");
    }
    ensure!(stored(&data)? == before, "something was written");
    let _: Done = ada.ask(&Rename { name: "lovelace".to_owned() }).await?;
    ensure!(stored(&data)? != before, "what changes something is written");
    Ok(())
}
