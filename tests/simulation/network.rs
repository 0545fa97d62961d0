//! Sockets: two streams of bytes with delays and limited buffers, that can be cut at any byte, and
//! whose ends may learn of it late.

use std::collections::{BTreeMap, VecDeque};

use bytes::BytesMut;
use chat_core::Conn;

use crate::chance::Chance;
use crate::coverage::{Coverage, Situation};
use crate::plan::Plan;
use crate::schedule::{MS, SECOND, Schedule, SimEvent};

/// Longest time until a dead peer is noticed.
pub(crate) const NOTICE_US_MAX: u64 = 60 * SECOND;

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct LinkId(u64);

/// The two ends of a link.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Side {
    Client,
    Server,
}

/// A connection between one client and one life of the server.
pub(crate) struct Link {
    pub(crate) client: usize,
    pub(crate) life: u64,
    pub(crate) conn: Conn,
    /// Nothing gets through any more.
    is_cut: bool,
    ends: [End; 2],
}

/// One end: what is on its way to it, and what it knows.
#[derive(Default)]
struct End {
    flying: VecDeque<(u64, Vec<u8>)>,
    last_arrival_us: u64,
    readable: BytesMut,
    /// Bytes that its peer may still send before the buffers are full.
    room: usize,
    /// Whether the process still holds the socket.
    is_held: bool,
    /// Whether it has learnt that no more will come.
    is_over: bool,
}

/// All links, the latency of the network among them.
pub(crate) struct Network {
    links: BTreeMap<LinkId, Link>,
    last: u64,
    coverage: Coverage,
}

/// What the network needs of the run.
pub(crate) struct Air<'a> {
    pub(crate) schedule: &'a mut Schedule,
    pub(crate) chance: &'a mut Chance,
    pub(crate) plan: &'a Plan,
}

impl Side {
    pub(crate) fn other(self) -> Self {
        match self {
            Self::Client => Self::Server,
            Self::Server => Self::Client,
        }
    }
}

impl Network {
    pub(crate) fn new(coverage: Coverage) -> Self {
        Self { links: BTreeMap::new(), last: 0, coverage }
    }

    pub(crate) fn connect(&mut self, client: usize, life: u64, conn: Conn, room: usize) -> LinkId {
        self.last += 1;
        let id = LinkId(self.last);
        let end = || End { room, is_held: true, ..End::default() };
        self.links.insert(id, Link { client, life, conn, is_cut: false, ends: [end(), end()] });
        id
    }

    pub(crate) fn link(&self, id: LinkId) -> Option<&Link> {
        self.links.get(&id)
    }

    /// The links that both ends still hold.
    pub(crate) fn live(&self) -> Vec<LinkId> {
        self.links.keys().copied().filter(|id| self.is_live(*id)).collect()
    }

    pub(crate) fn is_live(&self, id: LinkId) -> bool {
        let held = |link: &Link| !link.is_cut && link.ends.iter().all(|end| end.is_held);
        self.links.get(&id).is_some_and(held)
    }

    pub(crate) fn of_life(&self, life: u64) -> Vec<LinkId> {
        self.links.iter().filter(|(_, link)| link.life == life).map(|(id, _)| *id).collect()
    }

    /// Writes what the buffers take; on a link that is dead without `from` knowing it, that is lost.
    pub(crate) fn write(
        &mut self,
        id: LinkId,
        from: Side,
        bytes: &[u8],
        air: &mut Air<'_>,
    ) -> usize {
        let Some(link) = self.links.get_mut(&id) else { return 0 };
        let reaches = !link.is_cut && link.ends[from.other() as usize].is_held;
        let end = &mut link.ends[from.other() as usize];
        let most = air.plan.write_bytes_max.min(end.room).min(bytes.len());
        let taken = match most {
            0 => 0,
            // Now and then the kernel takes less than it could.
            most if air.chance.percent(20) => 1 + air.chance.below(most),
            most => most,
        };
        end.room -= taken;
        if !reaches {
            self.coverage.hit(Situation::WroteIntoTheVoid);
            return taken;
        }
        let mut rest = &bytes[..taken];
        while !rest.is_empty() {
            let split =
                if air.chance.percent(30) { 1 + air.chance.below(rest.len()) } else { rest.len() };
            let (segment, behind) = rest.split_at(split);
            rest = behind;
            let now_us = air.schedule.now_us();
            let arrival_us =
                end.last_arrival_us.max(now_us + air.chance.within(&air.plan.delay_us));
            end.last_arrival_us = arrival_us;
            end.flying.push_back((arrival_us, segment.to_vec()));
            air.schedule.at(arrival_us, SimEvent::Arrival { link: id, to: from.other() });
        }
        taken
    }

