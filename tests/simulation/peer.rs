//! The server's driver of one connection: moves bytes between a link and the core's [`Connection`],
//! in small and uneven steps.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::rc::Rc;

use bytes::{Buf, Bytes, BytesMut};
use chat_core::{
    Admission, Closing, Conn, Connection, DiskRead, Origin, Output, ReceivedRequest, SessionSeed,
    TokenBucket, Transmit, TurnTokens, Unsequenced,
};
use chat_proto::limits::{COMMANDS_IN_FLIGHT_MAX, FRAME_BYTES_MAX, QUERIES_IN_FLIGHT_MAX};
use chat_proto::{AccountId, CloseReason, LogId, Seq};

use crate::coverage::Situation;
use crate::env::Env;
use crate::fanout::{Delivery, Handle, Revocation};
use crate::network::{LinkId, Side};
use crate::schedule::Alarm;
use crate::trace::trace;

/// Bytes of one read that wait to be understood: past it the socket is not read.
const INPUT_BYTES_MAX: usize = FRAME_BYTES_MAX + 4;

/// An ack, a refusal with its sentence, what a join answers: all are shorter.
const COMMAND_REPLY_BYTES_MAX: usize = 512;

/// G5: what a connection may hold for its peer. Replies to full windows, the replies that may wait
/// before reading pauses, and the rest of one frame.
const OUTGOING_BYTES_MAX: usize = COMMANDS_IN_FLIGHT_MAX * COMMAND_REPLY_BYTES_MAX
    + QUERIES_IN_FLIGHT_MAX * FRAME_BYTES_MAX
    + 2 * FRAME_BYTES_MAX;

/// Steps of one turn: then others have theirs.
const OUTPUTS_PER_TURN: usize = 64;

/// One connection of the server.
pub(crate) struct Peer {
    pub(crate) conn: Conn,
    pub(crate) link: LinkId,
    pub(crate) connection: Connection<Handle>,
    pub(crate) inbox: VecDeque<Delivery>,
    /// Logs that grew since the connection looked.
    pub(crate) grown: BTreeSet<LogId>,
    /// Accounts that were renamed since then, and the frames that say so.
    pub(crate) renamed: BTreeMap<AccountId, Vec<u8>>,
    /// Logs that are gone since then, and the frames that say so.
    pub(crate) removed: BTreeMap<LogId, Vec<u8>>,
    pub(crate) alarm: Alarm,
    /// Its account's, once it has signed in.
    pub(crate) bucket: Option<Rc<TokenBucket>>,
    input: BytesMut,
    /// What is being read from disk.
    pub(crate) reading: Option<DiskRead>,
    /// Logs whose cursor came from disk last.
    on_disk: BTreeSet<LogId>,
    pub(crate) has_left: bool,
}

fn going_away() -> Closing {
    Closing::because(CloseReason::GoingAway, None, "the server stops")
}

/// What a turn led to.
#[derive(Default)]
pub(crate) struct Turn {
    /// A log to be read from disk.
    pub(crate) read: Option<DiskRead>,
    /// The turn ended before everything was done.
    pub(crate) has_more: bool,
    /// Reading is to pause for so long.
    pub(crate) pause_ms: u64,
    /// The connection is over.
    pub(crate) leaves: bool,
}

impl Peer {
    pub(crate) fn new(conn: Conn, link: LinkId, challenge: [u8; 32]) -> Self {
        let seed = SessionSeed { id: chat_proto::SessionId(conn.0), challenge, binding: None };
        Self {
            conn,
            link,
            connection: Connection::new(seed, chat_core::WayIn::Network),
            inbox: VecDeque::new(),
            grown: BTreeSet::new(),
            renamed: BTreeMap::new(),
            removed: BTreeMap::new(),
            alarm: Alarm::default(),
            bucket: None,
            input: BytesMut::new(),
            reading: None,
            on_disk: BTreeSet::new(),
            has_left: false,
        }
    }

    /// Whether the connection follows a log, or is about to.
    pub(crate) fn follows(&self, log: LogId) -> bool {
        self.connection.follows(log) || self.inbox.iter().any(|delivery| delivery.opens(log))
    }

