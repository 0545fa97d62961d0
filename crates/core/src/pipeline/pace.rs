//! How often an account may do what costs others, or costs for ever.
//!
//! The pace is of the account, whatever connections it has. It is judged by the node that a command came
//! to, before the command has a place in the order: machines carry out alike what has one, and what is
//! refused here has none. What is judged sees the state of before its batch; what then comes to nothing
//! gives back what was counted for it.

use std::collections::BTreeSet;
use std::sync::Arc;

use chat_proto::limits::ROOMS_PER_ACCOUNT_MAX;
use chat_proto::{AccountId, Timestamp};
use rustc_hash::FxHashMap;

use super::Pipeline;
use crate::{
    Action, Moderation, Origin, Pace, PaceTable, Refusal, State, Store, TooFast, Unsequenced,
};

/// Renames: each is told to everybody who shares a room with the account.
const RENAMES: Pace = Pace { burst: 5, interval_ms: 10_000, patience_ms: 0 };

/// Removals of messages: each looks at everything that somebody has said.
const REMOVALS: Pace = Pace { burst: 5, interval_ms: 10_000, patience_ms: 0 };

/// What is at once at the most: as many rooms as one may be in.
const ROOMS_AT_ONCE: u64 = ROOMS_PER_ACCOUNT_MAX as u64;

const MINUTE_MS: u64 = 60_000;
const HOUR_MS: u64 = 60 * MINUTE_MS;

/// How often an account may do what its operator may want otherwise.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AccountPaces {
    /// Joins of rooms that are there: each is told to everybody in the room.
    pub joins: Pace,
    /// New rooms: each in which anything was said is there for ever.
    pub new_rooms: Pace,
    /// The names of accounts that have no pace.
    pub bulk: BTreeSet<String>,
}

impl AccountPaces {
    /// So many joins in a minute and new rooms in an hour. Of both, as many at once as one may be in.
    #[must_use]
    pub fn new(joins_per_minute: u64, new_rooms_per_hour: u64) -> Self {
        Self {
            joins: Pace::per(MINUTE_MS, joins_per_minute).with_burst(ROOMS_AT_ONCE),
            new_rooms: Pace::per(HOUR_MS, new_rooms_per_hour).with_burst(ROOMS_AT_ONCE),
            bulk: BTreeSet::new(),
        }
    }
}

impl Default for AccountPaces {
    /// What people never feel, and programs hardly ever.
    fn default() -> Self {
        Self::new(600, 360)
    }
}

/// What has a pace.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Paced {
    Rename,
    Join,
    NewRoom,
    Removal,
}

/// What was counted for a command.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Counted {
    what: Paced,
    account: AccountId,
}

/// The paces of commands.
#[derive(Clone, Debug, Default)]
pub(super) struct Paces {
    allowed: Arc<AccountPaces>,
    renames: PaceTable<AccountId>,
    joins: PaceTable<AccountId>,
    new_rooms: PaceTable<AccountId>,
    removals: PaceTable<AccountId>,
    /// By command: those that are to be carried out. No more than a batch has.
    counted: FxHashMap<Origin, Counted>,
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
        if self.is_bulk(counted.account, state) {
            return Ok(());
        }
        let (table, pace) = self.of(counted.what);
        table.take(counted.account, pace, now.0)?;
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
            let (table, pace) = self.of(what);
            table.give_back(account, pace);
        }
        if let Some(Counted { what, account }) = comes_to {
            let (table, pace) = self.of(what);
            table.count(account, pace, now.0);
        }
    }

    fn of(&mut self, what: Paced) -> (&mut PaceTable<AccountId>, Pace) {
        match what {
            Paced::Rename => (&mut self.renames, RENAMES),
            Paced::Join => (&mut self.joins, self.allowed.joins),
            Paced::NewRoom => (&mut self.new_rooms, self.allowed.new_rooms),
            Paced::Removal => (&mut self.removals, REMOVALS),
        }
    }

    fn is_bulk(&self, account: AccountId, state: &State) -> bool {
        let bulk = &self.allowed.bulk;
        !bulk.is_empty()
            && state
                .access(account)
                .account(account)
                .is_some_and(|it| bulk.contains(it.name.as_str()))
    }

    /// A room is gone with its last member, who may make another one for it: so no more are there than
    /// all together may have made.
    pub(super) fn give_room_back(&mut self, last_member: AccountId) {
        self.new_rooms.give_back(last_member, self.allowed.new_rooms);
    }

    /// Forgets those who may do as they like again.
    pub(super) fn forget_rested(&mut self, now: Timestamp) {
        let Self { renames, joins, new_rooms, removals, .. } = self;
        for table in [renames, joins, new_rooms, removals] {
            table.forget_rested(now.0);
        }
    }
}

impl From<TooFast> for Refusal {
    fn from(TooFast { wait_ms }: TooFast) -> Self {
        Self::RateLimited { wait_ms }
    }
}

impl Counted {
    /// What is to be counted for an action, if anything is, as of a state.
    pub(super) fn of(action: &Action, state: &State) -> Option<Self> {
        let (what, account) = match action.asked() {
            Action::Rename { account, .. } => (Paced::Rename, *account),
            Action::Join { account, name } => match state.access(*account).can_join(name) {
                Ok(Some(_)) => (Paced::Join, *account),
                Ok(None) | Err(_) => (Paced::NewRoom, *account),
            },
            Action::CreateRoom { account, .. } | Action::OpenDirect { account, .. } => {
                (Paced::NewRoom, *account)
            }
            Action::Moderate { account, asked: Moderation::RemoveMessages { .. }, .. } => {
                (Paced::Removal, *account)
            }
            Action::Genesis { .. }
            | Action::SignIn { .. }
            | Action::Leave { .. }
            | Action::ChangeRoom { .. }
            | Action::CreateBot(_)
            | Action::RevokeToken { .. }
            | Action::LinkDevice(_)
            | Action::OpenLink { .. }
            | Action::RevokeCredential { .. }
            | Action::Authenticated { .. }
            | Action::CreateInvitation { .. }
            | Action::RevokeInvitation { .. }
            | Action::Moderate { .. }
            | Action::Govern(_)
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
        let (origin, action) = input.command()?;
        // What will not be carried out has no pace.
        let state = self.state.as_ref().filter(|_| self.recover_at.is_none())?;
        let refusal = self.paces.admit(origin, action, state, now).err()?;
        Some(Unsequenced::Refused { origin, refusal })
    }

    /// Whether a command makes an account, as far as is known before it is carried out: somebody signs
    /// in whom nobody knows, where that is open or with an invitation, which may be a guess.
    pub fn makes_account(&self, input: &Unsequenced) -> bool {
        let Some((_origin, action)) = input.command() else { return false };
        let Action::SignIn { registration, invitation, .. } = action else { return false };
        let may_be = *registration == crate::Registration::Open || invitation.is_some();
        may_be
            && self
                .state
                .as_ref()
                .is_some_and(|state| state.answer_without_change(action).is_none())
    }

    /// How often accounts may do what has a pace, from now on.
    pub fn set_paces(&mut self, paces: Arc<AccountPaces>) {
        self.paces.allowed = paces;
    }
}
