//! Who is to be read from next. Parties take turns, and so do the connections of each.

use std::collections::{HashMap, VecDeque};

use crate::fair_queue::Party;

/// Connections, by slot, that have said something.
#[derive(Debug, Default)]
pub(super) struct ReadQueue {
    slots: HashMap<Party, VecDeque<u32>>,
    turns: VecDeque<Party>,
    /// Those who have as much waiting for the committing thread as they may.
    held_back: VecDeque<Party>,
}

impl ReadQueue {
    /// Whether nobody's turn can come now.
    pub(super) fn is_empty(&self) -> bool {
        self.turns.is_empty()
    }

    /// A connection has something to say.
    pub(super) fn push(&mut self, party: Party, slot: u32) {
        self.line(party).push_back(slot);
    }

    /// It was in the middle of what it has to say: it goes on before others of its party.
    pub(super) fn push_first(&mut self, party: Party, slot: u32) {
        self.line(party).push_front(slot);
    }

    /// The party whose turn it is.
    pub(super) fn next_party(&self) -> Option<Party> {
        self.turns.front().copied()
    }

    /// The connection of that party whose turn it is; the next turn is another party's.
    pub(super) fn pop(&mut self) -> Option<u32> {
        let party = self.turns.pop_front()?;
        let line = self.slots.get_mut(&party)?;
        let slot = line.pop_front();
        match line.is_empty() {
            true => drop(self.slots.remove(&party)),
            false => self.turns.push_back(party),
        }
        slot
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

    fn line(&mut self, party: Party) -> &mut VecDeque<u32> {
        self.slots.entry(party).or_insert_with(|| {
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

    #[test]
    fn a_party_with_many_connections_has_as_many_turns_as_one_with_few() {
        let mut queue = ReadQueue::default();
        (10..14).for_each(|slot| queue.push(party(1), slot));
        (20..22).for_each(|slot| queue.push(party(2), slot));
        queue.push(party(3), 30);
        let order: Vec<_> = std::iter::from_fn(|| queue.pop()).collect();
        assert_eq!(order, [10, 20, 30, 11, 21, 12, 13]);
        assert!(queue.is_empty() && queue.slots.is_empty());
    }

    #[test]
    fn who_is_held_back_keeps_its_line_and_has_no_turn() {
        let mut queue = ReadQueue::default();
        queue.push(party(1), 10);
        queue.push(party(2), 20);
        assert_eq!(queue.next_party(), Some(party(1)));
        queue.hold_back();
        queue.push(party(1), 11);
        queue.push_first(party(1), 9);
        assert_eq!((queue.turns.len(), queue.pop(), queue.pop()), (1, Some(20), None));
        queue.push(party(2), 21);
        queue.release();
        let order: Vec<_> = std::iter::from_fn(|| queue.pop()).collect();
        assert_eq!(order, [9, 21, 10, 11]);
    }
}
