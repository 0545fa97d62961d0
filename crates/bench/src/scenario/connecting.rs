//! `idle`, `join`: what connections cost while they come in, and while they do nothing.
//!
//! People come in three ways: as new accounts that do not follow, so that nobody is told of
//! them; again; and as new accounts that follow, so that each is told to all who came before.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Result;
use chat_proto::{Ack, Nonce, RoomInfo, Send, TextBody};

use super::{Bench, TEXT_BYTES};
use crate::load::{Load, Order, Pace, Phase};
use crate::machine::procfs;
use crate::native::{
    BlockingConn, ConnectPlan, Connector, Follow, Key, SignedInConn, fresh_stream,
};
use crate::net::socket::cut;
use crate::net::template::text;
use crate::row::Row;
use crate::stats::Histogram;
use crate::target::{Participants, ROOM, Server, Stage, Target};

/// How many come in at once.
const AT_ONCE: usize = 128;

/// How long what was needed for coming in may take to be given back.
const SETTLE: Duration = Duration::from_secs(2);

/// `idle`: memory of a connection, and how often a server wakes for nobody.
pub(super) fn idle(target: Target, connections: usize, bench: &Bench<'_>) -> Result<Vec<Row>> {
    let mut server = Server::start(target, bench.environment)?;
    let folder = match target.is_chatd() {
        true => {
            let (room, _made) = make_accounts(server.address, connections, bench)?;
            server = server.restart(bench.environment)?;
            Some(room)
        }
        false => None,
    };
    let before = procfs::rss_bytes(server.pid())?;
    let stage = match &folder {
        Some(room) => come_back(server.address, connections, room, bench)?,
        None => server.set(&Participants {
            receivers: connections,
            senders: 0,
            text_bytes: TEXT_BYTES,
        })?,
    };
    let mut load = Load::new(stage, Order::OneRoom)?;
    let mut watch = |_tick| Ok(());
    let rest = |length| Phase { pace: Pace::Silence, length, spins: false };
    load.run(rest(SETTLE), server.pid(), &mut watch)?;
    let (after, woken) = (procfs::rss_bytes(server.pid())?, procfs::wakeups(server.pid())?);
    let figures = load.run(rest(bench.scale.length), server.pid(), &mut watch)?;
    let woken = procfs::wakeups(server.pid())?.saturating_sub(woken);
    let each = after.saturating_sub(before) as f64 / connections as f64;
    let row = Row { rss_bytes: Some(after), ..Row::default() }.with(&figures);
    Ok(vec![
        row.and("bytes_per_connection", each)
            .and("rss_before_bytes", before as f64)
            .and("wakeups_per_s", woken as f64 / figures.elapsed.as_secs_f64()),
    ])
}

/// `join`: everybody for the first time, and everybody again.
pub(super) fn join(target: Target, connections: usize, bench: &Bench<'_>) -> Result<Vec<Row>> {
    let mut server = Server::start(target, bench.environment)?;
    let (room, new) = make_accounts(server.address, connections, bench)?;
    server = server.restart(bench.environment)?;
    let plans = plans(connections, Some(&room));
    let (began, cpu) = (Instant::now(), procfs::cpu_time(server.pid())?);
    let conns = connect_and_report(server.address, plans, bench)?;
    let elapsed = began.elapsed();
    let cpu = procfs::cpu_time(server.pid())?.saturating_sub(cpu);
    let mut times = Histogram::default();
    for conn in &conns {
        times.record(u64::try_from(conn.took.as_nanos()).unwrap_or(u64::MAX));
    }
    leave(conns)?;
    drop(server);
    let newcomers = newcomers(target, connections, bench)?;
    let count = connections as f64;
    let row = Row {
        seconds: elapsed.as_secs_f64(),
        server_cpu_s: cpu.as_secs_f64(),
        p50_us: Some(times.quantile_us(0.5)),
        p99_us: Some(times.quantile_us(0.99)),
        ..Row::default()
    };
    Ok(vec![
        row.and("connections_per_s", count / elapsed.as_secs_f64())
            .and("cpu_us_per_connection", cpu.as_secs_f64() * 1e6 / count)
            .and("new_accounts_per_s", count / new.as_secs_f64())
            .and("newcomers_per_s", count / newcomers.came_in.as_secs_f64())
            .and("cpu_us_per_newcomer", newcomers.cpu.as_secs_f64() * 1e6 / count)
            .and("newcomers_told", newcomers.told as f64)
            .and("all_told_s", newcomers.all_told.as_secs_f64()),
    ])
}

