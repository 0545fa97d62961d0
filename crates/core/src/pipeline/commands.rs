//! Commands: carried out into the open transaction, or answered without one.

use chat_proto::Timestamp;

use super::commit_batch::{self, CommitBatch, Waiting};
use super::pace::Counted;
use super::refused_sends::RefusedSends;
use super::{Pipeline, later};
use crate::{
    Action, Answer, Command, Fanout, Ordered, Origin, Record, Refusal, State, Store, StoreError,
};

/// What a sender is told to wait that has more streams with refusals than are remembered.
const REFUSED_FULL_WAIT_MS: u64 = 1_000;

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
        let Self { store, open, paces, refused, .. } = self;
        let removed_before = open.removed_rooms().len();
        let send = commit_batch::send_of(action);
        let mut answer = Err(Refusal::Unavailable);
        let mut comes_to = None;
        if let (Some(state), None) = (&mut self.state, self.recover_at) {
            comes_to = origin.and_then(|_here| Counted::of(action, state));
            let refused = origin.map(|_here| refused);
            match carry_out(state, store, command, refused, open) {
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
        let is_in_doubt = match (action.asked(), answer) {
            (Action::Genesis { .. }, _) => self.recover_at.is_some(),
            (Action::SignIn { .. } | Action::LinkDevice(_), Answer::SignedIn(account)) => {
                self.in_doubt.may_not_sign_in(account)
            }
            (
                Action::SignIn { .. }
                | Action::LinkDevice(_)
                | Action::CreateBot(_)
                | Action::RevokeToken { .. }
                | Action::Authenticated { .. },
                _,
            ) => false,
            (
                Action::Join { account, .. }
                | Action::Leave { account, .. }
                | Action::Rename { account, .. }
                | Action::CreateRoom { account, .. }
                | Action::OpenDirect { account, .. }
                | Action::ChangeRoom { account, .. }
                | Action::OpenLink { account, .. }
                | Action::RevokeCredential { account, .. }
                | Action::CreateInvitation { account, .. }
                | Action::RevokeInvitation { account, .. }
                | Action::Moderate { account, .. }
                | Action::Post { account, .. },
                _,
            ) => self.in_doubt.is_changed(*account),
            (Action::Govern(order), _) => self.in_doubt.is_changed(order.by),
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
            Answer::SignedIn(_)
            | Answer::Done
            | Answer::Room(_)
            | Answer::Invitation { .. }
            | Answer::Posted { .. } => {
                self.open.wait(waiting);
            }
        }
    }
}

/// Applies a command and appends what it changes to the open transaction. `refused` is of the node that the
/// command came to, and `None` at others.
fn carry_out<S: Store>(
    state: &mut State,
    store: &mut S,
    mut command: Command,
    refused: Option<&mut RefusedSends>,
    staged: &mut CommitBatch,
) -> Result<Result<Answer, Refusal>, StoreError> {
    let mut sent = None;
    if let (Some(refused), Action::Post { account, nonce, room, .. }) = (refused, &command.action) {
        let (account, nonce, room) = (*account, *nonce, *room);
        if !refused.is_empty()
            && let Some(refusal) = place_send(refused, state, store, &mut command)?
        {
            // It has had its place in the order all the same.
            state.pass_over();
            return Ok(Err(refusal));
        }
        sent = Some((refused, account, nonce, room));
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
    if applied.uses_nonce_up
        && let Some((refused, account, nonce, room)) = sent
        && !refused.refuse(account, nonce, room)
    {
        // Its nonce is not used up: it is awaited again.
        return Ok(Err(Refusal::RateLimited { wait_ms: REFUSED_FULL_WAIT_MS }));
    }
    Ok(applied.answer)
}

/// Holds a send against those of its stream that were refused for good, of which the state knows nothing:
/// tells the refusal when it is one of them, or not at its turn; else notes in it how many are right before
/// it.
fn place_send(
    refused: &RefusedSends,
    state: &State,
    store: &impl Store,
    command: &mut Command,
) -> Result<Option<Refusal>, StoreError> {
    let Command { ts, action } = command;
    let Action::Post { account, nonce, room, body, .. } = action else { return Ok(None) };
    let Some(end) = refused.end_of(*account, nonce.stream) else { return Ok(None) };
    let high_water = store.high_water(*account, nonce.stream)?;
    if nonce.n <= high_water || end.last_n <= high_water {
        return Ok(None);
    }
    if end.room != *room {
        return Ok(Some(Refusal::StreamBound { room: end.room.0 }));
    }
    if nonce.n <= end.last_n {
        return Ok(Some(state.refuse_again(*account, *ts, *room, body)));
    }
    if nonce.n - 1 > end.last_n {
        return Ok(Some(Refusal::Behind { awaited: end.last_n + 1 }));
    }
    body.skip_refused(end.last_n - high_water);
    Ok(None)
}
