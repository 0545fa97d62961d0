//! Who is connected, and how many of each room's members are.

use std::collections::{BTreeMap, BTreeSet};

use chat_proto::{AccountId, RoomId};
use rustc_hash::FxHashMap;

/// Counts connections by account, and connected members by room.
#[derive(Clone, Debug, Default)]
pub(crate) struct Presence {
    connections: FxHashMap<AccountId, u32>,
    online: BTreeMap<RoomId, u32>,
    changed: BTreeSet<RoomId>,
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

    /// The rooms whose count has changed since the last call, with their counts.
    pub(crate) fn take_changes(&mut self) -> Vec<(RoomId, u32)> {
        std::mem::take(&mut self.changed)
            .into_iter()
            .map(|room| (room, self.online(room)))
            .collect()
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
        assert_eq!(presence.take_changes(), [(lobby, 1)]);
        presence.disconnected(ada, [lobby].into_iter());
        assert_eq!((presence.online(lobby), presence.take_changes()), (1, vec![]));
        presence.disconnected(ada, [lobby].into_iter());
        assert_eq!(presence.take_changes(), [(lobby, 0)]);
    }
}
