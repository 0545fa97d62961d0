//! How often an account may do what costs others, or costs for ever.
//!
//! The pace is of the account, whatever connections it has. It is judged by the node that a command came
//! to, before the command has a place in the order: machines carry out alike what has one, and what is
//! refused here has none. What is judged sees the state of before its batch; what then comes to nothing
//! gives back what was counted for it.

use chat_proto::limits::ROOMS_PER_ACCOUNT_MAX;
use chat_proto::{AccountId, Timestamp};
use rustc_hash::FxHashMap;

use super::Pipeline;
use crate::{Action, Origin, Refusal, Request, State, Store, Unsequenced};

/// Renames: each is told to everybody who shares a room with the account.
const RENAMES: (u64, u64) = (5, 10_000);

/// New rooms: each in which anything was said is there for ever. As many as one may be in.
const NEW_ROOMS: (u64, u64) = (ROOMS_PER_ACCOUNT_MAX as u64, 10_000);

/// The accounts that did something of late.
#[derive(Clone, Debug)]
pub(super) struct Pace {
    /// How often it may be done at once.
    burst: u64,
    /// After which time it may be done once more, in milliseconds.
    interval_ms: u64,
    /// When the whole burst is there again.
    full_at: FxHashMap<AccountId, u64>,
}

/// What has a pace.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Paced {
    Rename,
    NewRoom,
}

/// What was counted for a command.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Counted {
    what: Paced,
    account: AccountId,
}

/// The paces of commands.
#[derive(Clone, Debug)]
pub(super) struct Paces {
    renames: Pace,
    new_rooms: Pace,
    /// By command: those that are to be carried out. No more than a batch has.
    counted: FxHashMap<Origin, Counted>,
}

impl Default for Paces {
    fn default() -> Self {
        let (renames, new_rooms) = (Pace::new(RENAMES), Pace::new(NEW_ROOMS));
        Self { renames, new_rooms, counted: FxHashMap::default() }
    }
}

impl Paces {
    /// Judges a command that is to get a place in the order, and counts it.
    ///
    /// # Errors
    /// [`Refusal::RateLimited`]: it gets none.
    fn admit(
        &mut self,
        origin: Origin,
        action: &Action,
        state: &State,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        let Some(counted) = Counted::of(action, state) else { return Ok(()) };
        let pace = self.of(counted.what);
        let wait_ms = pace.wait_ms(counted.account, now);
        if wait_ms > 0 {
            return Err(Refusal::RateLimited { wait_ms });
        }
        pace.count(counted.account, now);
        self.counted.insert(origin, counted);
        Ok(())
    }

    /// What was counted for a command that is carried out now.
    pub(super) fn take_counted(&mut self, origin: Option<Origin>) -> Option<Counted> {
        // Nearly always there is none.
        (!self.counted.is_empty()).then(|| self.counted.remove(&origin?)).flatten()
    }

    /// A command has been carried out: what it has come to is what counts. It is not what was counted
    /// where others came before it in its batch.
    pub(super) fn settle(
        &mut self,
        counted: Option<Counted>,
        comes_to: Option<Counted>,
        now: Timestamp,
    ) {
        if counted == comes_to {
            return;
        }
        if let Some(Counted { what, account }) = counted {
            self.of(what).give_back(account);
        }
        if let Some(Counted { what, account }) = comes_to {
            self.of(what).count(account, now);
        }
    }

    fn of(&mut self, what: Paced) -> &mut Pace {
        match what {
            Paced::Rename => &mut self.renames,
            Paced::NewRoom => &mut self.new_rooms,
        }
    }

    /// A room is gone with its last member, who may make another one for it: so no more are there than
    /// all together may have made.
    pub(super) fn give_room_back(&mut self, last_member: AccountId) {
        self.new_rooms.give_back(last_member);
    }

    /// Forgets those who may do as they like again.
    pub(super) fn forget_rested(&mut self, now: Timestamp) {
        self.renames.forget_rested(now);
        self.new_rooms.forget_rested(now);
    }
}

impl Counted {
    /// What is to be counted for an action, if anything is, as of a state.
    pub(super) fn of(action: &Action, state: &State) -> Option<Self> {
        let (what, account) = match action.asked() {
            Action::Rename { account, .. } => (Paced::Rename, *account),
            Action::Join { account, name }
                if !matches!(state.access(*account).can_join(name), Ok(Some(_))) =>
            {
                (Paced::NewRoom, *account)
            }
            Action::Genesis { .. }
            | Action::SignIn { .. }
            | Action::Join { .. }
            | Action::Leave { .. }
            | Action::ChangeRoom { .. }
            | Action::LinkDevice(_)
            | Action::OpenLink { .. }
            | Action::RevokeCredential { .. }
            | Action::Authenticated { .. }
            | Action::CreateInvitation { .. }
            | Action::RevokeInvitation { .. }
            | Action::Post { .. } => return None,
        };
        // Whoever takes the name that it has tells nobody.
        state.answer_without_change(action).is_none().then_some(Self { what, account })
    }
}

