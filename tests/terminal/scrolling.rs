//! Scrolling back pages the server's history: the view never jumps, nothing pulls it down, and
//! End returns.

use anyhow::{Context, Result};
use chat_proto::{Ack, Join, Ping, Pong, RoomId, RoomInfo};
use chat_tests::pty::Pty;
use chat_tests::raw::{Raw, send};

use crate::stage::Stage;

const MESSAGES: u64 = 2_000;

/// Somebody has said so many lines in the lobby.
async fn talked(raw: &mut Raw) -> Result<RoomId> {
    let lobby: RoomInfo = raw.ask(&Join { name: "lobby".to_owned() }).await?;
    for n in 1..=MESSAGES {
        raw.tell(&send(1, n, lobby.room, &format!("line {n:04}"))).await?;
        if n % 200 == 0 {
            let _: Pong = raw.ask(&Ping { token: n }).await?;
        }
    }
    let last: Ack = raw.ask(&send(1, MESSAGES, lobby.room, &format!("line {MESSAGES}"))).await?;
    assert!(last.seq.0 >= MESSAGES);
    Ok(lobby.room)
}

/// The numbers of the lines on a screen, from above.
fn numbers(screen: &vt100::Screen) -> Vec<u64> {
    let rows = screen.contents();
    let after = rows.lines().filter_map(|row| row.split_once("line ").map(|(_, after)| after));
    after.filter_map(|after| after.get(..4)?.parse().ok()).collect()
}

/// What is shown is a piece of the history without a hole.
fn is_whole(numbers: &[u64]) -> bool {
    numbers.windows(2).all(|pair| pair[1] == pair[0] + 1)
}

/// Scrolls up by a page and waits until that is seen; tells the first line.
fn page_up(pty: &mut Pty, from: u64) -> Result<u64> {
    pty.types("\x1b[5~")?;
    pty.wait(&format!("older than {from}"), |screen| {
        numbers(screen).first().is_some_and(|&first| first < from)
    })?;
    pty.look(|vt| numbers(vt.screen()).first().copied()).context("there are lines")
}

#[tokio::test]
async fn two_thousand_messages_scroll_back_without_a_hole_and_end_returns() -> Result<()> {
    let stage = Stage::new()?;
    let daemon = stage.launch().flags(&["--durability", "process"]).start()?;
    let (mut loud, _) = Raw::sign_in(daemon.address(), 9, "loud").await?;
    let room = talked(&mut loud).await?;
    let mut ada = stage.seat("ada").open()?;
    ada.shows("line 2000")?;
    let mut first = ada.look(|vt| numbers(vt.screen())[0]);
    let mut pages = 0;
    while first > 1 {
        first = page_up(&mut ada, first)?;
        pages += 1;
    }
    assert!(pages > 90, "{pages} pages of 20 rows: none was skipped");
    ada.types("\x1b[5~")?;
    ada.shows("beginning of #lobby")?;
    let mut last = u64::MAX;
    ada.look(|vt| {
        vt.frames(|screen| {
            let numbers = numbers(screen);
            assert!(is_whole(&numbers), "a hole: {numbers:?}");
            let Some(&first) = numbers.first() else { return };
            assert!(first <= last, "the view jumped down from {last} to {first}");
            last = first;
        });
    });
    // What is said meanwhile is counted and pulls nobody down.
    for n in 1..=3 {
        let _: Ack = loud.ask(&send(1, MESSAGES + n, room, "news")).await?;
    }
    ada.wait("three more below", |screen| {
        let row = screen.contents();
        let below = row.split("↓ ").nth(1).and_then(|after| after.split(' ').next()?.parse().ok());
        let shown = numbers(screen).len() as u64;
        below.is_some_and(|below: u64| below == MESSAGES + 3 - shown)
    })?;
    assert_eq!(ada.look(|vt| numbers(vt.screen())[0]), 1, "nobody was pulled down");
    ada.types("\x1b[F")?;
    ada.shows("news")?;
    ada.hides("below, End")?;
    ada.wait("the end", |screen| numbers(screen).last() == Some(&MESSAGES))?;
    // And up again, from there.
    let first = ada.look(|vt| numbers(vt.screen())[0]);
    page_up(&mut ada, first)?;
    Ok(())
}

#[tokio::test]
async fn a_reader_in_the_middle_stays_there_while_others_talk() -> Result<()> {
    let stage = Stage::new()?;
    let daemon = stage.launch().flags(&["--durability", "process"]).start()?;
    let (mut loud, _) = Raw::sign_in(daemon.address(), 9, "loud").await?;
    let room = talked(&mut loud).await?;
    let mut ada = stage.seat("ada").open()?;
    ada.shows("line 2000")?;
    let first = ada.look(|vt| numbers(vt.screen())[0]);
    let first = page_up(&mut ada, first)?;
    for n in 1..=40 {
        let _: Ack = loud.ask(&send(1, MESSAGES + n, room, "news")).await?;
    }
    ada.wait("what is new is counted", |screen| {
        let below = screen.contents();
        let below = below.split("↓ ").nth(1).and_then(|after| after.split(' ').next());
        below.is_some_and(|below| below.parse().is_ok_and(|below: u64| below > 40))
    })?;
    assert_eq!(ada.look(|vt| numbers(vt.screen())[0]), first);
    // A small notch of the wheel down is a small step, not a jump to the end.
    ada.types("\x1b[<65;40;10M")?;
    ada.wait("three lines further", |screen| numbers(screen).first() == Some(&(first + 3)))?;
    ada.enters("my own line")?;
    ada.shows("my own line ✓")?;
    Ok(())
}
