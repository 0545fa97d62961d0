//! Commits beside the thread that makes the next transaction: a thread that writes what was staged
//! and synchronises it, one transaction at a time.
//!
//! SQLite shows a commit to no other connection before its sync has succeeded. So what is under way
//! here is seen by nobody, and when it fails, the file is as if it had never begun.

use std::fmt;
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use chat_core::StoreError;
use rusqlite::Connection;

use super::wal::{self, Wal};
use super::write::ClosedTransaction;

/// The thread's name.
const THREAD: &str = "chatd-write";

/// The writing connection. Whoever wants it waits for the commit that is under way on it.
#[derive(Clone, Debug)]
pub(super) struct WriteConnection(Arc<Mutex<Connection>>);

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
    connection: WriteConnection,
    closed: Arc<ClosedTransaction>,
    wal: Arc<Wal>,
}

type CommitOutcome = Result<(), StoreError>;

impl WriteConnection {
    pub(super) fn new(connection: Connection) -> Self {
        Self(Arc::new(Mutex::new(connection)))
    }

    /// The connection, when nobody else is at it any more.
    pub(super) fn lock(&self) -> MutexGuard<'_, Connection> {
        // A panic in between ended a transaction that nobody will take for committed.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The same, with an open transaction.
    pub(super) fn in_transaction(&self) -> rusqlite::Result<MutexGuard<'_, Connection>> {
        let connection = self.lock();
        if connection.is_autocommit() {
            connection.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
        }
        Ok(connection)
    }

    /// The connection alone; `None` while somebody else has it.
    pub(super) fn into_inner(self) -> Option<Connection> {
        let connection = Arc::into_inner(self.0)?;
        Some(connection.into_inner().unwrap_or_else(PoisonError::into_inner))
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
        let is_taken =
            jobs.is_some_and(|jobs| jobs.send(CommitJob { connection, closed, wal }).is_ok());
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
        let Self { connection, closed, wal } = self;
        commit(&connection, &wal, &closed).inspect_err(|error| {
            // At once: nothing may be moved until this has been looked after.
            if super::has_failed_io(error) {
                wal.distrust();
            }
        })
    }
}

/// Writes a transaction and makes it durable.
pub(super) fn commit(
    connection: &WriteConnection,
    wal: &Wal,
    closed: &ClosedTransaction,
) -> Result<(), StoreError> {
    make_durable(wal)?;
    let connection = connection
        .in_transaction()
        .map_err(|cause| StoreError::new("began a transaction", cause))?;
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