impl<S: Store> Pipeline<S> {
    /// What stands in the place of a command that is too fast: it is refused before it has a place in
    /// the order. Whoever puts into the order what came to this node asks for each.
    pub fn refuse_for_pace(&mut self, input: &Unsequenced, now: Timestamp) -> Option<Unsequenced> {
        let Unsequenced::Request { origin, request: Request::Command(action) } = input else {
            return None;
        };
        // What will not be carried out has no pace.
        let state = self.state.as_ref().filter(|_| self.recover_at.is_none())?;
        let refusal = self.paces.admit(*origin, action, state, now).err()?;
        Some(Unsequenced::Refused { origin: *origin, refusal })
    }
}

impl Pace {
    fn new((burst, interval_ms): (u64, u64)) -> Self {
        Self { burst, interval_ms, full_at: FxHashMap::default() }
    }

    /// How long an account has to wait before it may do so again, in milliseconds.
    pub(super) fn wait_ms(&self, account: AccountId, now: Timestamp) -> u64 {
        let full_at = self.full_at.get(&account).copied().unwrap_or_default();
        // A clock that was set back must not make the wait longer.
        let used_ms = full_at.saturating_sub(now.0).min(self.burst * self.interval_ms);
        used_ms.saturating_sub((self.burst - 1) * self.interval_ms)
    }

    /// It has done so.
    pub(super) fn count(&mut self, account: AccountId, now: Timestamp) {
        let latest = now.0.saturating_add(self.burst * self.interval_ms);
        let full_at = self.full_at.entry(account).or_default();
        *full_at = (*full_at).max(now.0).saturating_add(self.interval_ms).min(latest);
    }

    /// It has not done so, or has undone it: as if it had done so once less. Nobody gets more than the whole burst.
    fn give_back(&mut self, account: AccountId) {
        if let Some(full_at) = self.full_at.get_mut(&account) {
            *full_at = full_at.saturating_sub(self.interval_ms);
        }
    }

    /// Forgets those who may do as they like again.
    pub(super) fn forget_rested(&mut self, now: Timestamp) {
        self.full_at.retain(|_account, full_at| *full_at > now.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ADA: AccountId = AccountId(1);
    const BURST: u64 = RENAMES.0;
    const INTERVAL_MS: u64 = RENAMES.1;

    fn rename_all(pace: &mut Pace, now: Timestamp) -> u64 {
        let may = |pace: &mut Pace| pace.wait_ms(ADA, now) == 0;
        let mut renames = 0;
        while may(pace) && renames < 100 {
            pace.count(ADA, now);
            renames += 1;
        }
        renames
    }

    #[test]
    fn a_burst_passes_and_then_one_at_a_time() {
        let mut pace = Pace::new(RENAMES);
        assert_eq!(rename_all(&mut pace, Timestamp(1_000_000)), BURST);
        assert_eq!(pace.wait_ms(ADA, Timestamp(1_000_000)), INTERVAL_MS);
        assert_eq!(pace.wait_ms(AccountId(2), Timestamp(1_000_000)), 0, "it is of the account");
        assert_eq!(rename_all(&mut pace, Timestamp(1_000_000 + INTERVAL_MS - 1)), 0);
        assert_eq!(rename_all(&mut pace, Timestamp(1_000_000 + INTERVAL_MS)), 1);
        pace.forget_rested(Timestamp(1_000_000 + 7 * INTERVAL_MS));
        assert!(pace.full_at.is_empty());
    }

    #[test]
    fn what_is_given_back_may_be_done_again_and_no_more() {
        let (mut pace, now) = (Pace::new(RENAMES), Timestamp(1_000_000));
        pace.give_back(ADA);
        assert_eq!(rename_all(&mut pace, now), BURST, "who has done nothing gets nothing");
        (0..2).for_each(|_| pace.give_back(ADA));
        assert_eq!(rename_all(&mut pace, now), 2);
        (0..3 * BURST).for_each(|_| pace.give_back(ADA));
        assert_eq!(rename_all(&mut pace, now), BURST);
    }

    #[test]
    fn a_clock_that_was_set_back_makes_nobody_wait_longer() {
        let mut pace = Pace::new(RENAMES);
        rename_all(&mut pace, Timestamp(1_000_000_000));
        assert_eq!(pace.wait_ms(ADA, Timestamp(5)), INTERVAL_MS);
        assert_eq!(rename_all(&mut pace, Timestamp(5)), 0);
        pace.count(ADA, Timestamp(5));
        assert_eq!(rename_all(&mut pace, Timestamp(5 + 2 * INTERVAL_MS)), 2);
    }
}
