//! Who may know of all accounts, and do something to them.

use std::collections::BinaryHeap;

use chat_proto::{AccountId, Nickname, Role, RoomId};
use rustc_hash::FxHashMap;

use super::{Access, Account, Room};
use crate::{Named, OPERATOR, Refusal};

impl<'a> Access<'a> {
    /// Whether the account may ask for anything: not while it is disabled.
    pub(crate) fn may_act(self) -> Result<(), Refusal> {
        match self.account(self.account).and_then(|account| account.disabled.as_deref()) {
            None => Ok(()),
            Some(reason) => Err(Refusal::AccountDisabled { reason: reason.to_owned() }),
        }
    }

    /// Whether it is the operator, or an administrator of the server.
    pub(crate) fn is_administrator(self) -> bool {
        let own = || self.account(self.account).is_some_and(|account| account.is_administrator);
        self.account == OPERATOR || own()
    }

    /// The operator does something to accounts, and nobody else.
    pub(crate) fn can_govern(self) -> Result<(), Refusal> {
        match self.account == OPERATOR {
            true => Ok(()),
            false => Err(Refusal::NotOperator),
        }
    }

    /// Somebody whose name the account may know: its own, that of everybody of whom the log of a public
    /// room tells, and that of those of whom the log of a room tells that the account is in, or is invited
    /// to. So whoever reads a log knows whom it is about, also when they have left.
    pub(crate) fn account(self, id: AccountId) -> Option<&'a Account> {
        let account = self.state.accounts.get(&id)?;
        if account.is_known || id == self.account || self.account == OPERATOR {
            return Some(account);
        }
        let own = self.state.accounts.get(&self.account)?;
        let reads = |room: RoomId| own.rooms.contains(room) || own.invitations.contains(room);
        let tells = |room: RoomId| account.named_in.contains(room);
        // The fewer are looked up among the others: somebody may be in a thousand rooms.
        let is_told = match account.named_in.len() <= own.rooms.len() + own.invitations.len() {
            true => account.named_in.iter().any(reads),
            false => own.rooms.iter().chain(own.invitations.iter()).any(tells),
        };
        is_told.then_some(account)
    }

    /// The account of that name: the same but for case, and not one that only looks alike. Whoever knows
    /// the name may write to it, or invite it.
    pub(crate) fn account_named(
        self,
        name: &Named<Nickname>,
    ) -> Result<(AccountId, &'a Account), Refusal> {
        let id = self.state.account_names.holder(&name.keys);
        let found = id.and_then(|id| Some((id, self.state.accounts.get(&id)?)));
        found
            .filter(|(_id, account)| account.keys.spelling == name.keys.spelling)
            .ok_or_else(|| Refusal::UnknownAccount { name: name.name.to_string() })
    }

    /// The account's role in a room: that of its membership, or an owner's where it rules without one.
    pub(super) fn role_in(self, room: &Room) -> Option<Role> {
        match self.rules_over(room) {
            true => Some(Role::Owner),
            false => room.role_of(self.account),
        }
    }

    /// Whether it acts as an owner without being a member: the operator does everywhere, and an
    /// administrator where everybody may read, or nobody owns the room. Over a conversation of two nobody
    /// does.
    pub(super) fn rules_over(self, room: &Room) -> bool {
        let is_open = || room.is_public || room.owners().next().is_none();
        let is_ruler = self.account == OPERATOR || self.is_administrator() && is_open();
        is_ruler && room.direct.is_none()
    }

    /// The accounts with the smallest ids behind one, at most so many, in order: for the operator alone.
    pub(crate) fn account_ids_after(self, after: AccountId, most: usize) -> Vec<AccountId> {
        if self.account != OPERATOR {
            return Vec::new();
        }
        let mut smallest = BinaryHeap::with_capacity(most + 1);
        for id in self.state.accounts.keys().filter(|id| **id > after) {
            smallest.push(*id);
            if smallest.len() > most {
                smallest.pop();
            }
        }
        smallest.into_sorted_vec()
    }

    /// How many credentials sign in to each of these accounts.
    pub(crate) fn credential_counts(self, ids: &[AccountId]) -> Vec<usize> {
        let mut counts: FxHashMap<_, usize> = ids.iter().map(|id| (*id, 0)).collect();
        for id in self.state.account_of.values() {
            counts.entry(*id).and_modify(|count| *count += 1);
        }
        ids.iter().map(|id| counts[id]).collect()
    }
}
