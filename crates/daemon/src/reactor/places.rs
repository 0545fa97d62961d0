//! The places for connections: how many there are, and who may take how many of them.
//!
//! Some are kept for the Unix socket, so that the operator gets in; some for those who have none yet,
//! so that no account has all of them.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use chat_core::Closing;
use chat_proto::{AccountId, CloseReason};

use crate::peer::Network;

/// One of so many places is kept for the Unix socket, but for no more than [`SOCKET_PLACES_MAX`].
const SOCKET_SHARE: usize = 16;
const SOCKET_PLACES_MAX: usize = 64;

/// One of so many places is the most that an account has.
const ACCOUNT_SHARE: usize = 4;

/// One of so many places is kept for accounts that have none.
const NEWCOMERS_SHARE: usize = 8;

/// Half of the places are for those who have not signed in: who waits longest gives his up.
const STRANGERS_SHARE: usize = 2;

/// All places of a daemon.
#[derive(Debug)]
pub(crate) struct Places {
    max: usize,
    taken: AtomicUsize,
    signed_in: Mutex<SignedIn>,
}

/// Connections whose account is known.
#[derive(Debug, Default)]
struct SignedIn {
    of: HashMap<AccountId, usize>,
    all: usize,
}

impl Places {
    pub(crate) fn new(max: usize) -> Self {
        Self { max, taken: AtomicUsize::new(0), signed_in: Mutex::default() }
    }

    /// Takes a place for a connection; `false` when there is none for it.
    pub(super) fn take(&self, network: Network) -> bool {
        let kept = match network {
            Network::Local => 0,
            Network::V4(_) | Network::V6(_) => (self.max / SOCKET_SHARE).min(SOCKET_PLACES_MAX),
        };
        let has_room = self.taken.fetch_add(1, Ordering::Relaxed) < self.max - kept;
        if !has_room {
            self.give_back();
        }
        has_room
    }

    /// A connection is gone.
    pub(super) fn give_back(&self) {
        self.taken.fetch_sub(1, Ordering::Relaxed);
    }

    /// How many connections that have not signed in one of so many reactors may have.
    pub(super) fn strangers_max(&self, reactors: usize) -> usize {
        (self.max / STRANGERS_SHARE / reactors.max(1)).max(1)
    }

    /// A connection turns out to be an account's; `false` when the account has as many as it may.
    pub(super) fn sign_in(&self, account: AccountId, network: Network) -> bool {
        let mut signed_in = self.signed_in();
        let kept = (self.max / NEWCOMERS_SHARE).max(1);
        let is_crowded = signed_in.all >= self.max.saturating_sub(kept);
        let own = signed_in.of.get(&account).copied().unwrap_or(0);
        let may_have = if is_crowded { 1 } else { (self.max / ACCOUNT_SHARE).max(1) };
        if own >= may_have && network != Network::Local {
            return false;
        }
        signed_in.of.insert(account, own + 1);
        signed_in.all += 1;
        true
    }

    /// A connection of an account is gone.
    pub(super) fn sign_out(&self, account: AccountId) {
        let mut signed_in = self.signed_in();
        let Some(own) = signed_in.of.get_mut(&account) else { return };
        *own -= 1;
        if *own == 0 {
            signed_in.of.remove(&account);
        }
        signed_in.all -= 1;
    }

    fn signed_in(&self) -> std::sync::MutexGuard<'_, SignedIn> {
        self.signed_in.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What is said to whom no place is left for.
pub(super) fn full() -> Closing {
    closing("the server has as many connections as it may have; try again later")
}

/// What is said to who has not signed in, and gives his place to somebody else.
pub(super) fn evicted() -> Closing {
    closing("the server needs this place for somebody else, as you have not signed in; try again")
}

/// What is said to an account that has enough.
pub(super) fn account_full() -> Closing {
    closing("this account has as many connections as it may have; close one, or try again later")
}

/// What is said when there is no memory to serve one more, or to go on with this one.
pub(super) fn no_memory() -> Closing {
    closing("the server has no memory to spare for this connection; try again later")
}

fn closing(message: &str) -> Closing {
    Closing { reason: CloseReason::Full, code: None, message: message.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ADDRESS: Network = Network::V4(1);

    fn take_all(places: &Places, network: Network) -> usize {
        (0..).take_while(|_| places.take(network)).count()
    }

    #[test]
    fn some_places_are_kept_for_the_socket() {
        let places = Places::new(448);
        assert_eq!(take_all(&places, ADDRESS), 420);
        assert_eq!(take_all(&places, Network::Local), 28);
        places.give_back();
        assert!(!places.take(ADDRESS) && places.take(Network::Local));
    }

    #[test]
    fn an_account_has_its_share_and_newcomers_get_in() {
        let places = Places::new(448);
        let of = |account| (0..).take_while(|_| places.sign_in(account, ADDRESS)).count();
        let taken: Vec<_> = (1..=5).map(|account| of(AccountId(account))).collect();
        assert_eq!(taken, [112, 112, 112, 56, 1], "together 7 of 8, and one for each newcomer");
        assert!(places.sign_in(AccountId(1), Network::Local), "the operator always gets in");
        (0..56).for_each(|_| places.sign_out(AccountId(4)));
        assert!(places.sign_in(AccountId(5), ADDRESS), "there is room again");
    }

    #[test]
    fn small_daemons_have_a_place_for_everybody_too() {
        let places = Places::new(1);
        assert!(places.take(ADDRESS) && !places.take(Network::Local));
        assert!(places.sign_in(AccountId(1), ADDRESS));
        assert_eq!(places.strangers_max(4), 1);
    }
}
