//! Commits beside the thread that makes the next transaction: a thread that writes what was staged
//! and synchronises it, one transaction at a time.
//!
//! SQLite shows a commit to no other connection before its sync has succeeded. So what is under way
//! here is seen by nobody, and when it fails, the file is as if it had never begun.

use std::fmt;
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, sync_channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use chat_core::StoreError;
use rusqlite::Connection;

use super::wal::{self, Wal};
use super::write::ClosedTransaction;

/// The thread's name.
const THREAD: &str = "chatd-write";

/// The writing connection, which two threads use in turn.
#[derive(Clone, Debug)]
pub(super) struct WriteConnection(Arc<SharedConnection>);

#[derive(Debug)]
struct SharedConnection {
    connection: Mutex<Connection>,
    /// It is the other thread's for the next transaction, whether that has begun or not.
    is_promised: Mutex<bool>,
    /// It is promised no more.
    is_free: Condvar,
}

/// The connection is the other thread's for one transaction, until this is dropped.
struct Promise(WriteConnection);

/// Told of each commit that has come to its end.
type Wake = Box<dyn Fn() + Send>;

/// The thread, seen by the one that makes transactions.
#[derive(Debug)]
pub(super) struct Committer {
    /// `None` when the thread is to end.
    jobs: Option<SyncSender<CommitJob>>,
    outcomes: Receiver<CommitOutcome>,
    thread: Option<JoinHandle<()>>,
}

/// A transaction to be committed.
struct CommitJob {
    promised: Promise,
    closed: Arc<ClosedTransaction>,
    wal: Arc<Wal>,
}

type CommitOutcome = Result<(), StoreError>;

impl WriteConnection {
    pub(super) fn new(connection: Connection) -> Self {
        let connection = Mutex::new(connection);
        let (is_promised, is_free) = (Mutex::new(false), Condvar::new());
        Self(Arc::new(SharedConnection { connection, is_promised, is_free }))
    }

    /// The connection, to look at what is committed.
    pub(super) fn lock(&self) -> MutexGuard<'_, Connection> {
        // A panic in between ended a transaction that nobody will take for committed.
        self.0.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The same, with an open transaction, behind the commit that is under way: what is written into it
    /// would else be committed with that one.
    pub(super) fn in_transaction(&self) -> rusqlite::Result<MutexGuard<'_, Connection>> {
        let is_promised = self.promised();
        drop(
            self.0
                .is_free
                .wait_while(is_promised, |is_promised| *is_promised)
                .unwrap_or_else(PoisonError::into_inner),
        );
        self.begin()
    }

    /// The connection alone; `None` while somebody else has it.
    pub(super) fn into_inner(self) -> Option<Connection> {
        let shared = Arc::into_inner(self.0)?;
        Some(shared.connection.into_inner().unwrap_or_else(PoisonError::into_inner))
    }

    /// The connection with an open transaction, for whoever it is promised to.
    fn begin(&self) -> rusqlite::Result<MutexGuard<'_, Connection>> {
        let connection = self.lock();
        if connection.is_autocommit() {
            connection.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
        }
        Ok(connection)
    }

    /// From now on the next transaction is the other thread's.
    fn promise(self) -> Promise {
        let was_promised = std::mem::replace(&mut *self.promised(), true);
        debug_assert!(!was_promised, "one commit at a time is beside the caller");
        Promise(self)
    }

    fn promised(&self) -> MutexGuard<'_, bool> {
        self.0.is_promised.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Promise {
    fn drop(&mut self) {
        *self.0.promised() = false;
        self.0.0.is_free.notify_all();
    }
}

impl Committer {
    /// Starts the thread. It calls `wake` behind each commit.
    pub(super) fn start(wake: Wake) -> std::io::Result<Self> {
        let (jobs, queue) = sync_channel::<CommitJob>(1);
        let (done, outcomes) = sync_channel(1);
        let thread = std::thread::Builder::new().name(THREAD.to_owned()).spawn(move || {
            for job in queue {
                let outcome = job.work();
                if done.send(outcome).is_err() {
                    return;
                }
                wake();
            }
        })?;
        Ok(Self { jobs: Some(jobs), outcomes, thread: Some(thread) })
    }

