//! Reads from disk: a few threads, each with a read-only connection of its own. Accounts take turns.
//! Whoever may not read a log any more is not told what was asked of it before.

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use async_channel::TrySendError;
use chat_core::{Conn, DiskRead, HistoryRead, Origin, Refusal, Reply, StoreError, StoreRead};
use chat_proto::{AccountId, LogId};

use crate::fair_queue::{FairQueue, Party};
use crate::mailbox::{Mailboxes, PageRead};
use crate::store::{Reader, SqliteStore};
use crate::vital::EndNotices;

/// Threads that read.
const READERS: usize = 2;

/// Queries of one account that wait for a reader. For one more, it is told to ask again.
const QUERIES_MAX: usize = 64;

/// Something to read.
#[derive(Debug)]
pub(crate) enum Job {
    /// What a client asked for.
    Answer { to: Origin, account: AccountId, read: StoreRead, number: QueryNumber },
    /// Events of a log, for a cursor that its tail has overtaken.
    Events { to: Conn, read: DiskRead, bytes_max: usize },
    /// A fault in the reader.
    #[cfg(test)]
    Fault,
}

/// Where jobs are handed in. The readers end when the last pool handle is gone.
#[derive(Clone, Debug)]
pub(crate) struct ReadPool {
    waiting: Arc<Mutex<Waiting>>,
    /// Holds a ring for each reader: whoever hears one works until there is nothing to do.
    bell: async_channel::Sender<()>,
}

/// What waits for a reader: a cursor's jobs are bounded by the connections, one for each.
#[derive(Debug)]
struct Waiting {
    jobs: FairQueue<Job>,
    /// Of each account that has any, waiting or at work.
    queries: HashMap<AccountId, Queries>,
    last_number: QueryNumber,
}

/// Which query it is, from 1 in the order in which they were handed in.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Debug)]
pub(crate) struct QueryNumber(u64);

/// The queries of an account that are not answered yet.
#[derive(Default, Debug)]
struct Queries {
    waiting: usize,
    at_work: usize,
    /// Logs that the account may not read any more: what was asked of them up to this query is refused.
    /// As few as it has left since the oldest of them.
    revoked: HashMap<LogId, QueryNumber>,
}

/// Tells when all readers have ended.
#[derive(Debug)]
pub(crate) struct ReadersEnd(Receiver<Infallible>);

impl ReadersEnd {
    /// Waits for it, at most so long.
    pub(crate) fn wait(&self, patience: Duration) {
        // Nothing is ever sent: the wait ends when the last reader lets go of its end.
        let _over_or_late = self.0.recv_timeout(patience);
    }
}

/// The account has as many queries waiting as it may.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TooMany;

impl ReadPool {
    /// Starts the readers. The end of each is told to `ends`.
    pub(crate) fn start(
        store: &SqliteStore,
        mailboxes: &Arc<Mailboxes>,
        ends: &EndNotices,
    ) -> Result<(Self, Vec<JoinHandle<()>>, ReadersEnd), StoreError> {
        let (bell, rung) = async_channel::bounded(READERS);
        let waiting = Arc::new(Mutex::new(Waiting::new()));
        let (alive, end) = sync_channel(0);
        let threads = (0..READERS)
            .map(|_| {
                let reader = Reader::open(store)?;
                let (rung, mailboxes, alive) = (rung.clone(), Arc::clone(mailboxes), alive.clone());
                let (waiting, told) = (Arc::clone(&waiting), ends.of_reader());
                std::thread::Builder::new()
                    .name("chatd-reader".to_owned())
                    .spawn(move || {
                        // Also when it panics: cursors would wait for its page for ever.
                        let _told = told;
                        work(reader, &waiting, &rung, &mailboxes, alive);
                    })
                    .map_err(|cause| StoreError::new("started a reader", cause))
            })
            .collect::<Result<_, _>>()?;
        Ok((Self { waiting, bell }, threads, ReadersEnd(end)))
    }

    /// Hands in what a client asked for, unless its account has enough waiting.
    pub(crate) fn try_answer(
        &self,
        to: Origin,
        account: AccountId,
        read: StoreRead,
    ) -> Result<(), TooMany> {
        let mut waiting = lock(&self.waiting);
        let queries = waiting.queries.entry(account).or_default();
        if queries.waiting >= QUERIES_MAX {
            return Err(TooMany);
        }
        queries.waiting += 1;
        waiting.last_number.0 += 1;
        let number = waiting.last_number;
        waiting.jobs.push(Party::Account(account), Job::Answer { to, account, read, number }, 1);
        drop(waiting);
        self.wake();
        Ok(())
    }

