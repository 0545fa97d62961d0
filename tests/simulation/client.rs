//! A client: the sans-IO queue of sends and cursors of the client library, driven over a simulated link.

mod ending;
mod following;
mod journal;
mod names;
mod paging;
mod person;
mod replies;
mod sending;
mod walls;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use bytes::{Buf, BytesMut};
use chat_client::names::Names;
use chat_client::outbox::Entry;
use chat_client::resume::{AfterReset, Resume};
use chat_client::send_queue::SendQueue;
use chat_proto::{
    AccountId, Ack, Body, Credential, CredentialId, Epoch, ErrorCode, FrameCodec, Hello, History,
    List, LogId, Nonce, Position, PublicKey, RequestId, RoomId, RoomName, Seq, StreamId,
};
use chat_tests::history::{Reader, Sender};
use ed25519_dalek::SigningKey;

use crate::coverage::Situation;
use crate::env::Env;
use crate::frames::put;
use crate::network::{LinkId, Side};
use crate::schedule::{Alarm, MS, SimEvent};
use crate::trace::trace;
use ending::OpenCursor;
use journal::Journal;
use paging::Paging;
use sending::queue;

/// Bytes that wait for the socket: past it nothing more is said.
const OUTPUT_BYTES_MAX: usize = 8 * 1024;

/// Answered sends that are remembered, to be repeated.
const ANSWERED_MAX: usize = 30;

/// The request id of everything that a flooding client asks: it looks at no reply.
const FLOOD: RequestId = RequestId(u32::MAX);

/// When a client that has left for good connects again.
const NEVER: u64 = u64::MAX;

/// One client process, restarted now and then.
pub(crate) struct Client {
    pub(crate) index: usize,
    key: SigningKey,
    /// What names the key.
    credential: CredentialId,
    name: String,
    sender: Sender,
    queue: SendQueue,
    /// Rooms to ask for once more, and when: the server had no time.
    asks_again: Vec<(u64, RoomName)>,
    journal: Journal,
    resume: Resume,
    phase: Phase,
    pub(crate) link: Option<LinkId>,
    input: BytesMut,
    output: BytesMut,
    requests: BTreeMap<RequestId, Asked>,
    last_request: u32,
    account: Option<AccountId>,
    epoch: Option<Epoch>,
    /// The rooms whose id is known, in this epoch.
    rooms: BTreeMap<String, RoomId>,
    /// The followed logs and the names of their rooms, empty for the own log.
    followed: BTreeMap<LogId, String>,
    /// What comes on this connection.
    cursors: BTreeMap<LogId, OpenCursor>,
    /// What comes over all connections.
    readers: BTreeMap<LogId, Reader>,
    /// How many requests to subscribe to a log are in flight: only the newest counts.
    subscribing: BTreeMap<LogId, usize>,
    /// What accounts are called.
    names: Names,
    paging: Paging,
    answered: VecDeque<Answered>,
    /// What has left, by whatever process of this client.
    sent: BTreeSet<Nonce>,
    /// In which life of the logs the newest ack of each stream came, and its `n`.
    acked_in: BTreeMap<StreamId, (Epoch, u64)>,
    window: usize,
    after_reset: AfterReset,
    pub(crate) deaf_until_us: u64,
    retry_at_us: u64,
    failures: u32,
    alarm: Alarm,
    said: u64,
    is_flooding: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Phase {
    Down,
    Greeting,
    SigningIn,
    Up,
}

/// A request in flight.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Asked {
    Hello,
    SignIn,
    Send(Nonce),
    /// An answered send once more: the answer must be the same, or another refusal.
    Again(Answered),
    /// The nonce of an answered send, for another text.
    Reuse(Answered),
    /// A stream with an answered send, for another room.
    Stray(StreamId),
    Join {
        name: RoomName,
    },
    /// The same, because a message needs the id of the room.
    Room {
        name: RoomName,
    },
    Find {
        name: String,
    },
    /// The conversation with somebody.
    Direct {
        with: AccountId,
    },
    Subscribe {
        log: LogId,
        after: Option<Position>,
        /// The newest ack that anybody had when this was asked.
        acked: Seq,
        /// When it was.
        at_us: u64,
    },
    Unsubscribe {
        log: LogId,
    },
    Page(History),
    Names,
    Other,
}

/// A send and its answer.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Answered {
    entry: Entry,
    answer: Result<Ack, ErrorCode>,
}

