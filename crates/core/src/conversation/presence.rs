//! Who is connected, and how many of each room's members are: here, and at other machines.
//!
//! An account is online as long as any *source* has it: a connection of this machine, or another machine
//! that says so. A machine that is lost, or not heard of for a while, takes with it whom it had. It must
//! not know how machines tell each other.

use std::collections::{BTreeMap, BTreeSet};

use chat_proto::{AccountId, RoomId};
use rustc_hash::FxHashMap;

use crate::SubmitterId;

/// Telling a count costs a write for each who is online: for so many, a second more is waited until
/// the next time.
const TOLD_PER_SECOND: u32 = 1000;

/// The longest wait, in seconds.
const REST_TICKS_MAX: u64 = 30;

/// How long another machine is believed that is not heard of, in seconds.
const MACHINE_TICKS_MAX: u64 = 15;

/// What another machine says of those who are connected to it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum PresenceReport {
    /// These are, and nobody else.
    Whole(Vec<AccountId>),
    /// Since the last report.
    Changes {
        /// These are, too.
        came: Vec<AccountId>,
        /// These are not any more.
        went: Vec<AccountId>,
    },
    /// The machine is lost.
    Lost,
}

/// Counts by account what it is connected through, and connected members by room.
#[derive(Clone, Debug, Default)]
pub(crate) struct Presence {
    /// The connections here, and one for each other machine that has the account.
    sources: FxHashMap<AccountId, u32>,
    machines: BTreeMap<SubmitterId, Machine>,
    online: BTreeMap<RoomId, u32>,
    changed: BTreeSet<RoomId>,
    /// Counts the ticks of the daemon's timer, one a second.
    ticks: u64,
    /// Until when a large room is not told of its count again, in ticks.
    rests_until: FxHashMap<RoomId, u64>,
}

/// Another machine.
#[derive(Clone, Debug, Default)]
struct Machine {
    online: BTreeSet<AccountId>,
    /// The tick in which it was last heard of.
    heard_at: u64,
}

impl Presence {
    pub(crate) fn is_online(&self, account: AccountId) -> bool {
        self.sources.contains_key(&account)
    }

    /// How many accounts are connected.
    pub(crate) fn accounts_online(&self) -> usize {
        self.sources.len()
    }

    /// How many members of a room are connected.
    pub(crate) fn online(&self, room: RoomId) -> u32 {
        self.online.get(&room).copied().unwrap_or(0)
    }

    /// An account, a member of `rooms`, has one source more.
    pub(crate) fn connected(&mut self, account: AccountId, rooms: impl Iterator<Item = RoomId>) {
        let sources = self.sources.entry(account).or_insert(0);
        *sources += 1;
        if *sources == 1 {
            rooms.for_each(|room| self.count(room, 1));
        }
    }

    /// An account, a member of `rooms`, has one source less.
    pub(crate) fn disconnected(&mut self, account: AccountId, rooms: impl Iterator<Item = RoomId>) {
        let Some(sources) = self.sources.get_mut(&account) else {
            return;
        };
        *sources -= 1;
        if *sources == 0 {
            self.sources.remove(&account);
            rooms.for_each(|room| self.count(room, -1));
        }
    }

    /// Another machine tells who is connected to it. `rooms` are those that an account is a member of.
    pub(crate) fn told<R: Iterator<Item = RoomId>>(
        &mut self,
        machine: SubmitterId,
        report: PresenceReport,
        rooms: impl Fn(AccountId) -> R,
    ) {
        let mut known = self.machines.remove(&machine).unwrap_or_default();
        match report {
            PresenceReport::Whole(online) => {
                let online: BTreeSet<_> = online.into_iter().collect();
                self.replace(&known.online, &online, rooms);
                known.online = online;
            }
            PresenceReport::Changes { came, went } => {
                // Twice is once: reports may come again.
                let came = came.into_iter().filter(|account| known.online.insert(*account));
                came.for_each(|account| self.connected(account, rooms(account)));
                let went = went.into_iter().filter(|account| known.online.remove(account));
                went.for_each(|account| self.disconnected(account, rooms(account)));
            }
            PresenceReport::Lost => {
                return self.replace(&known.online, &BTreeSet::new(), rooms);
            }
        }
        known.heard_at = self.ticks;
        self.machines.insert(machine, known);
    }