    /// Bytes have reached an end.
    pub(crate) fn arrive(&mut self, id: LinkId, to: Side, now_us: u64) {
        let Some(link) = self.links.get_mut(&id) else { return };
        let end = &mut link.ends[to as usize];
        while end.flying.front().is_some_and(|(at_us, _)| *at_us <= now_us) {
            if let Some((_, segment)) = end.flying.pop_front() {
                end.readable.extend_from_slice(&segment);
            }
        }
    }

    /// Moves at most `bytes_max` bytes that have arrived into `into`; tells how many.
    pub(crate) fn read(
        &mut self,
        id: LinkId,
        at: Side,
        into: &mut BytesMut,
        bytes_max: usize,
    ) -> usize {
        let Some(link) = self.links.get_mut(&id) else { return 0 };
        let end = &mut link.ends[at as usize];
        let taken = end.readable.len().min(bytes_max);
        into.extend_from_slice(&end.readable.split_to(taken));
        end.room += taken;
        taken
    }

    /// Whether an end has learnt that the other is gone; something may still be on its way from it.
    pub(crate) fn is_noticed(&self, id: LinkId, at: Side) -> bool {
        self.links.get(&id).is_none_or(|link| link.ends[at as usize].is_over)
    }

    /// Whether nothing more can come to an end.
    pub(crate) fn is_over(&self, id: LinkId, at: Side) -> bool {
        let Some(link) = self.links.get(&id) else { return true };
        let end = &link.ends[at as usize];
        end.is_over && end.readable.is_empty() && end.flying.is_empty()
    }

    /// One end lets go of its socket, in order or by dying; the other learns of it, soon or late.
    pub(crate) fn let_go(&mut self, id: LinkId, side: Side, air: &mut Air<'_>) {
        let Some(link) = self.links.get_mut(&id) else { return };
        let own = &mut link.ends[side as usize];
        own.is_held = false;
        own.flying.clear();
        own.readable.clear();
        if !link.ends[side.other() as usize].is_held {
            self.links.remove(&id);
            return;
        }
        self.tell(id, side.other(), air);
    }

    /// Cuts a link: of what is flying, only a beginning arrives.
    pub(crate) fn cut(&mut self, id: LinkId, air: &mut Air<'_>) {
        let Some(link) = self.links.get_mut(&id) else { return };
        link.is_cut = true;
        for end in &mut link.ends {
            let kept = air.chance.below(end.flying.len() + 1);
            end.flying.truncate(kept);
            if let Some((_, last)) = end.flying.back_mut() {
                last.truncate(air.chance.below(last.len() + 1));
            }
        }
        for side in [Side::Client, Side::Server] {
            self.tell(id, side, air);
        }
    }

    /// An end learns that the link is over. A reset takes with it what was not read yet.
    pub(crate) fn notice(&mut self, id: LinkId, side: Side, chance: &mut Chance) {
        let Some(link) = self.links.get_mut(&id) else { return };
        let end = &mut link.ends[side as usize];
        end.is_over = true;
        if chance.percent(30) {
            end.readable.clear();
            end.flying.clear();
        }
    }

    fn tell(&mut self, id: LinkId, side: Side, air: &mut Air<'_>) {
        let Some(link) = self.links.get(&id) else { return };
        let end = &link.ends[side as usize];
        if !end.is_held || end.is_over {
            return;
        }
        let pause_us = match air.chance.percent(air.plan.half_open_percent) {
            true => {
                self.coverage.hit(Situation::HalfOpen);
                air.chance.within(&(2 * SECOND..=NOTICE_US_MAX))
            }
            false => air.chance.within(&(0..=50 * MS)),
        };
        let at_us = end.last_arrival_us.max(air.schedule.now_us() + pause_us);
        air.schedule.at(at_us, SimEvent::Notice { link: id, side });
    }
}