impl Client {
    pub(crate) fn new(index: usize, key: SigningKey, env: &mut Env) -> Self {
        let after_reset = match env.chance.percent(50) {
            true => AfterReset::FromStart,
            false => AfterReset::FromHead,
        };
        Self {
            index,
            name: format!("person{}", key.verifying_key().to_bytes()[0]),
            credential: credential_of(&key),
            key,
            sender: Sender(index as u32),
            queue: queue(Vec::new(), env),
            asks_again: Vec::new(),
            journal: Journal::default(),
            resume: Resume::new(after_reset),
            phase: Phase::Down,
            link: None,
            input: BytesMut::new(),
            output: BytesMut::new(),
            requests: BTreeMap::new(),
            last_request: 0,
            account: None,
            epoch: None,
            rooms: BTreeMap::new(),
            followed: BTreeMap::new(),
            cursors: BTreeMap::new(),
            readers: BTreeMap::new(),
            subscribing: BTreeMap::new(),
            names: Names::default(),
            paging: Paging::default(),
            answered: VecDeque::new(),
            sent: BTreeSet::new(),
            acked_in: BTreeMap::new(),
            window: env.chance.pick(&[1, 4, 64, 1024, 3000]).unwrap_or(4),
            after_reset,
            deaf_until_us: 0,
            retry_at_us: 0,
            failures: 0,
            alarm: Alarm::default(),
            said: 0,
            is_flooding: env.plan.has_flood && index == 0,
        }
    }

    /// Has something to do in so long.
    pub(crate) fn wake(&mut self, pause_us: u64, env: &mut Env) {
        let turn = SimEvent::ClientTurn { client: self.index };
        self.alarm.set(&mut env.schedule, pause_us, turn);
    }

    /// Whether it is time to connect.
    pub(crate) fn wants_link(&self, env: &Env) -> bool {
        self.link.is_none() && env.schedule.now_us() >= self.retry_at_us
    }

    /// A link is there: says hello.
    pub(crate) fn connected(&mut self, link: LinkId, env: &mut Env) {
        trace!(env.trace, "client {} connects over {link:?}", self.index);
        self.link = Some(link);
        self.phase = Phase::Greeting;
        let hello = Hello {
            versions: List::first_of([Hello::VERSION_SPOKEN]),
            agent: "simulator".to_owned(),
            random: env.chance.bytes(),
        };
        self.ask(&hello, Asked::Hello);
        self.wake(0, env);
    }

    /// Nobody listens: tries again, later and later.
    pub(crate) fn failed_to_connect(&mut self, env: &mut Env) {
        self.failures = (self.failures + 1).min(5);
        let pause_us = env.chance.within(&(100 * MS..=900 * MS)) * u64::from(self.failures);
        self.retry_at_us = env.schedule.now_us() + pause_us;
        self.wake(pause_us, env);
    }

    /// Lets go of the link, because it is over or because somebody thinks so.
    pub(crate) fn disconnect(&mut self, env: &mut Env) {
        if let Some(link) = self.link.take() {
            let (net, mut air) = env.net_and_air();
            net.let_go(link, Side::Client, &mut air);
        }
        trace!(env.trace, "client {} is disconnected", self.index);
        self.phase = Phase::Down;
        if self.requests.values().any(|asked| matches!(asked, Asked::Page(_) | Asked::Names)) {
            env.coverage.hit(Situation::BrokeOffWhileAsked);
        }
        self.queue.disconnected();
        self.asks_again.clear();
        self.input.clear();
        self.output.clear();
        self.requests.clear();
        self.subscribing.clear();
        self.names.unanswered();
        // Nobody sends again what was refused: without a connection the server may have forgotten it.
        self.answered.retain(|answered| answered.answer.is_ok());
        for cursor in std::mem::take(&mut self.cursors).into_values() {
            env.history.closed(cursor.reader);
        }
        self.failed_to_connect(env);
    }

    /// The process dies, and another one goes on with what was on its disk.
    pub(crate) fn restart(&mut self, env: &mut Env) {
        trace!(env.trace, "client {} restarts", self.index);
        self.disconnect(env);
        self.queue = queue(self.journal.restore(&mut env.chance), env);
        if !self.queue.is_empty() {
            env.coverage.hit(Situation::OutboxRestored);
        }
        self.acked_in.clear();
        for reader in std::mem::take(&mut self.readers).into_values() {
            env.history.closed(reader);
        }
        let before = std::mem::replace(&mut self.resume, Resume::new(self.after_reset));
        let followed = std::mem::take(&mut self.followed);
        for (log, name) in followed {
            // Some cursors are kept in a file; the others begin anew.
            let Some(position) = before.position(log).filter(|_| env.chance.percent(50)) else {
                continue;
            };
            self.readers.insert(log, env.history.opened(position.epoch, log, position.seq));
            self.resume.follow(log, Some(position));
            self.followed.insert(log, name);
        }
        (self.account, self.epoch) = (None, None);
        self.rooms.clear();
        self.answered.clear();
        (self.names, self.paging) = (Names::default(), Paging::default());
    }

