//! Whose turn comes: who is to be read from, and who is to be written to.
//!
//! A connection stands in each line once; the marks for that are its own. It must not know what a turn
//! does.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

use chat_core::Conn;

use super::connection::SocketConnection;
use super::read_queue::ReadQueue;

/// The lines of a reactor.
#[derive(Debug, Default)]
pub(super) struct RunQueue {
    /// By party: each has its turn.
    pub(super) reads: ReadQueue,
    writes: VecDeque<u32>,
    /// Those who came too fast, and until when they are not read. The first to be read is on top.
    held: BinaryHeap<Reverse<(u64, Conn)>>,
}

impl RunQueue {
    /// Whether nobody's turn can come now.
    pub(super) fn is_idle(&self) -> bool {
        self.reads.is_empty() && self.writes.is_empty()
    }

    /// A connection has something to say.
    pub(super) fn line_up_to_read(&mut self, connection: &mut SocketConnection) {
        if !std::mem::replace(&mut connection.awaits_reading, true) {
            self.reads.push(connection.party(), connection.conn);
        }
    }

    /// It was in the middle of what it has to say: it goes on before others of its party.
    pub(super) fn go_on_reading(&mut self, connection: &mut SocketConnection) {
        if !std::mem::replace(&mut connection.awaits_reading, true) {
            self.reads.push_first(connection.party(), connection.conn);
        }
    }

    /// A connection is not read before that time, in milliseconds, whatever it says. Nobody lines it up
    /// meanwhile, since it bears the mark of those who are in line.
    pub(super) fn hold(&mut self, connection: &mut SocketConnection, until_ms: u64) {
        connection.awaits_reading = true;
        self.held.push(Reverse((until_ms, connection.conn)));
    }

    /// Somebody whose time has come to be read. He has to be lined up, unless he is gone.
    pub(super) fn next_released(&mut self, now_ms: u64) -> Option<Conn> {
        let Reverse((until_ms, conn)) = *self.held.peek()?;
        (until_ms <= now_ms).then(|| {
            self.held.pop();
            conn
        })
    }

    /// When somebody may be read who may not be now.
    pub(super) fn next_wake_ms(&self) -> Option<u64> {
        let released_ms = self.held.peek().map(|Reverse((until_ms, _conn))| *until_ms);
        [self.reads.next_pause_ends_ms(), released_ms].into_iter().flatten().min()
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
}
