//! Whose turn comes: who is to be read from, who is to be written to, and who has to pause.
//!
//! A connection stands in each line once; the marks for that are its own. It must not know what a turn
//! does.

use std::collections::VecDeque;

use chat_core::Conn;

use super::connection::SocketConnection;
use super::read_queue::ReadQueue;

/// The lines of a reactor.
#[derive(Debug, Default)]
pub(super) struct RunQueue {
    /// By party: each has its turn.
    pub(super) reads: ReadQueue,
    writes: VecDeque<u32>,
    /// Connections that were too fast, and until when they are not read.
    pauses: Vec<(u64, Conn)>,
}

impl RunQueue {
    /// Whether nobody's turn can come now.
    pub(super) fn is_idle(&self) -> bool {
        self.reads.is_empty() && self.writes.is_empty()
    }

    /// When the first pause ends.
    pub(super) fn next_pause_ends_ms(&self) -> Option<u64> {
        self.pauses.iter().map(|(until_ms, _conn)| *until_ms).min()
    }

    /// The connection in a slot has something to say.
    pub(super) fn line_up_to_read(&mut self, slot: u32, connection: &mut SocketConnection) {
        if !std::mem::replace(&mut connection.awaits_reading, true) {
            self.reads.push(connection.party(), slot);
        }
    }

    /// It was in the middle of what it has to say: it goes on before others of its party.
    pub(super) fn go_on_reading(&mut self, slot: u32, connection: &mut SocketConnection) {
        if !std::mem::replace(&mut connection.awaits_reading, true) {
            self.reads.push_first(connection.party(), slot);
        }
    }

    /// There is something for the connection in a slot.
    pub(super) fn line_up_to_write(&mut self, slot: u32, connection: &mut SocketConnection) {
        if !std::mem::replace(&mut connection.awaits_writing, true) {
            self.writes.push_back(slot);
        }
    }

    /// How many wait to be written to.
    pub(super) fn writes(&self) -> usize {
        self.writes.len()
    }

    /// Whose turn it is to be written to.
    pub(super) fn next_to_write(&mut self) -> Option<u32> {
        self.writes.pop_front()
    }

    /// A connection is not read for a while.
    pub(super) fn pause(&mut self, conn: Conn, until_ms: u64) {
        self.pauses.push((until_ms, conn));
    }

    /// Takes out those whose pause is over.
    pub(super) fn end_pauses(&mut self, now_ms: u64) -> Vec<Conn> {
        let mut over = Vec::new();
        self.pauses.retain(|(until_ms, conn)| {
            let is_over = *until_ms <= now_ms;
            if is_over {
                over.push(*conn);
            }
            !is_over
        });
        over
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_end_when_their_time_has_come() {
        let mut queue = RunQueue::default();
        assert_eq!(queue.next_pause_ends_ms(), None);
        for (conn, until_ms) in [(1, 30), (2, 10), (3, 20)] {
            queue.pause(Conn(conn), until_ms);
        }
        assert_eq!(queue.next_pause_ends_ms(), Some(10));
        assert!(queue.end_pauses(9).is_empty());
        assert_eq!(queue.end_pauses(20), [Conn(2), Conn(3)]);
        assert_eq!((queue.next_pause_ends_ms(), queue.end_pauses(30)), (Some(30), vec![Conn(1)]));
        assert!(queue.is_idle(), "who pauses has no turn");
    }
}
