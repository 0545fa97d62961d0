//! How much one commit takes.
//!
//! A large commit costs less for each input, and everybody waits for it. So commits are large while
//! all ask for about as much, and short while somebody asks for much less than the one who asks
//! for most: who sends a line now and then does not wait for a flood.
//!
//! What a commit takes of time whatever is in it, above all the sync, no smaller one saves. Now and then
//! a commit of next to nothing tells how long that is, and only what goes beyond it makes commits
//! smaller.

use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

use crate::fair_queue::Party;

/// What a commit takes at the most, in cost: some 5,000 small messages.
const COMMIT_COST_MAX: usize = 2 * 1024 * 1024;

/// What it takes at the least when it is to be short, while there is more.
const COMMIT_COST_MIN: usize = 16 * 1024;

/// What one takes that is to tell how long a commit takes with next to nothing in it, in cost: a few
/// small messages.
const PROBE_COST: usize = 4 * 1024;

/// One of about so many short commits is such a probe.
const PROBE_EVERY: u32 = 32;

/// The probes that are remembered.
const PROBES: usize = 3;

/// How long a short commit takes beyond that; where a probe takes longer, as long as a probe: then it
/// costs no more than half of what commits could carry.
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
    floor: Floor,
}

/// How large a commit is to be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Plan {
    /// It takes inputs until they cost so much.
    pub(super) cost_max: usize,
    length: Length,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Length {
    Long,
    Short,
    Probe,
}

/// How long a commit takes with next to nothing in it, by the last probes.
#[derive(Debug, Default)]
struct Floor {
    probes: VecDeque<Duration>,
    /// Short commits until the next probe.
    until_probe: u32,
}

impl Plan {
    /// Whether somebody does not want to wait.
    pub(super) fn is_short(self) -> bool {
        self.length != Length::Long
    }
}

impl Floor {
    /// A probe has taken so long.
    fn note(&mut self, took: Duration) {
        if self.probes.len() == PROBES {
            self.probes.pop_front();
        }
        self.probes.push_back(took);
        // The first ones come at once.
        self.until_probe = if self.probes.len() == PROBES { PROBE_EVERY } else { 0 };
    }

    /// The middle one: that a thread has lost its processor once, or had nothing to sync, changes
    /// nothing.
    fn time(&self) -> Duration {
        let mut probes: Vec<_> = self.probes.iter().copied().collect();
        probes.sort_unstable();
        probes.get(probes.len() / 2).copied().unwrap_or_default()
    }
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
            floor: Floor::default(),
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

    /// How large the next commit is to be.
    pub(super) fn plan(&self, now: Instant) -> Plan {
        if self.short_until.is_none_or(|until| now >= until) {
            Plan { cost_max: COMMIT_COST_MAX, length: Length::Long }
        } else if self.floor.until_probe == 0 {
            Plan { cost_max: PROBE_COST, length: Length::Probe }
        } else {
            Plan { cost_max: self.short_cost, length: Length::Short }
        }
    }

    /// A commit that was to be so large had so much in it, and has taken so long.
    pub(super) fn committed(&mut self, plan: Plan, cost: usize, took: Duration) {
        if cost < plan.cost_max {
            // It says nothing of one that is full.
            return;
        }
        match plan.length {
            Length::Long => {}
            Length::Probe => self.floor.note(took),
            Length::Short => {
                self.floor.until_probe = self.floor.until_probe.saturating_sub(1);
                self.fit(took);
            }
        }
    }

    fn fit(&mut self, took: Duration) {
        let floor = self.floor.time();
        let next = match took.saturating_sub(floor) > SHORT.max(floor) {
            true => self.short_cost / 4 * 3,
            false => self.short_cost + self.short_cost / 8,
        };
        self.short_cost = next.clamp(COMMIT_COST_MIN, COMMIT_COST_MAX);
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
        assert_eq!(pace.plan(at(261)).cost_max, COMMIT_COST_MAX, "they ask for about as much");
        ask(&mut pace, 3, 400, at(262));
        assert!(pace.plan(at(263)).is_short());
        assert!(pace.plan(at(1_200)).cost_max < COMMIT_COST_MAX / 8);
        assert_eq!(pace.plan(at(1_263)).cost_max, COMMIT_COST_MAX, "it was a while ago");
    }

