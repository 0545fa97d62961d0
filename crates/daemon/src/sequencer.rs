//! The sequencer of a single machine: a bounded queue into the committing thread.
//!
//! What is taken out of the queue is the one order. Accounts take turns in it, and whatever has
//! gathered while a commit was under way makes up the next one, so that commits grow with the load
//! and nobody waits for a timer. A commit that is done beside the committing thread rings its bell.

mod pace;
mod pace_check;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use chat_core::{Conn, Input, Local, LoneSubmitter, Pipeline, Unsequenced};
use chat_proto::Timestamp;
use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;

use crate::clock::{ClockWatch, since_boot, utc_now};
use crate::fair_queue::{FairQueue, Party};
use crate::fanout::MailboxFanout;
use crate::reader::ReadersEnd;
use crate::store::SqliteStore;
use pace::{Pace, Plan};
use pace_check::PaceCheck;

/// What may wait for the committing thread, in cost: some 20,000 small messages. An account that has
/// its share of it waiting is not read from.
const WAITING_COST_MAX: usize = 8 * 1024 * 1024;

/// What an account gets in a turn, in cost: some ten small messages.
const QUANTUM: usize = 4 * 1024;

/// What an input costs beside its bytes: about as much as so many more of them.
pub(crate) const INPUT_COST: usize = 256;

/// What the end of a connection costs: nothing of it is committed, and it must not wait. Not nothing,
/// so that what waits stays bounded: who finds the queue full of them is not read, and cannot sign in
/// to leave again.
const GONE_COST: usize = 16;

/// What a submission costs at the most: some two hundred small messages. It comes into a commit as a
/// whole, which ends and is looked after between two.
const SUBMISSION_COST_MAX: usize = 64 * 1024;

/// How long the WAL is made beforehand, in bytes: about as long as it gets before it begins anew.
const WAL_BYTES: u64 = 24 * 1024 * 1024;

/// How long readers may take to end what they do, when the store is to be closed.
const READERS_END_MAX: Duration = Duration::from_secs(1);

/// Where inputs are handed in. The committing thread ends, and closes the store, when the last
/// handle is gone and the queue is empty.
#[derive(Clone, Debug)]
pub(crate) struct Sequencer {
    waiting: Arc<Mutex<Waiting>>,
    /// Holds one ring: whoever hears it takes everything.
    bell: mpsc::Sender<()>,
}

/// The committing thread has ended.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the committing thread has ended")]
pub(crate) struct Ended;

/// What waits for the committing thread.
#[derive(Debug)]
struct Waiting {
    inputs: FairQueue<Unsequenced>,
    pace: Pace,
    /// A second has passed.
    has_ticked: bool,
}

/// What an input of so many bytes costs.
pub(crate) fn cost_of(bytes: usize) -> usize {
    INPUT_COST + bytes
}

impl Sequencer {
    /// Starts the committing thread.
    pub(crate) fn start(
        mut pipeline: Pipeline<SqliteStore>,
        fanout: MailboxFanout,
        readers: ReadersEnd,
    ) -> std::io::Result<(Self, JoinHandle<()>)> {
        let (bell, rung) = mpsc::channel(1);
        pipeline.store_mut().lay_out_wal(WAL_BYTES);
        let ring = bell.downgrade();
        pipeline.store_mut().commit_beside(move || {
            // Where it was rung already, or is gone, the committing thread looks by itself.
            if let Some(bell) = ring.upgrade() {
                let _sent_or_rung = bell.try_send(());
            }
        })?;
        let waiting = Arc::new(Mutex::new(Waiting::new(Instant::now())));
        let queue = Arc::clone(&waiting);
        let thread = std::thread::Builder::new()
            .name("chatd-commit".to_owned())
            .spawn(move || commit_all(pipeline, fanout, &queue, rung, &readers))?;
        Ok((Self { waiting, bell }, thread))
    }

    /// What a party may hand in now, in cost. When that is nothing, `wait` is called before it
    /// can grow: whoever asks to be told of that then misses nothing.
    pub(crate) fn allowance(&self, party: Party, wait: impl FnOnce()) -> usize {
        let waiting = lock(&self.waiting);
        let allowance = waiting.inputs.allowance(party);
        if allowance == 0 {
            wait();
        }
        allowance
    }

    /// Puts inputs, each with its cost, behind all of the same party. They are looked at once the
    /// committing thread is woken.
    pub(crate) fn push(
        &self,
        party: Party,
        inputs: impl IntoIterator<Item = (Unsequenced, usize)>,
    ) {
        lock(&self.waiting).put(party, inputs, Instant::now());
    }

