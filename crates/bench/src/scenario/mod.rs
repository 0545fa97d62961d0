//! The scenarios: each brings servers and loads together, and says what came of it as rows.

mod door;
mod fanout;
mod latency;

use std::time::Duration;

use anyhow::Result;
use clap::ValueEnum;

use crate::load::{Pace, Phase, Tick};
use crate::row::Row;
use crate::target::{Cast, Ground, Target};

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
    pub(crate) ground: &'a Ground,
    pub(crate) scale: Scale,
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
    Window { cast: Cast, in_flight: u64 },
    /// A load at a rate.
    Rate { cast: Cast, per_second: f64 },
    /// One message at a time.
    One,
    /// Connections that do nothing.
    Idle { connections: usize },
    /// Connections that come in.
    Join { connections: usize },
}

impl Scenario {
    /// Its settings.
    pub(crate) fn cases(self, scale: Scale) -> Vec<Case> {
        let crowd = |receivers, senders| Cast {
            receivers: scale.of(receivers),
            senders,
            text_bytes: TEXT_BYTES,
        };
        let window = |cast, in_flight| Kind::Window { cast, in_flight };
        let kinds = match self {
            Self::A => vec![window(crowd(1000, 4), 1024), window(crowd(1000, 4), 16)],
            Self::B => vec![window(crowd(100, 10), 2048)],
            Self::C => vec![window(Cast { receivers: 10, ..crowd(10, 10) }, 10_240)],
            Self::D => vec![Kind::Rate { cast: crowd(1000, 1), per_second: 50.0 }],
            Self::E => vec![Kind::One],
            Self::Idle => vec![
                Kind::Idle { connections: scale.of(10_000) },
                Kind::Idle { connections: scale.of(19_000) },
            ],
            Self::Join => vec![Kind::Join { connections: scale.of(10_000) }],
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
            Kind::Join { .. } => target.is_chatd(),
        }
    }

    /// Runs once. A run that fails is a void row.
    pub(crate) fn run(&self, target: Target, round: u32, bench: &Bench<'_>) -> Vec<Row> {
        let rows = match self.kind {
            Kind::Window { cast, in_flight } => fanout::run(target, cast, in_flight, bench),
            Kind::Rate { cast, per_second } => latency::paced(target, cast, per_second, bench),
            Kind::One => latency::one_by_one(target, bench),
            Kind::Idle { connections } => door::idle(target, connections, bench),
            Kind::Join { connections } => door::join(target, connections, bench),
        };
        let mut rows = rows.unwrap_or_else(|error| vec![Row::void(format!("{error:#}"))]);
        for row in &mut rows {
            row.scenario = self.name();
            row.target = target.to_string();
            row.round = round;
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
            Kind::Window { cast, in_flight } => {
                set(row, cast);
                row.in_flight = Some(in_flight);
            }
            Kind::Rate { cast, .. } => set(row, cast),
            Kind::One => {
                set(row, latency::PAIR);
                row.in_flight = Some(1);
            }
            Kind::Idle { connections } | Kind::Join { connections } => row.receivers = connections,
        }
    }
}

fn set(row: &mut Row, cast: Cast) {
    row.receivers = cast.receivers;
    row.senders = cast.senders;
    row.text_bytes = cast.text_bytes;
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
