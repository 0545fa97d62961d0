//! One life of the server process: the sequencer, the pipeline over the simulated disk, and turns
//! for connections.

mod ending;
mod operator;

use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;

use chat_core::{
    Action, Admission, Command, Conn, DiskRead, HistoryRead, Input, Local, LoneSubmitter,
    NewInvitation, OPERATOR, Origin, Pipeline, Reply, Request, ServerKey, StoreError, StoreSecret,
    TokenBucket, Unsequenced,
};
use chat_proto::{
    AccountId, Epoch, HistoryPage, InvitationCode, List, Message, QueryRequest, RequestId, RoomId,
    RoomInfo, RoomName, Rooms, Seq, Timestamp, Window,
};

use crate::chance::Chance;
use crate::coverage::Situation;
use crate::disk::SimDisk;
use crate::env::Env;
use crate::fanout::{Delivery, OBSERVER, PageId, SimFanout};
use crate::network::{LinkId, Side};
use crate::order;
use crate::peer::{Peer, Turn};
use crate::schedule::{MS, SECOND, SimEvent};
use crate::store::SimStore;
use crate::trace::trace;

/// The time of day at the beginning of every run, in milliseconds.
const DAY_MS: u64 = 1_700_000_000_000;

/// A running server.
pub(crate) struct Server {
    pub(crate) life: u64,
    pub(crate) pipeline: Pipeline<SimStore>,
    admission: Admission,
    /// How much of its rate each account has taken.
    buckets: BTreeMap<AccountId, Rc<TokenBucket>>,
    fanout: SimFanout,
    queue: VecDeque<Unsequenced>,
    submitter: LoneSubmitter,
    /// What was handed over last.
    last_batch: Vec<Input>,
    is_sequencing: bool,
    is_settling: bool,
    /// G9: told to stop. Nothing more is read; what was read is answered.
    is_draining: bool,
    /// How far this machine's clock is off, which changes with every life.
    skew_ms: u64,
    pages: BTreeMap<PageId, Page>,
    last_page: u64,
}

/// A read from disk that is under way.
enum Page {
    Cursor { conn: Conn, asked: DiskRead, read: Option<(Vec<u8>, Seq)> },
    History { to: Origin, read: HistoryRead },
}

/// Everybody comes with the same code, and it is good for one: whoever is first.
pub(crate) const CODE: InvitationCode = InvitationCode([0xC0; 16]);

fn invitation_for_one() -> Action {
    let (uses, seconds) = (1, chat_proto::limits::INVITATION_SECONDS_MAX);
    let (hash, rooms, name) = (CODE.hash(), Vec::new(), String::new());
    let invitation = Box::new(NewInvitation { hash, uses, seconds, rooms, name });
    Action::CreateInvitation { account: OPERATOR, invitation }
}

impl Server {
    /// Starts the process: opens the store and reads the state.
    pub(crate) fn start(
        life: u64,
        disk: &Rc<RefCell<SimDisk>>,
        identity: ServerKey,
        env: &mut Env,
    ) -> Result<Self, StoreError> {
        disk.borrow_mut().open();
        let skew_ms = env.chance.within(&(0..=20_000));
        let now = Timestamp(DAY_MS + env.schedule.now_ms() + skew_ms);
        let store = SimStore::new(Rc::clone(disk));
        let mut pipeline = Pipeline::open(store)?.with_commits_of(env.plan.commit_bytes);
        if !pipeline.has_begun() {
            let lobby = RoomName::parse("lobby").expect("a good name");
            let epoch = Epoch(env.chance.within(&(1..=u64::MAX / 2)));
            // Each life brings another one; that of the first must stay.
            let secret = StoreSecret(epoch.0.to_le_bytes().repeat(2).try_into().expect("16 bytes"));
            let action = Action::Genesis { epoch, secret, lobby: lobby.into() };
            pipeline.begin(Command { ts: now, action })?;
            let action = invitation_for_one();
            pipeline.begin(Command { ts: now, action })?;
        }
        let progress = pipeline.state().map(|state| state.progress().clone()).unwrap_or_default();
        let submission_max = 1 + env.chance.below(env.plan.batch_inputs_max);
        let chance = Chance::new(env.chance.within(&(0..=u64::MAX)), 1);
        let coverage = env.coverage.clone();
        let openings = env.openings.clone();
        let fanout = SimFanout::new(Rc::clone(disk), &env.plan, chance, coverage, openings);
        env.schedule.after(SECOND, SimEvent::Tick { life });
        Ok(Self {
            life,
            pipeline,
            admission: Admission {
                identity,
                rate: env.plan.rate,
                at_network: chat_core::Registration::Open,
                at_socket: chat_core::Registration::Open,
            },
            buckets: BTreeMap::new(),
            fanout,
            queue: VecDeque::new(),
            submitter: LoneSubmitter::after(&progress, submission_max),
            last_batch: Vec::new(),
            is_sequencing: false,
            is_settling: false,
            is_draining: false,
            skew_ms,
            pages: BTreeMap::new(),
            last_page: 0,
        })
    }

