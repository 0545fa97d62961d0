//! The outbox files, while one thing at a time is done to them on a thread for blocking work.

use std::io;

use chat_proto::StreamId;
use tokio::task::JoinHandle;

use crate::outbox::Outbox;
use crate::outbox_dir::OutboxDir;
use crate::send_queue::Record;

/// Where the files are at the moment.
pub(crate) enum JournalWriter {
    /// There are none: nothing is kept.
    Memory,
    Idle(Box<OutboxDir>),
    Busy(JoinHandle<(Box<OutboxDir>, Done)>),
    /// The thread has panicked; nothing can be kept any more.
    Broken,
}

/// What can be done to them.
pub(crate) enum Job {
    Write(Vec<Record>),
    Restart {
        old: StreamId,
        fresh: StreamId,
        entries: Vec<Record>,
    },
    /// Take over what dead processes left for this server.
    Adopt {
        server: String,
    },
}

/// How it ended.
pub(crate) enum Done {
    Wrote(io::Result<()>),
    Restarted { old: StreamId, fresh: StreamId, result: io::Result<()> },
    Adopted(io::Result<Vec<Outbox>>),
    Failed,
}

impl JournalWriter {
    /// Begins a job. Only when idle.
    pub(crate) fn begin(&mut self, job: Job) {
        match std::mem::replace(self, Self::Broken) {
            Self::Idle(mut outbox_dir) => {
                *self = Self::Busy(tokio::task::spawn_blocking(move || {
                    let done = job.run(&mut outbox_dir);
                    (outbox_dir, done)
                }));
            }
            other @ (Self::Memory | Self::Busy(_) | Self::Broken) => *self = other,
        }
    }

    /// Waits for the end of the job under way. Cancel-safe.
    pub(crate) async fn done(&mut self) -> Done {
        match self {
            Self::Busy(job) => match job.await {
                Ok((outbox_dir, done)) => {
                    *self = Self::Idle(outbox_dir);
                    done
                }
                Err(panicked) => {
                    tracing::error!(error = %panicked, "the outbox files cannot be used any more");
                    *self = Self::Broken;
                    Done::Failed
                }
            },
            Self::Memory | Self::Idle(_) | Self::Broken => std::future::pending().await,
        }
    }

    /// Writes the last records, and removes what is empty.
    pub(crate) async fn close(mut self, records: Vec<Record>) {
        if matches!(self, Self::Busy(_)) {
            drop(self.done().await);
        }
        if let Self::Idle(mut outbox_dir) = self {
            let closed = tokio::task::spawn_blocking(move || {
                let written = outbox_dir.write(records);
                outbox_dir.close();
                written
            });
            match closed.await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => tracing::warn!(%error, "the outbox could not be closed"),
                Err(error) => tracing::error!(%error, "the outbox could not be closed"),
            }
        }
    }
}

impl Job {
    fn run(self, outbox_dir: &mut OutboxDir) -> Done {
        match self {
            Self::Write(records) => Done::Wrote(outbox_dir.write(records)),
            Self::Restart { old, fresh, entries } => {
                Done::Restarted { old, fresh, result: outbox_dir.restart(old, fresh, &entries) }
            }
            Self::Adopt { server } => {
                outbox_dir.identified(server);
                Done::Adopted(outbox_dir.adopt())
            }
        }
    }
}