    /// A connection is gone: that comes behind everything of the same party.
    pub(crate) fn push_gone(&self, party: Party, conn: Conn) {
        lock(&self.waiting).put_gone(party, conn);
    }

    /// A second has passed.
    ///
    /// # Errors
    /// [`Ended`] when nobody hears it.
    pub(crate) fn tick(&self) -> Result<(), Ended> {
        lock(&self.waiting).has_ticked = true;
        self.wake()
    }

    /// The most that has waited at once since the last look, in cost: what is in memory for it is less.
    pub(crate) fn take_waiting_peak(&self) -> usize {
        lock(&self.waiting).inputs.take_cost_peak()
    }

    /// Wakes the committing thread.
    ///
    /// # Errors
    /// [`Ended`] when it is not there any more.
    pub(crate) fn wake(&self) -> Result<(), Ended> {
        match self.bell.try_send(()) {
            // It has not heard the ring before.
            Ok(()) | Err(TrySendError::Full(())) => Ok(()),
            Err(TrySendError::Closed(())) => Err(Ended),
        }
    }

    /// Waits until the committing thread has ended.
    pub(crate) async fn ended(&self) {
        self.bell.closed().await;
    }
}

impl Waiting {
    fn new(now: Instant) -> Self {
        let inputs = FairQueue::new(QUANTUM, WAITING_COST_MAX);
        Self { inputs, pace: Pace::new(now), has_ticked: false }
    }

    fn put(
        &mut self,
        party: Party,
        inputs: impl IntoIterator<Item = (Unsequenced, usize)>,
        now: Instant,
    ) {
        let mut to_commit = 0;
        let counted = inputs.into_iter().inspect(|(input, cost)| {
            to_commit += if input.is_command() { *cost } else { 0 };
        });
        self.inputs.extend(party, counted);
        if to_commit > 0 {
            self.pace.count(party, to_commit, now);
        }
    }

    fn put_gone(&mut self, party: Party, conn: Conn) {
        self.inputs.push(party, Unsequenced::Gone(conn), GONE_COST);
    }

    /// Takes what the next commit is to have, into `inputs`, at the time of day `ts`: here is the
    /// order. What `refuse` puts in the place of an input has none in it. Tells the cost, and how large
    /// the commit was to be.
    fn take(
        &mut self,
        inputs: &mut Vec<Input>,
        ts: Timestamp,
        submitter: &mut LoneSubmitter,
        mut refuse: impl FnMut(Party, &Unsequenced) -> Option<Unsequenced>,
    ) -> (usize, Plan) {
        if std::mem::take(&mut self.has_ticked) {
            inputs.push(Input::Local(Local::Tick));
        }
        let plan = self.pace.plan(Instant::now());
        let mut taken = 0;
        while taken < plan.cost_max
            && let Some((party, input, cost)) = self.inputs.pop_with_party()
        {
            let input = refuse(party, &input).unwrap_or(input);
            submitter.put(input, cost, ts, inputs);
            taken += cost;
        }
        submitter.end(inputs);
        (taken, plan)
    }
}

fn lock(waiting: &Mutex<Waiting>) -> MutexGuard<'_, Waiting> {
    waiting.lock().unwrap_or_else(PoisonError::into_inner)
}

fn commit_all(
    mut pipeline: Pipeline<SqliteStore>,
    mut fanout: MailboxFanout,
    waiting: &Mutex<Waiting>,
    mut rung: mpsc::Receiver<()>,
    readers: &ReadersEnd,
) {
    let mut clock = ClockWatch::default();
    look_at(&mut clock, utc_now(), &pipeline);
    // From another place, submissions would be passed over that were never carried out.
    let state =
        pipeline.state().expect("a server whose logs could not be read or begun does not start");
    let mut submitter = LoneSubmitter::after(state.progress(), SUBMISSION_COST_MAX);
    let mut inputs = Vec::new();
    let mut pace_check = PaceCheck::new(fanout.live(), &mut pipeline);
    while rung.blocking_recv().is_some() {
        loop {
            let now = utc_now();
            pace_check.take_limits(&mut pipeline);
            let refuse =
                |party, input: &Unsequenced| pace_check.refuse(&mut pipeline, party, input, now);
            let (cost, plan) = lock(waiting).take(&mut inputs, now, &mut submitter, refuse);
            let has_inputs = !inputs.is_empty();
            if has_inputs {
                fanout.allowances_grew();
            }
            let began = Instant::now();
            // Also with nothing: a commit that was under way may have come to its end.
            commit(&mut pipeline, &mut fanout, &mut clock, &mut inputs);
            if !has_inputs {
                break;
            }
            if plan.is_short() {
                // Somebody does not want to wait for what would gather beside it.
                pipeline.settle_alone(utc_now(), &mut fanout);
            }
            lock(waiting).pace.committed(plan, cost, began.elapsed());
        }
    }
    pipeline.settle_alone(utc_now(), &mut fanout);
    // The last connection to close takes the WAL away, and one that only reads cannot.
    drop(fanout);
    readers.wait(READERS_END_MAX);
    pipeline.into_store().close();
}

