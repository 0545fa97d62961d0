//! How often those who come from one network may sign in and make accounts.
//!
//! A network is an IPv4 address or a /64 of IPv6, and a /48 around that has a multiple of it: who has a
//! whole /64 has one bucket however many addresses are tried, and who has a /48 cannot have 65,536 times
//! as much. This machine's own have no limit. How many connections a network has is counted with all
//! others ([`crate::quotas`]).

use std::sync::{Mutex, MutexGuard, PoisonError};

use chat_core::{Pace, PaceTable, TooFast};

use crate::peer::Network;

/// A /48 may do so many times what a /64 may.
const SITE_FACTOR: u64 = 8;

/// What each network may do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct NetworkPaces {
    pub(crate) connections_max: usize,
    pub(crate) sign_ins: Pace,
    pub(crate) accounts: Pace,
}

impl NetworkPaces {
    /// How many connections that network may have.
    pub(crate) fn connections_of(&self, network: Network) -> usize {
        match network {
            Network::V6Site(_) => self.connections_max.saturating_mul(SITE_FACTOR as usize),
            Network::Local | Network::Proxy | Network::V4(_) | Network::V6(_) => {
                self.connections_max
            }
        }
    }
}

/// What networks have done of late.
#[derive(Debug, Default)]
pub(crate) struct NetworkLimits {
    sign_ins: Mutex<PaceTable<Network>>,
    accounts: Mutex<PaceTable<Network>>,
}

impl NetworkLimits {
    /// Somebody of the network wants to sign in: how long it is not read until then, in milliseconds.
    pub(crate) fn sign_in(
        &self,
        network: Network,
        paces: &NetworkPaces,
        now_ms: u64,
    ) -> Result<u64, TooFast> {
        take(&self.sign_ins, network, paces.sign_ins, now_ms)
    }

    /// Somebody of the network is about to have an account made.
    pub(crate) fn new_account(
        &self,
        network: Network,
        paces: &NetworkPaces,
        now_ms: u64,
    ) -> Result<(), TooFast> {
        take(&self.accounts, network, paces.accounts, now_ms).map(|_wait_ms| ())
    }
}

/// Takes one of the network's, and of the wider one around it, or of neither.
fn take(
    table: &Mutex<PaceTable<Network>>,
    network: Network,
    pace: Pace,
    now_ms: u64,
) -> Result<u64, TooFast> {
    if !network.is_limited() {
        return Ok(0);
    }
    let mut table = lock(table);
    let Some(site) = network.site() else { return table.take(network, pace, now_ms) };
    // The narrow one is looked at first and counted last: of a site that may not, no network is
    // remembered, so that it cannot have the table to itself.
    let wait_ms = table.wait_ms(network, pace, now_ms);
    if wait_ms > pace.patience_ms {
        return Err(TooFast { wait_ms });
    }
    let of_site_ms = table.take(site, pace.times(SITE_FACTOR), now_ms)?;
    table.count(network, pace, now_ms);
    Ok(of_site_ms.max(wait_ms))
}

fn lock(table: &Mutex<PaceTable<Network>>) -> MutexGuard<'_, PaceTable<Network>> {
    table.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv6Addr, SocketAddr};

    use super::*;
    use crate::peer::Peer;

    const PACES: NetworkPaces = NetworkPaces {
        connections_max: 10,
        sign_ins: Pace { burst: 4, interval_ms: 1_000, patience_ms: 2_000 },
        accounts: Pace { burst: 4, interval_ms: 1_000, patience_ms: 0 },
    };

    fn network(address: impl Into<std::net::IpAddr>) -> Network {
        Peer::from(SocketAddr::new(address.into(), 1)).network()
    }

    fn accounts(limits: &NetworkLimits, network: Network) -> usize {
        (0..100).take_while(|_| limits.new_account(network, &PACES, 0).is_ok()).count()
    }

    #[test]
    fn two_to_the_twentieth_addresses_of_a_64_are_one() {
        let limits = NetworkLimits::default();
        let mut let_in = 0;
        for low in 0..1_u128 << 20 {
            let address = Ipv6Addr::from_bits(0x2001_0DB8_u128 << 96 | low);
            let_in += usize::from(limits.new_account(network(address), &PACES, 0).is_ok());
        }
        assert_eq!(let_in, 4);
        assert_eq!(lock(&limits.accounts).len(), 2, "the /64, and the /48 around it");
    }

    #[test]
    fn a_48_has_eight_times_as_much_as_a_64_and_takes_no_more_of_the_table() {
        let limits = NetworkLimits::default();
        let of = |subnet: u16| Ipv6Addr::new(0x2001, 0xDB8, 7, subnet, 0, 0, 0, 1);
        let let_in: usize =
            (0..=u16::MAX).map(|subnet| accounts(&limits, network(of(subnet)))).sum();
        assert_eq!(let_in, 32);
        assert_eq!(lock(&limits.accounts).len(), 9, "of those who were refused nothing is kept");
        let other = Ipv6Addr::new(0x2001, 0xDB8, 8, 0, 0, 0, 0, 1);
        assert_eq!(accounts(&limits, network(other)), 4, "others have theirs");
    }

    #[test]
    fn who_signs_in_too_often_is_made_to_wait_and_then_told_when_to_come() {
        let (limits, ada) = (NetworkLimits::default(), network([192, 0, 2, 1]));
        let mut sign_ins = (0..8).map(|_| limits.sign_in(ada, &PACES, 0));
        assert!(sign_ins.by_ref().take(4).all(|wait| wait == Ok(0)));
        assert_eq!(sign_ins.next(), Some(Ok(1_000)));
        assert_eq!(sign_ins.next(), Some(Ok(2_000)));
        assert_eq!(sign_ins.next(), Some(Err(TooFast { wait_ms: 3_000 })));
        assert_eq!(limits.sign_in(network([192, 0, 2, 2]), &PACES, 0), Ok(0));
    }

    #[test]
    fn this_machine_has_no_limit() {
        let limits = NetworkLimits::default();
        for own in [Network::Local, network([127, 9, 9, 9]), network(Ipv6Addr::LOCALHOST)] {
            assert_eq!(accounts(&limits, own), 100);
        }
        assert!(lock(&limits.accounts).is_empty());
    }

    #[test]
    fn who_is_forgotten_has_a_full_bucket_and_to_be_forgotten_takes_as_many_others() {
        let (limits, eve) = (NetworkLimits::default(), network([192, 0, 2, 1]));
        assert_eq!((accounts(&limits, eve), accounts(&limits, eve)), (4, 0));
        let others = |range: std::ops::Range<u32>| {
            range.for_each(|bits| {
                let other = network(std::net::Ipv4Addr::from_bits(0x0A00_0000 + bits));
                assert_eq!(limits.new_account(other, &PACES, 0), Ok(()));
            });
        };
        let room = u32::try_from(chat_core::PACE_ENTRIES_MAX).unwrap();
        others(0..room - 1);
        assert_eq!(accounts(&limits, eve), 0, "she is the oldest, and still there");
        others(room - 1..room);
        assert_eq!(accounts(&limits, eve), 4, "each of the others had as much of its own");
    }
}
