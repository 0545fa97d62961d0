//! `a`, `b`, `c`: as much as goes through, with so much in flight.

use anyhow::Result;

use super::Bench;
use crate::load::{Load, Order, Pace};
use crate::machine::procfs;
use crate::row::Row;
use crate::target::{Participants, Server, Target};

pub(super) fn run(
    target: Target,
    participants: Participants,
    in_flight: u64,
    bench: &Bench<'_>,
) -> Result<Vec<Row>> {
    let server = Server::start(target, bench.environment)?;
    let mut load = Load::new(server.set(&participants)?, Order::OneRoom)?;
    let mut watch = bench.watch();
    let pace = Pace::Window(in_flight);
    load.run(bench.warm_up(pace), server.pid(), &mut watch)?;
    let figures = load.run(bench.measured(pace), server.pid(), &mut watch)?;
    let rss = procfs::rss_bytes(server.pid())?;
    load.drain()?;
    Ok(vec![Row { rss_bytes: Some(rss), ..Row::default() }.with(&figures)])
}
