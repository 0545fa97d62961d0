//! `d`, `e`: how long it takes when there is little to do.

use anyhow::Result;

use super::{Bench, TEXT_BYTES};
use crate::load::{Load, Order, Pace, Phase};
use crate::machine::disk::{paced_sync_us, sync_cost};
use crate::machine::procfs;
use crate::row::Row;
use crate::target::{Participants, Server, Target};

/// One speaks, one listens.
pub(super) const PAIR: Participants =
    Participants { receivers: 1, senders: 1, text_bytes: TEXT_BYTES };

/// `d`: so many messages a second to everybody.
pub(super) fn paced(
    target: Target,
    participants: Participants,
    per_second: f64,
    bench: &Bench<'_>,
) -> Result<Vec<Row>> {
    let sync = paced_sync_us(&bench.environment.folder, per_second)?;
    let row = run(target, participants, Pace::Rate(per_second), bench)?;
    Ok(vec![row.and("rate_per_s", per_second).and("fdatasync_paced_us", sync)])
}

/// `e`: the next message when the one before has arrived and is acked.
pub(super) fn one_by_one(target: Target, bench: &Bench<'_>) -> Result<Vec<Row>> {
    Ok(vec![run(target, PAIR, Pace::Window(1), bench)?])
}

fn run(target: Target, participants: Participants, pace: Pace, bench: &Bench<'_>) -> Result<Row> {
    let server = Server::start(target, bench.environment)?;
    // On the disk that the server writes to, while it has nothing to write.
    let sync = sync_cost(server.folder())?;
    let mut load = Load::new(server.set(&participants)?, Order::OneRoom)?;
    let mut watch = bench.watch();
    // The load's own waking up is not the server's latency.
    let phase = Phase { spins: true, ..bench.measured(pace) };
    load.run(Phase { spins: true, ..bench.warm_up(pace) }, server.pid(), &mut watch)?;
    let figures = load.run(phase, server.pid(), &mut watch)?;
    let rss = procfs::rss_bytes(server.pid())?;
    load.drain()?;
    let row = Row { rss_bytes: Some(rss), ..Row::default() }.with(&figures);
    Ok(row.and("fdatasync_us", sync.overwriting_us).and("fdatasync_append_us", sync.appending_us))
}
