//! The fan-out: which connection follows which log, and what waits for each connection.
//!
//! The committing thread is the only one that publishes; connections read tails and take what is in
//! their mailbox. Nothing here grows with a slow reader: a mailbox holds at most the replies of the
//! connection's windows and one mark per log, and all tails together stay within a budget.

mod budget;
mod follow;
mod mailbox;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chat_core::{Batch, Closing, Conn, Effect, Fanout, HistoryRead, Origin, Refusal, Reply};
use chat_proto::{Error, LogId, Seq, encode_frame};

pub(crate) use follow::FollowedLog;
pub(crate) use mailbox::{Delivery, Mail, Mailbox};

use crate::reader::{Job, ReadPool};
use budget::TailBudget;

/// Every connection and every log that is in memory.
#[derive(Debug, Default)]
pub(crate) struct Hub {
    mailboxes: Mutex<HashMap<Conn, Arc<Mailbox>>>,
    logs: Mutex<HashMap<LogId, Arc<FollowedLog>>>,
}

impl Hub {
    /// A connection is there from now on.
    pub(crate) fn admit(&self, conn: Conn, mailbox: Arc<Mailbox>) {
        lock(&self.mailboxes).insert(conn, mailbox);
    }

    /// How many connections there are.
    pub(crate) fn connections(&self) -> usize {
        lock(&self.mailboxes).len()
    }

    /// Every connection's mailbox, as of now.
    pub(crate) fn mailboxes(&self) -> Vec<Arc<Mailbox>> {
        lock(&self.mailboxes).values().cloned().collect()
    }

    /// Gives a connection a reply; one that is gone needs none.
    pub(crate) fn reply(&self, to: Origin, reply: Reply) {
        if let Some(mailbox) = self.mailbox(to.conn) {
            mailbox.deliver(Delivery { lane: to.lane, reply, log: None });
        }
    }

    fn mailbox(&self, conn: Conn) -> Option<Arc<Mailbox>> {
        lock(&self.mailboxes).get(&conn).cloned()
    }

    /// The tail of a log; made when it is not in memory, with nothing before `head` in it.
    fn log(&self, log: LogId, head: Seq) -> Arc<FollowedLog> {
        let mut logs = lock(&self.logs);
        logs.entry(log).or_insert_with(|| Arc::new(FollowedLog::new(head))).clone()
    }
}

/// The committing thread's side of the hub.
#[derive(Debug)]
pub(crate) struct HubFanout {
    hub: Arc<Hub>,
    readers: ReadPool,
    budget: TailBudget,
    /// Logs that grew since the last release.
    grown: Vec<(LogId, Arc<FollowedLog>)>,
    now_ms: u64,
}

impl HubFanout {
    pub(crate) fn new(hub: Arc<Hub>, readers: ReadPool, tail_bytes_max: usize) -> Self {
        let budget = TailBudget::new(tail_bytes_max);
        Self { hub, readers, budget, grown: Vec::new(), now_ms: 0 }
    }

    /// The time, for what is freed when it is idle.
    pub(crate) fn set_now(&mut self, now_ms: u64) {
        self.now_ms = now_ms;
    }

    /// Frees what has been idle, and logs that nobody follows.
    pub(crate) fn free_idle(&mut self) {
        self.budget.release_idle(self.now_ms);
        lock(&self.hub.logs)
            .retain(|_log, followed| Arc::strong_count(followed) > 1 || !followed.is_idle());
    }

    fn append(&mut self, log: LogId, head: Seq, append: impl FnOnce(&mut chat_core::Tail)) {
        let followed = self.hub.log(log, head);
        let grown_bytes = followed.append(append);
        self.budget.charge(&followed, grown_bytes, self.now_ms);
        self.grown.push((log, followed));
    }
}

impl Fanout for HubFanout {
    fn publish(&mut self, log: LogId, batch: Batch) {
        self.append(log, batch.after, |tail| tail.publish(batch));
    }

    fn announce(&mut self, log: LogId, frame: Vec<u8>) {
        // Whoever would see it follows the log, so its tail is in memory.
        let followed = lock(&self.hub.logs).get(&log).cloned();
        if let Some(followed) = followed {
            self.append(log, followed.head(), |tail| tail.announce(frame));
        }
    }

    fn reply(&mut self, to: Origin, reply: Reply) {
        let Some(mailbox) = self.hub.mailbox(to.conn) else { return };
        let log = match reply.effect {
            Effect::Open { log, head, .. } => Some(self.hub.log(log, head)),
            Effect::None | Effect::SignedIn(_) | Effect::Close | Effect::Shut { .. } => None,
        };
        mailbox.deliver(Delivery { lane: to.lane, reply, log });
    }

    fn read_history(&mut self, to: Origin, read: HistoryRead) {
        if self.readers.try_submit(Job::History { to, read }).is_err() {
            self.hub.reply(to, refusal(to, &Refusal::Busy.to_error()));
        }
    }

    fn gone(&mut self, conn: Conn) {
        lock(&self.hub.mailboxes).remove(&conn);
    }

    fn release(&mut self) {
        for (log, followed) in self.grown.drain(..) {
            followed.wake_followers(log);
        }
        self.budget.release_excess();
    }

    fn rewind(&mut self, heads: &[(LogId, Seq)]) {
        for (log, head) in heads {
            let followed = lock(&self.hub.logs).get(log).cloned();
            if let Some(followed) = followed
                && let Some(held) = followed.rewind(*head)
            {
                self.budget.credit(held);
                self.grown.push((*log, followed));
            }
        }
    }
}

/// A refusal as a reply.
pub(crate) fn refusal(to: Origin, error: &Error) -> Reply {
    let mut frame = Vec::new();
    encode_frame(error, to.request, &mut frame).expect("a sentence fits a frame");
    Reply { frame, effect: Effect::None }
}

/// Why a daemon that stops closes its connections.
pub(crate) fn going_away() -> Closing {
    Closing {
        reason: chat_proto::CloseReason::GoingAway,
        code: None,
        message: "the server stops or restarts; come back in a moment".to_owned(),
    }
}

/// Nothing that holds one of these locks can panic half way through a change.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
