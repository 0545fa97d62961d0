//! The road behind the sequencer: apply, commit, publish, reply, release.
//!
//! Takes a batch of inputs in their one order, commits what they change in one transaction, and
//! only then lets anybody see or hear of it. While sends are committed, the next are applied already;
//! when that commit fails, they fail with it. It must not know what a socket or a file is.

mod ahead;
mod answers;
mod beginning;
mod commands;
mod commit_batch;
mod failing;
mod operator;
mod pace;
mod queries;
mod refused_sends;
mod renames;
mod replies;
mod revoking;
mod signing_out;
mod submissions;

use chat_proto::{AccountId, Presence as PresenceFrame, RequestId, Timestamp, encode_frame};

use rustc_hash::FxHashMap;

use crate::conversation::presence::Presence;
use crate::{
    Begun, Conn, Fanout, Input, Local, PresenceReport, Record, Reply, State, Store, StoreError,
};
use ahead::AheadReaders;
pub use failing::Failed;
use failing::InDoubt;
pub use pace::AccountPaces;
use pace::Paces;
use refused_sends::RefusedSends;
use renames::renamed_frame;
pub(crate) use renames::unsure_of_names;

use commit_batch::{CommitBatch, Commits, Waiting};
use submissions::Within;

/// How long a store that failed is left alone before it is tried again, in milliseconds.
const RECOVERY_PAUSE_MS: u64 = 500;

/// Bytes of frames after which a commit takes no more inputs. It bounds the room that a commit
/// needs on the disk: one that asks for more than there is would fail as a whole, for ever.
const COMMIT_BYTES_MAX: usize = 1024 * 1024;

/// State, store and presence in their order.
#[derive(Debug)]
pub struct Pipeline<S> {
    store: S,
    /// `None` while the store cannot even be read.
    state: Option<State>,
    presence: Presence,
    paces: Paces,
    refused: RefusedSends,
    signed_in: FxHashMap<Conn, AccountId>,
    ahead: AheadReaders,
    /// When to try a store that failed again; `None` while it works.
    recover_at: Option<Timestamp>,
    in_doubt: InDoubt,
    commit_bytes_max: usize,
    within: Within,
    /// Applied; its commit has not begun.
    open: CommitBatch,
    /// Sends whose commit is under way: nothing of them was shown.
    under_way: Option<CommitBatch>,
    /// Somebody was answered at once, and is still to be woken.
    has_answered: bool,
    /// The time that it was last told: what ends by itself is over from its time on.
    now: Timestamp,
}

impl<S: Store> Pipeline<S> {
    /// Takes inputs in their order. When it returns, each has been committed and answered; but sends
    /// may wait for a commit that is under way (see [`Self::is_settled`]). Without inputs, it looks how
    /// far that has come.
    ///
    /// # Errors
    /// [`Failed`] when a commit failed. The inputs that were not taken are still to be taken.
    pub fn run(
        &mut self,
        inputs: impl IntoIterator<Item = Input>,
        now: Timestamp,
        fanout: &mut impl Fanout,
    ) -> Result<(), Failed> {
        self.now = now;
        self.recover_when_due(now, fanout);
        let mut inputs = inputs.into_iter();
        loop {
            // Whoever waits for the one under way does not wait for all of these, too. An input is
            // taken behind it: one that was taken must not be lost. Not within a submission, half of
            // which would be lost with the one under way.
            if self.within.is_between() {
                self.look_after_commit(now, fanout)?;
            }
            let Some(input) = inputs.next() else { break };
            self.stage(input, now, fanout);
            if self.open.bytes() >= self.commit_bytes_max && self.within.is_between() {
                self.commit(now, fanout)?;
            }
        }
        debug_assert!(self.within.is_between(), "a submission is handed over as a whole");
        self.release_answered(fanout);
        // Beside a commit that is under way, sends gather for the next one. A reader ahead whom this
        // batch has reached is answered with the next.
        while !(self.open.is_empty() || self.under_way.is_some() && self.open.is_only_sends()) {
            self.commit(now, fanout)?;
        }
        Ok(())
    }

    /// Whether everything that came is answered.
    pub fn is_settled(&self) -> bool {
        self.under_way.is_none() && self.open.is_empty()
    }

    /// Waits until everything that came is answered.
    ///
    /// # Errors
    /// [`Failed`] when a commit failed; then nothing else waits either.
    pub fn settle(&mut self, now: Timestamp, fanout: &mut impl Fanout) -> Result<(), Failed> {
        self.now = now;
        // What becomes durable may open what a reader ahead has waited for, which is answered with the
        // next batch. It changes nothing, so that this has an end.
        while !self.is_settled() {
            self.finish_commit(now, fanout)?;
            if !self.open.is_empty() {
                self.commit(now, fanout)?;
            }
        }
        Ok(())
    }

