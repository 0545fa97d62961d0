//! One client that floods cannot starve the others.

use std::time::{Duration, Instant};

use anyhow::Result;
use chat_proto::{Ack, Join, Ping, Pong, RoomInfo};
use chat_tests::process::Daemon;
use chat_tests::raw::{Raw, send};
use tempfile::TempDir;

/// Far more than the window of a connection (1,024) and the queue of the sequencer (8,192) hold.
const FLOOD: u64 = 40_000;

/// Ten times what a loaded machine needs for a full queue.
const ROUND_TRIP_MAX: Duration = Duration::from_secs(5);

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_is_held_back_at_its_own_socket_and_others_are_answered_meanwhile() -> Result<()> {
    let dir = TempDir::new()?;
    let daemon = Daemon::start(&dir.path().join("data"))?;
    let (mut flooder, _) = Raw::sign_in(daemon.address(), 1, "flooder").await?;
    let lobby: RoomInfo = flooder.ask(&Join { name: "lobby".to_owned() }).await?;
    let (mut calm, _) = Raw::sign_in(daemon.address(), 2, "calm").await?;
    let flood = tokio::spawn(async move {
        for n in 1..=FLOOD {
            flooder.tell(&send(1, n, lobby.room, "a drop of the flood")).await?;
            // Acks are taken in time, so that only the windows hold the flood back.
            if n > 2_000 {
                let ack: Ack = flooder.frame().await?.decode()?;
                anyhow::ensure!(ack.nonce.n == n - 2_000, "acks come in order");
            }
        }
        for n in FLOOD - 1_999..=FLOOD {
            let ack: Ack = flooder.frame().await?.decode()?;
            anyhow::ensure!(ack.nonce.n == n, "acks come in order");
        }
        anyhow::Ok(())
    });
    let mut slowest = Duration::ZERO;
    let mut round_trips = 0;
    while !flood.is_finished() {
        let asked = Instant::now();
        let _: Pong = calm.ask(&Ping { token: round_trips }).await?;
        slowest = slowest.max(asked.elapsed());
        round_trips += 1;
    }
    flood.await??;
    println!("{round_trips} round trips during the flood, the slowest {slowest:?}");
    assert!(round_trips > 10 && slowest < ROUND_TRIP_MAX, "{round_trips}, {slowest:?}");
    Ok(())
}
