//! `replay`, `start`: what a long past costs whoever comes late, and a server that starts.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Result, ensure};

use super::fill::fill;
use super::population::populate;
use super::{Bench, TEXT_BYTES};
use crate::load::{Figures, Latecomer, Load, Order, Pace, Phase};
use crate::machine::procfs;
use crate::native::Key;
use crate::row::Row;
use crate::target::{Participants, Server, Target};

/// Messages a second while somebody reads the past.
const RATE: f64 = 50.0;

/// How long one reading may take.
const PATIENCE: Duration = Duration::from_secs(120);

/// `replay`: somebody reads everything while others talk.
pub(super) fn replay(
    target: Target,
    receivers: usize,
    events: u64,
    bench: &Bench<'_>,
) -> Result<Vec<Row>> {
    let mut server = Server::start(target, bench.environment)?;
    let room = fill(&server, events, bench)?;
    // Nothing of the past is in memory.
    server = server.restart(bench.environment)?;
    let participants = Participants { receivers, senders: 1, text_bytes: TEXT_BYTES };
    let mut load = Load::new(server.set(&participants)?, Order::OneRoom)?;
    let paced = |length| Phase { pace: Pace::Rate(RATE), length, spins: true };
    let mut watch = bench.watch();
    load.run(paced(Duration::from_secs(1)), server.pid(), &mut watch)?;
    let mut rows = Vec::new();
    for _ in 0..bench.rounds {
        let before = load.run(paced(bench.scale.length), server.pid(), &mut watch)?;
        let key = Arc::new(Key::numbered(0));
        load.admit(Latecomer::ask(server.address, key, room.room.into(), room.head.0)?)?;
        let mut during = Figures::default();
        let took = loop {
            during.add(&load.run(paced(Duration::from_millis(100)), server.pid(), &mut watch)?);
            if let Some(took) = load.latecomer().and_then(Latecomer::took) {
                break took;
            }
            ensure!(during.elapsed < PATIENCE, "the past was not read in {PATIENCE:?}");
        };
        let rss = procfs::rss_bytes(server.pid())?;
        load.drain()?;
        let events_per_s = room.head.0 as f64 / took.as_secs_f64();
        let row = Row { rss_bytes: Some(rss), ..Row::default() }.with(&during);
        let row = row.and("events", room.head.0 as f64).and("events_per_s", events_per_s);
        rows.push(row.and("p99_alone_us", before.delivery.quantile_us(0.99)));
    }
    Ok(rows)
}

/// `start`: from nothing to ready, after an orderly end and after a kill; on many events, and then
/// with many accounts, rooms and memberships as well.
pub(super) fn start(
    target: Target,
    events: u64,
    accounts: usize,
    bench: &Bench<'_>,
) -> Result<Vec<Row>> {
    let server = Server::start(target, bench.environment)?;
    let empty = server.ready_after;
    fill(&server, events, bench)?;
    let (server, alone) = starts(server, bench)?;
    populate(&server, accounts, bench)?;
    let (_server, populated) = starts(server, bench)?;
    let row = |(alone, populated): (Start, Start)| {
        let row = Row { rss_bytes: Some(alone.rss_bytes), ..Row::default() };
        Row { seconds: alone.ended.as_secs_f64(), ..row }
            .and("events", events as f64)
            .and("accounts", accounts as f64)
            .and("ready_empty_s", empty.as_secs_f64())
            .and("ready_s", alone.ended.as_secs_f64())
            .and("ready_after_kill_s", alone.killed.as_secs_f64())
            .and("ready_populated_s", populated.ended.as_secs_f64())
            .and("ready_populated_after_kill_s", populated.killed.as_secs_f64())
            .and("rss_populated_bytes", populated.rss_bytes as f64)
    };
    Ok(alone.into_iter().zip(populated).map(row).collect())
}

/// What starting again came to.
struct Start {
    /// Until it was ready after a kill, and after an orderly end.
    killed: Duration,
    ended: Duration,
    /// When it was ready.
    rss_bytes: u64,
}

fn starts(mut server: Server, bench: &Bench<'_>) -> Result<(Server, Vec<Start>)> {
    let mut starts = Vec::new();
    for _ in 0..bench.rounds {
        (bench.say)("is killed".to_owned());
        server = server.restart_after_kill(bench.environment)?;
        let killed = server.ready_after;
        (bench.say)("starts again".to_owned());
        server = server.restart(bench.environment)?;
        let rss_bytes = procfs::rss_bytes(server.pid())?;
        starts.push(Start { killed, ended: server.ready_after, rss_bytes });
    }
    Ok((server, starts))
}