    /// The machines that were not heard of for too long: they are lost.
    pub(crate) fn silent(&self) -> Vec<SubmitterId> {
        let is_silent = |machine: &Machine| self.ticks - machine.heard_at > MACHINE_TICKS_MAX;
        let silent = self.machines.iter().filter(|(_id, machine)| is_silent(machine));
        silent.map(|(id, _machine)| *id).collect()
    }

    /// Whoever stays is never counted off in between.
    fn replace<R: Iterator<Item = RoomId>>(
        &mut self,
        before: &BTreeSet<AccountId>,
        online: &BTreeSet<AccountId>,
        rooms: impl Fn(AccountId) -> R,
    ) {
        online.difference(before).for_each(|account| self.connected(*account, rooms(*account)));
        before.difference(online).for_each(|account| self.disconnected(*account, rooms(*account)));
    }

    /// An account became a member of a room.
    pub(crate) fn joined(&mut self, account: AccountId, room: RoomId) {
        if self.is_online(account) {
            self.count(room, 1);
        }
    }

    /// A membership ended.
    pub(crate) fn left(&mut self, account: AccountId, room: RoomId) {
        if self.is_online(account) {
            self.count(room, -1);
        }
    }

    /// Counts every room anew: the memberships were read back from the store.
    pub(crate) fn recount(&mut self, members: impl Iterator<Item = (RoomId, AccountId)>) {
        let before = std::mem::take(&mut self.online);
        self.changed.extend(before.into_keys());
        for (room, account) in members {
            self.joined(account, room);
        }
    }

    /// A second has passed: the rooms that are to be told of a count that has changed.
    pub(crate) fn tick(&mut self) -> Vec<(RoomId, u32)> {
        self.ticks += 1;
        let ticks = self.ticks;
        self.rests_until.retain(|_room, until| *until > ticks);
        let (rest, due): (BTreeSet<_>, BTreeSet<_>) = std::mem::take(&mut self.changed)
            .into_iter()
            .partition(|room| self.rests_until.contains_key(room));
        self.changed = rest;
        let told: Vec<_> = due
            .into_iter()
            .map(|room| (room, self.online.get(&room).copied().unwrap_or(0)))
            .collect();
        for (room, online) in &told {
            if *online >= TOLD_PER_SECOND {
                let rest = 1 + u64::from(online / TOLD_PER_SECOND);
                self.rests_until.insert(*room, ticks + rest.min(REST_TICKS_MAX));
            }
        }
        told
    }

