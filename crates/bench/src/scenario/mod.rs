//! The scenarios: each brings servers and loads together, and says what came of it as rows.

mod connecting;
mod fanout;
mod fill;
mod flood;
mod history;
mod latency;
mod population;
mod rooms;
mod slow;
mod storm;

use std::time::Duration;

use anyhow::Result;
use clap::ValueEnum;

use crate::load::{Pace, Phase, Tick};
use crate::row::Row;
use crate::target::{Environment, Participants, Target};

pub(crate) use flood::{FLOOD_100, FLOOD_1000, FLOOD_PAGES, FLOOD_STREAMS, Flood};
pub(crate) use slow::SERIES;

/// Bytes of a message's text.
pub(crate) const TEXT_BYTES: usize = 128;

/// What is measured.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, ValueEnum)]
pub(crate) enum Scenario {
    /// 1,000 receivers and 4 senders, with 1,024 and with 16 messages in flight
    A,
    /// 100 receivers and 10 senders, 2,048 in flight
    B,
    /// 10 receivers and 10 senders, 10,240 in flight
    C,
    /// 1,000 receivers at 50 messages a second: latency
    D,
    /// One message in flight: round trip and ack
    E,
    /// 10,000 and 19,000 connections that do nothing: memory
    Idle,
    /// Connections a second, through handshake and join
    Join,
    /// Somebody reads 1,000,000 events from disk while others talk
    Replay,
    /// 100 of 1,000 receivers take one byte every ten seconds
    Slow,
    /// 10,000 clients are cut off, reconnect at once and resume
    Storm,
    /// 10,000 rooms of 10
    Rooms,
    /// Ready again with 10,000,000 events on disk, and with 100,000 accounts as well
    Start,
    /// One account floods over 100 to 1,000 connections: what somebody else feels of it
    Flood,
}

/// How much of everything.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scale {
    /// How long a load is measured.
    pub(crate) length: Duration,
    /// Everything a good deal smaller: to see that it works.
    pub(crate) is_quick: bool,
}

/// Where a scenario runs, and who is told how it goes.
pub(crate) struct Bench<'a> {
    pub(crate) environment: &'a Environment,
    pub(crate) scale: Scale,
    /// How often a scenario that prepares for long measures in one run.
    pub(crate) rounds: u32,
    pub(crate) say: &'a dyn Fn(String),
}

/// One setting of a scenario, which every target goes through.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Case {
    pub(crate) scenario: Scenario,
    pub(crate) kind: Kind,
}

/// What is done.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    /// A load with a window.
    Window { participants: Participants, in_flight: u64 },
    /// A load at a rate.
    Rate { participants: Participants, per_second: f64 },
    /// One message at a time.
    One,
    /// Connections that do nothing.
    Idle { connections: usize },
    /// Connections that come in.
    Join { connections: usize },
    /// Somebody reads the past.
    Replay { receivers: usize, events: u64 },
    /// Some do not read.
    Slow(slow::Crowd),
    /// Everybody comes back at once.
    Storm { connections: usize },
    /// Many rooms.
    Rooms { rooms: usize },
    /// A start on so many events, and then with so many accounts as well.
    Start { events: u64, accounts: usize },
    /// One account asks as fast as it can.
    Flood(Flood),
}

impl Scenario {
    /// Its settings.
    pub(crate) fn cases(self, scale: Scale) -> Vec<Case> {
        let crowd = |receivers, senders| Participants {
            receivers: scale.of(receivers),
            senders,
            text_bytes: TEXT_BYTES,
        };
        let window = |participants, in_flight| Kind::Window { participants, in_flight };
        let kinds = match self {
            Self::A => vec![window(crowd(1000, 4), 1024), window(crowd(1000, 4), 16)],
            Self::B => vec![window(crowd(100, 10), 2048)],
            Self::C => vec![window(Participants { receivers: 10, ..crowd(10, 10) }, 10_240)],
            Self::D => vec![Kind::Rate { participants: crowd(1000, 1), per_second: 50.0 }],
            Self::E => vec![Kind::One],
            Self::Idle => vec![
                Kind::Idle { connections: scale.of(10_000) },
                Kind::Idle { connections: scale.of(19_000) },
            ],
            Self::Join => vec![Kind::Join { connections: scale.of(10_000) }],
            Self::Replay => {
                let (receivers, events) = (scale.of(1000), scale.of(1_000_000) as u64);
                vec![Kind::Replay { receivers, events }]
            }
            Self::Slow => {
                let (receivers, stalled) = (scale.of(1000), scale.of(100));
                // More than all tails together may hold.
                let backlog = scale.of(450_000) as u64;
                let at_least = Duration::from_secs(if scale.is_quick { 2 } else { 75 });
                vec![Kind::Slow(slow::Crowd { receivers, stalled, backlog, at_least })]
            }
            // Fewer than half of the places of a daemon that may have 20,000 files open: no more may be
            // signing in at once.
            Self::Storm => vec![Kind::Storm { connections: scale.of(9_900) }],
            Self::Rooms => vec![Kind::Rooms { rooms: scale.of(10_000) }],
            Self::Start => {
                let (events, accounts) = (scale.of(10_000_000) as u64, scale.of(100_000));
                vec![Kind::Start { events, accounts }]
            }
            Self::Flood => {
                let floods = [FLOOD_100, FLOOD_1000, FLOOD_STREAMS, FLOOD_PAGES];
                floods.map(|flood| Kind::Flood(flood.scaled(scale))).to_vec()
            }
        };
        kinds.into_iter().map(|kind| Case { scenario: self, kind }).collect()
    }
}

