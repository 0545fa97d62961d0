//! How the number of a connection names its reactor and its slot there, and which number of a session
//! follows from it.

use std::hash::{BuildHasher, RandomState};
use std::sync::LazyLock;

use chat_core::Conn;
use chat_proto::SessionId;

/// Bits of a connection's number that name its slot; above them stand the reactor's, and then how
/// many connections the reactor had before.
const SLOT_BITS: u32 = 24;
const REACTOR_BITS: u32 = 8;

/// How many connections a reactor can have.
pub(crate) const SLOTS_MAX: usize = (1 << SLOT_BITS) - 1;

/// How many reactors there can be: the last number is that of none, so that no connection has the
/// operator's number ([`Conn::OPERATOR`]).
pub(crate) const REACTORS_MAX: usize = (1 << REACTOR_BITS) - 1;

/// The number of a connection in a slot of a reactor, which has had so many with it.
pub(crate) fn conn_number(admitted: u64, reactor: usize, slot: u32) -> Conn {
    debug_assert!(reactor < REACTORS_MAX && slot as usize <= SLOTS_MAX, "each has its bits");
    let above = admitted << REACTOR_BITS | reactor as u64;
    Conn(above << SLOT_BITS | u64::from(slot))
}

/// The reactor that serves a connection.
pub(crate) fn reactor_of(conn: Conn) -> usize {
    (conn.0 >> SLOT_BITS) as usize % (1 << REACTOR_BITS)
}

/// The slot of a connection in its reactor.
pub(crate) fn slot_of(conn: Conn) -> u32 {
    (conn.0 as u32) & SLOTS_MAX as u32
}

/// What the numbers of sessions depend on: drawn once, and told to nobody.
static SESSION_KEY: LazyLock<RandomState> = LazyLock::new(RandomState::new);

/// Rounds of the permutation.
const ROUNDS: u8 = 4;

/// The number of a connection's session, in the log and for its peer. No two have the same, and nobody
/// reads off it how many connections there have been: it is a keyed permutation of the connection's
/// (Luby and Rackoff, 1988), so that nothing is kept for it.
pub(crate) fn session_id(conn: Conn) -> SessionId {
    let (mut left, mut right) = ((conn.0 >> 32) as u32, conn.0 as u32);
    for round in 0..ROUNDS {
        let mixed = SESSION_KEY.hash_one((round, right)) as u32;
        (left, right) = (right, left ^ mixed);
    }
    SessionId(u64::from(left) << 32 | u64::from(right))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn no_connection_has_the_number_of_the_operator() {
        assert_eq!(reactor_of(Conn::OPERATOR), REACTORS_MAX, "which no reactor has");
        let last = conn_number(u64::MAX >> 32, REACTORS_MAX - 1, SLOTS_MAX as u32);
        assert_ne!(last, Conn::OPERATOR);
        assert_eq!((reactor_of(last), slot_of(last)), (REACTORS_MAX - 1, SLOTS_MAX as u32));
    }

    #[test]
    fn sessions_have_numbers_of_their_own_that_do_not_follow_each_other() {
        let conns = (1..=1000).map(|admitted| conn_number(admitted, 0, 0));
        let numbers: Vec<_> = conns.clone().map(|conn| session_id(conn).0).collect();
        assert!(numbers.iter().eq(conns.map(|conn| session_id(conn).0).collect::<Vec<_>>().iter()));
        assert_eq!(numbers.iter().collect::<HashSet<_>>().len(), 1000);
        let rising = numbers.windows(2).filter(|two| two[0] < two[1]).count();
        assert!((300..700).contains(&rising), "{rising} of 999 rise, as by chance");
    }
}