    pub(crate) fn turn(&mut self, env: &mut Env) {
        if !self.alarm.rings(&env.schedule) {
            return;
        }
        let Some(link) = self.link else {
            if self.retry_at_us != NEVER {
                self.wake(self.retry_at_us.saturating_sub(env.schedule.now_us()), env);
            }
            return;
        };
        let is_deaf = env.schedule.now_us() < self.deaf_until_us;
        if is_deaf {
            self.wake(self.deaf_until_us - env.schedule.now_us(), env);
        } else {
            self.hear(link, env);
        }
        if self.link == Some(link) && !is_deaf && env.net.is_over(link, Side::Client) {
            let mut rest = std::mem::take(&mut self.input);
            if FrameCodec::default().take_last_frame(&mut rest).is_err() {
                env.coverage.hit(Situation::PartialFrame);
            }
            return self.disconnect(env);
        }
        if self.link == Some(link) {
            self.ask_for_names();
            self.send_waiting(env);
            self.flood(env);
            self.speak(link, env);
        }
    }

    fn hear(&mut self, link: LinkId, env: &mut Env) {
        let most = 1 + env.chance.below(env.plan.read_bytes_max);
        let read = env.net.read(link, Side::Client, &mut self.input, most);
        if read > 0 {
            env.wake_other_end(link, Side::Client);
        }
        if read == most {
            self.wake(env.chance.within(&env.plan.turn_us), env);
        }
        while self.link == Some(link) {
            match FrameCodec::default().take_frame(&mut self.input) {
                Ok(Some(frame)) => self.frame(&frame, env),
                Ok(None) => return,
                Err(error) => {
                    env.complain(format!("the server sent what is no frame: {error}"));
                    return self.disconnect(env);
                }
            }
        }
    }

    fn speak(&mut self, link: LinkId, env: &mut Env) {
        let (net, mut air) = env.net_and_air();
        let taken = net.write(link, Side::Client, &self.output, &mut air);
        self.output.advance(taken);
        let has_more = taken > 0 && (!self.output.is_empty() || self.is_flooding);
        if has_more {
            self.wake(env.chance.within(&env.plan.turn_us), env);
        }
    }

    fn ask<B: Body>(&mut self, body: &B, asked: Asked) {
        self.last_request += 1;
        let request = RequestId(self.last_request);
        put(body, request, &mut self.output);
        self.requests.insert(request, asked);
    }

    /// What this client still misses, `heads` being everything there is; empty when nothing.
    pub(crate) fn misses(&self, head: impl Fn(LogId) -> Seq) -> Vec<String> {
        let mut missing = Vec::new();
        if self.phase != Phase::Up {
            missing.push(format!("it is {:?}", self.phase));
        }
        if !self.queue.is_empty() {
            missing.push(format!("{} sends are unanswered", self.queue.len()));
        }
        if let Some((request, asked)) = self.requests.first_key_value() {
            missing.push(format!("request {request} is unanswered: {asked:?}"));
        }
        if let Some(page) = self.paging.waiting() {
            missing.push(format!("a page waits for names: {page:?}"));
        }
        for log in self.resume.logs() {
            let at = self.resume.position(log).unwrap_or_default().seq;
            if at != head(log) {
                missing.push(format!("log {log} is at {at}, its head is {}", head(log)));
            }
        }
        missing
    }

    /// Disconnects, and does not come back.
    pub(crate) fn leave(&mut self, env: &mut Env) {
        self.disconnect(env);
        self.retry_at_us = NEVER;
    }

    /// Nothing disturbs any more.
    pub(crate) fn heal(&mut self, env: &mut Env) {
        self.deaf_until_us = 0;
        if std::mem::take(&mut self.is_flooding) {
            self.disconnect(env);
        }
        self.wake(0, env);
    }
}

fn credential_of(key: &SigningKey) -> CredentialId {
    Credential::Key(PublicKey(key.verifying_key().to_bytes())).id()
}
