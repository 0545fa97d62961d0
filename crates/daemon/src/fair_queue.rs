//! A queue that several parties share: each waits in a line of its own, and they take turns.
//!
//! The turns are those of deficit round robin (Shreedhar and Varghese, SIGCOMM 1995): in each, a party
//! gets a quantum of what its items cost, so that whoever asks little waits for a quantum of each
//! of the others, however long their lines are. What may wait follows what is free (dynamic
//! thresholds, Choudhury and Hahne, 1998): one party alone has nearly everything, many have equal
//! shares, and there is always something left for the next.

use std::collections::{HashMap, VecDeque};

use chat_proto::AccountId;

use crate::peer::Network;

/// A party has no more waiting than so many times what is free.
const SHARE_OF_FREE: usize = 4;

/// So many lines keep the room that they had when they run empty, each for so many items at the most:
/// commits empty the same few again and again.
const LINES_KEPT: usize = 16;
const LINE_ITEMS_KEPT: usize = 1024;

/// Those who share a turn: an account with all its connections, before the sign-in whoever
/// comes from one network, and the operator.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) enum Party {
    Account(AccountId),
    Network(Network),
    /// Whoever runs the daemon, at the Unix socket.
    Operator,
}

/// The queue. What an item costs is said when it is put in.
#[derive(Debug)]
pub(crate) struct FairQueue<T> {
    quantum: usize,
    cost_max: usize,
    cost: usize,
    /// The most that it was since somebody looked.
    cost_peak: usize,
    /// The line of everybody who waits, by its place. Strangers choose from where they come: what
    /// finds it here must not be something that they can guess.
    places: HashMap<Party, usize>,
    lines: Vec<Line<T>>,
    /// The places of empty lines, for who comes next.
    free: Vec<usize>,
    /// The places of everybody who waits; it is the first one's turn. Taking items looks nobody up.
    turns: VecDeque<usize>,
}

#[derive(Debug)]
struct Line<T> {
    party: Party,
    items: VecDeque<(T, usize)>,
    cost: usize,
    /// What its turn still may cost. It is saved up for an item that costs more than a quantum:
    /// taking that on credit would be free for whoever never has a second one waiting.
    credit: usize,
}

impl<T> FairQueue<T> {
    /// An empty queue with turns of `quantum`, for `cost_max` altogether.
    pub(crate) fn new(quantum: usize, cost_max: usize) -> Self {
        assert!(quantum > 0, "otherwise no turn would ever be enough");
        Self {
            quantum,
            cost_max,
            cost: 0,
            cost_peak: 0,
            places: HashMap::new(),
            lines: Vec::new(),
            free: Vec::new(),
            turns: VecDeque::new(),
        }
    }

    /// What a party may put in now. It is not checked: whoever must not wait may go beyond it.
    pub(crate) fn allowance(&self, party: Party) -> usize {
        let free = self.cost_max.saturating_sub(self.cost);
        let share = free.saturating_mul(SHARE_OF_FREE);
        share.saturating_sub(self.held(party)).min(free)
    }

    /// The cost of all that a party has waiting.
    pub(crate) fn held(&self, party: Party) -> usize {
        self.places.get(&party).map_or(0, |place| self.lines[*place].cost)
    }

    /// The most that everything has cost since the last look.
    pub(crate) fn take_cost_peak(&mut self) -> usize {
        std::mem::replace(&mut self.cost_peak, self.cost)
    }

    /// Puts an item at the end of its party's line.
    pub(crate) fn push(&mut self, party: Party, item: T, cost: usize) {
        self.extend(party, std::iter::once((item, cost)));
    }

    /// Puts items at the end of their party's line, each with its cost.
    pub(crate) fn extend(&mut self, party: Party, items: impl IntoIterator<Item = (T, usize)>) {
        let mut items = items.into_iter().peekable();
        if items.peek().is_none() {
            return; // Nobody has a turn without anything.
        }
        let place = match self.places.get(&party) {
            Some(place) => *place,
            None => self.open_line(party),
        };
        let line = &mut self.lines[place];
        let before = line.cost;
        line.items.extend(items.inspect(|(_item, cost)| line.cost += cost));
        self.cost += line.cost - before;
        self.cost_peak = self.cost_peak.max(self.cost);
    }

    /// Gives a party that has nothing waiting a line, and the last turn.
    fn open_line(&mut self, party: Party) -> usize {
        let credit = self.quantum;
        let place = match self.free.pop() {
            Some(place) => {
                let line = &mut self.lines[place];
                debug_assert!(line.items.is_empty() && line.cost == 0, "nobody's line");
                (line.party, line.credit) = (party, credit);
                place
            }
            None => {
                self.lines.push(Line { party, items: VecDeque::new(), cost: 0, credit });
                self.lines.len() - 1
            }
        };
        self.places.insert(party, place);
        self.turns.push_back(place);
        place
    }

    /// The line whose turn it is has run empty.
    fn close_line(&mut self) {
        let Some(place) = self.turns.pop_front() else { return };
        let line = &mut self.lines[place];
        self.places.remove(&line.party);
        if place >= LINES_KEPT || line.items.capacity() > LINE_ITEMS_KEPT {
            line.items = VecDeque::new();
        }
        self.free.push(place);
        if self.turns.is_empty() && self.lines.len() > LINES_KEPT {
            // A crowd has gone.
            self.lines.truncate(LINES_KEPT);
            self.free.retain(|place| *place < LINES_KEPT);
        }
    }

