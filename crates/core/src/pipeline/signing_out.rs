//! Accounts that nobody may be signed in to any more: whoever is has no part in what follows.

use chat_proto::AccountId;

use super::{Pipeline, replies};
use crate::{Fanout, State, Store};

impl<S: Store> Pipeline<S> {
    /// Whoever is signed in to an account that was disabled is cut off.
    pub(super) fn sign_out_if_disabled(&self, account: AccountId, fanout: &mut impl Fanout) {
        let Some(state) = &self.state else { return };
        if let Err(why) = state.access(account).may_act() {
            fanout.sign_out(account, None, &replies::signed_out(&why));
        }
    }

    /// The same for all, where it is not known which were disabled: what seemed to fail may have been
    /// durable.
    pub(super) fn sign_out_all_disabled(&self, fanout: &mut impl Fanout) {
        let disabled = self.state.iter().flat_map(State::disabled_accounts);
        disabled.for_each(|account| self.sign_out_if_disabled(account, fanout));
    }
}
