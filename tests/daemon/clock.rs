//! A clock that was ahead once: told with both times, felt by the rooms alone that have its times,
//! and corrected when the operator says so.

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};
use chat_proto::{Ack, CloseReason, History, HistoryPage, Join, RoomInfo, Seq, SignedIn};
use chat_tests::process::Daemon;
use chat_tests::raw::{Raw, send};
use rusqlite::Connection;
use rustix::process::Signal;
use tempfile::TempDir;

const YEAR_MS: u64 = 365 * 24 * 3_600_000;
const MINUTE_MS: u64 = 60_000;

fn now_ms() -> Result<u64> {
    Ok(u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis())?)
}

/// Posts in the lobby, stops the daemon, and has its clock have been a year ahead for that.
async fn a_message_from_next_year(data: &Path) -> Result<SignedIn> {
    let daemon = Daemon::start(data)?;
    let (mut ada, signed_in) = Raw::sign_in(daemon.address(), 1, "ada").await?;
    let lobby: RoomInfo = ada.ask(&Join { name: "lobby".to_owned() }).await?;
    let ack: Ack = ada.ask(&send(1, 1, lobby.room, "from the future")).await?;
    daemon.signal(Signal::TERM)?;
    let close = ada.closed().await?;
    assert_eq!(close.known_reason(), Some(CloseReason::GoingAway));
    daemon.wait()?;
    let store = Connection::open(data.join("chatd.db"))?;
    let ahead = "UPDATE events SET ts = ts + ? WHERE kind = 'posted' AND seq = ?";
    let changed = store.execute(ahead, [YEAR_MS.cast_signed(), ack.seq.0.cast_signed()])?;
    assert_eq!(changed, 1);
    Ok(signed_in)
}

async fn page(raw: &mut Raw, lobby: &RoomInfo) -> Result<HistoryPage> {
    raw.ask(&History { room: lobby.room, before: Seq(u64::MAX), limit: 9 }).await
}

#[tokio::test]
async fn a_clock_that_was_ahead_is_told_and_holds_up_no_other_room() -> Result<()> {
    let dir = TempDir::new()?;
    let data = dir.path().join("data");
    a_message_from_next_year(&data).await?;
    for start in 1..=2 {
        let daemon = Daemon::start(&data)?;
        let log = daemon.log().clone();
        log.wait_for("the clock is behind the times of messages", 1).await?;
        let told = log.with("the clock is behind").pop().context("it is there")?;
        assert!(told.contains("WARN") && told.contains("now=2"), "{told}");
        assert!(told.contains("latest_event=2") && told.contains("--correct-times"), "{told}");

        let (mut ada, _) = Raw::sign_in(daemon.address(), 1, "ada").await?;
        let lobby: RoomInfo = ada.ask(&Join { name: "lobby".to_owned() }).await?;
        let other: RoomInfo = ada.ask(&Join { name: format!("room-{start}") }).await?;
        let held: Ack = ada.ask(&send(1, start + 1, lobby.room, "present")).await?;
        let right: Ack = ada.ask(&send(2 + start as u8, 1, other.room, "present")).await?;
        let now = now_ms()?;
        assert!(held.ts.0 > now + YEAR_MS / 2, "its time does not go back");
        assert!(right.ts.0.abs_diff(now) < MINUTE_MS, "{} at {now}", right.ts.0);
        daemon.terminate()?;
    }
    Ok(())
}

#[tokio::test]
async fn the_operator_can_have_wrong_times_corrected() -> Result<()> {
    let dir = TempDir::new()?;
    let data = dir.path().join("data");
    let before = a_message_from_next_year(&data).await?;
    let daemon = Daemon::start_with(&data, &["--correct-times"])?;
    daemon.log().wait_for("events=1", 1).await?;
    let (mut ada, after) = Raw::sign_in(daemon.address(), 1, "ada").await?;
    assert_ne!(after.epoch, before.epoch, "everybody reads again");
    let lobby: RoomInfo = ada.ask(&Join { name: "lobby".to_owned() }).await?;
    let again: Ack = ada.ask(&send(1, 1, lobby.room, "from the future")).await?;
    let new: Ack = ada.ask(&send(1, 2, lobby.room, "present")).await?;
    let now = now_ms()?;
    assert!(again.ts <= new.ts && new.ts.0.abs_diff(now) < MINUTE_MS, "{again:?}, {new:?}");
    let page = page(&mut ada, &lobby).await?;
    let times: Vec<_> = page.messages.iter().map(|message| message.ts).collect();
    assert!(times.is_sorted() && times.iter().all(|ts| ts.0 <= now), "{times:?}");
    assert!(daemon.log().with("the clock is behind").is_empty());
    daemon.terminate()?;

    // A clock that was never ahead leaves everything as it is.
    let daemon = Daemon::start_with(&data, &["--correct-times"])?;
    daemon.log().wait_for("events=0", 1).await?;
    let (_ada, same) = Raw::sign_in(daemon.address(), 1, "ada").await?;
    assert_eq!(same.epoch, after.epoch);
    Ok(())
}
