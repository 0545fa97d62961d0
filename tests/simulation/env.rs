//! What all parts of a run share: time, chance, the network, and what is written down.

use crate::chance::Chance;
use crate::coverage::Coverage;
use crate::network::{Air, LinkId, Network, Side};
use crate::plan::Plan;
use crate::rights::{Openings, Shown};
use crate::schedule::{Schedule, SimEvent};
use crate::trace::{Trace, trace};
use chat_proto::{Epoch, LogId, Seq};
use chat_tests::history::History;
use std::collections::BTreeMap;

pub(crate) struct Env {
    pub(crate) schedule: Schedule,
    pub(crate) chance: Chance,
    pub(crate) plan: Plan,
    pub(crate) net: Network,
    pub(crate) history: History,
    pub(crate) coverage: Coverage,
    pub(crate) trace: Trace,
    /// The newest ack of each log that any client has, by epoch.
    acked: BTreeMap<(Epoch, LogId), Seq>,
    /// In which epoch and when the text of each message was gone, in microseconds.
    redacted: BTreeMap<(LogId, Seq), (Epoch, u64)>,
    /// Where cursors were opened.
    pub(crate) openings: Openings,
    /// What clients were shown, to be judged.
    pub(crate) shown: Vec<(Epoch, Shown)>,
    complaints: Vec<String>,
}

/// Complaints of one run that are kept; the first is the one that counts.
const COMPLAINTS_MAX: usize = 20;

impl Env {
    pub(crate) fn new(seed: u64, trace: Trace) -> Self {
        let mut chance = Chance::new(seed, 0);
        let coverage = Coverage::default();
        Self {
            schedule: Schedule::default(),
            plan: Plan::draw(&mut chance),
            chance,
            net: Network::new(coverage.clone()),
            history: History::default(),
            coverage,
            trace,
            acked: BTreeMap::new(),
            redacted: BTreeMap::new(),
            openings: Openings::default(),
            shown: Vec::new(),
            complaints: Vec::new(),
        }
    }

    pub(crate) fn net_and_air(&mut self) -> (&mut Network, Air<'_>) {
        let Self { schedule, chance, plan, net, .. } = self;
        (net, Air { schedule, chance, plan })
    }

    /// Something that must never happen did.
    pub(crate) fn complain(&mut self, words: String) {
        trace!(self.trace, "VIOLATION {words}");
        if self.complaints.len() < COMPLAINTS_MAX {
            self.complaints.push(words);
        }
    }

    /// A client has an ack: whoever asks from now on must hear of it.
    pub(crate) fn note_acked(&mut self, epoch: Epoch, log: LogId, seq: Seq) {
        let newest = self.acked.entry((epoch, log)).or_default();
        *newest = seq.max(*newest);
    }

    pub(crate) fn newest_ack(&self, epoch: Epoch, log: LogId) -> Seq {
        self.acked.get(&(epoch, log)).copied().unwrap_or_default()
    }

    /// The text of a message is gone: nobody who asks from now on may get it.
    pub(crate) fn note_redacted(&mut self, epoch: Epoch, log: LogId, seq: Seq) {
        self.redacted.insert((log, seq), (epoch, self.schedule.now_us()));
    }

    /// Whether the text of a message was gone in an epoch when somebody asked for it.
    pub(crate) fn was_gone(&self, epoch: Epoch, log: LogId, seq: Seq, asked_us: u64) -> bool {
        let gone = self.redacted.get(&(log, seq));
        gone.is_some_and(|(of, at_us)| *of == epoch && *at_us < asked_us)
    }

    /// Whether the text of a message is gone, in whatever epoch.
    pub(crate) fn is_gone(&self, log: LogId, seq: Seq) -> bool {
        self.redacted.contains_key(&(log, seq))
    }

    pub(crate) fn complaints(&self) -> &[String] {
        &self.complaints
    }

    /// Lets the other end of a link look: there is room for its bytes again.
    pub(crate) fn wake_other_end(&mut self, link: LinkId, side: Side) {
        let at = SimEvent::Arrival { link, to: side.other() };
        let pause_us = self.chance.within(&self.plan.delay_us);
        self.schedule.after(pause_us, at);
    }
}