    #[test]
    fn who_is_alone_never_makes_commits_short() {
        let start = Instant::now();
        let mut pace = Pace::new(start);
        for (ms, cost) in [(0, 400), (300, 900_000), (600, 400), (900, 400), (3_000, 400)] {
            let now = start + Duration::from_millis(ms);
            ask(&mut pace, 1, cost, now);
            assert_eq!(pace.plan(now).cost_max, COMMIT_COST_MAX, "{ms} ms");
        }
    }

    /// Somebody asks for little beside somebody who asks for much.
    fn short() -> (Pace, Instant) {
        let start = Instant::now();
        let mut pace = Pace::new(start);
        ask(&mut pace, 1, 1_000_000, start);
        let now = start + WINDOW;
        ask(&mut pace, 1, 1_000_000, now);
        ask(&mut pace, 2, 400, now);
        (pace, now)
    }

    /// What so many full commits carry in a second, where each takes `sync` and what is in it.
    fn carried(pace: &mut Pace, now: Instant, commits: u32, sync: Duration) -> u128 {
        let (mut cost, mut time) = (0, Duration::ZERO);
        for _ in 0..commits {
            let plan = pace.plan(now);
            let took = sync + work(plan.cost_max);
            pace.committed(plan, plan.cost_max, took);
            cost += plan.cost_max as u128;
            time += took;
        }
        cost * 1_000_000 / time.as_micros()
    }

    /// 100 KiB take a millisecond.
    fn work(cost: usize) -> Duration {
        Duration::from_micros(cost as u64 * 10 / 1024)
    }

    #[test]
    fn a_short_commit_takes_as_much_as_fits_its_time_beside_the_sync() {
        for (sync_ms, kib) in [(0, 70..=115), (1, 70..=120), (5, 350..=570), (500, 2048..=2048)] {
            let (mut pace, now) = short();
            let sync = Duration::from_millis(sync_ms);
            carried(&mut pace, now, 300, sync);
            assert!(
                kib.contains(&(pace.short_cost / 1024)),
                "{} for {sync_ms} ms",
                pace.short_cost
            );
            let full =
                COMMIT_COST_MAX as u128 * 1_000_000 / (sync + work(COMMIT_COST_MAX)).as_micros();
            let short = carried(&mut pace, now, 300, sync);
            assert!(short >= full / 2, "{short} a second of {full}, with {sync_ms} ms for a sync");
        }
    }

    #[test]
    fn what_takes_long_by_itself_makes_commits_small() {
        let (mut pace, now) = short();
        for _ in 0..100 {
            let plan = pace.plan(now);
            pace.committed(plan, plan.cost_max, work(plan.cost_max) * 1_000);
        }
        assert_eq!(pace.short_cost, COMMIT_COST_MIN);
    }

    #[test]
    fn one_commit_that_was_held_up_changes_little() {
        let (mut pace, now) = short();
        let sync = Duration::from_millis(5);
        carried(&mut pace, now, 300, sync);
        let before = pace.short_cost;
        let slow = Duration::from_secs(1);
        let plan = Plan { cost_max: before, length: Length::Short };
        pace.committed(plan, before, slow);
        assert!(pace.short_cost >= before / 3 * 2, "{} after {before}", pace.short_cost);
        pace.committed(Plan { cost_max: PROBE_COST, length: Length::Probe }, PROBE_COST, slow);
        carried(&mut pace, now, 30, sync);
        assert!((350 * 1024..=570 * 1024).contains(&pace.short_cost), "{}", pace.short_cost);
    }

    #[test]
    fn a_commit_that_was_not_full_says_nothing() {
        let (mut pace, now) = short();
        carried(&mut pace, now, 300, Duration::ZERO);
        let before = pace.short_cost;
        let plan = Plan { cost_max: before, length: Length::Short };
        pace.committed(plan, before - 1, Duration::from_secs(1));
        assert_eq!(pace.short_cost, before);
    }
}
