//! What a client sends, and what becomes of it: the queue of the client library, driven by hand.

use chat_client::outbox::{Entry, FreshStreams, Outbox};
use chat_client::send_queue::{Change, Outbound, Policy, SendQueue};
use chat_proto::{Epoch, ErrorCode, Join, Send, StreamId, TextBody};

use super::{Asked, Client, OUTPUT_BYTES_MAX, Phase};
use crate::coverage::Situation;
use crate::env::Env;
use crate::schedule::MS;
use crate::trace::trace;

/// What a process sends, beginning with what was left.
pub(super) fn queue(left: Vec<Outbox>, env: &mut Env) -> SendQueue {
    let fresh = FreshStreams::from_random(env.chance.bytes());
    let mut queue = SendQueue::new(Policy::Screen, fresh, left);
    while let Some(change) = queue.next_change() {
        if !matches!(change, Change::Adopted(_)) {
            env.complain(format!("nothing has been sent, and yet: {change:?}"));
        }
    }
    queue
}

impl Client {
    /// Sends what waits in the outbox, once the rooms it goes to are known.
    pub(super) fn send_waiting(&mut self, env: &mut Env) {
        if self.phase != Phase::Up {
            return;
        }
        self.restart_lost_stream(env);
        let now_us = env.schedule.now_us();
        for (_due, name) in
            self.asks_again.extract_if(.., |(due_us, _)| *due_us <= now_us).collect::<Vec<_>>()
        {
            self.ask(&Join { name: name.to_string() }, Asked::Room { name });
        }
        while self.output.len() < OUTPUT_BYTES_MAX
            && let Some(outbound) = self.queue.next(self.window, env.schedule.now_ms())
        {
            match outbound {
                Outbound::Find(name) => {
                    self.ask(&Join { name: name.to_string() }, Asked::Room { name });
                }
                Outbound::Send(Entry { nonce, to, text }) => {
                    trace!(env.trace, "client {} sends {nonce:?} to {to:?}", self.index);
                    let room = to.room.unwrap_or_default();
                    self.sent.insert(nonce);
                    self.ask(&Send { nonce, room, body: TextBody::say(text) }, Asked::Send(nonce));
                }
            }
        }
        self.wake_when_due(env);
        self.journal.write(self.queue.take_records());
    }

    /// A turn that comes earlier has taken the alarm with it, so each turn sets it again. What is due
    /// already waits for the socket, which wakes the client itself.
    fn wake_when_due(&mut self, env: &mut Env) {
        let now_us = env.schedule.now_us();
        let asks_again = self.asks_again.iter().map(|(due_us, _name)| *due_us);
        let due_us = self.queue.due_ms().map(|due_ms| due_ms * MS).into_iter().chain(asks_again);
        if let Some(due_us) = due_us.filter(|due_us| *due_us > now_us).min() {
            self.wake(due_us - now_us, env);
        }
    }

    /// The room of sends cannot be had: the queue has refused them itself, and the server knows of none.
    pub(super) fn take_refused_here(&mut self, env: &mut Env) {
        while let Some(change) = self.queue.next_change() {
            match change {
                Change::Refused(Entry { nonce, .. }, refusal) => {
                    env.coverage.hit(Situation::RoomNotHad);
                    let code = refusal.code.unwrap_or(ErrorCode::Malformed);
                    // In another epoch the room cannot be had any more: what had left may be posted.
                    match self.sent.contains(&nonce) {
                        true => env.history.given_up(nonce),
                        false => env.history.refused(self.epoch(), nonce, code),
                    }
                }
                other @ (Change::Adopted(_)
                | Change::Acked(..)
                | Change::Moved(..)
                | Change::Forgotten(_)) => {
                    env.complain(format!("client {}: {other:?}", self.index));
                }
            }
        }
        self.journal.write(self.queue.take_records());
    }

    /// What has become of sends; says of how many.
    pub(super) fn take_changes(&mut self, env: &mut Env) -> usize {
        let mut changes = 0;
        while let Some(change) = self.queue.next_change() {
            changes += 1;
            match change {
                Change::Acked(entry, ack) => {
                    self.answered(entry, Ok(ack));
                }
                Change::Refused(entry, refusal) => {
                    self.answered(entry, Err(refusal.code.unwrap_or(ErrorCode::Malformed)));
                }
                Change::Moved(entry, new) => {
                    env.history.renamed(entry.nonce, new);
                }
                Change::Forgotten(messages) => {
                    trace!(env.trace, "client {} has lost {messages} sends", self.index);
                }
                Change::Adopted(entry) => {
                    env.complain(format!("client {} adopts {:?}", self.index, entry.nonce));
                }
            }
        }
        self.journal.write(self.queue.take_records());
        changes
    }

    /// The server awaits another send: it has no message of the stream from there on. Only another epoch
    /// explains the loss of one that was acked.
    pub(super) fn demand_acked(&self, stream: StreamId, awaited: u64, env: &mut Env) {
        let is_lost = |(epoch, n): &(Epoch, u64)| Some(*epoch) == self.epoch && *n >= awaited;
        if self.acked_in.get(&stream).is_some_and(is_lost) {
            env.complain(format!("client {}: the stream's end is lost in its epoch", self.index));
        }
    }

    /// The server has forgotten sends that it had answered: refusals, or in another epoch anything.
    fn restart_lost_stream(&mut self, env: &mut Env) {
        let Some(old) = self.queue.lost(env.schedule.now_ms()) else { return };
        trace!(env.trace, "client {} has lost {old:?}", self.index);
        if self.acked_in.get(&old).is_some_and(|(epoch, _n)| Some(*epoch) == self.epoch) {
            env.coverage.hit(Situation::RestartedBehindRefusals);
        }
        if env.chance.percent(20) {
            return self.queue.restart_failed(env.schedule.now_ms());
        }
        env.coverage.hit(Situation::StreamRestarted);
        let fresh = self.queue.fresh_stream();
        self.journal.replace(old, fresh, self.queue.restart_records(old, fresh));
        self.queue.restarted(old, fresh);
        self.answered.retain(|answered| answered.entry.nonce.stream != old);
        self.take_changes(env);
        // The next has its turn: nothing need leave under this one, whose answer would wake the client.
        if self.queue.lost(env.schedule.now_ms()).is_some() {
            self.wake(env.chance.within(&env.plan.turn_us), env);
        }
    }
}