    /// An account may not read a log any more: what it has asked of it is refused, also what is being
    /// read.
    pub(crate) fn revoke(&self, account: AccountId, log: LogId) {
        let mut waiting = lock(&self.waiting);
        let newest = waiting.last_number;
        if let Some(queries) = waiting.queries.get_mut(&account) {
            queries.revoked.insert(log, newest);
        }
    }

    /// Only these accounts may read a log from now on: the same for everybody else.
    pub(crate) fn revoke_others(&self, members: &[AccountId], log: LogId) {
        let mut waiting = lock(&self.waiting);
        let newest = waiting.last_number;
        for (account, queries) in &mut waiting.queries {
            if members.binary_search(account).is_err() {
                queries.revoked.insert(log, newest);
            }
        }
    }

    /// Hands in what a cursor needs: at most one page for a connection.
    pub(crate) fn read_events(&self, party: Party, to: Conn, read: DiskRead, bytes_max: usize) {
        lock(&self.waiting).jobs.push(party, Job::Events { to, read, bytes_max }, 1);
        self.wake();
    }

    fn wake(&self) {
        if let Err(TrySendError::Closed(())) = self.bell.try_send(()) {
            tracing::debug!("the readers have ended");
        }
    }
}

impl Waiting {
    fn new() -> Self {
        let last_number = QueryNumber::default();
        Self { jobs: FairQueue::new(1, usize::MAX), queries: HashMap::new(), last_number }
    }

    fn pop(&mut self) -> Option<Job> {
        let (job, _cost) = self.jobs.pop()?;
        if let Job::Answer { account, .. } = job
            && let Some(queries) = self.queries.get_mut(&account)
        {
            debug_assert!(queries.waiting > 0, "what is taken out has waited");
            queries.waiting -= 1;
            queries.at_work += 1;
        }
        Some(job)
    }

    /// A query is read; whether its account may still be told.
    fn finish(&mut self, account: AccountId, log: LogId, number: QueryNumber) -> bool {
        let Some(queries) = self.queries.get_mut(&account) else { return true };
        let is_revoked = queries.revoked.get(&log).is_some_and(|last| number <= *last);
        debug_assert!(queries.at_work > 0, "what is finished was at work");
        queries.at_work -= 1;
        if queries.waiting + queries.at_work == 0 {
            self.queries.remove(&account);
        }
        !is_revoked
    }
}

fn lock(waiting: &Mutex<Waiting>) -> MutexGuard<'_, Waiting> {
    waiting.lock().unwrap_or_else(PoisonError::into_inner)
}

fn work(
    mut reader: Reader,
    waiting: &Mutex<Waiting>,
    rung: &async_channel::Receiver<()>,
    mailboxes: &Mailboxes,
    alive: SyncSender<Infallible>,
) {
    let mut is_failing = false;
    while let Ok(()) = rung.recv_blocking() {
        loop {
            let next = lock(waiting).pop();
            let Some(job) = next else { break };
            is_failing = read(&mut reader, &job, waiting, mailboxes, is_failing);
        }
    }
    // The files are closed before the end is told.
    drop(reader);
    drop(alive);
}

/// Does a job; tells whether a log could not be read.
fn read(
    reader: &mut Reader,
    job: &Job,
    waiting: &Mutex<Waiting>,
    mailboxes: &Mailboxes,
    was_failing: bool,
) -> bool {
    match *job {
        Job::Answer { to, account, read: StoreRead::History(ref read), number } => {
            let (reply, log) = (history(reader, read), LogId::from(read.room));
            // Held until the reply is handed over: what a revocation tells comes before or behind it.
            let mut waiting = lock(waiting);
            let may_be_told = waiting.finish(account, log, number);
            let refused = Reply::Refused(Refusal::NotReadable { log: log.0 });
            mailboxes.reply(to, if may_be_told { reply } else { refused });
            was_failing
        }
        Job::Events { to, read, bytes_max } => {
            let DiskRead { log, after, head } = read;
            let page = reader.events_after(log, after, head, bytes_max);
            // Cursors try again and again: a fault is told once.
            if let (Err(error), false) = (&page, was_failing) {
                tracing::error!(%error, %log, "a log cannot be read");
            }
            let is_failing = page.is_err();
            mailboxes.page(PageRead { conn: to, read, page });
            is_failing
        }
        #[cfg(test)]
        Job::Fault => panic!("a fault that was asked for"),
    }
}

fn history(reader: &mut Reader, read: &HistoryRead) -> Reply {
    match reader.history(read) {
        Ok(page) => Reply::History(Box::new(page)),
        Err(error) => {
            tracing::error!(%error, room = %read.room, "history cannot be read");
            Reply::Refused(Refusal::Unavailable)
        }
    }
}