    fn count(&mut self, room: RoomId, by: i32) {
        let online = self.online.entry(room).or_insert(0);
        *online = online.saturating_add_signed(by);
        if *online == 0 {
            self.online.remove(&room);
        }
        self.changed.insert(room);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_counts_once_however_many_connections_it_has() {
        let mut presence = Presence::default();
        let (ada, lobby) = (AccountId(1), RoomId(2));
        presence.connected(ada, [lobby].into_iter());
        presence.connected(ada, [lobby].into_iter());
        assert_eq!(presence.tick(), [(lobby, 1)]);
        presence.disconnected(ada, [lobby].into_iter());
        assert_eq!((presence.online(lobby), presence.tick()), (1, vec![]));
        presence.disconnected(ada, [lobby].into_iter());
        assert_eq!(presence.tick(), [(lobby, 0)]);
    }

    #[test]
    fn a_large_room_is_told_more_seldom_and_of_its_last_count() {
        let mut presence = Presence::default();
        let (lobby, den) = (RoomId(1), RoomId(2));
        let come = |presence: &mut Presence, number, room| {
            presence.connected(AccountId(number), [room].into_iter());
        };
        (0..3000).for_each(|number| come(&mut presence, number, lobby));
        assert_eq!(presence.tick(), [(lobby, 3000)]);
        come(&mut presence, 4000, lobby);
        come(&mut presence, 4001, den);
        assert_eq!(presence.tick(), [(den, 1)], "a small one does not wait");
        come(&mut presence, 4002, lobby);
        assert_eq!((presence.tick(), presence.tick()), (vec![], vec![]));
        assert_eq!(presence.tick(), [(lobby, 3002)]);
        assert_eq!((presence.tick(), presence.changed.len()), (vec![], 0));
    }

    const LOBBY: RoomId = RoomId(9);

    fn in_the_lobby(_account: AccountId) -> std::iter::Once<RoomId> {
        std::iter::once(LOBBY)
    }

    fn ids(numbers: &[u64]) -> Vec<AccountId> {
        numbers.iter().map(|number| AccountId(*number)).collect()
    }

    #[test]
    fn an_account_is_online_as_long_as_any_source_has_it() {
        let mut presence = Presence::default();
        let (ada, here, there) = (AccountId(1), SubmitterId(2), SubmitterId(3));
        presence.connected(ada, in_the_lobby(ada));
        presence.told(here, PresenceReport::Whole(ids(&[1, 5])), in_the_lobby);
        presence.told(there, PresenceReport::Whole(ids(&[1])), in_the_lobby);
        assert_eq!(presence.online(LOBBY), 2, "each counts once");
        presence.disconnected(ada, in_the_lobby(ada));
        presence.told(here, PresenceReport::Lost, in_the_lobby);
        assert!(presence.is_online(ada) && !presence.is_online(AccountId(5)));
        presence.told(here, PresenceReport::Lost, in_the_lobby);
        presence.told(there, PresenceReport::Lost, in_the_lobby);
        assert_eq!((presence.online(LOBBY), presence.is_online(ada)), (0, false));
        assert!(presence.sources.is_empty() && presence.machines.is_empty(), "nothing is kept");
    }

    #[test]
    fn reports_that_come_again_change_nothing() {
        let mut presence = Presence::default();
        let there = SubmitterId(3);
        let changes = |came: &[u64], went: &[u64]| PresenceReport::Changes {
            came: ids(came),
            went: ids(went),
        };
        for _ in 0..2 {
            presence.told(there, changes(&[1, 1, 2], &[7]), in_the_lobby);
            assert_eq!(presence.online(LOBBY), 2);
        }
        assert_eq!(presence.tick(), [(LOBBY, 2)]);
        presence.told(there, PresenceReport::Whole(ids(&[1, 2, 2])), in_the_lobby);
        assert_eq!(presence.tick(), [], "nobody came or went, not even for a moment");
        for _ in 0..2 {
            presence.told(there, changes(&[3], &[1, 2]), in_the_lobby);
            assert_eq!(presence.online(LOBBY), 1);
        }
    }

    #[test]
    fn a_machine_that_is_not_heard_of_takes_whom_it_had_with_it() {
        let mut presence = Presence::default();
        let [there, elsewhere] = [SubmitterId(3), SubmitterId(4)];
        presence.told(there, PresenceReport::Whole(ids(&[1, 2])), in_the_lobby);
        presence.told(elsewhere, PresenceReport::Whole(ids(&[2, 3])), in_the_lobby);
        let second = |presence: &mut Presence| {
            presence.tick();
            for machine in presence.silent() {
                presence.told(machine, PresenceReport::Lost, in_the_lobby);
            }
        };
        (0..MACHINE_TICKS_MAX).for_each(|_| second(&mut presence));
        let nothing_new = PresenceReport::Changes { came: Vec::new(), went: Vec::new() };
        presence.told(elsewhere, nothing_new, in_the_lobby);
        assert_eq!(presence.online(LOBBY), 3);
        second(&mut presence);
        assert_eq!(presence.online(LOBBY), 2, "one has spoken since");
        assert!(!presence.is_online(AccountId(1)) && presence.is_online(AccountId(2)));
    }
}
