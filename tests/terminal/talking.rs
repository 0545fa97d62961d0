//! Two people in two terminals: they see each other once, over every way in, and after an outage.

use std::time::{Duration, Instant};

use anyhow::Result;
use chat_proto::{Join, Ping, Pong, RoomInfo};
use chat_tests::pty::Pty;
use chat_tests::raw::{Raw, send};
use rustix::process::Signal;

use crate::stage::{Stage, times};

fn once(pty: &Pty, text: &str) {
    let seen = pty.look(|vt| times(vt.screen(), text));
    assert_eq!(seen, 1, "{text:?} in:\n{}", pty.contents());
}

#[test]
fn two_people_talk_over_the_unix_socket_and_tcp() -> Result<()> {
    let stage = Stage::new()?;
    let daemon = stage.daemon()?;
    let mut ada = stage.enter("ada")?;
    let mut bob = stage.seat("bob").with(daemon.address().to_string()).open()?;
    bob.shows("● connected")?;
    bob.shows("you are bob")?;
    ada.shows("bob joined")?;
    for pty in [&ada, &bob] {
        pty.shows("2 online")?;
    }
    ada.enters("shall we deploy?")?;
    bob.shows("ada     shall we deploy?")?;
    bob.enters("yes, after lunch")?;
    ada.shows("bob     yes, after lunch")?;
    ada.shows("you     shall we deploy? ✓")?;
    bob.shows("you     yes, after lunch ✓")?;
    for pty in [&ada, &bob] {
        once(pty, "shall we deploy?");
        once(pty, "yes, after lunch");
    }
    assert_eq!(stage.said()?, ["shall we deploy?", "yes, after lunch"]);
    bob.kill()?;
    ada.shows("1 online")?;
    Ok(())
}

#[test]
fn a_name_that_is_taken_is_refused() -> Result<()> {
    let stage = Stage::new()?;
    let _daemon = stage.daemon()?;
    let _ada = stage.enter("ada")?;
    let other = stage.seat("ada").with("--data-dir").with(stage.nobody()).open()?;
    other.shows("not connected")?;
    other.shows("ada")?;
    other.shows("taken")?;
    Ok(())
}

#[test]
fn after_an_outage_what_was_missed_is_counted_marked_and_there_once() -> Result<()> {
    let stage = Stage::new()?;
    let daemon = stage.daemon()?;
    let address = daemon.address().to_string();
    let mut ada = stage.enter("ada")?;
    let mut bob = stage.enter("bob")?;
    ada.shows("2 online")?;
    ada.enters("before")?;
    ada.shows("before ✓")?;
    bob.shows("ada     before")?;
    // Ada's client sleeps through the end of one server and the start of the next.
    ada.signal(Signal::STOP)?;
    daemon.kill()?;
    bob.shows("connection lost")?;
    let _daemon = stage.launch().flags(&["--listen", &address]).start()?;
    bob.shows("● connected")?;
    for line in ["missed one", "missed two", "missed three"] {
        bob.enters(line)?;
        bob.shows(&format!("{line} ✓"))?;
    }
    ada.signal(Signal::CONT)?;
    ada.shows("missed 3")?;
    ada.shows("3 new")?;
    ada.shows("bob     missed three")?;
    for line in ["you     before ✓", "missed one", "missed two", "missed three"] {
        once(&ada, line);
    }
    ada.enters("later")?;
    ada.shows("later ✓")?;
    ada.hides("3 new")?;
    bob.shows("ada     later")?;
    once(&bob, "later");
    let said = ["before", "missed one", "missed two", "missed three", "later"];
    assert_eq!(stage.said()?, said);
    Ok(())
}

/// Talks as fast as the daemon takes it, until told to stop.
async fn flood(mut loud: Raw, mut stop: tokio::sync::oneshot::Receiver<()>) -> Result<u64> {
    let lobby: RoomInfo = loud.ask(&Join { name: "lobby".to_owned() }).await?;
    for n in 1.. {
        loud.tell(&send(1, n, lobby.room, &format!("noise {n}"))).await?;
        if n % 200 == 0 {
            let _: Pong = loud.ask(&Ping { token: n }).await?;
            loud.events.clear();
            if stop.try_recv().is_ok() {
                return Ok(n);
            }
        }
    }
    Ok(0)
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_are_seen_at_once_while_messages_stream_in() -> Result<()> {
    let stage = Stage::new()?;
    let daemon = stage.launch().flags(&["--durability", "process"]).start()?;
    let mut ada = stage.enter("ada")?;
    let (loud, _) = Raw::sign_in(daemon.address(), 9, "loud").await?;
    let (stop, stopped) = tokio::sync::oneshot::channel();
    let started = Instant::now();
    let flooding = tokio::spawn(flood(loud, stopped));
    ada.shows("noise")?;
    let mut slowest = Duration::ZERO;
    for length in 1..=20 {
        let typed = Instant::now();
        ada.types("k")?;
        ada.shows(&format!("> {}", "k".repeat(length)))?;
        slowest = slowest.max(typed.elapsed());
    }
    ada.types("\r")?;
    ada.hides("> k")?;
    assert_eq!(stop.send(()), Ok(()), "the flood goes on");
    let said = flooding.await??;
    let rate = said as f64 / started.elapsed().as_secs_f64();
    println!("the slowest of 20 keys was seen after {slowest:?}, at {rate:.0} messages a second");
    assert!(slowest < Duration::from_secs(5));
    ada.enters("quiet again")?;
    ada.shows("quiet again ✓")?;
    let said = stage.said()?;
    assert_eq!(said.iter().filter(|text| text.starts_with("kkk")).count(), 1);
    Ok(())
}