#[cfg(test)]
mod tests {
    use chat_proto::{Epoch, RequestId, RoomId, Seq, Window};
    use tokio::time::timeout;

    use super::*;
    use crate::store::Durability;
    use crate::vital::VitalPart;

    const ROOM: RoomId = RoomId(1);

    /// Finishes the query that is next; tells its account, and whether that may be told.
    fn finish_next(pool: &ReadPool) -> Option<(u64, bool)> {
        let job = lock(&pool.waiting).pop()?;
        finish(pool, &job)
    }

    fn finish(pool: &ReadPool, job: &Job) -> Option<(u64, bool)> {
        let Job::Answer { account, number, .. } = *job else { return None };
        Some((account.0, lock(&pool.waiting).finish(account, ROOM.into(), number)))
    }

    fn ask(pool: &ReadPool, account: u64, conn: u64) -> Result<(), TooMany> {
        let to = Origin { conn: Conn(conn), request: RequestId(1), window: Window::Queries };
        let (before, as_of) = (Seq(9), Seq(8));
        let read = HistoryRead { room: ROOM, epoch: Epoch(1), before, limit: 1, as_of };
        pool.try_answer(to, AccountId(account), StoreRead::History(read))
    }

    #[tokio::test]
    async fn a_reader_that_ends_by_a_fault_is_noticed() {
        let dir = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(dir.path(), Durability::Process).unwrap();
        let (mailboxes, ends) = (Arc::new(Mailboxes::new(Vec::new())), EndNotices::default());
        let (pool, threads, _end) = ReadPool::start(&store, &mailboxes, &ends).unwrap();
        lock(&pool.waiting).jobs.push(Party::Account(AccountId(1)), Job::Fault, 1);
        pool.wake();
        let told = timeout(Duration::from_secs(60), ends.first()).await;
        assert_eq!(told.expect("it is noticed"), VitalPart::Reader);
        drop(pool);
        let ended: Vec<_> = threads.into_iter().map(|thread| thread.join().is_ok()).collect();
        assert_eq!(ended.iter().filter(|in_order| **in_order).count(), READERS - 1);
    }

    #[test]
    fn an_account_has_its_share_of_the_readers_and_nobody_is_refused_for_another() {
        let (bell, _rung) = async_channel::bounded(READERS);
        let pool = ReadPool { waiting: Arc::new(Mutex::new(Waiting::new())), bell };
        let asked = (0..1200).filter(|conn| ask(&pool, 1, *conn).is_ok()).count();
        assert_eq!(asked, QUERIES_MAX);
        for account in 2..1000 {
            assert!(ask(&pool, account, 10_000 + account).is_ok(), "{account}");
        }
        let mut waiting = lock(&pool.waiting);
        let order: Vec<_> = (0..3).filter_map(|_| waiting.pop()).collect();
        let accounts = order.iter().map(|job| match job {
            Job::Answer { account, .. } => account.0,
            Job::Events { .. } | Job::Fault => 0,
        });
        assert_eq!(accounts.collect::<Vec<_>>(), [1, 2, 3], "they take turns");
        drop(waiting);
        assert!(ask(&pool, 1, 5000).is_ok() && ask(&pool, 1, 5001).is_err());
        while finish_next(&pool).is_some() {}
        // Those that were taken out above.
        for account in 1..=3 {
            lock(&pool.waiting).finish(AccountId(account), ROOM.into(), QueryNumber(1));
        }
        assert!(lock(&pool.waiting).queries.is_empty());
    }

    #[test]
    fn what_was_asked_before_the_right_to_read_was_lost_is_not_told_and_what_comes_later_is() {
        let (bell, _rung) = async_channel::bounded(READERS);
        let pool = ReadPool { waiting: Arc::new(Mutex::new(Waiting::new())), bell };
        let log = LogId::from(ROOM);
        pool.revoke(AccountId(1), log);
        assert!(ask(&pool, 1, 1).is_ok() && ask(&pool, 1, 2).is_ok() && ask(&pool, 2, 3).is_ok());
        assert_eq!(finish_next(&pool), Some((1, true)), "it was asked anew");
        pool.revoke(AccountId(1), LogId::from(RoomId(2)));
        let at_work = lock(&pool.waiting).pop().expect("the other account's turn");
        pool.revoke(AccountId(1), log);
        assert!(ask(&pool, 1, 4).is_ok());
        assert_eq!(finish(&pool, &at_work), Some((2, true)), "it is another account's");
        assert_eq!(finish_next(&pool), Some((1, false)), "it was asked before");
        assert_eq!(finish_next(&pool), Some((1, true)), "it was asked when it may be again");
        assert!(lock(&pool.waiting).queries.is_empty(), "what was revoked is forgotten, too");
    }
}
