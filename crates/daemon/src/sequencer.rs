//! The sequencer of a single machine: a bounded queue into the committing thread.
//!
//! The queue is the one order. Whatever has gathered while a commit was under way makes up the
//! next one, so that batches grow with the load and nobody waits for a timer.

use std::thread::JoinHandle;
use std::time::Duration;

use chat_core::{Input, Pipeline};
use chat_proto::Timestamp;
use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;

use crate::clock::{ClockWatch, since_boot, utc_now};
use crate::fanout::HubFanout;
use crate::reader::ReadersEnd;
use crate::store::SqliteStore;

/// Batches that wait for the committing thread, each bounded in inputs and in bytes by the reactor
/// that gathers it. When it is full, connections are not read from; what comes meanwhile makes up the
/// next batch.
const BATCHES_MAX: usize = 4;

/// How long readers may take to end what they do, when the store is to be closed.
const READERS_END_MAX: Duration = Duration::from_secs(1);

/// Where inputs are handed in. The committing thread ends, and closes the store, when the last
/// handle is gone and the queue is empty.
#[derive(Clone, Debug)]
pub(crate) struct Sequencer {
    batches: mpsc::Sender<Vec<Input>>,
}

/// The committing thread has ended.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the committing thread has ended")]
pub(crate) struct Ended;

/// A batch was not taken.
#[derive(Debug)]
pub(crate) enum Refused {
    /// There is no room: here it is again.
    Full(Vec<Input>),
    /// The committing thread has ended.
    Ended,
}

impl Sequencer {
    /// Starts the committing thread.
    pub(crate) fn start(
        pipeline: Pipeline<SqliteStore>,
        fanout: HubFanout,
        readers: ReadersEnd,
    ) -> std::io::Result<(Self, JoinHandle<()>)> {
        let (batches, queue) = mpsc::channel(BATCHES_MAX);
        let thread = std::thread::Builder::new()
            .name("chatd-commit".to_owned())
            .spawn(move || commit_batches(pipeline, fanout, queue, &readers))?;
        Ok((Self { batches }, thread))
    }

    /// Puts a batch in order behind all before it; waits while the queue is full.
    pub(crate) async fn submit(&self, batch: Vec<Input>) -> Result<(), Ended> {
        self.batches.send(batch).await.map_err(|_closed| Ended)
    }

    /// The same without waiting.
    pub(crate) fn try_submit(&self, batch: Vec<Input>) -> Result<(), Refused> {
        self.batches.try_send(batch).map_err(|refused| match refused {
            TrySendError::Full(batch) => Refused::Full(batch),
            TrySendError::Closed(_batch) => Refused::Ended,
        })
    }

    /// Waits until the committing thread has ended.
    pub(crate) async fn ended(&self) {
        self.batches.closed().await;
    }
}

fn commit_batches(
    mut pipeline: Pipeline<SqliteStore>,
    mut fanout: HubFanout,
    mut queue: mpsc::Receiver<Vec<Input>>,
    readers: &ReadersEnd,
) {
    let mut clock = ClockWatch::default();
    look_at(&mut clock, utc_now(), &pipeline);
    let mut batches = Vec::with_capacity(BATCHES_MAX);
    while queue.blocking_recv_many(&mut batches, BATCHES_MAX) > 0 {
        fanout.made_room();
        let now = utc_now();
        let is_tick = batches.iter().flatten().any(|input| matches!(input, Input::Tick));
        if is_tick {
            look_at(&mut clock, now, &pipeline);
        }
        fanout.set_now(now.0);
        pipeline.run(batches.drain(..).flatten(), now, &mut fanout);
        if is_tick {
            fanout.free_idle();
        }
    }
    // The last connection to close takes the WAL away, and one that only reads cannot.
    drop(fanout);
    readers.wait(READERS_END_MAX);
    pipeline.into_store().close();
}

fn look_at(clock: &mut ClockWatch, now: Timestamp, pipeline: &Pipeline<SqliteStore>) {
    // A store that cannot be read tells no times.
    let Some(state) = pipeline.state() else { return };
    if let Some(notice) = clock.look(now, since_boot(), state.last_ts()) {
        notice.tell();
    }
}
