//! Virtual time: what happens next, and when.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

use chat_core::Conn;

use crate::fanout::PageId;
use crate::network::{LinkId, Side};

pub(crate) const MS: u64 = 1_000;
pub(crate) const SECOND: u64 = 1_000 * MS;

/// Something that happens at a time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum SimEvent {
    /// Bytes reach one end of a link.
    Arrival { link: LinkId, to: Side },
    /// One end learns that the other is gone.
    Notice { link: LinkId, side: Side },
    /// A client looks at its socket and timers.
    ClientTurn { client: usize },
    /// The server looks at one of its connections.
    ServerTurn { life: u64, conn: Conn },
    /// The sequencer hands the pipeline what is waiting.
    Sequence { life: u64 },
    /// A commit under way may have come to its end.
    Settle { life: u64 },
    /// A read of a log or a page of history comes back from disk.
    PageRead { life: u64, page: PageId },
    /// A second of the server has passed.
    Tick { life: u64 },
    /// The deadline of a server that was told to stop.
    Stop { life: u64 },
    /// The server process starts.
    Start,
    /// A person does something.
    Act { client: usize },
    /// Something breaks.
    Fault,
}

/// The queue of all that will happen.
#[derive(Default)]
pub(crate) struct Schedule {
    now_us: u64,
    queued: u64,
    queue: BinaryHeap<Reverse<Queued>>,
}

#[derive(PartialEq, Eq)]
struct Queued {
    at_us: u64,
    /// Things at one time happen in the order in which they were put here.
    order: u64,
    event: SimEvent,
}

impl Ord for Queued {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.at_us, self.order).cmp(&(other.at_us, other.order))
    }
}

impl PartialOrd for Queued {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Schedule {
    pub(crate) fn now_us(&self) -> u64 {
        self.now_us
    }

    pub(crate) fn now_ms(&self) -> u64 {
        self.now_us / MS
    }

    pub(crate) fn at(&mut self, at_us: u64, event: SimEvent) {
        self.queued += 1;
        let queued = Queued { at_us: at_us.max(self.now_us), order: self.queued, event };
        self.queue.push(Reverse(queued));
    }

    pub(crate) fn after(&mut self, pause_us: u64, event: SimEvent) {
        self.at(self.now_us + pause_us, event);
    }

    /// Moves to the next thing that happens.
    pub(crate) fn next(&mut self) -> Option<SimEvent> {
        let Reverse(next) = self.queue.pop()?;
        self.now_us = next.at_us;
        Some(next.event)
    }
}

/// A turn that is due at most once at a time: setting it again can only make it sooner.
#[derive(Default)]
pub(crate) struct Alarm {
    due_us: Option<u64>,
}

impl Alarm {
    pub(crate) fn set(&mut self, schedule: &mut Schedule, pause_us: u64, event: SimEvent) {
        let at_us = schedule.now_us + pause_us;
        if self.due_us.is_none_or(|due_us| at_us < due_us) {
            self.due_us = Some(at_us);
            schedule.at(at_us, event);
        }
    }

    /// Whether this is the turn that was set; it is then over.
    pub(crate) fn rings(&mut self, schedule: &Schedule) -> bool {
        let rings = self.due_us == Some(schedule.now_us);
        if rings {
            self.due_us = None;
        }
        rings
    }
}
