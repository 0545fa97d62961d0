//! Who is connected, and how many of each room's members are.

use std::collections::{BTreeMap, BTreeSet};

use chat_proto::{AccountId, RoomId};
use rustc_hash::FxHashMap;

/// Telling a count costs a write for each who is online: for so many, a second more is waited until
/// the next time.
const TOLD_PER_SECOND: u32 = 1000;

/// The longest wait, in seconds.
const REST_TICKS_MAX: u64 = 30;

/// Counts connections by account, and connected members by room.
#[derive(Clone, Debug, Default)]
pub(crate) struct Presence {
    connections: FxHashMap<AccountId, u32>,
    online: BTreeMap<RoomId, u32>,
    changed: BTreeSet<RoomId>,
    /// Counts the ticks of the daemon's timer, one a second.
    ticks: u64,
    /// Until when a large room is not told of its count again, in ticks.
    rests_until: FxHashMap<RoomId, u64>,
}

impl Presence {
    pub(crate) fn is_online(&self, account: AccountId) -> bool {
        self.connections.contains_key(&account)
    }

    /// How many members of a room are connected.
    pub(crate) fn online(&self, room: RoomId) -> u32 {
        self.online.get(&room).copied().unwrap_or(0)
    }

    /// An account, a member of `rooms`, has one more connection.
    pub(crate) fn connected(&mut self, account: AccountId, rooms: impl Iterator<Item = RoomId>) {
        let connections = self.connections.entry(account).or_insert(0);
        *connections += 1;
        if *connections == 1 {
            rooms.for_each(|room| self.count(room, 1));
        }
    }

    /// An account, a member of `rooms`, has one connection less.
    pub(crate) fn disconnected(&mut self, account: AccountId, rooms: impl Iterator<Item = RoomId>) {
        let Some(connections) = self.connections.get_mut(&account) else {
            return;
        };
        *connections -= 1;
        if *connections == 0 {
            self.connections.remove(&account);
            rooms.for_each(|room| self.count(room, -1));
        }
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
}
