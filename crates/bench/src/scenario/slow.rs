//! `slow`: some take one byte every ten seconds. Nobody else may feel it, the server may not keep
//! for them what it has on disk, and when they wake they get everything.

use std::cell::{Cell, RefCell};
use std::time::{Duration, Instant};

use anyhow::Result;

use super::{Bench, TEXT_BYTES};
use crate::load::{Load, Order, Pace, Phase, Tick};
use crate::machine::procfs;
use crate::row::Row;
use crate::target::{Participants, Server, Target};

/// Messages a second while latency is measured.
const RATE: f64 = 50.0;

/// In flight while the backlog grows.
const IN_FLIGHT: u64 = 1024;

/// How often a stalled reader takes a byte.
const SIP: Duration = Duration::from_secs(10);

/// The name of the rows that are a course over time.
pub(crate) const SERIES: &str = "slow-series";

/// How many there are of everything.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Crowd {
    pub(crate) receivers: usize,
    pub(crate) stalled: usize,
    /// Messages that the stalled ones do not read.
    pub(crate) backlog: u64,
    /// How long they do not read, at the least: longer than a peer may be silent.
    pub(crate) at_least: Duration,
}

/// Memory and backlog over time, as rows for a plot.
struct Series {
    pid: u32,
    port: u16,
    began: Instant,
    rows: RefCell<Vec<Row>>,
    sipped: Cell<Option<Instant>>,
}

pub(super) fn run(target: Target, crowd: Crowd, bench: &Bench<'_>) -> Result<Vec<Row>> {
    let server = Server::start(target, bench.environment)?;
    let pid = server.pid();
    let participants =
        Participants { receivers: crowd.receivers, senders: 4, text_bytes: TEXT_BYTES };
    let mut load = Load::new(server.set(&participants)?, Order::OneRoom)?;
    let (rows, sipped) = (RefCell::default(), Cell::default());
    let port = server.address.port();
    let series = Series { pid, port, began: Instant::now(), rows, sipped };
    let length = bench.scale.length;
    let paced = |length| Phase { pace: Pace::Rate(RATE), length, spins: true };
    let flood = Phase { pace: Pace::Window(IN_FLIGHT), length: SIP / 10, spins: false };
    // The tails hold as much as they may before anybody is slow: that is not the slow ones' doing.
    while load.sent() < crowd.backlog {
        load.run(flood, pid, &mut |tick| series.note(tick, None))?;
        (bench.say)(format!("{} fill the tails", load.sent()));
    }
    load.drain()?;
    let alone = load.run(paced(length), pid, &mut |tick| series.note(tick, None))?;
    let rss_before = procfs::rss_bytes(pid)?;

    load.stall_last(crowd.stalled)?;
    let (first, stalled) = (load.sent(), Instant::now());
    let behind = Some(first);
    let beside = sipping(&mut load, paced(length), &series, behind)?;
    while load.sent() - first < crowd.backlog {
        sipping(&mut load, flood, &series, behind)?;
        (bench.say)(format!("{} wait for the stalled", load.sent() - first));
    }
    while stalled.elapsed() < crowd.at_least {
        sipping(&mut load, paced(SIP / 10), &series, behind)?;
    }
    load.drain()?;
    let rss_after = procfs::rss_bytes(pid)?;
    let backlog = load.sent() - first;

    (bench.say)("the stalled wake".to_owned());
    load.wake_all()?;
    let woke = Instant::now();
    load.drain()?;
    let caught_up = woke.elapsed();
    series.note_backlog(0)?;

    let row = Row { rss_bytes: Some(rss_after), ..Row::default() }.with(&beside);
    let row = row
        .and("p99_alone_us", alone.delivery.quantile_us(0.99))
        .and("p50_alone_us", alone.delivery.quantile_us(0.5))
        .and("stalled", crowd.stalled as f64)
        .and("backlog_events", backlog as f64)
        .and("rss_before_bytes", rss_before as f64)
        .and("stalled_s", stalled.elapsed().saturating_sub(caught_up).as_secs_f64())
        .and("caught_up_s", caught_up.as_secs_f64());
    let mut rows = vec![row];
    rows.extend(series.rows.into_inner());
    Ok(rows)
}

/// Goes through a phase; the stalled take their byte when it is time.
fn sipping(
    load: &mut Load,
    phase: Phase,
    series: &Series,
    behind: Option<u64>,
) -> Result<crate::load::Figures> {
    if series.sipped.get().is_none_or(|last| last.elapsed() >= SIP) {
        series.sipped.set(Some(Instant::now()));
        load.sip()?;
    }
    load.run(phase, series.pid, &mut |tick| series.note(tick, behind))
}

impl Series {
    fn note(&self, tick: Tick, behind: Option<u64>) -> Result<()> {
        self.note_backlog(behind.map_or(0, |first| tick.sent_in_all - first))
    }

    fn note_backlog(&self, backlog: u64) -> Result<()> {
        let row = Row {
            scenario: SERIES.to_owned(),
            rss_bytes: Some(procfs::rss_bytes(self.pid)?),
            seconds: self.began.elapsed().as_secs_f64(),
            ..Row::default()
        };
        let queued = procfs::send_queues_bytes(self.port)?;
        let row = row.and("backlog_events", backlog as f64).and("send_queues_bytes", queued as f64);
        self.rows.borrow_mut().push(row);
        Ok(())
    }
}
