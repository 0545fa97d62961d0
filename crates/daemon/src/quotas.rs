//! How many connections there may be, and who may have how many of them.
//!
//! Some are kept for the Unix socket, so that the operator gets in; some for those who have none yet,
//! so that no account has all of them. Of a network, there are no more than the settings say.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use chat_proto::AccountId;

use crate::network_limits::NetworkPaces;
use crate::peer::Network;

/// One of so many places is kept for the Unix socket, but for no more than [`SOCKET_PLACES_MAX`].
const SOCKET_SHARE: usize = 16;
const SOCKET_PLACES_MAX: usize = 64;

/// One of so many places is the most that an account has.
const ACCOUNT_SHARE: usize = 4;

/// One of so many places is kept for accounts that have none.
const NEWCOMERS_SHARE: usize = 8;

/// Half of the places are for those who have not signed in: who waits longest gives his up.
const UNAUTHENTICATED_SHARE: usize = 2;

/// The places for connections, of a whole daemon.
#[derive(Debug)]
pub(crate) struct ConnectionQuotas {
    /// How many there may be; a reload may change it.
    max: AtomicUsize,
    taken: AtomicUsize,
    signed_in: Mutex<SignedIn>,
    /// By network, of those that have limits: no more than there are connections, twice with the wider
    /// ones. Strangers choose from where they come: what finds it here must not be something that they
    /// can guess.
    by_network: Mutex<HashMap<Network, usize>>,
}

/// The place of a connection, for as long as this is kept.
#[derive(Debug)]
pub struct Place {
    quotas: Arc<ConnectionQuotas>,
    /// The network among whose connections it is counted.
    counted_in: Option<Network>,
}

impl Place {
    /// A place that has been acquired before.
    pub(crate) fn of(quotas: &Arc<ConnectionQuotas>, counted_in: Option<Network>) -> Self {
        Self { quotas: Arc::clone(quotas), counted_in }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.quotas.release();
        if let Some(network) = self.counted_in {
            self.quotas.leave(network);
        }
    }
}

/// Connections whose account is known.
#[derive(Debug, Default)]
struct SignedIn {
    of: HashMap<AccountId, usize>,
    all: usize,
}

impl ConnectionQuotas {
    pub(crate) fn new(max: usize) -> Self {
        Self {
            max: AtomicUsize::new(max),
            taken: AtomicUsize::new(0),
            signed_in: Mutex::default(),
            by_network: Mutex::default(),
        }
    }

    /// How many connections there may be.
    pub(crate) fn max(&self) -> usize {
        self.max.load(Ordering::Relaxed)
    }

    /// Allows another number of connections. Whoever has a place keeps it.
    pub(crate) fn set_max(&self, max: usize) {
        self.max.store(max, Ordering::Relaxed);
    }

    /// How many there are.
    pub(crate) fn taken(&self) -> usize {
        self.taken.load(Ordering::Relaxed)
    }

    /// How many of them have signed in.
    pub(crate) fn signed_in_now(&self) -> usize {
        self.signed_in().all
    }

    /// Takes a place for a connection; `false` when there is none for it.
    pub(crate) fn acquire(&self, network: Network) -> bool {
        let has_room = self.taken.fetch_add(1, Ordering::Relaxed) < self.places(network);
        if !has_room {
            self.release();
        }
        has_room
    }

    /// Whether there is a place for a connection once somebody has given up his. There may be more
    /// than enough of them to leave first: a reload allows fewer, or what is kept is taken as well.
    pub(crate) fn lacks_one_at_most(&self, network: Network) -> bool {
        self.taken() <= self.places(network)
    }

    /// How many places may be taken before one is taken by somebody who comes from there.
    fn places(&self, network: Network) -> usize {
        let max = self.max();
        let kept = match network {
            Network::Local => 0,
            Network::V4(_) | Network::V6(_) | Network::V6Site(_) | Network::Proxy => {
                (max / SOCKET_SHARE).min(SOCKET_PLACES_MAX)
            }
        };
        max - kept
    }

    /// A connection is gone.
    pub(crate) fn release(&self) {
        self.taken.fetch_sub(1, Ordering::Relaxed);
    }

    /// A connection turns out to come from that network, and is counted there and in the wider one
    /// around it; `false`, and in neither, when one of them has as many as it may.
    pub(crate) fn enter(&self, network: Network, paces: &NetworkPaces) -> bool {
        let mut by_network = self.by_network();
        let has_room = |network: Network| {
            let own = by_network.get(&network).copied().unwrap_or(0);
            own < paces.connections_of(network)
        };
        let both = [Some(network), network.site()];
        if !both.into_iter().flatten().all(has_room) {
            return false;
        }
        for network in both.into_iter().flatten() {
            *by_network.entry(network).or_insert(0) += 1;
        }
        true
    }

    /// A connection that was counted in that network is gone.
    pub(crate) fn leave(&self, network: Network) {
        let mut by_network = self.by_network();
        for network in [Some(network), network.site()].into_iter().flatten() {
            let Some(own) = by_network.get_mut(&network) else { continue };
            *own -= 1;
            if *own == 0 {
                by_network.remove(&network);
            }
        }
    }

