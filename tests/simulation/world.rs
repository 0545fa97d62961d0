//! One run: people, a server that lives and dies, a network between them, and what breaks.

mod faults;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use chat_core::{Conn, ServerKey};
use chat_proto::{RoomInfo, Seq};
use chatd::identity::server_key;
use ed25519_dalek::SigningKey;

use crate::chance::Chance;
use crate::client::Client;
use crate::coverage::Situation;
use crate::disk::SimDisk;
use crate::env::Env;
use crate::network::{LinkId, NOTICE_US_MAX, Side};
use crate::schedule::{MS, SECOND, SimEvent};
use crate::server::{Server, note_durable, note_old_connection};
use crate::trace::{Trace, trace};

/// How long everybody has once nothing disturbs any more.
const HEALING_US_MAX: u64 = 900 * SECOND;

/// Steps of one run: more means that somebody turns in circles.
const STEPS_MAX: u64 = 5_000_000;

/// Violations that are told: one breach has many consequences.
const VIOLATIONS_SHOWN: usize = 10;

/// How a run ended.
pub(crate) struct Outcome {
    pub(crate) violations: Vec<String>,
    pub(crate) situations: Vec<Situation>,
    pub(crate) fingerprint: u64,
    pub(crate) steps: u64,
    pub(crate) trace: Vec<String>,
}

/// Runs a seed to its end and checks its history.
pub(crate) fn run(seed: u64, is_traced: bool) -> Outcome {
    let mut world = World::new(seed, is_traced);
    world.live();
    world.settle();
    world.outcome()
}

struct World {
    env: Env,
    disk: Rc<RefCell<SimDisk>>,
    identity: ServerKey,
    server: Option<Server>,
    lives: u64,
    conns: u64,
    clients: Vec<Client>,
    acts_until_us: u64,
    steps: u64,
}

impl World {
    fn new(seed: u64, is_traced: bool) -> Self {
        let mut env = Env::new(seed, Trace::new(is_traced));
        let keys: Vec<SigningKey> =
            (0..env.plan.accounts).map(|_| SigningKey::from_bytes(&env.chance.bytes())).collect();
        let clients: Vec<Client> = (0..env.plan.clients)
            .map(|index| Client::new(index, keys[index % keys.len()].clone(), &mut env))
            .collect();
        let chance = Chance::new(seed, 2);
        let disk = SimDisk::new(chance, env.coverage.clone(), env.plan.survives_power_loss);
        let identity = server_key(&env.chance.bytes());
        env.schedule.at(0, SimEvent::Start);
        for client in 0..clients.len() {
            env.schedule.after(client as u64 * MS, SimEvent::ClientTurn { client });
            env.schedule.after(client as u64 * MS, SimEvent::Act { client });
        }
        env.schedule.after(env.plan.fault_pause_us, SimEvent::Fault);
        let acts_until_us = env.plan.acts_us;
        let disk = Rc::new(RefCell::new(disk));
        Self {
            env,
            disk,
            identity,
            server: None,
            lives: 0,
            conns: 0,
            clients,
            acts_until_us,
            steps: 0,
        }
    }

    /// Lets people act and things break.
    fn live(&mut self) {
        for client in &mut self.clients {
            client.wake(0, &mut self.env);
        }
        while self.env.schedule.now_us() < self.acts_until_us && self.step() {}
    }

    /// Lets everything heal, until everybody has everything or the time is over.
    fn settle(&mut self) {
        trace!(self.env.trace, "everything heals");
        self.env.plan.heal();
        self.disk.borrow_mut().heal();
        for client in &mut self.clients {
            client.heal(&mut self.env);
        }
        let deadline_us = self.env.schedule.now_us() + HEALING_US_MAX;
        let mut look_at_us = 0;
        while self.env.schedule.now_us() < deadline_us {
            if self.env.schedule.now_us() >= look_at_us {
                if self.missing().is_empty() {
                    break;
                }
                look_at_us = self.env.schedule.now_us() + SECOND / 2;
            }
            if !self.step() {
                break;
            }
        }
        for words in self.missing() {
            self.env.complain(format!("after everything has healed, {words}"));
        }
        let epoch = self.disk.borrow().epoch;
        self.env.history.settled(epoch);
        self.count_people(true);
        self.send_everybody_away();
        self.count_people(false);
    }