    pub(crate) fn accept(&mut self, conn: Conn, link: LinkId, env: &mut Env) {
        let challenge = env.chance.bytes();
        let peer = Peer::new(conn, link, challenge);
        self.fanout.peers.insert(conn, peer);
    }

    /// How many connections are served.
    pub(crate) fn peers(&self) -> impl Iterator<Item = &Peer> {
        self.fanout.peers.values()
    }

    /// A connection has something to do, in a moment.
    pub(crate) fn wake(&mut self, conn: Conn, env: &mut Env) {
        let pause_us = env.chance.within(&env.plan.turn_us);
        self.wake_after(conn, pause_us, env);
    }

    fn wake_after(&mut self, conn: Conn, pause_us: u64, env: &mut Env) {
        if let Some(peer) = self.fanout.peers.get_mut(&conn).filter(|peer| !peer.has_left) {
            let turn = SimEvent::ServerTurn { life: self.life, conn };
            peer.alarm.set(&mut env.schedule, pause_us, turn);
        }
    }

    pub(crate) fn turn(&mut self, conn: Conn, env: &mut Env) {
        let Some(peer) = self.fanout.peers.get_mut(&conn) else { return };
        if peer.has_left || !peer.alarm.rings(&env.schedule) {
            return;
        }
        if peer.bucket.is_none()
            && let Some(account) = peer.connection.account()
        {
            peer.bucket = Some(Rc::clone(self.buckets.entry(account).or_default()));
        }
        let Turn { read, has_more, pause_ms, leaves } =
            peer.turn(&self.admission, &mut self.queue, self.is_draining, env);
        if leaves {
            peer.has_left = true;
            let (net, mut air) = env.net_and_air();
            net.let_go(peer.link, Side::Server, &mut air);
            self.queue.push_back(Unsequenced::Gone(conn));
            trace!(env.trace, "{conn:?} is gone");
        } else {
            if let Some(asked) = read {
                self.read_log(conn, asked, env);
            }
            if has_more {
                self.wake(conn, env);
            }
        }
        if pause_ms > 0 {
            self.wake_after(conn, pause_ms * MS, env);
        }
        self.sequence_soon(env);
    }

    fn sequence_soon(&mut self, env: &mut Env) {
        if !self.is_sequencing && !self.queue.is_empty() {
            self.is_sequencing = true;
            let pause_us = env.chance.within(&env.plan.sequence_us);
            env.schedule.after(pause_us, SimEvent::Sequence { life: self.life });
        }
    }

    /// Hands the pipeline a batch.
    pub(crate) fn sequence(&mut self, env: &mut Env) {
        self.is_sequencing = false;
        let most = 1 + env.chance.below(env.plan.batch_inputs_max);
        let now = self.time_of_day(env);
        let mut batch = Vec::new();
        self.submit_again(&mut batch, env);
        for input in self.queue.drain(..most.min(self.queue.len())) {
            let input = self.pipeline.refuse_for_pace(&input, now).unwrap_or(input);
            self.submitter.put(input, 1, now, &mut batch);
        }
        self.submitter.end(&mut batch);
        self.fanout.disk.borrow_mut().submitted.note(&batch);
        self.last_batch.clone_from(&batch);
        self.run(batch, env);
        self.sequence_soon(env);
    }

