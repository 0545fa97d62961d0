//! The sequencer of a single machine: a bounded queue into the committing thread.
//!
//! The queue is the one order. Whatever has gathered while a commit was under way makes up the
//! next one, so that batches grow with the load and nobody waits for a timer.

use std::thread::JoinHandle;
use std::time::{SystemTime, UNIX_EPOCH};

use chat_core::{Input, Pipeline};
use chat_proto::Timestamp;
use tokio::sync::mpsc;

use crate::fanout::HubFanout;
use crate::store::SqliteStore;

/// Inputs that wait for the committing thread. When it is full, connections are not read from.
const INPUTS_MAX: usize = 8192;

/// Inputs of one commit.
const BATCH_INPUTS_MAX: usize = 4096;

/// Where inputs are handed in. The committing thread ends, and closes the store, when the last
/// handle is gone and the queue is empty.
#[derive(Clone, Debug)]
pub(crate) struct Sequencer {
    inputs: mpsc::Sender<Input>,
}

/// The committing thread has ended.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the committing thread has ended")]
pub(crate) struct Ended;

impl Sequencer {
    /// Starts the committing thread.
    pub(crate) fn start(
        pipeline: Pipeline<SqliteStore>,
        fanout: HubFanout,
    ) -> std::io::Result<(Self, JoinHandle<()>)> {
        let (inputs, queue) = mpsc::channel(INPUTS_MAX);
        let thread = std::thread::Builder::new()
            .name("chatd-commit".to_owned())
            .spawn(move || commit_batches(pipeline, fanout, queue))?;
        Ok((Self { inputs }, thread))
    }

    /// Puts an input in order behind all before it; waits while the queue is full.
    pub(crate) async fn submit(&self, input: Input) -> Result<(), Ended> {
        self.inputs.send(input).await.map_err(|_closed| Ended)
    }

    /// Waits until the committing thread has ended.
    pub(crate) async fn ended(&self) {
        self.inputs.closed().await;
    }
}

fn commit_batches(
    mut pipeline: Pipeline<SqliteStore>,
    mut fanout: HubFanout,
    mut queue: mpsc::Receiver<Input>,
) {
    let mut batch = Vec::with_capacity(BATCH_INPUTS_MAX);
    while queue.blocking_recv_many(&mut batch, BATCH_INPUTS_MAX) > 0 {
        let now = utc_now();
        let is_tick = batch.iter().any(|input| matches!(input, Input::Tick));
        fanout.set_now(now.0);
        pipeline.run(batch.drain(..), now, &mut fanout);
        if is_tick {
            fanout.free_idle();
        }
    }
    pipeline.into_store().close();
}

/// The time of day; the pipeline keeps it from going back.
pub(crate) fn utc_now() -> Timestamp {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(u64::try_from(since_epoch.as_millis()).unwrap_or(u64::MAX))
}
