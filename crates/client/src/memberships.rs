//! The rooms that the account is a member of, as its own log tells.
//!
//! Owns the difference between what the log says and what the user has been told: the past is
//! replayed in silence, and only its outcome is told.

use std::collections::BTreeSet;

use chat_proto::{RoomId, Seq};

/// What the account's own log says, and what the user knows of it.
#[derive(Debug, Default)]
pub(crate) struct Memberships {
    now: BTreeSet<RoomId>,
    told: BTreeSet<RoomId>,
    /// Until here the log is history.
    head: Seq,
}

/// What has changed for the user.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Changes {
    pub(crate) joined: Vec<RoomId>,
    pub(crate) left: Vec<RoomId>,
}

impl Memberships {
    /// The log is followed, and has this head.
    pub(crate) fn subscribed(&mut self, head: Seq) {
        self.head = head;
    }

    /// The log begins anew.
    pub(crate) fn begin_anew(&mut self) {
        self.now.clear();
    }

    pub(crate) fn joined(&mut self, room: RoomId) {
        self.now.insert(room);
    }

    pub(crate) fn left(&mut self, room: RoomId) {
        self.now.remove(&room);
    }

    /// Whether a place in the log is behind what was history at the subscription.
    pub(crate) fn is_live(&self, seq: Seq) -> bool {
        seq > self.head
    }

    /// What the user is to be told, once the cursor has come to `position`. Nothing while there is
    /// history in front of it.
    pub(crate) fn settle(&mut self, position: Seq) -> Changes {
        if position < self.head {
            return Changes::default();
        }
        let changes = Changes {
            joined: self.now.difference(&self.told).copied().collect(),
            left: self.told.difference(&self.now).copied().collect(),
        };
        self.told.clone_from(&self.now);
        changes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: RoomId = RoomId(1);
    const B: RoomId = RoomId(2);

    #[test]
    fn only_the_outcome_of_the_past_is_told() {
        let mut memberships = Memberships::default();
        memberships.subscribed(Seq(3));
        memberships.joined(A);
        assert_eq!(memberships.settle(Seq(1)), Changes::default());
        memberships.left(A);
        memberships.joined(B);
        let told = memberships.settle(Seq(3));
        assert_eq!((told.joined, told.left), (vec![B], vec![]));
        memberships.left(B);
        assert_eq!(memberships.settle(Seq(4)).left, [B]);
    }

    #[test]
    fn after_a_restored_backup_the_difference_is_told() {
        let mut memberships = Memberships::default();
        memberships.joined(A);
        memberships.joined(B);
        memberships.settle(Seq(2));
        memberships.begin_anew();
        memberships.subscribed(Seq(1));
        memberships.joined(A);
        let told = memberships.settle(Seq(1));
        assert_eq!((told.joined, told.left), (vec![], vec![B]));
    }
}
