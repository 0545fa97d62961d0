//! Commands: carried out into the open transaction, or answered without one.

use chat_proto::Timestamp;

use super::commit_batch::{self, CommitBatch, Waiting};
use super::pace::{Counted, Pace};
use super::{Pipeline, later};
use crate::{
    Action, Answer, Command, Fanout, Ordered, Origin, Record, Refusal, State, Store, StoreError,
};

impl<S: Store> Pipeline<S> {
    /// Carries a command out, unless there is nothing to carry out.
    pub(super) fn stage_command(
        &mut self,
        ordered: Ordered,
        now: Timestamp,
        fanout: &mut impl Fanout,
    ) {
        let Ordered { origin, command } = ordered;
        let action = &command.action;
        let counted = self.paces.take_counted(origin);
        if let Some(answer) = self.unchanged(action) {
            self.paces.settle(counted, None, now);
            self.state.iter_mut().for_each(State::pass_over);
            return self.tell_unchanged(origin, answer, fanout);
        }
        let Self { store, open, paces, refusals, .. } = self;
        let removed_before = open.removed_rooms().len();
        let send = commit_batch::send_of(action);
        let mut answer = Err(Refusal::Unavailable);
        let mut comes_to = None;
        if let (Some(state), None) = (&mut self.state, self.recover_at) {
            comes_to = origin.and_then(|_here| Counted::of(action, state));
            let refusals = origin.map(|_here| refusals);
            match carry_out(state, store, command, send, refusals, open) {
                Ok(carried_out) => answer = carried_out,
                Err(cause) => {
                    self.recover_at = Some(later(now));
                    open.break_off(cause);
                }
            }
        }
        paces.settle(counted, comes_to.filter(|_counted| answer.is_ok()), now);
        if let Some(origin) = origin {
            if let Some(removed) = open.removed_rooms().get(removed_before) {
                paces.give_room_back(removed.last_member);
            }
            open.wait(Waiting::Answer { origin, answer, send });
        }
    }

    /// The answer to a command that changes nothing, unless it would tell of what is in doubt. Others are
    /// answered: reads go on, and they begin with joining again.
    fn unchanged(&self, action: &Action) -> Option<Answer> {
        let answer = self.state.as_ref()?.answer_without_change(action)?;
        let is_in_doubt = match (action, answer) {
            (Action::Genesis { .. }, _) => self.recover_at.is_some(),
            (Action::SignIn { .. }, Answer::SignedIn(account)) => self.in_doubt.is_new(account),
            (Action::SignIn { .. }, _) => false,
            (
                Action::Join { account, .. }
                | Action::Leave { account, .. }
                | Action::Rename { account, .. }
                | Action::Post { account, .. },
                _,
            ) => self.in_doubt.is_changed(*account),
        };
        (!is_in_doubt).then_some(answer)
    }

    /// The answer to a command that changes nothing. It has no part in a commit. It waits for those
    /// before it where it tells of what they bring; who signs in is told of an account alone, which
    /// messages do not change.
    fn tell_unchanged(&mut self, origin: Option<Origin>, answer: Answer, fanout: &mut impl Fanout) {
        let Some(origin) = origin else { return };
        let waiting = Waiting::Answer { origin, answer: Ok(answer), send: None };
        match answer {
            Answer::SignedIn(_) if !self.open.changes_accounts() => {
                self.answer(waiting, fanout);
                self.has_answered = true;
            }
            Answer::SignedIn(_) | Answer::Done | Answer::Room(_) | Answer::Posted { .. } => {
                self.open.wait(waiting);
            }
        }
    }
}

/// Applies a command and appends what it changes to the open transaction.
fn carry_out<S: Store>(
    state: &mut State,
    store: &mut S,
    command: Command,
    send: Option<commit_batch::Send>,
    refusals: Option<&mut Pace>,
    staged: &mut CommitBatch,
) -> Result<Result<Answer, Refusal>, StoreError> {
    let ts = command.ts;
    if let (Some(refusals), Some(send)) = (&refusals, send) {
        let wait_ms = refusals.wait_ms(send.account, ts);
        if wait_ms > 0 && state.would_store_refusal(&command.action, store)? {
            // Its nonce is not used up: it is awaited again.
            return Ok(Err(Refusal::RateLimited { wait_ms }));
        }
    }
    let applied = state.apply(command, store)?;
    if let Some(genesis) = applied.genesis {
        staged.note_genesis();
        store.append(Record::Genesis(genesis))?;
    }
    for event in &applied.events {
        store.append(Record::Event(event))?;
        staged.push(event);
    }
    if let Some(refused) = applied.refused_send {
        if let Some(refusals) = refusals {
            refusals.count(refused.account, ts);
        }
        staged.note_record();
        store.append(Record::RefusedSend(refused))?;
    }
    Ok(applied.answer)
}