    fn by_network(&self) -> std::sync::MutexGuard<'_, HashMap<Network, usize>> {
        self.by_network.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many connections that have not signed in one of so many reactors may have.
    pub(crate) fn unauthenticated_max(&self, reactors: usize) -> usize {
        (self.max() / UNAUTHENTICATED_SHARE / reactors.max(1)).max(1)
    }

    /// A connection turns out to be an account's; `false` when the account has as many as it may.
    pub(crate) fn sign_in(&self, account: AccountId, network: Network) -> bool {
        let (mut signed_in, max) = (self.signed_in(), self.max());
        let kept = (max / NEWCOMERS_SHARE).max(1);
        let is_crowded = signed_in.all >= max.saturating_sub(kept);
        let own = signed_in.of.get(&account).copied().unwrap_or(0);
        let may_have = if is_crowded { 1 } else { (max / ACCOUNT_SHARE).max(1) };
        if own >= may_have && network != Network::Local {
            return false;
        }
        signed_in.of.insert(account, own + 1);
        signed_in.all += 1;
        true
    }

    /// A connection of an account is gone.
    pub(crate) fn sign_out(&self, account: AccountId) {
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

#[cfg(test)]
mod tests {
    use super::*;

    const ADDRESS: Network = Network::V4(1);

    fn take_all(quotas: &ConnectionQuotas, network: Network) -> usize {
        (0..).take_while(|_| quotas.acquire(network)).count()
    }

    #[test]
    fn some_places_are_kept_for_the_socket() {
        let quotas = ConnectionQuotas::new(448);
        assert_eq!(take_all(&quotas, ADDRESS), 420);
        assert_eq!(take_all(&quotas, Network::Local), 28);
        quotas.release();
        assert!(!quotas.acquire(ADDRESS) && quotas.acquire(Network::Local));
    }

    #[test]
    fn somebody_leaves_for_another_only_where_that_is_enough() {
        let quotas = ConnectionQuotas::new(448);
        assert_eq!(take_all(&quotas, ADDRESS), 420);
        assert!(quotas.lacks_one_at_most(ADDRESS));
        assert!(quotas.acquire(Network::Local), "of those that are kept");
        assert!(!quotas.lacks_one_at_most(ADDRESS) && quotas.lacks_one_at_most(Network::Local));
    }

    #[test]
    fn with_fewer_places_nobody_loses_his_and_nobody_comes() {
        let quotas = ConnectionQuotas::new(3);
        assert_eq!(take_all(&quotas, Network::Local), 3);
        quotas.set_max(1);
        quotas.release();
        assert!(!quotas.acquire(Network::Local));
        assert_eq!((quotas.taken(), quotas.max()), (2, 1));
        quotas.set_max(3);
        assert!(quotas.acquire(Network::Local));
    }

    #[test]
    fn a_place_is_kept_for_as_long_as_its_connection() {
        let quotas = Arc::new(ConnectionQuotas::new(1));
        assert!(quotas.acquire(Network::Local));
        let place = Place::of(&quotas, None);
        assert!(!quotas.acquire(Network::Local));
        drop(place);
        assert!(quotas.acquire(Network::Local));
    }

    #[test]
    fn a_network_has_no_more_than_it_may_and_a_wider_one_eight_times_that() {
        let pace = chat_core::Pace::per(1, 1);
        let paces = NetworkPaces { connections_max: 2, sign_ins: pace, accounts: pace };
        let quotas = Arc::new(ConnectionQuotas::new(448));
        assert_eq!([(); 3].map(|()| quotas.enter(ADDRESS, &paces)), [true, true, false]);
        assert!(quotas.enter(Network::V4(2), &paces), "others have theirs");
        let place = Place::of(&quotas, Some(ADDRESS));
        quotas.taken.fetch_add(1, Ordering::Relaxed);
        drop(place);
        assert_eq!([(); 2].map(|()| quotas.enter(ADDRESS, &paces)), [true, false]);
        let subnets = (0..100).map(|subnet| Network::V6(7 << 16 | subnet));
        let entered: Vec<_> = subnets.filter(|subnet| quotas.enter(*subnet, &paces)).collect();
        assert_eq!(entered.len(), 16);
        entered.into_iter().for_each(|network| quotas.leave(network));
        quotas.leave(Network::V4(2));
        (0..2).for_each(|_| quotas.leave(ADDRESS));
        assert!(quotas.by_network().is_empty(), "nothing is kept of who has left");
    }

    #[test]
    fn an_account_has_its_share_and_newcomers_get_in() {
        let quotas = ConnectionQuotas::new(448);
        let of = |account| (0..).take_while(|_| quotas.sign_in(account, ADDRESS)).count();
        let taken: Vec<_> = (1..=5).map(|account| of(AccountId(account))).collect();
        assert_eq!(taken, [112, 112, 112, 56, 1], "together 7 of 8, and one for each newcomer");
        assert!(quotas.sign_in(AccountId(1), Network::Local), "the operator always gets in");
        (0..56).for_each(|_| quotas.sign_out(AccountId(4)));
        assert!(quotas.sign_in(AccountId(5), ADDRESS), "there is room again");
    }

    #[test]
    fn small_daemons_have_a_place_for_everybody_too() {
        let quotas = ConnectionQuotas::new(1);
        assert!(quotas.acquire(ADDRESS) && !quotas.acquire(Network::Local));
        assert!(quotas.sign_in(AccountId(1), ADDRESS));
        assert_eq!(quotas.unauthenticated_max(4), 1);
    }
}