/// What new people who follow came to.
struct Newcomers {
    came_in: Duration,
    /// Until everybody had everything.
    all_told: Duration,
    /// The server's, until then.
    cpu: Duration,
    /// Events that they got of those who came after them.
    told: u64,
}

/// New accounts come in, join and follow, and take what comes while others come in. At last somebody
/// says something: when everybody has that, they have everything.
fn newcomers(target: Target, count: usize, bench: &Bench<'_>) -> Result<Newcomers> {
    let server = Server::start(target, bench.environment)?;
    let room = BlockingConn::begin(server.address, Arc::new(Key::numbered(0)))?.join(ROOM)?;
    let plans = plans(count, Some(&room));
    let mut note_opened = saying(count, bench);
    let mut connector =
        Connector::new(server.address, AT_ONCE, &mut note_opened)?.receiving_meanwhile();
    let (began, cpu) = (Instant::now(), procfs::cpu_time(server.pid())?);
    let mut conns = connector.connect_all(plans)?;
    let came_in = began.elapsed();
    let last = post(&server, &room, 1)?;
    connector.receive_until(&mut conns, last)?;
    let all_told = began.elapsed();
    let cpu = procfs::cpu_time(server.pid())?.saturating_sub(cpu);
    let told = connector.received();
    leave(conns)?;
    Ok(Newcomers { came_in, all_told, cpu, told })
}

/// Says so many things; returns the seq of the last one.
pub(super) fn post(server: &Server, room: &RoomInfo, messages: u64) -> Result<u64> {
    let mut conn = BlockingConn::begin(server.address, Arc::new(Key::numbered(0)))?;
    conn.join(ROOM)?;
    let stream = fresh_stream();
    let send = |n| Send {
        nonce: Nonce { stream, n },
        room: room.room,
        body: TextBody::say(text(TEXT_BYTES)),
    };
    let sends: Vec<Send> = (1..=messages).map(send).collect();
    let acks = conn.ask_all::<Send, Ack>(&sends)?;
    Ok(acks.last().map_or(0, |ack| ack.seq.0))
}

/// Signs everybody in for the first time, and lets them join and leave again; tells how long the
/// coming took. Nobody subscribes: each newcomer would be told to everybody before.
pub(super) fn make_accounts(
    address: SocketAddr,
    count: usize,
    bench: &Bench<'_>,
) -> Result<(RoomInfo, Duration)> {
    let room = BlockingConn::begin(address, Arc::new(Key::numbered(0)))?.join(ROOM)?;
    let plans = plans(count, None);
    let began = Instant::now();
    let conns = connect_and_report(address, plans, bench)?;
    let took = began.elapsed();
    leave(conns)?;
    Ok((room, took))
}

fn come_back(
    address: SocketAddr,
    count: usize,
    room: &RoomInfo,
    bench: &Bench<'_>,
) -> Result<Stage> {
    let conns = connect_and_report(address, plans(count, Some(room)), bench)?;
    let framing = crate::net::framing::Framing::Native { text_bytes: TEXT_BYTES };
    let receiver_conns = conns.into_iter().map(Into::into).collect();
    Ok(Stage { receiver_conns, sender_conns: Vec::new(), framing, acks: None })
}

/// What so many connections are opened for. Their keys are made before any clock runs.
pub(super) fn plans(count: usize, room: Option<&RoomInfo>) -> Vec<ConnectPlan> {
    let follow = room.map(|room| Follow { log: room.room.into(), after: None });
    let plan = |number: usize| ConnectPlan {
        key: Arc::new(Key::numbered(number as u64)),
        joins: vec![ROOM.to_owned()],
        follow,
    };
    (1..=count).map(plan).collect()
}

pub(super) fn connect_and_report(
    address: SocketAddr,
    plans: Vec<ConnectPlan>,
    bench: &Bench<'_>,
) -> Result<Vec<SignedInConn>> {
    let mut note_opened = saying(plans.len(), bench);
    Connector::new(address, AT_ONCE, &mut note_opened)?.connect_all(plans)
}

/// Tells how many are in.
fn saying(count: usize, bench: &Bench<'_>) -> impl FnMut(usize) {
    move |opened| {
        if opened % 500 == 0 {
            (bench.say)(format!("{opened} of {count} are signed in"));
        }
    }
}

pub(super) fn leave(conns: Vec<SignedInConn>) -> Result<()> {
    for conn in conns {
        cut(conn.socket)?;
    }
    Ok(())
}