    /// Now and then the last batch comes another time, when all of it is contained.
    fn submit_again(&self, batch: &mut Vec<Input>, env: &mut Env) {
        let newest = order::newest(&self.last_batch);
        let progress = self.pipeline.state().map(chat_core::State::progress);
        let is_contained =
            newest.is_some_and(|newest| progress.is_some_and(|progress| progress.contains(newest)));
        if is_contained && env.chance.percent(5) {
            env.coverage.hit(Situation::SubmittedAgain);
            batch.extend(order::again(&self.last_batch));
        }
    }

    fn time_of_day(&self, env: &Env) -> Timestamp {
        Timestamp(DAY_MS + env.schedule.now_ms() + self.skew_ms)
    }

    fn run(&mut self, batch: Vec<Input>, env: &mut Env) {
        let now = self.time_of_day(env);
        self.fanout.disk.borrow_mut().now_us = env.schedule.now_us();
        self.fanout.now_ms = now.0;
        let inputs = batch.len();
        batch.iter().for_each(|input| self.fanout.note_asked(input));
        self.pipeline.run_alone(batch, now, &mut self.fanout);
        note_durable(&self.fanout.disk, env);
        trace!(env.trace, "batch of {inputs}, takes commands: {}", self.pipeline.takes_commands());
        if !self.pipeline.is_settled() && !self.is_settling {
            self.is_settling = true;
            let pause_us = env.chance.within(&env.plan.disk_us);
            env.schedule.after(pause_us, SimEvent::Settle { life: self.life });
        }
        for words in std::mem::take(&mut self.fanout.complaints) {
            env.complain(words);
        }
        for conn in std::mem::take(&mut self.fanout.woken) {
            self.wake(conn, env);
        }
        for (to, read) in std::mem::take(&mut self.fanout.history_reads) {
            self.begin(Page::History { to, read }, env);
        }
    }

    /// A commit under way may have come to its end.
    pub(crate) fn settle(&mut self, env: &mut Env) {
        self.is_settling = false;
        self.run(Vec::new(), env);
    }

    pub(crate) fn tick(&mut self, env: &mut Env) {
        self.run(vec![Input::Local(Local::Tick)], env);
        self.fanout.free_idle();
        self.make_peace(env);
        env.schedule.after(SECOND, SimEvent::Tick { life: self.life });
    }

    /// What the server says of its rooms, to somebody who is no connection.
    pub(crate) fn rooms(&mut self, env: &mut Env) -> Vec<RoomInfo> {
        let origin = Origin { conn: OBSERVER, request: RequestId(1), window: Window::Queries };
        let rooms = QueryRequest::Rooms(Rooms { after: RoomId(0) });
        let request = Request::Query(AccountId(0), rooms);
        let asked = Unsequenced::Request { origin, request }.into_input(self.time_of_day(env));
        self.run(vec![asked], env);
        match self.fanout.observed.take() {
            Some(Reply::Rooms(list)) => list.rooms.into_vec(),
            _ => Vec::new(),
        }
    }

    /// The process is told to stop.
    pub(crate) fn drain(&mut self, env: &mut Env) {
        self.is_draining = true;
        for conn in self.fanout.peers.keys().copied().collect::<Vec<_>>() {
            self.wake(conn, env);
        }
    }

    pub(crate) fn is_draining(&self) -> bool {
        self.is_draining
    }

    /// Whether everything that was asked is answered, and everybody has been told to go.
    pub(crate) fn has_drained(&self) -> bool {
        let is_idle = self.queue.is_empty() && self.pipeline.is_settled();
        self.is_draining && self.fanout.peers.is_empty() && is_idle
    }

