//! What kind of run a seed makes: who takes part, how narrow everything is, and what breaks.
//!
//! Every seed draws its own subset of faults and its own sizes: a run in which everything breaks all
//! the time never gets far enough to break in an interesting way.

use std::ops::RangeInclusive;

use chat_core::Rate;

use crate::chance::Chance;
use crate::schedule::{MS, SECOND};

/// Something that breaks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Fault {
    /// A link is cut.
    Cut,
    /// A client does something that people's computers do.
    Client(ClientFault),
    /// The server process dies, and its store may not be what it was.
    Process(ProcessFault),
    /// The disk misbehaves.
    Disk(DiskFault),
    /// Something of a room is no longer for somebody, or for anybody.
    Room(RoomFault),
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum ClientFault {
    /// It gives a link up that still works, and connects anew.
    GiveUp,
    /// Its process dies, and comes back.
    Restart,
    /// It stops reading for a while.
    Deaf,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum ProcessFault {
    /// Nothing else happens.
    Crash,
    /// It is told to stop, and does so in order.
    Drain,
    /// The machine loses its power.
    PowerLoss,
    /// The store is replaced by an older copy.
    Restore,
    /// The store's witness is lost.
    LoseWitness,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum DiskFault {
    /// Some of the next commits fail.
    CommitFails,
    /// Some of the next appends fail.
    AppendFails,
    /// The process dies in its next commit.
    DieInCommit,
    /// It takes no writes for a while.
    Full,
    /// It can be neither written nor read for a while.
    Unreadable,
}

/// What nobody asks for yet: what is called for it is called all the same.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum RoomFault {
    /// An account may not read a room any more. At once it may again: its clients read on.
    Revoke,
    /// The text of a message is gone.
    Redact,
}

const FAULTS: &[Fault] = &[
    Fault::Cut,
    Fault::Client(ClientFault::GiveUp),
    Fault::Client(ClientFault::Restart),
    Fault::Client(ClientFault::Deaf),
    Fault::Process(ProcessFault::Crash),
    Fault::Process(ProcessFault::Drain),
    Fault::Process(ProcessFault::PowerLoss),
    Fault::Process(ProcessFault::Restore),
    Fault::Process(ProcessFault::LoseWitness),
    Fault::Disk(DiskFault::CommitFails),
    Fault::Disk(DiskFault::AppendFails),
    Fault::Disk(DiskFault::DieInCommit),
    Fault::Disk(DiskFault::Full),
    Fault::Disk(DiskFault::Unreadable),
    Fault::Room(RoomFault::Revoke),
    Fault::Room(RoomFault::Redact),
];

const ROOMS: &[&str] = &["dev", "ops", "café"];

/// The sizes and rates of one run.
pub(crate) struct Plan {
    pub(crate) accounts: usize,
    pub(crate) clients: usize,
    pub(crate) rooms: Vec<&'static str>,
    /// How long people act and things break.
    pub(crate) acts_us: u64,
    pub(crate) act_pause_us: u64,
    pub(crate) fault_pause_us: u64,
    pub(crate) faults: Vec<Fault>,
    pub(crate) delay_us: RangeInclusive<u64>,
    pub(crate) socket_bytes: usize,
    pub(crate) write_bytes_max: usize,
    pub(crate) read_bytes_max: usize,
    pub(crate) half_open_percent: u64,
    /// How often an answer is handed over before others that were given earlier.
    pub(crate) overtake_percent: u64,
    /// How long a connection waits for its turn.
    pub(crate) turn_us: RangeInclusive<u64>,
    pub(crate) sequence_us: RangeInclusive<u64>,
    pub(crate) batch_inputs_max: usize,
    pub(crate) queue_inputs_max: usize,
    pub(crate) tail_bytes: usize,
    pub(crate) tails_for_nobody: bool,
    /// Followers from which on a room is not told at once of who comes and goes.
    pub(crate) gathers_from: usize,
    pub(crate) page_events: usize,
    pub(crate) run_bytes: usize,
    pub(crate) commit_bytes: usize,
    pub(crate) disk_us: RangeInclusive<u64>,
    pub(crate) disk_read_fails_percent: u64,
    pub(crate) rate: Rate,
    pub(crate) survives_power_loss: bool,
    pub(crate) burst: u64,
    /// How many in a hundred acts keep order, or are about who may come in.
    pub(crate) walls_percent: u64,
    /// Everything heals.
    pub(crate) is_healed: bool,
    /// One client asks as much as it can and takes nothing.
    pub(crate) has_flood: bool,
}

impl Plan {
    /// Nothing disturbs any more, and everything is fast enough for all that has piled up.
    pub(crate) fn heal(&mut self) {
        self.is_healed = true;
        self.disk_read_fails_percent = 0;
        self.disk_us = 50..=MS;
        self.delay_us = 20..=2 * MS;
        self.turn_us = 0..=MS;
        self.sequence_us = 50..=3 * MS;
        self.page_events = self.page_events.max(20);
    }

    pub(crate) fn draw(chance: &mut Chance) -> Self {
        let walls_percent = chance.pick(&[0, 15, 40]).unwrap_or(0);
        let accounts = chance.within(&(if walls_percent > 0 { 2 } else { 1 }..=3)) as usize;
        let likely = chance.within(&(10..=70));
        let faults = FAULTS.iter().copied().filter(|_| chance.percent(likely)).collect();
        let is_far = chance.percent(30);
        let is_slow = chance.percent(25);
        let is_narrow = chance.percent(30);
        Self {
            accounts,
            clients: accounts + chance.below(4),
            rooms: ROOMS[..1 + chance.below(ROOMS.len())].to_vec(),
            acts_us: chance.within(&(3..=20)) * SECOND,
            act_pause_us: chance.within(&(30..=400)) * MS,
            fault_pause_us: chance.within(&(200..=4_000)) * MS,
            faults,
            delay_us: if is_far { MS..=200 * MS } else { 20..=2 * MS },
            socket_bytes: if is_narrow {
                100 + chance.below(900)
            } else {
                4_000 + chance.below(60_000)
            },
            write_bytes_max: if is_narrow { 20 + chance.below(300) } else { 64 * 1024 },
            read_bytes_max: if is_narrow { 20 + chance.below(300) } else { 16 * 1024 },
            half_open_percent: chance.pick(&[0, 10, 50, 90]).unwrap_or(0),
            overtake_percent: chance.pick(&[0, 20, 70]).unwrap_or(20),
            turn_us: if is_slow { 0..=50 * MS } else { 0..=MS },
            sequence_us: if is_slow { MS..=30 * MS } else { 50..=3 * MS },
            batch_inputs_max: chance.pick(&[1, 4, 30, 1000]).unwrap_or(30),
            queue_inputs_max: chance.pick(&[3, 20, 8192]).unwrap_or(20),
            tail_bytes: chance.pick(&[0, 100, 1_000, 100_000]).unwrap_or(0),
            tails_for_nobody: chance.percent(50),
            gathers_from: chance.pick(&[1, 3, 64]).unwrap_or(64),
            run_bytes: chance.pick(&[1, 300, 3_000, 256 * 1024]).unwrap_or(300),
            commit_bytes: chance.pick(&[1, 1_000, 1024 * 1024]).unwrap_or(1_000),
            page_events: chance.pick(&[1, 3, 20, 1000]).unwrap_or(3),
            disk_us: if is_slow { MS..=300 * MS } else { 50..=5 * MS },
            disk_read_fails_percent: chance.pick(&[0, 0, 20]).unwrap_or(0),
            rate: chance
                .pick(&[
                    Rate { per_second: 20, burst: 5 },
                    Rate { per_second: 2_000, burst: 200 },
                    Rate { per_second: 1_000_000, burst: 1_000_000 },
                ])
                .unwrap_or(Rate { per_second: 20, burst: 5 }),
            survives_power_loss: chance.percent(70),
            burst: chance.pick(&[5, 30, 150]).unwrap_or(5),
            walls_percent,
            is_healed: false,
            has_flood: chance.percent(3),
        }
    }
}