    /// As many members are online as are: everybody, or nobody.
    fn count_people(&mut self, everybody: bool) {
        let Some(server) = &mut self.server else { return };
        for room in server.rooms(&mut self.env) {
            let online = if everybody { room.members } else { 0 };
            if room.online != online {
                let RoomInfo { name, members, online, .. } = room;
                let are = if everybody { "here" } else { "gone" };
                let words = format!("{online} of the {members} members of #{name} count as online");
                self.env.complain(format!("everybody is {are}, but {words}"));
            }
        }
    }

    /// Everybody leaves for good, and the server learns of it.
    fn send_everybody_away(&mut self) {
        for client in &mut self.clients {
            client.leave(&mut self.env);
        }
        let deadline_us = self.env.schedule.now_us() + 2 * NOTICE_US_MAX;
        let is_served = |server: &Server| server.peers().next().is_some();
        while self.env.schedule.now_us() < deadline_us
            && self.server.as_ref().is_some_and(is_served)
            && self.step()
        {}
        if self.server.as_ref().is_some_and(is_served) {
            self.env.complain("a connection whose peer is gone is never let go".to_owned());
        }
    }

    fn missing(&self) -> Vec<String> {
        let mut missing = Vec::new();
        match &self.server {
            Some(server) if !server.pipeline.is_settled() => {
                missing.push("a commit is under way".to_owned());
            }
            Some(server) if server.pipeline.takes_commands() => {}
            Some(_) => missing.push("the server takes no commands".to_owned()),
            None => missing.push("the server is down".to_owned()),
        }
        let disk = self.disk.borrow();
        let tables = disk.snapshot();
        for client in &self.clients {
            if client.link.is_none_or(|link| !self.env.net.is_live(link)) {
                missing.push(format!("client {} is connected to nobody", client.index));
            }
            let head = |log| disk.data.head(log);
            let misses = client.misses(head).into_iter();
            missing.extend(misses.map(|words| format!("client {}: {words}", client.index)));
            let stale = client.stale_names(&tables).into_iter();
            missing.extend(stale.map(|words| format!("client {}: {words}", client.index)));
        }
        missing
    }

    fn outcome(mut self) -> Outcome {
        self.compare_state_with_store();
        let truth = self.disk.borrow().truth();
        let mut violations = self.env.complaints().to_vec();
        violations.extend(self.env.history.check(&truth).iter().map(ToString::to_string));
        violations.truncate(VIOLATIONS_SHOWN);
        Outcome {
            violations,
            situations: self.env.coverage.situations(),
            fingerprint: if self.env.trace.is_on() { self.env.history.fingerprint() } else { 0 },
            steps: self.steps,
            trace: self.env.trace.into_lines(),
        }
    }

    /// What the pipeline holds in memory is what the store says.
    fn compare_state_with_store(&mut self) {
        let Some(state) = self.server.as_ref().and_then(|server| server.pipeline.state()) else {
            return;
        };
        let heads: BTreeMap<_, Seq> = state.heads().collect();
        let disk = self.disk.borrow();
        let stored: BTreeMap<_, Seq> =
            disk.data.logs.keys().map(|log| (*log, disk.data.head(*log))).collect();
        for words in disk.data.contradictions() {
            self.env.complain(words);
        }
        if heads != stored || state.epoch() != disk.epoch {
            let words = format!("the state has the heads {heads:?}, the store {stored:?}");
            self.env.complain(words);
        }
        let (mut held, tables) = (state.snapshot(), disk.snapshot());
        // Commands that have led to nothing are in no commit.
        if held.progress.place >= tables.progress.place
            && held.progress.digest == tables.progress.digest
        {
            held.progress.clone_from(&tables.progress);
        }
        if held != tables {
            let words = format!("the state is {held:?}, the store says {tables:?}");
            self.env.complain(words);
        }
    }

    /// The next thing happens; `false` when nothing does, or far too much has.
    fn step(&mut self) -> bool {
        self.steps += 1;
        let Some(event) = self.env.schedule.next() else { return false };
        self.env.trace.set_now(self.env.schedule.now_us());
        self.handle(event);
        self.judge_shown();
        if self.server.as_ref().is_some_and(Server::has_drained) {
            self.env.coverage.hit(Situation::Drained);
            self.crash();
        }
        if self.server.as_ref().is_some_and(Server::has_died) {
            self.crash();
        }
        if self.steps >= STEPS_MAX {
            self.env.complain(format!("{STEPS_MAX} steps were not enough"));
        }
        self.steps < STEPS_MAX
    }

