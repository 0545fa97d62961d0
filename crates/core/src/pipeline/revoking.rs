//! Who has no part in what follows: devices that were revoked, accounts that may not read a log any more,
//! and everybody where a room is gone.
//!
//! It must not know why: the state says it.

use chat_proto::{AccountId, CredentialId, LogId, RoomId, Seq, Timestamp};

use super::{Pipeline, replies};
use crate::{Fanout, Refusal, State, Store};

impl<S: Store> Pipeline<S> {
    /// A room is gone, for good: nobody follows its log any more, or waits for it.
    pub(super) fn end_if_removed(&mut self, room: RoomId, fanout: &mut impl Fanout) {
        let is_there = |state: &State| state.has_room(room);
        if self.state.as_ref().is_none_or(is_there) {
            return;
        }
        let log = LogId::from(room);
        fanout.remove(log, replies::subscription_ended(log, &Refusal::NotReadable { log: log.0 }));
        for query in self.ahead.reached(log, Seq(u64::MAX)) {
            self.open.wait(query);
        }
    }

    /// Programs whose tokens have ended are cut off.
    pub(super) fn sign_out_expired(&self, now: Timestamp, fanout: &mut impl Fanout) {
        let expired = self.state.iter().flat_map(|state| state.expired_bots(now));
        for account in expired.filter(|account| self.presence.is_online(*account)) {
            fanout.sign_out(account, None, &replies::signed_out(&Refusal::BadToken));
        }
    }

    /// Whoever is signed in with what was taken from an account is cut off.
    pub(super) fn sign_out_if_revoked(
        &self,
        account: AccountId,
        credential: CredentialId,
        fanout: &mut impl Fanout,
    ) {
        if let Some(Err(why)) = self.state.as_ref().map(|state| state.accepts(credential)) {
            fanout.sign_out(account, Some(credential), &replies::signed_out(&why));
        }
    }

    /// A membership has ended: the account goes on reading what everybody may read, and nothing else.
    pub(super) fn revoke_unreadable(
        &self,
        account: AccountId,
        room: RoomId,
        fanout: &mut impl Fanout,
    ) {
        // Of a room that is gone everybody is told.
        let Some(state) = self.state.as_ref().filter(|state| state.has_room(room)) else { return };
        let log = LogId::from(room);
        if let Err(why) = state.access(account).at(self.now).can_read(log) {
            fanout.revoke(log, account, replies::subscription_ended(log, &why));
        }
    }

    /// A room was made private: nobody but its members goes on reading it.
    pub(super) fn revoke_others(&self, room: RoomId, fanout: &mut impl Fanout) {
        let members = self.state.as_ref().and_then(|state| state.sole_readers(room));
        if let Some(members) = members {
            let (log, why) = (LogId::from(room), Refusal::NotReadable { log: room.0 });
            fanout.revoke_others(log, members, replies::subscription_ended(log, &why));
        }
    }
}
