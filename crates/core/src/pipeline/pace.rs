//! How often an account may do what costs others, or costs for ever.
//!
//! The pace is of the account, whatever connections it has.

use chat_proto::limits::ROOMS_PER_ACCOUNT_MAX;
use chat_proto::{AccountId, Timestamp};
use rustc_hash::FxHashMap;

use crate::{Action, State};

/// Renames: each is told to everybody who shares a room with the account.
const RENAMES: (u64, u64) = (5, 10_000);

/// New rooms: each in which anything was said is there for ever. As many as one may be in.
const NEW_ROOMS: (u64, u64) = (ROOMS_PER_ACCOUNT_MAX as u64, 10_000);

/// Refusals for good: each is stored for ever.
const REFUSALS: (u64, u64) = (256, 50);

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

/// The paces of commands.
#[derive(Clone, Debug)]
pub(super) struct Paces {
    renames: Pace,
    new_rooms: Pace,
}

impl Default for Paces {
    fn default() -> Self {
        Self { renames: Pace::new(RENAMES), new_rooms: Pace::new(NEW_ROOMS) }
    }
}

impl Paces {
    /// The pace of an action and the account that is to keep it, if there is one.
    pub(super) fn of(&mut self, state: &State, action: &Action) -> Option<(&mut Pace, AccountId)> {
        match action {
            Action::Rename { account, .. } => Some((&mut self.renames, *account)),
            Action::Join { account, name }
                if !matches!(state.access(*account).can_join(name), Ok(Some(_))) =>
            {
                Some((&mut self.new_rooms, *account))
            }
            Action::Genesis { .. }
            | Action::SignIn { .. }
            | Action::Join { .. }
            | Action::Leave { .. }
            | Action::Post { .. } => None,
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

impl Pace {
    /// Of accounts whose sends are refused for good.
    pub(super) fn of_refusals() -> Self {
        Self::new(REFUSALS)
    }

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

    /// It was undone: as if it had done so once less. Nobody gets more than the whole burst.
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
