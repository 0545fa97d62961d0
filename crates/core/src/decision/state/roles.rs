//! Roles in rooms: who gets one, and who owns a room whose last owner goes.
//!
//! Who may give one is decided by [`super::Access`].

use chat_proto::{AccountId, Role, RoomId};

use super::{Room, State, Transition};
use crate::{Content, Refusal};

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
}

impl State {
    pub(super) fn set_role(&mut self, room: RoomId, account: AccountId, role: Role) {
        let Some(room) = self.rooms.get_mut(&room) else { return };
        room.roles.retain(|(holder, _role)| *holder != account);
        if role > Role::Member {
            room.roles.push((account, role));
        }
    }

    /// Who owns a room when that account goes, and nobody else owns it: the one who has been a moderator
    /// for longest; where there is none, the member with the smallest id, which is drawn like a lot.
    /// Neither a program nor a disabled account. `None`: another owner stays, or nobody is left who could.
    fn successor_in(&self, room: &Room, account: AccountId) -> Option<AccountId> {
        if !room.owners().eq([account]) {
            return None;
        }
        let could = |other: &AccountId| *other != account && self.could_own(*other);
        room.moderators().find(could).or_else(|| room.members.iter().find(could))
    }

    /// Whether an account can keep order: somebody's, who signs in to it.
    fn could_own(&self, account: AccountId) -> bool {
        let is_enabled = |it: &super::Account| it.disabled.is_none();
        self.accounts.get(&account).is_some_and(is_enabled) && !self.bots.contains_key(&account)
    }

    pub(super) fn roles(&self) -> impl Iterator<Item = (RoomId, AccountId, Role)> {
        let rooms = self.rooms.iter();
        rooms.flat_map(|(id, room)| room.roles.iter().map(|(holder, role)| (*id, *holder, *role)))
    }
}

impl Transition<'_> {
    /// Gives a member another role.
    pub(super) fn set_role(
        &mut self,
        by: AccountId,
        room: RoomId,
        account: AccountId,
        role: Role,
    ) -> Result<(), Refusal> {
        let known = self.access(by).can_set_role(room, account, role)?;
        if known.role_of(account) != Some(role) {
            self.append(room.into(), Content::RoleSet { by: Some(by), account, role });
        }
        Ok(())
    }

    /// Whoever comes into a room in which nobody is any more who could own it does, unless it is the
    /// daemon's.
    pub(super) fn take_over(&mut self, room: RoomId, account: AccountId) {
        let could = |member: AccountId| self.state.could_own(member);
        let is_free = |known: &Room| {
            !known.is_permanent
                && known.owners().next().is_none()
                && !known.members.iter().any(could)
        };
        if self.state.rooms.get(&room).is_some_and(is_free) {
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
        } else if let Some(successor) = self.state.successor_in(known, account) {
            let content = Content::RoleSet { by: None, account: successor, role: Role::Owner };
            self.append(room.into(), content);
        }
        // Behind what may be deleted: no store takes the place of its newest event another time.
        self.append(account.into(), told);
    }
}
