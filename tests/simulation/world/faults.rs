//! What breaks, and when.

use super::World;
use crate::coverage::Situation;
use crate::disk::Fate;
use crate::plan::{ClientFault, DiskFault, Fault, ProcessFault, RoomFault};
use crate::schedule::{MS, SECOND, SimEvent};
use crate::trace::trace;

/// G9: how long a server that stops may take.
const DRAIN_US_MAX: u64 = 10 * SECOND;

impl World {
    /// Something breaks, and later something else.
    pub(super) fn fault(&mut self) {
        if self.env.schedule.now_us() >= self.acts_until_us {
            return;
        }
        let fault = self.env.chance.pick(&self.env.plan.faults);
        trace!(self.env.trace, "fault: {fault:?}");
        match fault {
            Some(Fault::Cut) => self.cut_a_link(),
            Some(Fault::Client(fault)) => self.disturb_client(fault),
            Some(Fault::Process(ProcessFault::Drain)) => self.drain(),
            Some(Fault::Process(fault)) => {
                self.crash();
                self.disturb_store(fault);
            }
            Some(Fault::Disk(fault)) => self.disturb_disk(fault),
            Some(Fault::Room(fault)) => self.disturb_room(fault),
            None => {}
        }
        let pause_us = self.env.chance.pause_us(self.env.plan.fault_pause_us);
        self.env.schedule.after(pause_us, SimEvent::Fault);
    }

    /// The server process dies; another one will start.
    pub(super) fn crash(&mut self) {
        let Some(server) = self.server.take() else { return };
        trace!(self.env.trace, "the server dies");
        self.disk.borrow_mut().lose_process();
        if server.peers().next().is_some() {
            self.env.coverage.hit(Situation::Crash);
        }
        for link in self.env.net.of_life(server.life) {
            let is_cut = self.env.chance.percent(50);
            let (net, mut air) = self.env.net_and_air();
            if is_cut {
                net.cut(link, &mut air);
            }
            net.let_go(link, crate::network::Side::Server, &mut air);
        }
        let pause_us = self.env.chance.within(&(20 * MS..=2 * SECOND));
        self.env.schedule.after(pause_us, SimEvent::Start);
    }

    /// The server process is told to stop: it ends when nothing is left to do, or at the deadline.
    fn drain(&mut self) {
        let Self { env, server, .. } = self;
        if let Some(server) = server.as_mut().filter(|server| !server.is_draining()) {
            trace!(env.trace, "the server drains");
            server.drain(env);
            env.schedule.after(DRAIN_US_MAX, SimEvent::Stop { life: server.life });
        }
    }

    fn cut_a_link(&mut self) {
        let live = self.env.net.live();
        if let Some(link) = self.env.chance.pick(&live) {
            let (net, mut air) = self.env.net_and_air();
            net.cut(link, &mut air);
        }
    }

    fn disturb_client(&mut self, fault: ClientFault) {
        let Self { env, clients, .. } = self;
        let index = env.chance.below(clients.len());
        let client = &mut clients[index];
        match fault {
            ClientFault::GiveUp => client.disconnect(env),
            ClientFault::Restart => client.restart(env),
            ClientFault::Deaf => {
                env.coverage.hit(Situation::DeafReader);
                let pause_us = env.chance.within(&(SECOND..=10 * SECOND));
                client.deaf_until_us = env.schedule.now_us() + pause_us;
            }
        }
    }

    fn disturb_room(&mut self, fault: RoomFault) {
        let Self { env, server, .. } = self;
        let Some(server) = server else { return };
        match fault {
            RoomFault::Revoke => server.revoke_one(env),
            RoomFault::Redact => server.redact_one(env),
        }
    }

    /// The server is down; its store is not what it was when it is opened again.
    fn disturb_store(&mut self, fault: ProcessFault) {
        let Self { env, disk, .. } = self;
        let mut disk = disk.borrow_mut();
        let commits = disk.commits();
        let lost = match env.chance.percent(80) {
            true => env.chance.below(20.min(commits) + 1),
            false => env.chance.below(commits + 1),
        };
        match fault {
            ProcessFault::Crash | ProcessFault::Drain => {}
            ProcessFault::PowerLoss => {
                if lost > 0 && !env.plan.survives_power_loss {
                    env.coverage.hit(Situation::PowerLoss);
                }
                disk.lose_power(lost);
            }
            ProcessFault::Restore => {
                if lost > 0 {
                    env.coverage.hit(Situation::Restore);
                }
                disk.restore(commits - lost);
            }
            ProcessFault::LoseWitness => {
                env.coverage.hit(Situation::WitnessLost);
                disk.lose_witness();
            }
        }
    }

    fn disturb_disk(&mut self, fault: DiskFault) {
        let Self { env, disk, .. } = self;
        let mut disk = disk.borrow_mut();
        let until_us = env.schedule.now_us() + env.chance.within(&(100 * MS..=5 * SECOND));
        match fault {
            DiskFault::AppendFails => disk.appends_fail += env.chance.below(5) as u32,
            DiskFault::DieInCommit => {
                let fate = env.chance.pick(&[Fate::DiesBefore, Fate::DiesAfter]);
                disk.fates.extend(fate);
            }
            DiskFault::Full => disk.full_until_us = until_us,
            DiskFault::Unreadable => disk.unreadable_until_us = until_us,
            DiskFault::CommitFails => {
                for _ in 0..1 + env.chance.below(3) {
                    let fates = [Fate::Lost, Fate::Durable, Fate::DurableAtRecovery, Fate::Good];
                    disk.fates.extend(env.chance.pick(&fates));
                }
            }
        }
    }
}
