//! Who may make invitations, into which rooms, and see or end them.

use chat_proto::{InvitationId, Role, RoomId};

use super::{Access, unknown_room};
use crate::decision::state::{InvitationRow, Room};
use crate::{OPERATOR, Refusal};

impl<'a> Access<'a> {
    /// Makes invitations: every account of a person can, and the operator.
    pub(crate) fn can_invite(self) -> Result<(), Refusal> {
        self.within_scope("invite others", |_scope| false)?;
        let is_there = self.is_operator() || self.state.accounts.contains_key(&self.account);
        is_there.then_some(()).ok_or(Refusal::NotReadable { log: self.account.0 })
    }

    /// A room into which the account can let somebody in: its members can, of a private one its moderators
    /// and owners, and the operator. Nobody can into a conversation of two.
    pub(crate) fn can_invite_into(self, id: RoomId) -> Result<&'a Room, Refusal> {
        if self.is_operator() {
            let room = self.state.rooms.get(&id).filter(|room| room.direct.is_none());
            return room.ok_or_else(|| unknown_room(id));
        }
        match self.knows_of(id)?.is_public {
            true => self.can_rule(id, Role::Member),
            false => self.can_set(id, Role::Moderator),
        }
    }

    /// An invitation that the account can end: its own, and the operator every one.
    pub(crate) fn can_revoke(self, id: InvitationId) -> Result<&'a InvitationRow, Refusal> {
        let found = self.state.invitations.at(id);
        let own = found.filter(|row| row.by == self.account || self.is_operator());
        own.ok_or(Refusal::UnknownInvitation)
    }

    /// The invitations that the account can see, behind an id: its own, and the operator all.
    pub(crate) fn invitations_after(
        self,
        after: InvitationId,
    ) -> Box<dyn Iterator<Item = &'a InvitationRow> + 'a> {
        match self.is_operator() {
            true => Box::new(self.state.invitations.after(after)),
            false => Box::new(self.state.invitations.of(self.account, after)),
        }
    }

    fn is_operator(self) -> bool {
        self.account == OPERATOR
    }
}
