//! Roles in rooms: who gets one, and who owns a room whose last owner goes.
//!
//! Who may give one is decided by [`super::Access`].

use chat_proto::{AccountId, Role, RoomId};

use super::{Answer, Room, State, Transition};
use crate::{Content, Refusal, RoomChange};

impl Room {
    /// What an account is in the room; `None`: no member.
    pub(crate) fn role_of(&self, account: AccountId) -> Option<Role> {
        let held = self.roles.iter().find(|(holder, _role)| *holder == account);
        let role = held.map_or(Role::Member, |(_holder, role)| *role);
        self.members.contains(account).then_some(role)
    }

    /// Its owners, in the order in which they became that.
    pub(crate) fn owners(&self) -> impl Iterator<Item = AccountId> {
        let owners = self.roles.iter().filter(|(_holder, role)| *role == Role::Owner);
        owners.map(|(holder, _role)| *holder)
    }

    /// Its moderators and owners, in the order in which they became that.
    pub(crate) fn moderators(&self) -> impl Iterator<Item = AccountId> {
        debug_assert!(self.roles.iter().all(|(_holder, role)| *role > Role::Member));
        self.roles.iter().map(|(holder, _role)| *holder)
    }

    /// Who owns the room when that account goes, and nobody else owns it: the one who has been a
    /// moderator for longest; where there is none, the member with the smallest id, which is drawn like
    /// a lot. `None`: another owner stays, or nobody is left.
    fn successor_of(&self, account: AccountId) -> Option<AccountId> {
        if !self.owners().eq([account]) {
            return None;
        }
        let others = || self.members.iter().filter(|member| *member != account);
        let moderator = self.roles.iter().find(|(_holder, role)| *role == Role::Moderator);
        moderator.map(|(holder, _role)| *holder).or_else(|| others().next())
    }
}

impl State {
    pub(super) fn set_role(&mut self, room: RoomId, account: AccountId, role: Role) {
        let Some(room) = self.rooms.get_mut(&room) else { return };
        room.roles.retain(|(holder, _role)| *holder != account);
        if role > Role::Member {
            room.roles.push((account, role));
        }
    }

    pub(super) fn roles(&self) -> impl Iterator<Item = (RoomId, AccountId, Role)> {
        let rooms = self.rooms.iter();
        rooms.flat_map(|(id, room)| room.roles.iter().map(|(holder, role)| (*id, *holder, *role)))
    }
}

impl Transition<'_> {
    /// Changes what a room is, for all who are in it.
    pub(super) fn change_room(
        &mut self,
        by: AccountId,
        room: RoomId,
        change: RoomChange,
    ) -> Result<Answer, Refusal> {
        match change {
            RoomChange::Role { account, role } => {
                let known = self.access(by).can_set_role(room, account, role)?;
                if known.role_of(account) != Some(role) {
                    let by = Some(by);
                    self.append(room.into(), Content::RoleSet { by, account, role });
                }
            }
        }
        Ok(Answer::Done)
    }

    /// Whoever comes into a room in which nobody is any more owns it, unless it is the daemon's.
    pub(super) fn take_over(&mut self, room: RoomId, account: AccountId) {
        let known = self.state.rooms.get(&room);
        if known.is_some_and(|known| known.members.len() == 0 && !known.is_permanent) {
            let content = Content::RoleSet { by: None, account, role: Role::Owner };
            self.append(room.into(), content);
        }
    }

    /// Ends a membership, with the event of the room's log that says how, and the one of the account's own;
    /// with the last one of a room in which nothing was ever said, the room. A room with members is never
    /// left without an owner that had one.
    pub(super) fn end_membership(
        &mut self,
        room: RoomId,
        account: AccountId,
        how: Content,
        told: Content,
    ) {
        let Some(known) = self.state.rooms.get(&room) else { return };
        debug_assert!(known.members.contains(account), "only members leave");
        self.append(room.into(), how);
        if known.ends_with(account) {
            self.append(room.into(), Content::RoomRemoved {});
        } else if let Some(successor) = known.successor_of(account) {
            let content = Content::RoleSet { by: None, account: successor, role: Role::Owner };
            self.append(room.into(), content);
        }
        // Behind what may be deleted: no store takes the place of its newest event another time.
        self.append(account.into(), told);
    }
}