    /// Takes the next item, with its cost.
    pub(crate) fn pop(&mut self) -> Option<(T, usize)> {
        self.pop_with_party().map(|(_party, item, cost)| (item, cost))
    }

    /// The same, with whose it is.
    pub(crate) fn pop_with_party(&mut self) -> Option<(Party, T, usize)> {
        loop {
            let line = &mut self.lines[*self.turns.front()?];
            let (_item, cost) = line.items.front().expect("a line has items");
            let Some(credit) = line.credit.checked_sub(*cost) else {
                line.credit += self.quantum;
                self.turns.rotate_left(1);
                continue;
            };
            line.credit = credit;
            let (item, cost) = line.items.pop_front().expect("a line has items");
            line.cost -= cost;
            self.cost -= cost;
            let party = line.party;
            if line.items.is_empty() {
                self.close_line();
            }
            return Some((party, item, cost));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn party(number: u64) -> Party {
        Party::Account(AccountId(number))
    }

    fn taken<T>(queue: &mut FairQueue<T>, count: usize) -> Vec<T> {
        (0..count).map_while(|_| queue.pop()).map(|(item, _cost)| item).collect()
    }

    #[test]
    fn parties_take_turns_and_each_keeps_its_order() {
        let mut queue = FairQueue::new(2, 1000);
        (0..6).for_each(|n| queue.push(party(1), (1, n), 1));
        queue.push(party(2), (2, 0), 1);
        (0..3).for_each(|n| queue.push(party(3), (3, n), 1));
        let order = taken(&mut queue, 20);
        let expected =
            [(1, 0), (1, 1), (2, 0), (3, 0), (3, 1), (1, 2), (1, 3), (3, 2), (1, 4), (1, 5)];
        assert_eq!(order, expected);
        assert!(queue.pop().is_none() && queue.cost == 0 && queue.places.is_empty());
        assert_eq!((queue.take_cost_peak(), queue.take_cost_peak()), (10, 0));
    }

    #[test]
    fn a_line_that_runs_empty_leaves_its_room_to_the_next_unless_it_is_large() {
        let mut queue = FairQueue::new(10, usize::MAX);
        queue.extend(party(1), (0..500).map(|n| (n, 1)));
        assert_eq!(taken(&mut queue, 500), (0..500).collect::<Vec<_>>());
        queue.push(party(2), 7, 1);
        assert!(queue.lines.len() == 1 && queue.lines[0].items.capacity() >= 500);
        queue.extend(party(2), (0..2 * LINE_ITEMS_KEPT).map(|n| (n, 1)));
        assert_eq!(taken(&mut queue, usize::MAX).len(), 2 * LINE_ITEMS_KEPT + 1);
        assert_eq!(queue.lines[0].items.capacity(), 0);
    }

    #[test]
    fn a_crowd_leaves_hardly_anything_behind() {
        let mut queue = FairQueue::new(1, usize::MAX);
        for round in 0..3 {
            (0..1000).for_each(|number| queue.push(party(number), (round, number), 1));
            let expected: Vec<_> = (0..1000).map(|number| (round, number)).collect();
            assert_eq!(taken(&mut queue, 2000), expected);
            assert!(queue.lines.len() <= LINES_KEPT && queue.free.len() == queue.lines.len());
        }
        assert!(queue.places.is_empty() && queue.turns.is_empty());
    }

    #[test]
    fn large_items_are_paid_with_turns() {
        let mut queue = FairQueue::new(10, 100_000);
        (0..30).for_each(|_| queue.push(party(1), 'L', 40));
        (0..400).for_each(|_| queue.push(party(2), 's', 1));
        let first = taken(&mut queue, 205);
        let large = first.iter().filter(|size| **size == 'L').count();
        assert_eq!(large, 5, "as much as the 200 small ones cost");
    }

    #[test]
    fn whoever_has_one_large_item_at_a_time_gets_no_more_than_others() {
        let mut queue = FairQueue::new(10, 100_000);
        queue.push(party(1), 'L', 40);
        (0..400).for_each(|_| queue.push(party(2), 's', 1));
        let (mut large, mut small) = (0, 0);
        while small < 200 {
            match queue.pop() {
                Some(('L', _cost)) => {
                    large += 1;
                    queue.push(party(1), 'L', 40);
                }
                _ => small += 1,
            }
        }
        assert!((4..=5).contains(&large), "{large} of 40, beside 200");
    }

    #[test]
    fn one_alone_has_most_of_the_room_and_the_next_finds_some() {
        let mut queue = FairQueue::new(10, 1000);
        let fill = |queue: &mut FairQueue<()>, party| {
            while queue.allowance(party) > 0 {
                queue.push(party, (), 1);
            }
            queue.held(party)
        };
        assert_eq!(fill(&mut queue, party(1)), 800);
        assert_eq!(fill(&mut queue, party(2)), 160);
        assert!(queue.allowance(party(3)) > 0 && queue.allowance(party(1)) == 0);
        while queue.held(party(1)) > 0 {
            queue.pop();
        }
        assert!(queue.allowance(party(1)) > 0);
    }
}