    /// Nobody is shown what it may not read.
    fn judge_shown(&mut self) {
        for (epoch, shown) in std::mem::take(&mut self.env.shown) {
            let wrong = self.disk.borrow().rights_in(epoch).judge_shown(&shown);
            wrong.into_iter().for_each(|words| self.env.complain(words));
        }
    }

    fn handle(&mut self, event: SimEvent) {
        let Self { env, server, clients, .. } = self;
        match event {
            SimEvent::Arrival { link, to } => {
                let now_us = env.schedule.now_us();
                env.net.arrive(link, to, now_us);
                self.wake_end(link, to);
            }
            SimEvent::Notice { link, side } => {
                env.net.notice(link, side, &mut env.chance);
                self.wake_end(link, side);
            }
            SimEvent::ClientTurn { client } => {
                clients[client].turn(env);
                if clients[client].wants_link(env) {
                    self.connect(client);
                }
            }
            SimEvent::ServerTurn { life, conn } => {
                if let Some(server) = server.as_mut().filter(|server| server.life == life) {
                    server.turn(conn, env);
                }
            }
            SimEvent::Sequence { life } => {
                if let Some(server) = server.as_mut().filter(|server| server.life == life) {
                    server.sequence(env);
                }
            }
            SimEvent::Settle { life } => {
                if let Some(server) = server.as_mut().filter(|server| server.life == life) {
                    server.settle(env);
                }
            }
            SimEvent::PageRead { life, page } => {
                if let Some(server) = server.as_mut().filter(|server| server.life == life) {
                    server.page_read(page, env);
                }
            }
            SimEvent::Tick { life } => {
                if let Some(server) = server.as_mut().filter(|server| server.life == life) {
                    server.tick(env);
                }
            }
            SimEvent::Stop { life } => {
                if server.as_ref().is_some_and(|server| server.life == life) {
                    self.crash();
                }
            }
            SimEvent::Start => self.start(),
            SimEvent::Act { client } => self.act(client),
            SimEvent::Fault => self.fault(),
        }
    }

    fn wake_end(&mut self, link: LinkId, side: Side) {
        let Self { env, server, clients, .. } = self;
        let Some(found) = env.net.link(link) else { return };
        let (client, life, conn) = (found.client, found.life, found.conn);
        match side {
            Side::Client if clients[client].link == Some(link) => clients[client].wake(0, env),
            Side::Client => {}
            Side::Server => {
                if let Some(server) = server.as_mut().filter(|server| server.life == life) {
                    server.wake(conn, env);
                }
            }
        }
    }

    fn connect(&mut self, client: usize) {
        let Self { env, server, clients, .. } = self;
        let Some(server) = server.as_mut().filter(|server| !server.is_draining()) else {
            return clients[client].failed_to_connect(env);
        };
        self.conns += 1;
        let conn = Conn(self.conns);
        let link = env.net.connect(client, server.life, conn, env.plan.socket_bytes);
        server.accept(conn, link, env);
        note_old_connection(server, client, env);
        clients[client].connected(link, env);
    }

    fn start(&mut self) {
        if self.server.is_some() {
            return;
        }
        self.lives += 1;
        self.disk.borrow_mut().now_us = self.env.schedule.now_us();
        let identity = self.identity.clone();
        let started = Server::start(self.lives, &self.disk, identity, &mut self.env);
        note_durable(&self.disk, &mut self.env);
        match started {
            Ok(server) if !server.has_died() => {
                trace!(self.env.trace, "the server starts, epoch {}", self.disk.borrow().epoch);
                self.server = Some(server);
            }
            Ok(_) | Err(_) => self.env.schedule.after(300 * MS, SimEvent::Start),
        }
    }

    fn act(&mut self, client: usize) {
        if self.env.schedule.now_us() < self.acts_until_us {
            self.clients[client].act(&self.disk.borrow().data.rights, &mut self.env);
            let pause_us = self.env.chance.pause_us(self.env.plan.act_pause_us);
            self.env.schedule.after(pause_us, SimEvent::Act { client });
        }
    }
}
