//! A slow reader is neither kicked nor felt, costs no queue, and gets everything when it wakes.

use anyhow::{Context, Result};
use chat_proto::{Ack, Join, Ping, Pong, Posted, RoomInfo, Seq, Subscribe, Subscribed};
use chat_tests::process::Daemon;
use chat_tests::raw::{Raw, send};
use tempfile::TempDir;

/// Together far over the budget of all tails (64 MiB), so that the reader falls back to disk.
const MESSAGES: u64 = 6_000;
const TEXT_BYTES: usize = 16_000;

#[tokio::test]
async fn a_reader_that_slept_gets_everything_from_disk_and_then_what_is_new() -> Result<()> {
    let dir = TempDir::new()?;
    let daemon = Daemon::start_with(&dir.path().join("data"), &["--durability", "process"])?;
    let (mut sleeper, _) = Raw::sign_in(daemon.address(), 1, "sleeper").await?;
    let (mut loud, _) = Raw::sign_in(daemon.address(), 2, "loud").await?;
    let lobby: RoomInfo = loud.ask(&Join { name: "lobby".to_owned() }).await?;
    let subscribe = Subscribe { log: lobby.room.into(), after: None };
    let subscribed: Subscribed = sleeper.ask(&subscribe).await?;

    let text = "x".repeat(TEXT_BYTES);
    let before = resident_bytes(daemon.pid())?;
    for n in 1..=MESSAGES {
        loud.tell(&send(1, n, lobby.room, &text)).await?;
        if n % 500 == 0 {
            let _: Pong = loud.ask(&Ping { token: n }).await?;
        }
    }
    loud.events.clear();
    let grown = resident_bytes(daemon.pid())?.saturating_sub(before);
    println!("{} MiB were sent; the daemon grew by {} MiB", (MESSAGES * 16_000) >> 20, grown >> 20);
    assert!(grown < 160 << 20, "the daemon grew by {} MiB", grown >> 20);

    let mut expected = subscribed.head;
    for n in 1..=MESSAGES {
        let posted: Posted = sleeper.event().await.with_context(|| format!("message {n}"))?;
        expected = Seq(expected.0 + 1);
        assert_eq!((posted.seq, posted.body.text.len()), (expected, TEXT_BYTES));
        sleeper.events.clear();
    }
    let ack: Ack = loud.ask(&send(1, MESSAGES + 1, lobby.room, "new")).await?;
    let posted: Posted = sleeper.event().await?;
    assert_eq!((posted.seq, &*posted.body.text), (ack.seq, "new"));
    Ok(())
}

/// Resident memory of a process, from the system.
fn resident_bytes(pid: u32) -> Result<usize> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).context("VmRSS")?;
    let kilobytes: usize = line.split_whitespace().nth(1).context("a number")?.parse()?;
    Ok(kilobytes * 1024)
}

#[tokio::test]
async fn who_asks_and_does_not_take_the_answers_waits_for_himself() -> Result<()> {
    const PAGES: u64 = 1_500;
    let dir = TempDir::new()?;
    let daemon = Daemon::start_with(&dir.path().join("data"), &["--durability", "process"])?;
    let (mut greedy, _) = Raw::sign_in(daemon.address(), 1, "greedy").await?;
    let lobby: RoomInfo = greedy.ask(&Join { name: "lobby".to_owned() }).await?;
    let text = "x".repeat(TEXT_BYTES);
    for n in 1..=4 {
        let _: Ack = greedy.ask(&send(1, n, lobby.room, &text)).await?;
    }
    let before = resident_bytes(daemon.pid())?;
    let ask = chat_proto::History { room: lobby.room, before: Seq(u64::MAX), limit: 2 };
    let mut asked = std::collections::VecDeque::new();
    for _ in 0..PAGES {
        asked.push_back(greedy.tell(&ask).await?);
    }
    // Another client's round trips pass while the pages pile up as far as they may.
    let (mut other, _) = Raw::sign_in(daemon.address(), 2, "other").await?;
    for token in 0..1_000 {
        let _: Pong = other.ask(&Ping { token }).await?;
    }
    let grown = resident_bytes(daemon.pid())?.saturating_sub(before);
    assert!(grown < 32 << 20, "the daemon grew by {} MiB", grown >> 20);
    while let Some(request) = asked.pop_front() {
        let frame = greedy.frame().await?;
        let page: chat_proto::HistoryPage = frame.decode()?;
        assert!(!page.messages.is_empty(), "{request:?}");
    }
    Ok(())
}
