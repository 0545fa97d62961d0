//! Who may know of all accounts, and do something to them.

use std::collections::BinaryHeap;

use chat_proto::AccountId;
use rustc_hash::FxHashMap;

use super::Access;
use crate::OPERATOR;

impl Access<'_> {
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
