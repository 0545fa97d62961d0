//! Reads from disk: a few threads, each with a read-only connection of its own.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use async_channel::TrySendError;
use chat_core::{Conn, Effect, HistoryRead, Origin, Refusal, Reply, StoreError};
use chat_proto::{LogId, Seq, encode_frame};

use crate::fanout::{Hub, refusal};
use crate::reactor::PageRead;
use crate::store::{Reader, SqliteStore};

/// Threads that read.
const READERS: usize = 2;

/// Jobs that wait for a reader. When it is full, a query is answered that the daemon is busy, and
/// a cursor waits.
const JOBS_MAX: usize = 1024;

/// Something to read.
#[derive(Debug)]
pub(crate) enum Job {
    /// A page of history, for a client that asked for it.
    History { to: Origin, read: HistoryRead },
    /// Events of a log, for a cursor that its tail has overtaken.
    Events { to: Conn, log: LogId, after: Seq, bytes_max: usize },
}

/// Where jobs are handed in. The readers end when the last pool handle is gone.
#[derive(Clone, Debug)]
pub(crate) struct ReadPool {
    jobs: async_channel::Sender<Job>,
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

/// There was no room for the job, which is given back, or nobody to do it any more.
#[derive(Debug)]
pub(crate) struct NotTaken(pub(crate) Option<Job>);

impl ReadPool {
    /// Starts the readers.
    pub(crate) fn start(
        store: &SqliteStore,
        hub: &Arc<Hub>,
    ) -> Result<(Self, Vec<JoinHandle<()>>, ReadersEnd), StoreError> {
        let (jobs, queue) = async_channel::bounded(JOBS_MAX);
        let (alive, end) = sync_channel(0);
        let threads = (0..READERS)
            .map(|_| {
                let reader = Reader::open(store)?;
                let (queue, hub, alive) = (queue.clone(), Arc::clone(hub), alive.clone());
                std::thread::Builder::new()
                    .name("chatd-reader".to_owned())
                    .spawn(move || work(reader, &queue, &hub, alive))
                    .map_err(|cause| StoreError::new("started a reader", cause))
            })
            .collect::<Result<_, _>>()?;
        Ok((Self { jobs }, threads, ReadersEnd(end)))
    }

    /// Hands a job in when there is room.
    pub(crate) fn try_submit(&self, job: Job) -> Result<(), NotTaken> {
        self.jobs.try_send(job).map_err(|refused| match refused {
            TrySendError::Full(job) => NotTaken(Some(job)),
            TrySendError::Closed(_job) => NotTaken(None),
        })
    }
}

fn work(
    mut reader: Reader,
    queue: &async_channel::Receiver<Job>,
    hub: &Hub,
    alive: SyncSender<Infallible>,
) {
    let mut is_failing = false;
    while let Ok(job) = queue.recv_blocking() {
        match job {
            Job::History { to, read } => hub.reply(to, history(&mut reader, to, &read)),
            Job::Events { to, log, after, bytes_max } => {
                let page = reader.events_after(log, after, bytes_max);
                // Cursors try again and again: a fault is told once.
                if let (Err(error), false) = (&page, is_failing) {
                    tracing::error!(%error, %log, "a log cannot be read");
                }
                is_failing = page.is_err();
                hub.page(PageRead { conn: to, log, after, page });
            }
        }
    }
    // The files are closed before the end is told.
    drop(reader);
    drop(alive);
}

fn history(reader: &mut Reader, to: Origin, read: &HistoryRead) -> Reply {
    match reader.history(read) {
        Ok(page) => {
            let mut frame = Vec::new();
            encode_frame(&page, to.request, &mut frame).expect("a page is bounded below a frame");
            Reply { frame, effect: Effect::None }
        }
        Err(error) => {
            tracing::error!(%error, room = %read.room, "history cannot be read");
            refusal(to, &Refusal::Unavailable.to_error())
        }
    }
}
