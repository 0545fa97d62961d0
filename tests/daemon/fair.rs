//! One account that floods cannot starve the others, however many connections it has.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use chat_proto::{
    Ack, ErrorCode, History, HistoryPage, Join, Kind, Nonce, Ping, Pong, RoomId, RoomInfo, Send,
    Seq, StreamId, TextBody,
};
use chat_tests::process::Daemon;
use chat_tests::raw::{Raw, send};
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::timeout;

const PATIENCE: Duration = Duration::from_secs(60);

/// What somebody calm says at once: more than a turn has room for (13), so that turns pass between the
/// first of them and the last.
const SAID_AT_ONCE: u64 = 40;

/// Messages of the flood between the first and the last of them. With turns of accounts there are as
/// many as turns have passed, 13 each. With turns of connections it is 1,300 for each of these turns.
const BETWEEN_MAX: u64 = 600;

/// Far more than the window of a connection (1,024) and the queue of the sequencer (8,192) hold.
const FLOOD: u64 = 40_000;

/// Ten times what a loaded machine needs for a full queue.
const ROUND_TRIP_MAX: Duration = Duration::from_secs(5);

/// Only turns are to hold a flood back: otherwise its rate would.
fn without_a_rate(dir: &TempDir) -> Result<Daemon> {
    Daemon::start_with(&dir.path().join("data"), &["--requests-per-second=1000000000"])
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_is_held_back_at_its_own_socket_and_others_are_answered_meanwhile() -> Result<()> {
    let dir = TempDir::new()?;
    let daemon = without_a_rate(&dir)?;
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

/// Many connections of one account, each doing the same until the flood is over; on a thread of their
/// own, so that nobody else waits for them on this side.
struct Flood {
    connections: JoinSet<Result<()>>,
    thread: Option<Runtime>,
    is_over: Arc<AtomicBool>,
    answers: watch::Sender<u64>,
}

impl Flood {
    fn new() -> Result<Self> {
        let thread = Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        Ok(Self {
            connections: JoinSet::new(),
            thread: Some(thread),
            is_over: Arc::default(),
            answers: watch::Sender::new(0),
        })
    }

    /// Keeps so many requests of one connection in flight.
    fn keep_asking<B: chat_proto::Body + std::marker::Send + Sync>(
        &mut self,
        mut raw: Raw,
        in_flight: u64,
        request: impl Fn(u64) -> B + std::marker::Send + 'static,
    ) {
        let Some(thread) = &self.thread else { return };
        let (is_over, answers) = (Arc::clone(&self.is_over), self.answers.clone());
        let asking = async move {
            for n in 1.. {
                if is_over.load(Ordering::Relaxed) {
                    break;
                }
                raw.tell(&request(n)).await?;
                if n >= in_flight {
                    raw.frame().await?;
                    answers.send_modify(|answers| *answers += 1);
                }
            }
            Ok(())
        };
        self.connections.spawn_on(asking, thread.handle());
    }

    /// Waits until so many requests have been answered.
    async fn answered(&self, count: u64) -> Result<()> {
        let mut answers = self.answers.subscribe();
        let answered = answers.wait_for(|answers| *answers >= count);
        timeout(PATIENCE, answered).await.context("the flood is answered")??;
        Ok(())
    }

    async fn end(mut self) -> Result<()> {
        self.is_over.store(true, Ordering::Relaxed);
        while let Some(ended) = timeout(PATIENCE, self.connections.join_next()).await? {
            ended??;
        }
        Ok(())
    }
}

impl Drop for Flood {
    fn drop(&mut self) {
        if let Some(thread) = self.thread.take() {
            thread.shutdown_background();
        }
    }
}

async fn room(raw: &mut Raw, name: &str) -> Result<RoomId> {
    let info: RoomInfo = raw.ask(&Join { name: name.to_owned() }).await?;
    Ok(info.room)
}

/// How many messages of the flood come between the first and the last of what somebody says at once. All of
/// it is there from the start, so that it does not matter how soon this side gets the processor: the
/// fewest of some attempts, for one may be read in two pieces.
async fn between(raw: &mut Raw, room: RoomId) -> Result<u64> {
    let mut fewest = u64::MAX;
    for attempt in 0..5 {
        let first = attempt * SAID_AT_ONCE + 1;
        let words: Vec<Send> =
            (first..first + SAID_AT_ONCE).map(|n| send(200, n, room, "a calm word")).collect();
        raw.tell_at_once(&words).await?;
        let mut seqs = Vec::new();
        for _ in &words {
            let ack: Ack = raw.frame().await?.decode()?;
            seqs.push(ack.seq.0);
        }
        fewest = fewest.min(seqs[seqs.len() - 1] - seqs[0] + 1 - SAID_AT_ONCE);
    }
    Ok(fewest)
}

async fn between_beside_a_hundred_connections_of_one_account(
    nonce: impl Fn(u64, u64) -> Nonce + Copy + std::marker::Send + 'static,
) -> Result<u64> {
    let dir = TempDir::new()?;
    let daemon = without_a_rate(&dir)?;
    let (mut calm, _) = Raw::sign_in(daemon.address(), 2, "calm").await?;
    let mut flood = Flood::new()?;
    let mut flooders = Vec::new();
    for _ in 0..100 {
        flooders.push(Raw::sign_in(daemon.address(), 1, "flooder").await?.0);
    }
    let flooded = room(&mut flooders[0], "flooded").await?;
    room(&mut calm, "flooded").await?;
    for (connection, raw) in (0..).zip(flooders) {
        let drop = move |n| {
            let text = "a drop of the flood".to_owned();
            Send { nonce: nonce(connection, n), room: flooded, body: TextBody::say(text) }
        };
        flood.keep_asking(raw, 512, drop);
    }
    flood.answered(5_000).await?;
    let between = between(&mut calm, flooded).await?;
    flood.end().await?;
    Ok(between)
}

fn stream(connection: u64, send: u64) -> StreamId {
    let mut stream = [0; 16];
    stream[..8].copy_from_slice(&connection.to_le_bytes());
    stream[8..].copy_from_slice(&send.to_le_bytes());
    StreamId(stream)
}

#[tokio::test]
async fn a_hundred_connections_of_one_account_have_one_share() -> Result<()> {
    let nonce = |connection, n| Nonce { stream: stream(connection, 0), n };
    let between = between_beside_a_hundred_connections_of_one_account(nonce).await?;
    assert!(between < BETWEEN_MAX, "{between}");
    Ok(())
}

#[tokio::test]
async fn sends_of_a_stream_each_have_no_larger_share() -> Result<()> {
    let nonce = |connection, n| Nonce { stream: stream(connection, n), n: 1 };
    let between = between_beside_a_hundred_connections_of_one_account(nonce).await?;
    assert!(between < BETWEEN_MAX, "{between}");
    Ok(())
}

#[tokio::test]
async fn nobody_is_told_busy_because_another_account_reads_much() -> Result<()> {
    const CONNECTIONS: usize = 300;
    let dir = TempDir::new()?;
    let daemon = without_a_rate(&dir)?;
    let (mut calm, _) = Raw::sign_in(daemon.address(), 2, "calm").await?;
    let lobby = room(&mut calm, "lobby").await?;
    for n in 1..=256 {
        calm.tell(&send(1, n, lobby, "something to read")).await?;
    }
    for _ in 1..=256 {
        calm.frame().await?;
    }
    let page = History { room: lobby, before: Seq(u64::MAX), limit: 256 };
    let mut flood = Flood::new()?;
    let mut readers = Vec::new();
    for _ in 0..CONNECTIONS {
        readers.push(Raw::sign_in(daemon.address(), 1, "reader").await?.0);
    }
    for raw in readers {
        let page = page.clone();
        flood.keep_asking(raw, 4, move |_n| page.clone());
    }
    flood.answered(1_000).await?;
    let mut slowest = Duration::ZERO;
    for attempt in 0..50 {
        let asked = Instant::now();
        let read: HistoryPage = calm.ask(&page).await.with_context(|| format!("{attempt}"))?;
        slowest = slowest.max(asked.elapsed());
        assert_eq!(read.messages.len(), 256);
    }
    println!("the slowest page took {slowest:?}");
    flood.end().await
}

#[tokio::test]
async fn an_account_that_reads_too_much_at_once_is_told_so_itself() -> Result<()> {
    let dir = TempDir::new()?;
    let daemon = without_a_rate(&dir)?;
    let (mut first, _) = Raw::sign_in(daemon.address(), 1, "reader").await?;
    let lobby = room(&mut first, "lobby").await?;
    for n in 1..=256 {
        let _: Ack = first.ask(&send(1, n, lobby, "something to read")).await?;
    }
    let page = History { room: lobby, before: Seq(u64::MAX), limit: 256 };
    let mut readers = vec![first];
    for _ in 1..60 {
        readers.push(Raw::sign_in(daemon.address(), 1, "reader").await?.0);
    }
    let mut refused = 0;
    let all = async {
        while refused == 0 {
            for reader in &mut readers {
                for _ in 0..4 {
                    reader.tell(&page).await?;
                }
            }
            for reader in &mut readers {
                for _ in 0..4 {
                    let frame = reader.frame().await?;
                    if frame.known_kind() == Some(Kind::Error) {
                        let error: chat_proto::Error = frame.decode()?;
                        assert_eq!(error.code, ErrorCode::Busy as u16, "{error:?}");
                        assert!(error.message.contains("this account"), "{error:?}");
                        refused += 1;
                    }
                }
            }
        }
        anyhow::Ok(())
    };
    timeout(PATIENCE, all).await.context("nobody was refused")?
}