    /// Whether a commit has killed the process.
    pub(crate) fn has_died(&self) -> bool {
        self.fanout.disk.borrow().has_died
    }

    fn read_log(&mut self, conn: Conn, asked: DiskRead, env: &mut Env) {
        // Some reads see the log as it is now, others as it is when they come back.
        let read = env.chance.percent(50).then(|| self.read_page(asked, env)).flatten();
        self.begin(Page::Cursor { conn, asked, read }, env);
    }

    fn read_page(&self, asked: DiskRead, env: &Env) -> Option<(Vec<u8>, Seq)> {
        let mut disk = self.fanout.disk.borrow_mut();
        disk.now_us = env.schedule.now_us();
        disk.is_readable().then(|| disk.page(asked, env.plan.page_events))
    }

    fn begin(&mut self, page: Page, env: &mut Env) {
        self.last_page += 1;
        let id = PageId(self.last_page);
        self.pages.insert(id, page);
        let pause_us = env.chance.within(&env.plan.disk_us);
        env.schedule.after(pause_us, SimEvent::PageRead { life: self.life, page: id });
    }

    /// A read has come back.
    pub(crate) fn page_read(&mut self, page: PageId, env: &mut Env) {
        match self.pages.remove(&page) {
            Some(Page::Cursor { conn, asked, read }) => {
                let fails = env.chance.percent(env.plan.disk_read_fails_percent);
                let read = read.or_else(|| self.read_page(asked, env)).filter(|_| !fails);
                let pause_us = if read.is_none() { 100 * MS } else { 0 };
                if let Some(peer) = self.fanout.peers.get_mut(&conn) {
                    peer.page(read, env);
                    self.wake_after(conn, pause_us, env);
                }
            }
            Some(Page::History { to, read }) => {
                let reply =
                    self.fanout.refused_page(to).unwrap_or_else(|| self.history_reply(&read));
                if let Some(peer) = self.fanout.peers.get_mut(&to.conn) {
                    peer.inbox.push_back(Delivery::Reply { to, reply, tail: None });
                    self.wake(to.conn, env);
                }
            }
            None => {}
        }
    }

    fn history_reply(&self, read: &HistoryRead) -> Reply {
        let disk = self.fanout.disk.borrow();
        let events = disk.data.events_of(read.room.into()).iter().rev();
        let is_gone = |seq| disk.redacted.contains(&(read.room.into(), seq));
        let older = events.filter(|event| event.seq < read.before && event.seq <= read.as_of);
        let older = older.filter(|event| !is_gone(event.seq));
        let mut messages: Vec<Message> =
            older.filter_map(message_of).take(read.limit.min(10)).collect();
        messages.reverse();
        let body = HistoryPage {
            room: read.room,
            epoch: read.epoch,
            as_of: read.as_of,
            messages: List::first_of(messages),
            more: false,
            gaps: List::default(),
        };
        Reply::History(Box::new(body))
    }
}

/// Tells the history what has become durable.
pub(crate) fn note_durable(disk: &Rc<RefCell<SimDisk>>, env: &mut Env) {
    let mut disk = disk.borrow_mut();
    let epoch = disk.epoch;
    disk.take_complaints().into_iter().for_each(|words| env.complain(words));
    for (log, head) in disk.take_grown() {
        trace!(env.trace, "durable: seq {head} of log {log}");
        env.history.committed(epoch, log, head);
    }
}

fn message_of(event: &chat_core::Event) -> Option<Message> {
    let chat_core::Content::Posted { from, id, body, .. } = &event.content else { return None };
    Some(Message { seq: event.seq, ts: event.ts, from: *from, id: *id, body: body.clone() })
}

/// A client connects while an older connection of it is still served.
pub(crate) fn note_old_connection(server: &Server, client: usize, env: &Env) {
    let is_of_client = |peer: &&Peer| {
        env.net.link(peer.link).is_some_and(|link| link.client == client) && !peer.has_left
    };
    if server.peers().filter(is_of_client).count() > 1 {
        env.coverage.hit(Situation::OldConnectionStillServed);
    }
}
