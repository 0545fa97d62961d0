//! The connections of a reactor, each in a slot that is used again when it is free.

use std::io;
use std::sync::Arc;

use chat_core::Conn;

use super::connection::SocketConnection;
use crate::arrival::Arrival;
use crate::conn_number::{SLOTS_MAX, conn_number, slot_of};
use crate::ready_list::{ReadyList, slot_waker};

/// The connections.
#[derive(Debug)]
pub(super) struct Slab {
    reactor: usize,
    /// How many there have been.
    admitted: u64,
    connections: Vec<Option<SocketConnection>>,
    free: Vec<u32>,
}

impl Slab {
    pub(super) fn new(reactor: usize) -> Self {
        Self { reactor, admitted: 0, connections: Vec::new(), free: Vec::new() }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.free.len() == self.connections.len()
    }

    /// The slots that are taken now.
    pub(super) fn numbers(&self) -> impl Iterator<Item = u32> + use<> {
        let taken = |(slot, connection): (u32, &Option<SocketConnection>)| {
            connection.as_ref().map(|_| slot)
        };
        let numbers: Vec<u32> = (0..).zip(&self.connections).filter_map(taken).collect();
        numbers.into_iter()
    }

    pub(super) fn at(&mut self, slot: usize) -> Option<&mut SocketConnection> {
        self.connections.get_mut(slot)?.as_mut()
    }

    /// A connection's slot, if it is still there.
    pub(super) fn of(&mut self, conn: Conn) -> Option<(u32, &mut SocketConnection)> {
        let slot = slot_of(conn);
        let connection = self.at(slot as usize)?;
        (connection.conn == conn).then_some((slot, connection))
    }

    /// The connection that owes the end of the longest frame.
    pub(super) fn most_in_debt(&mut self) -> Option<(u32, &mut SocketConnection)> {
        let taken = (0..).zip(&mut self.connections);
        taken
            .filter_map(|(slot, connection)| {
                connection.as_mut().map(|connection| (slot, connection))
            })
            .filter(|(_slot, connection)| connection.owes_bytes())
            .max_by_key(|(_slot, connection)| connection.unread_bytes())
    }

    /// Makes sure that one more connection ends nothing for want of memory.
    pub(super) fn has_memory_for_one_more(&mut self) -> bool {
        let places = self.connections.len() + 1;
        let more_free = places - self.free.len().min(places);
        self.connections.try_reserve(1).is_ok() && self.free.try_reserve(more_free).is_ok()
    }

    /// A connection begins. Whenever its socket is ready, its slot is put on the list.
    pub(super) fn admit(
        &mut self,
        arrival: Arrival,
        ready: &Arc<ReadyList>,
    ) -> io::Result<(u32, Conn)> {
        let next = u32::try_from(self.connections.len()).unwrap_or(u32::MAX);
        let slot = self.free.last().copied().unwrap_or(next);
        if slot as usize >= SLOTS_MAX {
            return Err(io::Error::other("there is no slot left"));
        }
        self.admitted += 1;
        let conn = conn_number(self.admitted, self.reactor, slot);
        let connection = SocketConnection::new(conn, arrival, slot_waker(ready, slot));
        connection.log_connected();
        debug_assert!(self.at(slot as usize).is_none(), "nobody is in a free slot");
        match self.free.pop() {
            Some(_slot) => self.connections[slot as usize] = Some(connection),
            None => self.connections.push(Some(connection)),
        }
        Ok((slot, conn))
    }

    /// Empties a slot.
    pub(super) fn remove(&mut self, slot: u32) -> Option<SocketConnection> {
        let connection = self.connections.get_mut(slot as usize)?.take()?;
        self.free.push(slot);
        debug_assert!(self.free.len() <= self.connections.len(), "a slot is free once");
        Some(connection)
    }
}

#[cfg(test)]
mod tests {
    use tokio::net::UnixStream;

    use super::*;
    use crate::conn_number::reactor_of;
    use crate::peer::Peer;
    use crate::socket::Socket;

    fn admit(slots: &mut Slab) -> Conn {
        let (ours, _theirs) = UnixStream::pair().unwrap();
        let peer = Peer::of(ours.peer_cred());
        let arrival = Arrival { socket: Socket::Unix(ours), peer, is_proxy: false };
        slots.admit(arrival, &Arc::default()).unwrap().1
    }

    #[tokio::test]
    async fn what_was_meant_for_somebody_who_left_reaches_nobody() {
        let mut slots = Slab::new(3);
        let (first, second) = (admit(&mut slots), admit(&mut slots));
        assert_eq!((reactor_of(first), reactor_of(second)), (3, 3));
        let (slot, _connection) = slots.of(first).unwrap();
        assert!(slots.remove(slot).is_some());
        assert!(slots.of(first).is_none());

        let third = admit(&mut slots);
        assert_eq!(slots.of(third).unwrap().0, slot, "the slot is used again");
        assert_ne!(third, first);
        assert!(slots.of(first).is_none() && slots.of(second).is_some());
        assert_eq!(slots.numbers().collect::<Vec<_>>(), [0, 1]);
    }

    #[tokio::test]
    async fn there_is_nobody_when_everybody_has_left() {
        let mut slots = Slab::new(0);
        assert!(slots.is_empty());
        let conn = admit(&mut slots);
        assert!(!slots.is_empty());
        let (slot, _connection) = slots.of(conn).unwrap();
        slots.remove(slot);
        assert!(slots.is_empty() && slots.remove(slot).is_none());
    }
}
