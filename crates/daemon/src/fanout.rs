//! The fan-out: what a commit leads to, on its way to the reactors.
//!
//! The committing thread is the only one that publishes. Nothing here grows with a slow reader: a
//! reactor's mailbox holds at most the replies to what was asked and one mark for each log, and all
//! tails together stay within a budget.

use std::collections::HashMap;
use std::sync::Arc;

use chat_core::{
    Batch, Closing, Conn, Effect, Fanout, OperatorAnswer, Origin, Refusal, Removal, Reply,
    StoreRead, Tail, WakePace,
};
use chat_proto::{AccountId, CredentialId, LogId, RequestId, RoomId, Seq};

use crate::conn_number::reactor_of;
use crate::live::Live;
use crate::mailbox::{Answer, Delivery, Mailboxes, Released, Renaming, Revocation, SignOut, Whose};
use crate::reader::ReadPool;
use crate::tails::{SharedTail, TailBudget};

/// The committing thread's side: every log that is in memory, and what waits for the next release.
#[derive(Debug)]
pub(crate) struct MailboxFanout {
    mailboxes: Arc<Mailboxes>,
    readers: ReadPool,
    live: Arc<Live>,
    logs: HashMap<LogId, Arc<SharedTail>>,
    budget: TailBudget,
    /// By reactor.
    deliveries: Vec<Vec<Delivery>>,
    /// What else has come since the last release.
    released: Released,
    pace: WakePace,
    now_ms: u64,
}

impl MailboxFanout {
    pub(crate) fn new(
        mailboxes: Arc<Mailboxes>,
        readers: ReadPool,
        live: Arc<Live>,
        tail_bytes_max: usize,
    ) -> Self {
        let deliveries = mailboxes.all().map(|_mailbox| Vec::new()).collect();
        let budget = TailBudget::new(tail_bytes_max);
        Self {
            mailboxes,
            readers,
            live,
            logs: HashMap::new(),
            budget,
            deliveries,
            released: Released::default(),
            pace: WakePace::default(),
            now_ms: 0,
        }
    }

    /// What is in force.
    pub(crate) fn live(&self) -> Arc<Live> {
        Arc::clone(&self.live)
    }

    /// The time, for what is freed when it is idle.
    pub(crate) fn set_now(&mut self, now_ms: u64) {
        self.now_ms = now_ms;
    }

    /// Inputs were taken out of the queue: reactors that waited may hand in again.
    pub(crate) fn allowances_grew(&self) {
        self.mailboxes.all().for_each(|mailbox| mailbox.allowances_grew());
    }

    /// Frees what has been idle, and logs that nobody follows.
    pub(crate) fn free_idle(&mut self) {
        self.budget.release_idle(self.now_ms);
        self.logs.retain(|_log, tail| tail.followers() > 0 || !tail.is_empty());
    }

    /// The tail of a log; made when it is not in memory, with nothing before `head` in it.
    fn tail(&mut self, log: LogId, head: Seq) -> Arc<SharedTail> {
        let tail = self.logs.entry(log).or_insert_with(|| Arc::new(SharedTail::new(head)));
        Arc::clone(tail)
    }

    /// Appends to a log; its followers are woken with the next release, unless that can wait.
    fn append(&mut self, log: LogId, head: Seq, can_wait: bool, append: impl FnOnce(&mut Tail)) {
        let tail = self.tail(log, head);
        let grown_bytes = tail.append(append);
        self.budget.charge(&tail, grown_bytes, self.now_ms);
        if self.pace.wakes_now(log, can_wait, tail.followers(), self.now_ms) {
            self.released.grown.push(log);
        }
    }
}

impl MailboxFanout {
    /// Cursors on a log close.
    fn close_cursors(&mut self, log: LogId, whose: Whose, frame: Vec<u8>) {
        // Without a tail nobody follows it.
        let Some(tail) = self.logs.get(&log) else { return };
        let number = tail.revoke();
        let revocation = Arc::new(Revocation { log, whose, number, frame });
        for deliveries in &mut self.deliveries {
            deliveries.push(Delivery::Revoke(Arc::clone(&revocation)));
        }
    }
}