    pub(crate) fn turn(
        &mut self,
        admission: &Admission,
        queue: &mut VecDeque<Unsequenced>,
        is_draining: bool,
        env: &mut Env,
    ) -> Turn {
        let mut turn = Turn::default();
        if !is_draining {
            self.hear(&mut turn, env);
            self.ask(admission, queue, &mut turn, env);
        }
        self.take_mail(env);
        if is_draining && self.connection.in_flight() == 0 && !self.connection.is_closing() {
            self.connection.close(&going_away());
        }
        self.speak(&mut turn, env);
        self.demand_bounds(env);
        let now_ms = env.schedule.now_ms();
        turn.pause_ms = self.pause_ms(now_ms);
        turn.has_more |= !self.inbox.is_empty();
        if env.net.is_noticed(self.link, Side::Server) {
            turn.leaves |= self.hangs_up(queue, env);
            turn.has_more = true;
        }
        turn
    }

    /// The peer is gone: what it has asked is asked on its behalf, unless a reply that nobody takes
    /// shows it first.
    fn hangs_up(&self, queue: &VecDeque<Unsequenced>, env: &mut Env) -> bool {
        let has_heard_all = env.net.is_over(self.link, Side::Server)
            && self.connection.wants_input()
            && self.pause_ms(env.schedule.now_ms()) == 0
            && queue.len() < env.plan.queue_inputs_max;
        let writes_in_vain = !self.connection.outgoing().is_empty() && env.chance.percent(50);
        has_heard_all || writes_in_vain || self.connection.is_closing()
    }

    /// How long its account is not to be read, because it was too fast.
    fn pause_ms(&self, now_ms: u64) -> u64 {
        self.bucket.as_ref().map_or(0, |bucket| bucket.overdrawn_ms(now_ms))
    }

    fn hear(&mut self, turn: &mut Turn, env: &mut Env) {
        let now_ms = env.schedule.now_ms();
        if !self.connection.wants_input() || self.pause_ms(now_ms) > 0 {
            self.note_why_not(now_ms, env);
            return;
        }
        if self.input.len() < INPUT_BYTES_MAX {
            let most = 1 + env.chance.below(env.plan.read_bytes_max);
            let read = env.net.read(self.link, Side::Server, &mut self.input, most);
            turn.has_more |= read == most;
            if read > 0 {
                env.wake_other_end(self.link, Side::Server);
            }
        }
    }

    fn note_why_not(&self, now_ms: u64, env: &Env) {
        let situation = match self.connection.in_flight() {
            _ if self.connection.is_closing() => return,
            _ if self.pause_ms(now_ms) > 0 => Situation::Paused,
            1 if self.connection.account().is_none() => return,
            _ if self.connection.outgoing().len() >= FRAME_BYTES_MAX => Situation::RepliesNotTaken,
            _ => Situation::WindowFull,
        };
        env.coverage.hit(situation);
    }

    fn ask(
        &mut self,
        admission: &Admission,
        queue: &mut VecDeque<Unsequenced>,
        turn: &mut Turn,
        env: &mut Env,
    ) {
        let (rate, now_ms) = (admission.rate, env.schedule.now_ms());
        loop {
            if queue.len() >= env.plan.queue_inputs_max {
                env.coverage.hit(Situation::QueueFull);
                turn.has_more = true;
                return;
            }
            let mut bytes = &self.input[..];
            let mut tokens = match &self.bucket {
                Some(bucket) => bucket.turn(rate, now_ms),
                None => TurnTokens::of(u64::MAX),
            };
            let received = self.connection.receive(admission, &mut bytes, &mut tokens);
            if let Some(bucket) = &self.bucket {
                bucket.take(tokens.taken(), rate, now_ms);
            }
            let taken = self.input.len() - bytes.len();
            self.input.advance(taken);
            let Some(ReceivedRequest { id, window, request }) = received else {
                turn.has_more |= tokens.are_spent() && self.pause_ms(now_ms) == 0;
                return;
            };
            trace!(env.trace, "{:?} asks #{id} {request:?}", self.conn);
            let origin = Origin { conn: self.conn, request: id, window };
            queue.push_back(Unsequenced::Request { origin, request });
        }
    }

    /// The next answer to hand over: the oldest, or a later one that depends on none before it.
    fn next_delivery(&mut self, env: &mut Env) -> Option<Delivery> {
        let last = self.inbox.len().checked_sub(1)?;
        if last == 0 || !env.chance.percent(env.plan.overtake_percent) {
            return self.inbox.pop_front();
        }
        let at = env.chance.below(last + 1);
        let chosen = &self.inbox[at];
        let is_free = self.inbox.range(..at).all(|before| chosen.may_overtake(before));
        if !is_free || at == 0 {
            return self.inbox.pop_front();
        }
        env.coverage.hit(Situation::AnswerOvertook);
        self.inbox.remove(at)
    }

