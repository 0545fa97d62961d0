//! Following a log: opening and closing cursors in any order, however fast.

use anyhow::Result;
use chat_proto::{Ack, Join, Posted, RoomInfo, Subscribe, Unsubscribe};
use chat_tests::process::Daemon;
use chat_tests::raw::{Raw, send};
use tempfile::TempDir;

/// Enough that replies of the daemon and requests of the client overtake each other.
const ROUNDS: u64 = 200;

#[tokio::test]
async fn who_stops_and_begins_to_follow_without_waiting_hears_what_comes_next() -> Result<()> {
    let dir = TempDir::new()?;
    let daemon = Daemon::start_with(&dir.path().join("data"), &["--durability", "process"])?;
    let (mut hasty, _) = Raw::sign_in(daemon.address(), 1, "hasty").await?;
    let (mut calm, _) = Raw::sign_in(daemon.address(), 2, "calm").await?;
    let lobby: RoomInfo = calm.ask(&Join { name: "lobby".to_owned() }).await?;
    let log = lobby.room.into();
    for n in 1..=ROUNDS {
        hasty.tell(&Subscribe { log, after: None }).await?;
        hasty.tell(&Unsubscribe { log }).await?;
        let last = hasty.tell(&Subscribe { log, after: None }).await?;
        while hasty.frame().await?.request != last {}
        let _: Ack = calm.ask(&send(1, n, lobby.room, &n.to_string())).await?;
        assert_eq!(hasty.event::<Posted>().await?.body.text, n.to_string());
        hasty.events.clear();
    }
    Ok(())
}
