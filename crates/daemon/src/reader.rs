//! Reads from disk: a few threads, each with a read-only connection of its own. Accounts take turns.

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use async_channel::TrySendError;
use chat_core::{Conn, DiskRead, HistoryRead, Origin, Refusal, Reply, StoreError, StoreRead};
use chat_proto::AccountId;

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
    Answer { to: Origin, account: AccountId, read: StoreRead },
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
    /// Of each account that has any.
    queries: HashMap<AccountId, usize>,
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
        let queries = waiting.queries.entry(account).or_insert(0);
        if *queries >= QUERIES_MAX {
            return Err(TooMany);
        }
        *queries += 1;
        waiting.jobs.push(Party::Account(account), Job::Answer { to, account, read }, 1);
        drop(waiting);
        self.wake();
        Ok(())
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
        Self { jobs: FairQueue::new(1, usize::MAX), queries: HashMap::new() }
    }

    fn pop(&mut self) -> Option<Job> {
        let (job, _cost) = self.jobs.pop()?;
        if let Job::Answer { account, .. } = job
            && let Some(queries) = self.queries.get_mut(&account)
        {
            *queries -= 1;
            if *queries == 0 {
                self.queries.remove(&account);
            }
        }
        Some(job)
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
            is_failing = read(&mut reader, &job, mailboxes, is_failing);
        }
    }
    // The files are closed before the end is told.
    drop(reader);
    drop(alive);
}

/// Does a job; tells whether a log could not be read.
fn read(reader: &mut Reader, job: &Job, mailboxes: &Mailboxes, was_failing: bool) -> bool {
    match *job {
        Job::Answer { to, read: StoreRead::History(ref read), .. } => {
            mailboxes.reply(to, history(reader, read));
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

    fn ask(pool: &ReadPool, account: u64, conn: u64) -> Result<(), TooMany> {
        let to = Origin { conn: Conn(conn), request: RequestId(1), window: Window::Queries };
        let (before, as_of) = (Seq(9), Seq(8));
        let read = HistoryRead { room: RoomId(1), epoch: Epoch(1), before, limit: 1, as_of };
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
        while lock(&pool.waiting).pop().is_some() {}
        assert!(lock(&pool.waiting).queries.is_empty());
    }
}