fn commit(
    pipeline: &mut Pipeline<SqliteStore>,
    fanout: &mut MailboxFanout,
    clock: &mut ClockWatch,
    inputs: &mut Vec<Input>,
) {
    let now = utc_now();
    let is_tick = matches!(inputs.first(), Some(Input::Local(Local::Tick)));
    if is_tick {
        look_at(clock, now, pipeline);
    }
    fanout.set_now(now.0);
    pipeline.run_alone(inputs.drain(..), now, fanout);
    if is_tick {
        fanout.free_idle();
    }
}

fn look_at(clock: &mut ClockWatch, now: Timestamp, pipeline: &Pipeline<SqliteStore>) {
    // A store that cannot be read tells no times.
    let Some(state) = pipeline.state() else { return };
    if let Some(notice) = clock.look(now, since_boot(), state.last_ts()) {
        notice.tell();
    }
}

#[cfg(test)]
mod tests {
    use chat_core::{Action, OrderProgress, Origin, Request};
    use chat_proto::{AccountId, Ping, QueryRequest, RequestId, RoomId, Window};

    use super::*;

    fn party(account: u64) -> Party {
        Party::Account(AccountId(account))
    }

    fn asks(request: Request) -> Unsequenced {
        let window = match &request {
            Request::Command(_) => Window::Commands,
            Request::Query(..) => Window::Queries,
        };
        let origin = Origin { conn: Conn(1), request: RequestId(1), window };
        Unsequenced::Request { origin, request }
    }

    fn command() -> Unsequenced {
        asks(Request::Command(Action::Leave { account: AccountId(1), room: RoomId(1) }))
    }

    fn ping() -> Unsequenced {
        asks(Request::Query(AccountId(2), QueryRequest::Ping(Ping { token: 1 })))
    }

    /// Account 1 has sent much in one window, and goes on in the next, which is told.
    fn flooded() -> (Waiting, Instant) {
        let start = Instant::now();
        let mut waiting = Waiting::new(start);
        let next = start + Duration::from_millis(260);
        for now in [start, next] {
            waiting.put(party(1), (0..4_000).map(|_| (command(), cost_of(40))), now);
        }
        (waiting, next)
    }

    #[test]
    fn only_what_is_to_be_committed_makes_commits_short() {
        let (mut waiting, now) = flooded();
        waiting.put(party(2), [(ping(), cost_of(20))], now);
        waiting.put_gone(party(3), Conn(8));
        assert!(!waiting.pace.plan(now).is_short(), "they wait for no commit");
        waiting.put(party(2), [(ping(), cost_of(20)), (command(), cost_of(40))], now);
        assert!(waiting.pace.plan(now).is_short());
    }

    #[test]
    fn many_queries_make_nobody_elses_commits_short() {
        let start = Instant::now();
        let mut waiting = Waiting::new(start);
        let now = start + Duration::from_millis(260);
        for now in [start, now] {
            waiting.put(party(2), (0..4_000).map(|_| (ping(), cost_of(40))), now);
            waiting.put(party(1), [(command(), cost_of(40))], now);
        }
        assert!(!waiting.pace.plan(now).is_short());
    }

    #[test]
    fn who_leaves_takes_hardly_any_room_but_what_waits_is_bounded() {
        let mut waiting = Waiting::new(Instant::now());
        let allowance = waiting.inputs.allowance(party(1));
        // All that a daemon can have, at once.
        (0..32_000).for_each(|conn| waiting.put_gone(party(2), Conn(conn)));
        assert!(waiting.inputs.allowance(party(1)) > allowance / 10 * 9);
        assert!(waiting.inputs.allowance(party(2)) > allowance / 10 * 9);
        (0..600_000).for_each(|conn| waiting.put_gone(party(conn), Conn(conn)));
        assert_eq!(waiting.inputs.allowance(party(1)), 0, "nobody signs in until some were taken");
        let mut taken = Vec::new();
        let mut submitter = LoneSubmitter::after(&OrderProgress::default(), SUBMISSION_COST_MAX);
        waiting.take(&mut taken, Timestamp(1), &mut submitter, |_party, _paced| None);
        assert!(taken.len() < 200_000, "{} at once", taken.len());
        assert!(waiting.inputs.allowance(party(1)) > 0);
    }
}
