//! Commits that fail: what is left of them, and how it goes on.

use std::collections::BTreeSet;
use std::fmt;

use chat_proto::{AccountId, CredentialId, RoomId, Timestamp};

use super::commit_batch::CommitBatch;
use super::{Pipeline, later};
use crate::{Fanout, Input, Removal, RestoreError, State, Store, StoreError};

/// A commit failed. The state is what the store says; nothing of what was to be committed was shown,
/// and nobody who waits for it has been answered. A node that is alone gives it up
/// ([`Pipeline::give_up`]); a replica goes back in the order to where its store is.
#[must_use = "somebody waits for an answer"]
pub struct Failed {
    cause: StoreError,
    staged: Box<CommitBatch>,
}

impl Failed {
    /// Why. The store has logged it.
    pub fn cause(&self) -> &StoreError {
        &self.cause
    }

    /// The same, when nobody waits for an answer.
    pub fn into_cause(self) -> StoreError {
        self.cause
    }
}

impl fmt::Debug for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Failed").field("cause", &self.cause).finish_non_exhaustive()
    }
}

/// What a commit was to bring that failed, until the store has recovered. The state that was read back
/// may have it, and it need not be durable: nobody is told of it.
#[derive(Debug, Default)]
pub(super) struct InDoubt {
    /// Accounts that were to be made.
    new: BTreeSet<AccountId>,
    /// Whose memberships or names were to change.
    changed: BTreeSet<AccountId>,
    /// Memberships that were to end.
    ended: BTreeSet<(AccountId, RoomId)>,
    /// To which something else was to sign in.
    credentials: BTreeSet<AccountId>,
    /// What was to be taken from accounts.
    removed_credentials: BTreeSet<(AccountId, CredentialId)>,
    /// Rooms that were to be private.
    made_private: BTreeSet<RoomId>,
    /// Messages that were to be taken away.
    removals: BTreeSet<Removal>,
    /// Rooms that were to go.
    removed: BTreeSet<RoomId>,
}

impl InDoubt {
    fn extend(&mut self, staged: &CommitBatch) {
        self.new.extend(staged.new_accounts());
        self.changed.extend(staged.changed_accounts());
        self.ended.extend(staged.ended_memberships());
        self.credentials.extend(staged.changed_credentials());
        self.removed_credentials.extend(staged.removed_credentials());
        self.made_private.extend(staged.made_private());
        self.removals.extend(staged.removals());
        self.removed.extend(staged.removed_rooms().iter().map(|removed| removed.room));
    }

    /// Whether it is not sure who signs in to an account.
    pub(super) fn may_not_sign_in(&self, account: AccountId) -> bool {
        self.new.contains(&account) || self.credentials.contains(&account)
    }

    pub(super) fn is_changed(&self, account: AccountId) -> bool {
        self.changed.contains(&account)
    }
}

impl<S: Store> Pipeline<S> {
    /// [`Self::run`] on a node that is alone: behind a commit that failed it goes on with the inputs
    /// that are left. When it returns, each has been answered, or answered that its outcome is
    /// unknown; but sends may wait for a commit that is under way.
    pub fn run_alone(
        &mut self,
        inputs: impl IntoIterator<Item = Input>,
        now: Timestamp,
        fanout: &mut impl Fanout,
    ) {
        let mut inputs = inputs.into_iter();
        while let Err(failed) = self.run(&mut inputs, now, fanout) {
            self.give_up(failed, fanout);
        }
    }

    /// Waits until everything that came is answered, on a node that is alone.
    pub fn settle_alone(&mut self, now: Timestamp, fanout: &mut impl Fanout) {
        if let Err(failed) = self.settle(now, fanout) {
            self.give_up(failed, fanout);
        }
        debug_assert!(self.is_settled(), "what was behind a failed commit has failed with it");
    }

    /// Nobody will carry it out another time: every asker learns that the outcome is unknown.
    pub fn give_up(&mut self, failed: Failed, fanout: &mut impl Fanout) {
        let Failed { cause: _the_store_has_logged_it, mut staged } = failed;
        staged.fail();
        self.answer_all(*staged, fanout);
    }

    /// Whoever has no right any more, as the state that was read back says: what seemed to fail may have been
    /// durable. Before the tails go on, since all that the state has is read on from disk.
    fn end_rights_in_doubt(&self, fanout: &mut impl Fanout) {
        let InDoubt { ended, removed_credentials, made_private, removals, .. } = &self.in_doubt;
        for (account, credential) in removed_credentials {
            self.sign_out_if_revoked(*account, *credential, fanout);
        }
        for (account, room) in ended {
            self.revoke_unreadable(*account, *room, fanout);
        }
        made_private.iter().for_each(|room| self.revoke_others(*room, fanout));
        // Otherwise it did not come to be, and what was said is still there.
        let has_come = |removal: &&Removal| {
            self.state.as_ref().is_some_and(|state| state.head_of(removal.log) >= removal.to)
        };
        removals.iter().filter(has_come).for_each(|removal| fanout.remove_messages(*removal));
        self.sign_out_all_disabled(fanout);
    }

    /// The state becomes what the store says.
    pub(super) fn fail(
        &mut self,
        cause: StoreError,
        staged: CommitBatch,
        now: Timestamp,
        fanout: &mut impl Fanout,
    ) -> Failed {
        self.recover_at = Some(later(now));
        self.in_doubt.extend(&staged);
        self.refused.forget_untold();
        let snapshot = self.store.roll_back();
        self.state = snapshot.ok().and_then(|snapshot| State::restore(snapshot).ok());
        self.end_rights_in_doubt(fanout);
        self.resume_from_state(fanout);
        Failed { cause, staged: Box::new(staged) }
    }

    pub(super) fn recover_when_due(&mut self, now: Timestamp, fanout: &mut impl Fanout) {
        // A clock that was set back must not make the pause longer.
        if self.recover_at.is_none_or(|at| now < at && at <= later(now)) {
            return;
        }
        let snapshot = self.store.recover().map_err(RestoreError::from);
        match snapshot.and_then(State::restore) {
            Ok(state) => {
                self.state = Some(state);
                self.recover_at = None;
                self.end_rights_in_doubt(fanout);
                let in_doubt = std::mem::take(&mut self.in_doubt);
                in_doubt.removed.iter().for_each(|room| self.end_if_removed(*room, fanout));
                self.resume_from_state(fanout);
            }
            Err(_the_store_has_logged_it) => self.recover_at = Some(later(now)),
        }
    }
}
