//! How the number of a connection names its reactor and its slot there.

use chat_core::Conn;

/// Bits of a connection's number that name its slot; above them stand the reactor's, and then how
/// many connections the reactor had before.
const SLOT_BITS: u32 = 24;
const REACTOR_BITS: u32 = 8;

/// How many connections a reactor can have.
pub(crate) const SLOTS_MAX: usize = (1 << SLOT_BITS) - 1;

/// How many reactors there can be.
pub(crate) const REACTORS_MAX: usize = 1 << REACTOR_BITS;

/// The number of a connection in a slot of a reactor, which has had so many with it.
pub(crate) fn conn_number(admitted: u64, reactor: usize, slot: u32) -> Conn {
    debug_assert!(reactor < REACTORS_MAX && slot as usize <= SLOTS_MAX, "each has its bits");
    let above = admitted << REACTOR_BITS | reactor as u64;
    Conn(above << SLOT_BITS | u64::from(slot))
}

/// The reactor that serves a connection.
pub(crate) fn reactor_of(conn: Conn) -> usize {
    (conn.0 >> SLOT_BITS) as usize % REACTORS_MAX
}

/// The slot of a connection in its reactor.
pub(crate) fn slot_of(conn: Conn) -> u32 {
    (conn.0 as u32) & SLOTS_MAX as u32
}
