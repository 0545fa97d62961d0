//! `storm`: everybody is cut off, something is said meanwhile, and everybody comes back at once.

use std::sync::Arc;
use std::time::Instant;

use anyhow::{Result, ensure};
use chat_proto::{Position, Seq};

use super::Bench;
use super::door::{enter, leave, make_accounts, post, visits};
use crate::machine::procfs;
use crate::native::{Door, Follow, Key, Visit};
use crate::row::Row;
use crate::stats::Histogram;
use crate::target::{Server, Target};

/// Messages that everybody missed.
const MISSED: u64 = 100;

pub(super) fn run(target: Target, connections: usize, bench: &Bench<'_>) -> Result<Vec<Row>> {
    let server = Server::start(target, bench.environment)?;
    let (room, _new) = make_accounts(server.address, connections, bench)?;
    let guests = enter(server.address, visits(connections, Some(&room)), bench)?;
    let positions: Vec<Position> = guests
        .iter()
        .map(|guest| Position { epoch: guest.signed_in.epoch, seq: Seq(guest.seq) })
        .collect();
    leave(guests)?;
    post(&server, &room, MISSED)?;

    let returning = positions.into_iter().enumerate().map(|(index, position)| Visit {
        key: Arc::new(Key::numbered(index as u64 + 1)),
        joins: Vec::new(),
        follow: Some(Follow { log: room.room.into(), after: Some(position) }),
    });
    let returning = returning.collect::<Vec<_>>();
    let (began, cpu) = (Instant::now(), procfs::cpu_time(server.pid())?);
    let mut entered = |inside| {
        if inside % 500 == 0 {
            (bench.say)(format!("{inside} of {connections} are back"));
        }
    };
    let guests = Door::new(server.address, connections, &mut entered)?.admit(returning)?;
    let elapsed = began.elapsed();
    let cpu = procfs::cpu_time(server.pid())?.saturating_sub(cpu);
    let head = guests.first().map_or(0, |guest| guest.seq);
    ensure!(guests.iter().all(|guest| guest.seq == head), "not everybody is at the same place");
    let mut times = Histogram::default();
    for guest in &guests {
        times.record(u64::try_from(guest.took.as_nanos()).unwrap_or(u64::MAX));
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
    leave(guests)?;
    Ok(vec![row.and("connections_per_s", connections as f64 / elapsed.as_secs_f64())])
}