impl Scale {
    fn of(self, count: usize) -> usize {
        if self.is_quick { (count / 20).max(1) } else { count }
    }
}

impl Case {
    /// Whether a system can be put into it.
    pub(crate) fn suits(&self, target: Target) -> bool {
        match self.kind {
            Kind::Window { .. } | Kind::Rate { .. } | Kind::One => true,
            Kind::Idle { .. } => matches!(target, Target::Chatd | Target::Nats | Target::Redis),
            Kind::Join { .. } | Kind::Replay { .. } | Kind::Slow(_) | Kind::Rooms { .. } => {
                target.is_chatd()
            }
            Kind::Storm { .. } => target.is_chatd(),
            Kind::Start { .. } | Kind::Flood(_) => target == Target::Chatd,
        }
    }

    /// Whether one run measures every round, since preparing it takes longer than measuring.
    pub(crate) fn measures_in_one_run(&self) -> bool {
        matches!(self.kind, Kind::Replay { .. } | Kind::Start { .. })
    }

    /// Runs once. A run that fails is a void row.
    pub(crate) fn run(&self, target: Target, round: u32, bench: &Bench<'_>) -> Vec<Row> {
        let rows = match self.kind {
            Kind::Window { participants, in_flight } => {
                fanout::run(target, participants, in_flight, bench)
            }
            Kind::Rate { participants, per_second } => {
                latency::paced(target, participants, per_second, bench)
            }
            Kind::One => latency::one_by_one(target, bench),
            Kind::Idle { connections } => connecting::idle(target, connections, bench),
            Kind::Join { connections } => connecting::join(target, connections, bench),
            Kind::Replay { receivers, events } => history::replay(target, receivers, events, bench),
            Kind::Slow(crowd) => slow::run(target, crowd, bench),
            Kind::Storm { connections } => storm::run(target, connections, bench),
            Kind::Rooms { rooms } => rooms::run(target, rooms, bench),
            Kind::Start { events, accounts } => history::start(target, events, accounts, bench),
            Kind::Flood(flood) => flood::run(target, flood, bench),
        };
        let mut rows = rows.unwrap_or_else(|error| vec![Row::void(format!("{error:#}"))]);
        for (turn, row) in (0..).zip(&mut rows) {
            if row.scenario.is_empty() {
                row.scenario = self.name();
            }
            row.target = target.to_string();
            row.round = if self.measures_in_one_run() { 1 + turn } else { round };
            self.describe(row);
        }
        rows
    }

    /// Its name, as on the command line.
    pub(crate) fn name(&self) -> String {
        self.scenario
            .to_possible_value()
            .map(|value| value.get_name().to_owned())
            .unwrap_or_default()
    }

    fn describe(&self, row: &mut Row) {
        match self.kind {
            Kind::Window { participants, in_flight } => {
                set(row, participants);
                row.in_flight = Some(in_flight);
            }
            Kind::Rate { participants, .. } => set(row, participants),
            Kind::One => {
                set(row, latency::PAIR);
                row.in_flight = Some(1);
            }
            Kind::Idle { connections }
            | Kind::Join { connections }
            | Kind::Storm { connections } => row.receivers = connections,
            Kind::Replay { receivers, .. } | Kind::Slow(slow::Crowd { receivers, .. }) => {
                row.receivers = receivers;
            }
            Kind::Rooms { .. } => {
                row.receivers = rooms::CONNECTIONS;
                row.in_flight = Some(rooms::IN_FLIGHT);
            }
            Kind::Start { .. } => {}
            Kind::Flood(flood) => {
                row.senders = flood.connections;
                row.in_flight = Some(flood.in_flight());
            }
        }
    }
}

fn set(row: &mut Row, participants: Participants) {
    row.receivers = participants.receivers;
    row.senders = participants.senders;
    row.text_bytes = participants.text_bytes;
}

impl Bench<'_> {
    /// The part of a load before it is measured.
    fn warm_up(&self, pace: Pace) -> Phase {
        let length = (self.scale.length / 4).min(Duration::from_secs(1));
        Phase { pace, length, spins: false }
    }

    /// The part that is measured.
    fn measured(&self, pace: Pace) -> Phase {
        Phase { pace, length: self.scale.length, spins: false }
    }

    /// Tells how a load goes.
    fn watch(&self) -> impl FnMut(Tick) -> Result<()> + '_ {
        |tick| {
            let per_second = tick.deliveries as f64 / tick.elapsed.as_secs_f64() / 1e6;
            (self.say)(format!("{per_second:.2} M deliveries/s"));
            Ok(())
        }
    }
}