    /// Brings in what has come from the pipeline, not always all of it.
    fn take_mail(&mut self, env: &mut Env) {
        if self.reading.is_some() && env.chance.percent(50) {
            return;
        }
        // A pass under way has taken its mail before, and sees what the tail has by now.
        let is_revoked = matches!(self.inbox.front(), Some(Delivery::Revoke(_)));
        let most = match is_revoked && env.chance.percent(50) {
            true => 0,
            false if env.chance.percent(30) => 1,
            false => usize::MAX,
        };
        for _ in 0..most {
            match self.next_delivery(env) {
                // A handle that comes back is of no use: its tail is freed when nobody has it.
                Some(Delivery::Reply { to, reply, tail }) => {
                    drop(self.connection.deliver((to.request, to.window), &reply, tail));
                }
                Some(Delivery::Revoke(revocation)) => self.revoke(&revocation),
                Some(Delivery::SignOut(account, credential, closing)) => {
                    let is_with =
                        credential.is_none() || self.connection.credential() == credential;
                    if self.connection.account() == Some(account) && is_with {
                        self.connection.close(&closing);
                    }
                }
                None => break,
            }
        }
        if self.inbox.is_empty() {
            for frame in std::mem::take(&mut self.renamed).into_values() {
                self.connection.tell_renamed(&frame);
            }
            for (log, frame) in std::mem::take(&mut self.removed) {
                drop(self.connection.revoke(log, &frame));
            }
        }
        // What an answer says of names is older than whatever has come since.
        if !self.inbox.iter().any(Delivery::tells_names) {
            for log in std::mem::take(&mut self.grown) {
                self.connection.wake(log);
            }
        }
    }

    /// An account may not follow a log any more; others were held back meanwhile.
    fn revoke(&mut self, revocation: &Revocation) {
        let Revocation { log, ref whose, number, ref frame } = *revocation;
        if whose.is(self.connection.account()) {
            drop(self.connection.revoke(log, frame));
        } else if let Some(handle) = self.connection.handle(log) {
            handle.follower.carry_on(number);
            self.connection.wake(log);
        }
    }

    fn speak(&mut self, turn: &mut Turn, env: &mut Env) {
        for _ in 0..OUTPUTS_PER_TURN {
            let goes_on = match self.connection.output_of(env.plan.run_bytes) {
                Output::Nothing => return,
                Output::Write(transmit) => self.write(&transmit, env),
                Output::ReadDisk(read) => {
                    env.coverage.hit(Situation::ReadFromDisk);
                    if self.reading.replace(read).is_some() {
                        env.complain(format!("{:?} reads twice from disk at once", self.conn));
                    }
                    turn.read = Some(read);
                    true
                }
                Output::Close => {
                    turn.leaves = true;
                    return;
                }
            };
            if !goes_on {
                return;
            }
        }
        turn.has_more = true;
    }

    fn write(&mut self, transmit: &Transmit, env: &mut Env) -> bool {
        let mut written = 0;
        for slice in self.connection.slices(transmit) {
            let (net, mut air) = env.net_and_air();
            let taken = net.write(self.link, Side::Server, slice, &mut air);
            written += taken;
            if taken < slice.len() {
                env.coverage.hit(Situation::PartialRun);
                break;
            }
        }
        if written > 0 && transmit.logs_from_memory().any(|log| self.on_disk.remove(&log)) {
            env.coverage.hit(Situation::BackInTheTail);
        }
        self.connection.wrote(transmit, written);
        written == transmit.bytes()
    }

    /// What was read from disk has come; `None` when it could not be read.
    pub(crate) fn page(&mut self, page: Option<(Vec<u8>, Seq)>, env: &mut Env) {
        let Some(read) = self.reading.take() else { return };
        let Some((frames, after)) = page else {
            env.coverage.hit(Situation::DiskReadFailed);
            self.connection.disk_failed(read.log);
            return;
        };
        if !self.connection.read_from_disk(read, Bytes::from(frames), after) {
            env.coverage.hit(Situation::DiskReadTooLate);
        }
        self.on_disk.insert(read.log);
    }

    /// G5: whatever the peer does, the connection holds only so much.
    fn demand_bounds(&self, env: &mut Env) {
        let held = self.connection.outgoing().len();
        if held > OUTGOING_BYTES_MAX {
            env.complain(format!("G5: {:?} holds {held} bytes for its peer", self.conn));
        }
        let replies = self.inbox.iter().filter(|delivery| delivery.is_reply()).count();
        if replies > COMMANDS_IN_FLIGHT_MAX + QUERIES_IN_FLIGHT_MAX + 1 {
            env.complain(format!("G5: {replies} replies wait for {:?}", self.conn));
        }
    }
}
