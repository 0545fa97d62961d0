//! Which bucket an account takes its requests from: one for all its connections, on every reactor.
//!
//! Connections ask for it when they sign in, and keep it. It outlives the last of them for as long as it
//! is not full: otherwise whoever leaves and comes again would have another burst.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chat_core::{Rate, TokenBucket};
use chat_proto::AccountId;

/// The buckets of those who are there, and of those who left a moment ago.
#[derive(Debug, Default)]
pub(crate) struct AccountRates(Mutex<Buckets>);

#[derive(Debug, Default)]
struct Buckets {
    /// At most as many as there are connections, and as have left with less than a full bucket since.
    of: HashMap<AccountId, Arc<TokenBucket>>,
    /// Accounts of which a connection has left: the others need not be looked at.
    left: HashSet<AccountId>,
}

impl AccountRates {
    /// The bucket of an account, for a connection that has signed in.
    pub(crate) fn bucket(&self, account: AccountId) -> Arc<TokenBucket> {
        Arc::clone(self.buckets().of.entry(account).or_default())
    }

    /// A connection of an account is about to let go of its bucket.
    pub(crate) fn left(&self, account: AccountId) {
        self.buckets().left.insert(account);
    }

    /// Forgets the buckets that nobody has any more, where a new one would be no fuller.
    pub(crate) fn forget_full(&self, rate: Rate, now_ms: u64) {
        let Buckets { of, left } = &mut *self.buckets();
        left.retain(|account| {
            let Some(bucket) = of.get(account) else { return false };
            // Who still has it may have told of his leaving already, and be about to let go of it.
            let is_of_no_use = Arc::strong_count(bucket) == 1 && bucket.is_full(rate, now_ms);
            if is_of_no_use {
                of.remove(account);
            }
            !is_of_no_use
        });
    }

    fn buckets(&self) -> MutexGuard<'_, Buckets> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: Rate = Rate { per_second: 1000, burst: 2000 };

    #[test]
    fn connections_of_an_account_share_a_bucket_and_others_have_their_own() {
        let rates = AccountRates::default();
        let [one, two] = [(); 2].map(|()| rates.bucket(AccountId(1)));
        one.take(2500, RATE, 0);
        assert_eq!(two.overdrawn_ms(0), 500);
        assert_eq!(rates.bucket(AccountId(2)).overdrawn_ms(0), 0);
    }

    #[test]
    fn who_leaves_and_comes_again_finds_what_it_has_taken() {
        let rates = AccountRates::default();
        let leave = |bucket: Arc<TokenBucket>, now_ms| {
            rates.left(AccountId(1));
            drop(bucket);
            rates.forget_full(RATE, now_ms);
        };
        let bucket = rates.bucket(AccountId(1));
        bucket.take(2500, RATE, 0);
        leave(bucket, 1);
        let again = rates.bucket(AccountId(1));
        assert_eq!(again.overdrawn_ms(1), 499);
        leave(again, 2);
        rates.forget_full(RATE, 2499);
        assert_eq!(rates.buckets().of.len(), 1, "it is not full yet");
        rates.forget_full(RATE, 2500);
        assert!(rates.buckets().of.is_empty() && rates.buckets().left.is_empty());
    }

    #[test]
    fn a_bucket_is_kept_while_somebody_has_it() {
        let rates = AccountRates::default();
        let [stays, leaves] = [(); 2].map(|()| rates.bucket(AccountId(1)));
        rates.left(AccountId(1));
        drop(leaves);
        rates.forget_full(RATE, 9);
        stays.take(2500, RATE, 9);
        assert_eq!(rates.bucket(AccountId(1)).overdrawn_ms(9), 500, "it is the same one");
        drop(stays);
        rates.forget_full(RATE, 60_000);
        assert!(rates.buckets().of.is_empty(), "whoever was first to tell of his leaving");
    }
}