    /// Has a transaction committed. The one before must have come to its end.
    ///
    /// # Errors
    /// When the thread has ended, which it does not.
    pub(super) fn begin(
        &self,
        connection: WriteConnection,
        closed: Arc<ClosedTransaction>,
        wal: Arc<Wal>,
    ) -> Result<(), StoreError> {
        let jobs = self.jobs.as_ref();
        // Before the thread knows of it: the caller goes on at once with what is to come behind.
        let promised = connection.promise();
        let is_taken =
            jobs.is_some_and(|jobs| jobs.send(CommitJob { promised, closed, wal }).is_ok());
        if is_taken { Ok(()) } else { Err(has_ended()) }
    }

    /// The outcome, once it is there.
    pub(super) fn poll(&self) -> Option<CommitOutcome> {
        match self.outcomes.try_recv() {
            Ok(outcome) => Some(outcome),
            Err(TryRecvError::Empty) => None,
            Err(TryRecvError::Disconnected) => Some(Err(has_ended())),
        }
    }

    /// Waits for the outcome.
    pub(super) fn wait(&self) -> CommitOutcome {
        self.outcomes.recv().unwrap_or_else(|_ended| Err(has_ended()))
    }
}

impl Drop for Committer {
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the thread that commits did not end in order");
        }
    }
}

impl fmt::Debug for CommitJob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CommitJob").finish_non_exhaustive()
    }
}

impl CommitJob {
    /// Lets go of everything before the outcome is told.
    fn work(self) -> CommitOutcome {
        let Self { promised, closed, wal } = self;
        commit(&promised.0, &wal, &closed).inspect_err(|error| {
            // At once: nothing may be moved until this has been looked after.
            if super::has_failed_io(error) {
                wal.distrust();
            }
        })
    }
}

/// Writes a transaction and makes it durable. The caller has the connection: nobody else has a commit
/// under way on it.
pub(super) fn commit(
    connection: &WriteConnection,
    wal: &Wal,
    closed: &ClosedTransaction,
) -> Result<(), StoreError> {
    make_durable(wal)?;
    let connection =
        connection.begin().map_err(|cause| StoreError::new("began a transaction", cause))?;
    closed
        .write(&connection)
        .and_then(|()| connection.prepare_cached("COMMIT")?.execute([]))
        .map_err(|cause| StoreError::new("committed", cause))?;
    // The thread that moves it may have been told of a failure meanwhile.
    make_durable(wal)
}

/// What is not on the disk for sure is written again before anything is built on it.
pub(super) fn make_durable(wal: &Wal) -> Result<(), StoreError> {
    wal.make_durable()
        .map_err(|error| StoreError::new("wrote its WAL once more", wal::as_of_sqlite(&error)))
}

fn has_ended() -> StoreError {
    StoreError::new("committed", "the thread that commits has ended")
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::sync_channel;
    use std::time::Duration;

    use super::*;

    #[test]
    fn what_comes_behind_a_commit_under_way_is_no_part_of_it() {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch("CREATE TABLE rows (of TEXT)").unwrap();
        let connection = WriteConnection::new(connection);
        let promised = connection.clone().promise();
        let (told, hears) = sync_channel(1);
        let behind = std::thread::spawn({
            let connection = connection.clone();
            move || {
                let open = connection.in_transaction().unwrap();
                told.send(()).unwrap();
                open.execute("INSERT INTO rows VALUES ('behind')", []).unwrap();
            }
        });
        // The other thread has not come to it yet, and it is kept for that one.
        assert!(hears.recv_timeout(Duration::from_millis(100)).is_err(), "it went ahead");
        let under_way = promised.0.begin().unwrap();
        under_way.execute("INSERT INTO rows VALUES ('under way')", []).unwrap();
        under_way.execute("COMMIT", []).unwrap();
        drop(under_way);
        drop(promised);
        behind.join().unwrap();
        let connection = connection.lock();
        connection.execute("ROLLBACK", []).unwrap();
        let mut all = connection.prepare("SELECT of FROM rows").unwrap();
        let rows = all.query_map([], |row| row.get(0)).unwrap();
        let rows: Vec<String> = rows.collect::<Result<_, _>>().unwrap();
        assert_eq!(rows, ["under way"], "nothing else was committed");
    }
}
