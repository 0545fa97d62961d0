//! The rooms that the account is a member of, as its own log tells.
//!
//! Owns the difference between what the log says and what the user has been told: the past is
//! replayed in silence, and only its outcome is told.

use std::collections::{BTreeMap, BTreeSet};

use chat_proto::{RoomId, Seq};

/// What the account's own log says, and what the user knows of it.
#[derive(Debug, Default)]
pub(crate) struct Memberships {
    now: BTreeSet<RoomId>,
    told: BTreeSet<RoomId>,
    /// What the account may join, by the rooms' names.
    invited: BTreeMap<RoomId, String>,
    told_invited: BTreeSet<RoomId>,
    /// Until here the log is history.
    head: Seq,
}

/// What has changed for the user.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Changes {
    pub(crate) joined: Vec<RoomId>,
    pub(crate) left: Vec<RoomId>,
    pub(crate) invited: Vec<(RoomId, String)>,
}

impl Memberships {
    /// The log is followed, and has this head.
    pub(crate) fn subscribed(&mut self, head: Seq) {
        self.head = head;
    }

    /// The log begins anew.
    pub(crate) fn begin_anew(&mut self) {
        self.now.clear();
        self.invited.clear();
    }

    pub(crate) fn joined(&mut self, room: RoomId) {
        self.now.insert(room);
        self.uninvited(room);
    }

    pub(crate) fn invited(&mut self, room: RoomId, name: String) {
        self.invited.insert(room, name);
    }

    /// An invitation was taken back, or has served.
    pub(crate) fn uninvited(&mut self, room: RoomId) {
        self.invited.remove(&room);
        self.told_invited.remove(&room);
    }

    fn untold_invitations(&mut self) -> Vec<(RoomId, String)> {
        let told = &mut self.told_invited;
        let untold = self.invited.iter().filter(|(room, _name)| told.insert(**room));
        untold.map(|(room, name)| (*room, name.clone())).collect()
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
            invited: self.untold_invitations(),
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
    fn an_invitation_is_told_once_unless_it_has_served_or_was_taken_back() {
        let mut memberships = Memberships::default();
        memberships.subscribed(Seq(4));
        memberships.invited(A, "a".into());
        memberships.invited(B, "b".into());
        memberships.joined(B);
        assert_eq!(memberships.settle(Seq(4)).invited, [(A, "a".to_owned())]);
        assert!(memberships.settle(Seq(4)).invited.is_empty());
        memberships.uninvited(A);
        assert!(memberships.settle(Seq(5)).invited.is_empty());
        memberships.invited(A, "a".into());
        assert_eq!(memberships.settle(Seq(6)).invited, [(A, "a".to_owned())]);
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
