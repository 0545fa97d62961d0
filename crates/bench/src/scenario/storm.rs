//! `storm`: everybody is cut off, something is said meanwhile, and everybody comes back at once.

use std::sync::Arc;
use std::time::Instant;

use anyhow::{Result, ensure};
use chat_proto::{Position, Seq};

use super::Bench;
use super::connecting::{connect_and_report, leave, make_accounts, plans, post};
use crate::machine::procfs;
use crate::native::{ConnectPlan, Connector, Follow, Key};
use crate::row::Row;
use crate::stats::Histogram;
use crate::target::{Server, Target};

/// Messages that everybody missed.
const MISSED: u64 = 100;

pub(super) fn run(target: Target, connections: usize, bench: &Bench<'_>) -> Result<Vec<Row>> {
    let server = Server::start(target, bench.environment)?;
    let (room, _new) = make_accounts(server.address, connections, bench)?;
    let conns = connect_and_report(server.address, plans(connections, Some(&room)), bench)?;
    let positions: Vec<Position> = conns
        .iter()
        .map(|conn| Position { epoch: conn.signed_in.epoch, seq: Seq(conn.seq) })
        .collect();
    leave(conns)?;
    post(&server, &room, MISSED)?;

    let returning = positions.into_iter().enumerate().map(|(index, position)| ConnectPlan {
        key: Arc::new(Key::numbered(index as u64 + 1)),
        joins: Vec::new(),
        follow: Some(Follow { log: room.room.into(), after: Some(position) }),
    });
    let returning = returning.collect::<Vec<_>>();
    let (began, cpu) = (Instant::now(), procfs::cpu_time(server.pid())?);
    let mut note_opened = |opened| {
        if opened % 500 == 0 {
            (bench.say)(format!("{opened} of {connections} are back"));
        }
    };
    let conns =
        Connector::new(server.address, connections, &mut note_opened)?.connect_all(returning)?;
    let elapsed = began.elapsed();
    let cpu = procfs::cpu_time(server.pid())?.saturating_sub(cpu);
    let head = conns.first().map_or(0, |conn| conn.seq);
    ensure!(conns.iter().all(|conn| conn.seq == head), "not everybody is at the same place");
    let mut times = Histogram::default();
    for conn in &conns {
        times.record(u64::try_from(conn.took.as_nanos()).unwrap_or(u64::MAX));
    }
    let row = Row {
        msgs: MISSED,
        deliveries: MISSED * connections as u64,
        seconds: elapsed.as_secs_f64(),
        server_cpu_s: cpu.as_secs_f64(),
        p50_us: Some(times.quantile_us(0.5)),
        p99_us: Some(times.quantile_us(0.99)),
        rss_bytes: Some(procfs::rss_bytes(server.pid())?),
        ..Row::default()
    };
    leave(conns)?;
    Ok(vec![row.and("connections_per_s", connections as f64 / elapsed.as_secs_f64())])
}
