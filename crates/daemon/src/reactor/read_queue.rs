//! Who is to be read from next. Parties take turns, and so do the connections of each.
//!
//! A party that may not be read now stands nowhere but in one line of those who wait, with all its
//! connections: however many they are, nobody looks at them until it has a turn again.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, VecDeque};

use chat_core::Conn;

use crate::fair_queue::Party;

/// Connections that have said something.
#[derive(Debug, Default)]
pub(super) struct ReadQueue {
    lines: HashMap<Party, VecDeque<Conn>>,
    turns: VecDeque<Party>,
    /// Those who have as much waiting for the committing thread as they may.
    held_back: VecDeque<Party>,
    /// Those who have asked as much as they may, and until when they are not read. The first to go on
    /// is on top.
    paused: BinaryHeap<Reverse<(u64, Party)>>,
}

impl ReadQueue {
    /// Whether nobody's turn can come now.
    pub(super) fn is_empty(&self) -> bool {
        self.turns.is_empty()
    }

    /// A connection has something to say.
    pub(super) fn push(&mut self, party: Party, conn: Conn) {
        self.line(party).push_back(conn);
    }

    /// It was in the middle of what it has to say: it goes on before others of its party.
    pub(super) fn push_first(&mut self, party: Party, conn: Conn) {
        self.line(party).push_front(conn);
    }

    /// The party whose turn it is, and its next connection.
    pub(super) fn first(&self) -> Option<(Party, Conn)> {
        let party = self.turns.front()?;
        let conn = self.lines.get(party)?.front()?;
        Some((*party, *conn))
    }

    /// The connection of that party whose turn it is; the next turn is another party's.
    pub(super) fn pop(&mut self) -> Option<Conn> {
        let party = self.turns.pop_front()?;
        let line = self.lines.get_mut(&party)?;
        let conn = line.pop_front();
        match line.is_empty() {
            true => drop(self.lines.remove(&party)),
            false => self.turns.push_back(party),
        }
        conn
    }

    /// The party whose turn it is has none until its allowance grows.
    pub(super) fn hold_back(&mut self) {
        self.held_back.extend(self.turns.pop_front());
    }

    /// Allowances grew: everybody has turns again, those first who were held back first.
    pub(super) fn release(&mut self) {
        self.held_back.append(&mut self.turns);
        std::mem::swap(&mut self.held_back, &mut self.turns);
    }

    /// The party whose turn it is has none before that time, in milliseconds.
    pub(super) fn pause(&mut self, until_ms: u64) {
        let paused = self.turns.pop_front().map(|party| Reverse((until_ms, party)));
        self.paused.extend(paused);
    }

    /// When the first pause ends.
    pub(super) fn next_pause_ends_ms(&self) -> Option<u64> {
        self.paused.peek().map(|Reverse((until_ms, _party))| *until_ms)
    }

    /// Whose pause is over has turns again.
    pub(super) fn end_pauses(&mut self, now_ms: u64) {
        while self.next_pause_ends_ms().is_some_and(|until_ms| until_ms <= now_ms) {
            let over = self.paused.pop().map(|Reverse((_until_ms, party))| party);
            self.turns.extend(over);
        }
    }

    fn line(&mut self, party: Party) -> &mut VecDeque<Conn> {
        self.lines.entry(party).or_insert_with(|| {
            self.turns.push_back(party);
            VecDeque::new()
        })
    }
}

#[cfg(test)]
mod tests {
    use chat_proto::AccountId;

    use super::*;

    fn party(number: u64) -> Party {
        Party::Account(AccountId(number))
    }

    fn drain(queue: &mut ReadQueue) -> Vec<u64> {
        std::iter::from_fn(|| queue.pop()).map(|conn| conn.0).collect()
    }

    #[test]
    fn a_party_with_many_connections_has_as_many_turns_as_one_with_few() {
        let mut queue = ReadQueue::default();
        (10..14).for_each(|conn| queue.push(party(1), Conn(conn)));
        (20..22).for_each(|conn| queue.push(party(2), Conn(conn)));
        queue.push(party(3), Conn(30));
        assert_eq!(drain(&mut queue), [10, 20, 30, 11, 21, 12, 13]);
        assert!(queue.is_empty() && queue.lines.is_empty());
    }

    #[test]
    fn who_is_held_back_keeps_its_line_and_has_no_turn() {
        let mut queue = ReadQueue::default();
        queue.push(party(1), Conn(10));
        queue.push(party(2), Conn(20));
        assert_eq!(queue.first(), Some((party(1), Conn(10))));
        queue.hold_back();
        queue.push(party(1), Conn(11));
        queue.push_first(party(1), Conn(9));
        assert_eq!((queue.turns.len(), drain(&mut queue)), (1, vec![20]));
        queue.push(party(2), Conn(21));
        queue.release();
        assert_eq!(drain(&mut queue), [9, 21, 10, 11]);
    }

    #[test]
    fn who_pauses_waits_in_one_place_with_all_its_connections_until_its_time_has_come() {
        let mut queue = ReadQueue::default();
        assert_eq!(queue.next_pause_ends_ms(), None);
        for (number, until_ms) in [(1, 30), (2, 10), (3, 20)] {
            (0..100).for_each(|conn| queue.push(party(number), Conn(100 * number + conn)));
            queue.pause(until_ms);
        }
        queue.push(party(2), Conn(900));
        assert!(queue.is_empty(), "who pauses has no turn, whatever comes");
        assert_eq!((queue.paused.len(), queue.next_pause_ends_ms()), (3, Some(10)));
        queue.end_pauses(9);
        assert!(queue.is_empty());
        queue.end_pauses(20);
        assert_eq!((queue.next_pause_ends_ms(), queue.turns.len()), (Some(30), 2));
        assert_eq!((queue.pop(), queue.pop()), (Some(Conn(200)), Some(Conn(300))));
    }
}
