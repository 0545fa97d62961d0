//! How much one commit takes.
//!
//! A large commit costs less for each input, and everybody waits for it. So commits are large while
//! all ask for about as much, and short while somebody asks for much less than the one who asks
//! for most: who sends a line now and then does not wait for a flood.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use crate::fair_queue::Party;

/// What a commit takes at the most, in cost: some 5,000 small messages.
const COMMIT_COST_MAX: usize = 2 * 1024 * 1024;

/// What it takes at the least when it is to be short, while there is more.
const COMMIT_COST_MIN: usize = 16 * 1024;

/// How long a short commit takes.
const SHORT: Duration = Duration::from_millis(1);

/// Who asks for less than one of so many parts of what another asks for asks for little.
const LITTLE: usize = 8;

/// What was asked is counted for so long.
const WINDOW: Duration = Duration::from_millis(250);

/// Commits stay short for so long after somebody has asked for little.
const SHORT_AFTER: Duration = Duration::from_secs(1);

/// What each party asks for, and what follows for the next commit.
#[derive(Debug)]
pub(super) struct Pace {
    began: Instant,
    asked: HashMap<Party, usize>,
    /// In the window before, and the most of it.
    asked_before: HashMap<Party, usize>,
    most_before: usize,
    short_until: Option<Instant>,
    /// What a short commit takes, as far as is known.
    short_cost: usize,
}

impl Pace {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            began: now,
            asked: HashMap::new(),
            asked_before: HashMap::new(),
            most_before: 0,
            short_until: None,
            short_cost: COMMIT_COST_MIN * 8,
        }
    }

    /// A party asks for so much.
    pub(super) fn count(&mut self, party: Party, cost: usize, now: Instant) {
        self.turn_window(now);
        let asked = self.asked.entry(party).or_insert(0);
        *asked += cost;
        let lately = *asked + self.asked_before.get(&party).copied().unwrap_or(0);
        if lately < self.most_before / LITTLE {
            self.short_until = Some(now + SHORT_AFTER);
        }
    }

    /// What the next commit takes.
    pub(super) fn commit_cost(&self, now: Instant) -> usize {
        if self.is_short(now) { self.short_cost } else { COMMIT_COST_MAX }
    }

    /// A commit of so much has taken so long.
    pub(super) fn committed(&mut self, cost: usize, took: Duration, now: Instant) {
        if cost < self.short_cost || !self.is_short(now) {
            // It says nothing of one that is full.
            return;
        }
        let next = match took > SHORT {
            true => self.short_cost / 4 * 3,
            false => self.short_cost + self.short_cost / 8,
        };
        self.short_cost = next.clamp(COMMIT_COST_MIN, COMMIT_COST_MAX);
    }

    /// Whether the next commit is to be short.
    pub(super) fn is_short(&self, now: Instant) -> bool {
        self.short_until.is_some_and(|until| now < until)
    }

    fn turn_window(&mut self, now: Instant) {
        let since = now.saturating_duration_since(self.began);
        if since < WINDOW {
            return;
        }
        self.began = now;
        self.asked_before = std::mem::take(&mut self.asked);
        if since >= WINDOW * 2 {
            // Nobody has asked for a while.
            self.asked_before = HashMap::new();
        }
        self.most_before = self.asked_before.values().copied().max().unwrap_or(0);
    }
}

#[cfg(test)]
mod tests {
    use chat_proto::AccountId;

    use super::*;

    fn ask(pace: &mut Pace, account: u64, cost: usize, now: Instant) {
        pace.count(Party::Account(AccountId(account)), cost, now);
    }

    #[test]
    fn commits_are_short_while_one_asks_for_little_beside_one_who_asks_for_much() {
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        let mut pace = Pace::new(start);
        ask(&mut pace, 1, 1_000_000, at(0));
        ask(&mut pace, 2, 900_000, at(1));
        ask(&mut pace, 1, 1_000, at(260));
        ask(&mut pace, 2, 1_000, at(260));
        assert_eq!(pace.commit_cost(at(261)), COMMIT_COST_MAX, "they ask for about as much");
        ask(&mut pace, 3, 400, at(262));
        assert!(pace.commit_cost(at(263)) < COMMIT_COST_MAX / 8);
        assert!(pace.commit_cost(at(1_200)) < COMMIT_COST_MAX / 8);
        assert_eq!(pace.commit_cost(at(1_263)), COMMIT_COST_MAX, "it was a while ago");
    }

    #[test]
    fn who_is_alone_never_makes_commits_short() {
        let start = Instant::now();
        let mut pace = Pace::new(start);
        for (ms, cost) in [(0, 400), (300, 900_000), (600, 400), (900, 400), (3_000, 400)] {
            let now = start + Duration::from_millis(ms);
            ask(&mut pace, 1, cost, now);
            assert_eq!(pace.commit_cost(now), COMMIT_COST_MAX, "{ms} ms");
        }
    }

    #[test]
    fn a_short_commit_takes_as_much_as_fits_its_time() {
        let start = Instant::now();
        let mut pace = Pace::new(start);
        ask(&mut pace, 1, 1_000_000, start);
        let now = start + WINDOW;
        ask(&mut pace, 1, 1_000_000, now);
        ask(&mut pace, 2, 400, now);
        // 100 KiB take a millisecond.
        for _ in 0..100 {
            let cost = pace.commit_cost(now);
            pace.committed(cost, Duration::from_micros(cost as u64 * 10 / 1024), now);
        }
        let cost = pace.commit_cost(now);
        assert!((70 * 1024..=115 * 1024).contains(&cost), "{cost}");
        for _ in 0..100 {
            pace.committed(pace.commit_cost(now), Duration::from_secs(1), now);
        }
        assert_eq!(pace.commit_cost(now), COMMIT_COST_MIN);
    }
}
