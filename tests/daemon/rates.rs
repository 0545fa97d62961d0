//! An account may ask so much in a second, over however many connections it asks. Past that it is read
//! later: nothing is refused, and nobody else feels it.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use chat_proto::{Ack, Join, Kind, Ping, Pong, RoomInfo};
use chat_tests::process::Daemon;
use chat_tests::raw::{Raw, send};
use tempfile::TempDir;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval, timeout};

/// What a full bucket holds, in seconds of the rate.
const BURST_SECONDS: u64 = 4;

/// Ten times what a busy machine needs for a round trip.
const ROUND_TRIP_MAX: Duration = Duration::from_secs(2);

fn start(dir: &TempDir, per_second: u64) -> Result<Daemon> {
    let rate = format!("--requests-per-second={per_second}");
    Daemon::start_with(&dir.path().join("data"), &[&rate])
}

#[tokio::test]
async fn ten_connections_of_an_account_are_as_fast_as_one_may_be() -> Result<()> {
    const PER_SECOND: u64 = 200;
    const CONNECTIONS: u64 = 10;
    // Two seconds more than a full bucket.
    const EACH: u64 = PER_SECOND * (BURST_SECONDS + 2) / CONNECTIONS;
    let dir = TempDir::new()?;
    let daemon = start(&dir, PER_SECOND)?;
    let mut connections = Vec::new();
    for _ in 0..CONNECTIONS {
        connections.push(Raw::sign_in(daemon.address(), 1, "ada").await?.0);
    }
    let began = Instant::now();
    let mut asking = JoinSet::new();
    for mut raw in connections {
        asking.spawn(async move {
            for token in 0..EACH {
                let _: Pong = raw.ask(&Ping { token }).await?;
            }
            anyhow::Ok(())
        });
    }
    while let Some(asked) = asking.join_next().await {
        asked??;
    }
    let took = began.elapsed();
    println!("{} requests took {took:?}", EACH * CONNECTIONS);
    // What was saved from before the first request on is a few milliseconds' worth.
    assert!(took >= Duration::from_millis(1_900), "{took:?}: faster than the rate");
    assert!(took < Duration::from_secs(20), "{took:?}: far slower than the rate");
    Ok(())
}

/// What the daemon has computed, in seconds. The kernel tells it in hundredths (`USER_HZ`, proc(5)).
#[cfg(target_os = "linux")]
fn cpu_seconds(daemon: &Daemon) -> Result<f64> {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", daemon.pid()))?;
    let (_name, fields) = stat.rsplit_once(')').context("the name in brackets")?;
    let ticks = fields.split_whitespace().skip(11).take(2).map(str::parse::<f64>);
    Ok(ticks.sum::<Result<f64, _>>()? / 100.0)
}