    /// Has the open batch committed, behind the one that is under way. It was built on that one, and
    /// fails with it.
    fn commit(&mut self, now: Timestamp, fanout: &mut impl Fanout) -> Result<(), Failed> {
        self.release_answered(fanout);
        self.finish_commit(now, fanout)?;
        self.record_progress();
        let mut staged = self.open.close();
        // Other answers tell of the state: it must not move on before they are given.
        let begun = match staged.commits() {
            Commits::Never(cause) => Err(cause),
            // All before it is durable, and so is what it tells of.
            Commits::Nothing => Ok(Begun::Durable),
            Commits::Sends => self.store.begin_commit(),
            Commits::More => self.store.commit().map(|()| Begun::Durable),
        };
        match begun {
            Ok(Begun::UnderWay) => self.under_way = Some(staged),
            Ok(Begun::Durable) => self.show(staged, fanout),
            Err(cause) => return Err(self.fail(cause, staged, now, fanout)),
        }
        Ok(())
    }

    /// What is committed says how far in the order it is.
    fn record_progress(&mut self) {
        debug_assert!(self.within.is_between(), "a commit ends where a submission does");
        // One that is broken is never committed, and the state is ahead of what was appended.
        let is_recorded = self.open.has_appended() && !self.open.is_broken();
        let Some(state) = self.state.as_ref().filter(|_| is_recorded) else { return };
        if let Err(cause) = self.store.append(Record::OrderProgress(state.progress())) {
            self.open.break_off(cause);
        }
    }

    /// Shows the batch whose commit was under way when that is done.
    fn look_after_commit(
        &mut self,
        now: Timestamp,
        fanout: &mut impl Fanout,
    ) -> Result<(), Failed> {
        match self.under_way.as_ref().and_then(|_staged| self.store.poll_commit()) {
            Some(outcome) => self.conclude(outcome, now, fanout),
            None => Ok(()),
        }
    }

    /// The same, but waits for it.
    fn finish_commit(&mut self, now: Timestamp, fanout: &mut impl Fanout) -> Result<(), Failed> {
        if self.under_way.is_none() {
            return Ok(());
        }
        let outcome = self.store.finish_commit();
        self.conclude(outcome, now, fanout)
    }

    fn conclude(
        &mut self,
        outcome: Result<(), StoreError>,
        now: Timestamp,
        fanout: &mut impl Fanout,
    ) -> Result<(), Failed> {
        let Some(staged) = self.under_way.take() else { return Ok(()) };
        match outcome {
            Ok(()) => {
                self.show(staged, fanout);
                Ok(())
            }
            Err(cause) => {
                let behind = self.open.close();
                Err(self.fail(cause, staged.followed_by(behind), now, fanout))
            }
        }
    }

    /// A batch is durable: everybody may see and hear of it.
    fn show(&mut self, mut staged: CommitBatch, fanout: &mut impl Fanout) {
        let (revoked, disabled) = (staged.removed_credentials(), staged.take_disabled());
        let sign_out = |pipeline: &Self, fanout: &mut _| {
            let each = revoked.iter();
            each.for_each(|(of, which)| pipeline.sign_out_if_revoked(*of, *which, fanout));
            disabled.iter().for_each(|account| pipeline.sign_out_if_disabled(*account, fanout));
        };
        // First: they see nothing of what is published.
        sign_out(self, fanout);
        self.publish(&mut staged, fanout);
        self.answer_all(staged, fanout);
        if !(revoked.is_empty() && disabled.is_empty()) {
            // Who was about to be signed in meanwhile.
            sign_out(self, fanout);
            fanout.release();
        }
    }

    fn answer_all(&mut self, staged: CommitBatch, fanout: &mut impl Fanout) {
        for waiting in staged.into_waiting() {
            self.answer(waiting, fanout);
        }
        fanout.release();
    }

    /// Who was answered at once does not wait for a commit.
    fn release_answered(&mut self, fanout: &mut impl Fanout) {
        if std::mem::take(&mut self.has_answered) {
            fanout.release();
        }
    }

    /// The store, for whoever wants to look at it.
    pub fn store(&self) -> &S {
        &self.store
    }

    /// The same, for whoever wants to set something up.
    pub fn store_mut(&mut self) -> &mut S {
        &mut self.store
    }

    /// Gives the store back.
    pub fn into_store(self) -> S {
        self.store
    }