impl Fanout for MailboxFanout {
    fn publish(&mut self, log: LogId, batch: Batch) {
        let can_wait = !batch.is_urgent;
        self.live.metrics.published(batch.head.0 - batch.after.0);
        self.append(log, batch.after, can_wait, |tail| tail.publish(batch));
    }

    fn announce(&mut self, log: LogId, frame: Vec<u8>) {
        // Whoever would see it follows the log, so its tail is in memory.
        if let Some(tail) = self.logs.get(&log) {
            let head = tail.head();
            self.append(log, head, false, |tail| tail.announce(frame));
        }
    }

    fn renamed(&mut self, account: AccountId, rooms: Vec<RoomId>, frame: Vec<u8>) {
        self.released.renamings.push(Arc::new(Renaming { account, rooms, frame }));
    }

    fn reply(&mut self, to: Origin, reply: Reply) {
        if to.conn == Conn::OPERATOR {
            return self.mailboxes.operator().reply(to.request, reply);
        }
        let tail = match reply.effect() {
            Effect::Open { log, head, .. } => Some(self.tail(log, head).follow()),
            Effect::None | Effect::SignedIn(_) | Effect::Close | Effect::Shut { .. } => None,
        };
        if let Some(deliveries) = self.deliveries.get_mut(reactor_of(to.conn)) {
            let answer = Answer { to, reply, tail };
            deliveries.push(Delivery::Reply(answer));
        }
    }

    fn tell_operator(&mut self, request: RequestId, answer: Result<OperatorAnswer, Refusal>) {
        self.mailboxes.operator().answer(request, answer);
    }

    fn revoke(&mut self, log: LogId, account: AccountId, frame: Vec<u8>) {
        self.readers.revoke(account, log);
        self.close_cursors(log, Whose::Account(account), frame);
    }

    fn revoke_others(&mut self, log: LogId, members: Vec<AccountId>, frame: Vec<u8>) {
        self.readers.revoke_others(&members, log);
        self.close_cursors(log, Whose::OthersThan(members), frame);
    }

    fn sign_out(
        &mut self,
        account: AccountId,
        credential: Option<CredentialId>,
        closing: &Closing,
    ) {
        let sign_out = Arc::new(SignOut { account, credential, closing: closing.clone() });
        for deliveries in &mut self.deliveries {
            deliveries.push(Delivery::SignOut(Arc::clone(&sign_out)));
        }
    }

    fn remove(&mut self, log: LogId, frame: Vec<u8>) {
        self.close_cursors(log, Whose::Everybody, frame);
        if let Some(tail) = self.logs.remove(&log) {
            self.budget.credit(tail.release_all());
        }
    }

    fn redact(&mut self, log: LogId, seq: Seq) {
        if let Some(tail) = self.logs.get(&log) {
            tail.redact(log, seq);
        }
        // A page that was read before may be on its way to somebody.
        self.released.redacted.push((log, seq..=seq));
    }

    fn remove_messages(&mut self, removal: Removal) {
        let Removal { log, to, .. } = removal;
        if let Some(tail) = self.logs.get(&log) {
            tail.remove_messages(removal);
        }
        self.released.redacted.push((log, Seq(1)..=to));
    }

    fn read(&mut self, to: Origin, account: AccountId, read: StoreRead) {
        if self.readers.try_answer(to, account, read).is_err() {
            self.reply(to, Reply::Refused(Refusal::Busy));
        }
    }

    fn release(&mut self) {
        self.released.grown.extend(self.pace.due(self.now_ms));
        for (mailbox, deliveries) in self.mailboxes.all().zip(&mut self.deliveries) {
            mailbox.release(deliveries, &self.released);
        }
        self.released.clear();
        self.budget.release_excess();
    }

    fn rewind(&mut self, heads: &[(LogId, Seq)]) {
        for (log, head) in heads {
            if let Some(held) = self.logs.get(log).and_then(|tail| tail.rewind(*head)) {
                self.budget.credit(held);
                self.pace.woken(*log);
                self.released.grown.push(*log);
            }
        }
    }
}