#[tokio::test]
async fn an_account_that_is_too_fast_is_slowed_as_one_and_others_are_not() -> Result<()> {
    const PER_SECOND: u64 = 100;
    const CONNECTIONS: u8 = 20;
    const EACH: u64 = 100;
    /// Two seconds more than a full bucket.
    const SEEN: u64 = PER_SECOND * (BURST_SECONDS + 2);
    let dir = TempDir::new()?;
    let daemon = start(&dir, PER_SECOND)?;
    let (mut calm, _) = Raw::sign_in(daemon.address(), 2, "calm").await?;
    let lobby: RoomInfo = calm.ask(&Join { name: "lobby".to_owned() }).await?;
    let mut flood = Vec::new();
    for _ in 0..CONNECTIONS {
        flood.push(Raw::sign_in(daemon.address(), 1, "flood").await?.0);
    }
    let _: RoomInfo = flood[0].ask(&Join { name: "lobby".to_owned() }).await?;
    let began = Instant::now();
    for (stream, raw) in (1..).zip(&mut flood) {
        for n in 1..=EACH {
            raw.tell(&send(stream, n, lobby.room, "a drop of the flood")).await?;
        }
    }
    #[cfg(target_os = "linux")]
    let computed = cpu_seconds(&daemon)?;
    let mut slowest = Duration::ZERO;
    // Slowly enough for the calm one's own rate.
    let mut pace = interval(Duration::from_millis(40));
    pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
    for n in 1.. {
        pace.tick().await;
        let asked = Instant::now();
        let ack: Ack = calm.ask(&send(200, n, lobby.room, "a calm word")).await?;
        slowest = slowest.max(asked.elapsed());
        // The joins are in the log as well.
        if ack.seq.0 - n >= SEEN + 2 {
            break;
        }
        ensure!(began.elapsed() < Duration::from_secs(20), "{ack:?}: far slower than the rate");
    }
    let took = began.elapsed();
    println!("{SEEN} messages of the flood took {took:?}, the slowest of the others {slowest:?}");
    assert!(took >= Duration::from_millis(1_900), "{took:?}: faster than the rate");
    assert!(slowest < ROUND_TRIP_MAX, "{slowest:?}");
    #[cfg(target_os = "linux")]
    {
        let computed = cpu_seconds(&daemon)? - computed;
        assert!(computed < took.as_secs_f64() / 2.0, "{computed} s of {took:?}: who waits is busy");
    }
    for _ in 0..20 {
        let frame = flood[0].frame().await?;
        assert_eq!(frame.known_kind(), Some(Kind::Ack), "{frame:?}: nothing is refused");
    }
    Ok(())
}

#[tokio::test]
async fn who_comes_again_has_no_second_burst() -> Result<()> {
    const PER_SECOND: u64 = 50;
    let dir = TempDir::new()?;
    let daemon = start(&dir, PER_SECOND)?;
    let began = Instant::now();
    // Six seconds' worth, of which four come at once.
    for _ in 0..6 {
        let (mut raw, _) = Raw::sign_in(daemon.address(), 1, "ada").await?;
        for token in 0..PER_SECOND {
            let _: Pong = raw.ask(&Ping { token }).await?;
        }
    }
    let took = began.elapsed();
    assert!(took >= Duration::from_millis(1_900), "{took:?}");
    Ok(())
}

#[tokio::test]
async fn a_connection_that_is_never_done_keeps_no_other_of_its_account_from_its_turn() -> Result<()>
{
    const PER_SECOND: u64 = 1_000;
    const IN_FLIGHT: u64 = 512;
    let dir = TempDir::new()?;
    let daemon = start(&dir, PER_SECOND)?;
    let (mut busy, _) = Raw::sign_in(daemon.address(), 1, "ada").await?;
    let (mut other, _) = Raw::sign_in(daemon.address(), 1, "ada").await?;
    let lobby: RoomInfo = busy.ask(&Join { name: "lobby".to_owned() }).await?;
    let (acked, mut acks) = watch::channel(0);
    let mut tasks = JoinSet::new();
    tasks.spawn(async move {
        for n in 1.. {
            busy.tell(&send(1, n, lobby.room, "one of very many")).await?;
            if n > IN_FLIGHT {
                let ack: Ack = busy.frame().await?.decode()?;
                acked.send_replace(ack.nonce.n);
            }
        }
        anyhow::Ok(())
    });
    // Everything that was saved is used up.
    let used_up = acks.wait_for(|acked| *acked > PER_SECOND * BURST_SECONDS);
    timeout(Duration::from_secs(20), used_up).await??;
    let mut slowest = Duration::ZERO;
    for token in 0..10 {
        let asked = Instant::now();
        let _: Pong = other.ask(&Ping { token }).await?;
        slowest = slowest.max(asked.elapsed());
    }
    assert!(slowest < ROUND_TRIP_MAX, "{slowest:?}");
    // The busy one has not been waiting meanwhile.
    let before = *acks.borrow();
    timeout(Duration::from_secs(20), acks.wait_for(|acked| *acked > before)).await??;
    tasks.abort_all();
    Ok(())
}