    /// The state, with everything that is not committed yet; `None` while the store cannot be read.
    pub fn state(&self) -> Option<&State> {
        self.state.as_ref()
    }

    /// Whether commands are carried out now.
    pub fn takes_commands(&self) -> bool {
        self.recover_at.is_none()
    }

    fn stage(&mut self, input: Input, now: Timestamp, fanout: &mut impl Fanout) {
        match input {
            Input::Ordered(again) if self.within.is_repeated() => self.pass_over(again),
            Input::Ordered(ordered) => self.stage_command(ordered, now, fanout),
            Input::Begins(submission) => self.begin_submission(submission),
            Input::Ends => self.end_submission(),
            Input::Local(Local::Query { origin, account, query }) => {
                // At once: a log that comes so far before this is answered would open behind it.
                self.end_waits(origin, &query, fanout);
                self.open.wait(Waiting::Query { origin, account, query });
            }
            Input::Local(Local::Operator { request, query }) => {
                self.open.wait(Waiting::Operator { request, query });
            }
            Input::Local(Local::Gone(conn)) => self.open.wait(Waiting::Gone(conn)),
            Input::Local(Local::Refused { origin, refusal }) => {
                let answer = Err(refusal);
                self.open.wait(Waiting::Answer { origin, answer, send: None });
            }
            Input::Local(Local::Presence { machine, report }) => {
                self.open.wait(Waiting::Presence { machine, report });
            }
            Input::Local(Local::Tick) => {
                for machine in self.presence.silent() {
                    let report = PresenceReport::Lost;
                    self.open.wait(Waiting::Presence { machine, report });
                }
                self.paces.forget_rested(now);
                self.refused.tick(|account| self.presence.is_online(account));
                self.sign_out_expired(now, fanout);
                self.announce_presence(fanout);
                for (origin, refusal) in self.ahead.tick() {
                    fanout.reply(origin, Reply::Refused(refusal));
                    self.has_answered = true;
                }
                self.open.demand_commit();
            }
        }
    }

    fn publish(&mut self, staged: &mut CommitBatch, fanout: &mut impl Fanout) {
        let memberships = staged.take_memberships();
        // First: whoever is written to just now sees what is published as soon as it is.
        for ended in memberships.iter().filter(|change| !change.is_member) {
            self.revoke_unreadable(ended.account, ended.room, fanout);
        }
        for room in staged.made_private() {
            self.revoke_others(*room, fanout);
        }
        for removed in staged.take_removed_rooms() {
            self.end_if_removed(removed.room, fanout);
        }
        for (log, batch) in staged.take_batches() {
            let head = batch.head;
            fanout.publish(log, batch);
            if !self.ahead.is_empty() {
                // The state may have moved on: they are told of it with what is open.
                self.ahead.reached(log, head).into_iter().for_each(|query| self.open.wait(query));
            }
        }
        // Behind what was said together with it.
        staged.removals().iter().for_each(|removal| fanout.remove_messages(*removal));
        self.announce_renames(staged, fanout);
        for change in memberships {
            if !change.is_counted {
                continue;
            }
            match change.is_member {
                true => self.presence.joined(change.account, change.room),
                false => self.presence.left(change.account, change.room),
            }
        }
    }

    /// What is derived from the state follows it after it was read back.
    fn resume_from_state(&mut self, fanout: &mut impl Fanout) {
        let Some(state) = &self.state else { return };
        self.presence.recount(state.memberships());
        fanout.rewind(&state.heads().collect::<Vec<_>>());
        // A rename whose commit seemed to fail may have been durable.
        fanout.renamed(AccountId(0), state.room_ids().collect(), unsure_of_names());
    }

    fn announce_renames(&self, staged: &mut CommitBatch, fanout: &mut impl Fanout) {
        let Some(state) = &self.state else { return };
        for (account, name) in staged.take_renames() {
            let frame = renamed_frame(account, name);
            fanout.renamed(account, state.rooms_of(account).collect(), frame);
        }
    }

    fn announce_presence(&mut self, fanout: &mut impl Fanout) {
        for (room, online) in self.presence.tick() {
            let mut frame = Vec::new();
            encode_frame(&PresenceFrame { room, online }, RequestId(0), &mut frame)
                .expect("two numbers fit a frame");
            fanout.announce(room.into(), frame);
        }
    }
}

fn later(now: Timestamp) -> Timestamp {
    Timestamp(now.0 + RECOVERY_PAUSE_MS)
}

#[cfg(test)]
mod refused_sends_tests;
#[cfg(test)]
mod submissions_tests;
#[cfg(test)]
mod test_store;
#[cfg(test)]
mod tests;
