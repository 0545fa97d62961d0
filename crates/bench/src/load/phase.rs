//! A stretch of a load: how fast, how long, and what came of it.

use std::time::Duration;

use crate::stats::Histogram;

/// How fast messages are sent.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) enum Pace {
    /// As fast as they are received, with so many in flight.
    Window(u64),
    /// So many a second, whatever happens.
    Rate(f64),
    /// None.
    Silence,
}

/// A stretch of time with one pace.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Phase {
    pub(crate) pace: Pace,
    pub(crate) length: Duration,
    /// Whether the loop turns without sleeping, for latencies that do not include waking up.
    pub(crate) spins: bool,
}

/// What a phase came to.
#[derive(Clone, Debug, Default)]
pub(crate) struct Figures {
    pub(crate) sent: u64,
    pub(crate) acked: u64,
    pub(crate) deliveries: u64,
    pub(crate) elapsed: Duration,
    /// The server's time on the processor.
    pub(crate) cpu: Duration,
    /// The load's own: near the elapsed time it is the load that is measured.
    pub(crate) load_cpu: Duration,
    /// From sending to receiving.
    pub(crate) delivery: Histogram,
    /// From sending to the ack.
    pub(crate) ack: Histogram,
}

/// How far a phase is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tick {
    pub(crate) elapsed: Duration,
    pub(crate) deliveries: u64,
    /// Messages since the load began.
    pub(crate) sent_in_all: u64,
}

impl Figures {
    /// Adds those of the phase that followed.
    pub(crate) fn add(&mut self, next: &Self) {
        self.sent += next.sent;
        self.acked += next.acked;
        self.deliveries += next.deliveries;
        self.elapsed += next.elapsed;
        self.cpu += next.cpu;
        self.load_cpu += next.load_cpu;
        self.delivery.merge(&next.delivery);
        self.ack.merge(&next.ack);
    }
}
