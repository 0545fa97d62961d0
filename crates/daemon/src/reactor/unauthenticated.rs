//! Connections that have not signed in: by network, in the order in which they came.

use std::collections::{BTreeSet, HashMap};

use chat_core::Conn;

use crate::peer::Network;

/// Those of a reactor.
#[derive(Debug, Default)]
pub(super) struct Unauthenticated {
    /// The numbers of connections rise.
    by_network: HashMap<Network, BTreeSet<u64>>,
    count: usize,
}

impl Unauthenticated {
    pub(super) fn count(&self) -> usize {
        self.count
    }

    pub(super) fn insert(&mut self, network: Network, conn: Conn) {
        let is_new = self.by_network.entry(network).or_default().insert(conn.0);
        self.count += usize::from(is_new);
    }

    /// It has signed in, or is gone.
    pub(super) fn remove(&mut self, network: Network, conn: Conn) {
        let Some(conns) = self.by_network.get_mut(&network) else { return };
        self.count -= usize::from(conns.remove(&conn.0));
        if conns.is_empty() {
            self.by_network.remove(&network);
        }
    }

    /// Who is to give up its place first: who has waited longest in the network that has most.
    pub(super) fn first_to_go(&self) -> Option<Conn> {
        let most = self.by_network.values().max_by_key(|conns| conns.len())?;
        most.first().copied().map(Conn)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_network_that_has_most_loses_the_one_that_came_first() {
        let (many, few) = (Network::V4(1), Network::V4(2));
        let mut unauthenticated = Unauthenticated::default();
        unauthenticated.insert(few, Conn(1));
        (2..=4).for_each(|conn| unauthenticated.insert(many, Conn(conn)));
        assert_eq!((unauthenticated.first_to_go(), unauthenticated.count()), (Some(Conn(2)), 4));
        unauthenticated.remove(many, Conn(2));
        unauthenticated.remove(many, Conn(2));
        assert_eq!((unauthenticated.first_to_go(), unauthenticated.count()), (Some(Conn(3)), 3));
        for (network, conn) in [(many, 3), (many, 4), (few, 1)] {
            unauthenticated.remove(network, Conn(conn));
        }
        assert_eq!((unauthenticated.first_to_go(), unauthenticated.count()), (None, 0));
    }
}
