//! Rooms and memberships.

use chat_proto::limits::ROOMS_PER_ACCOUNT_MAX;
use chat_proto::{AccountId, Epoch, RoomId, RoomName};

use super::{Answer, RULES, State, Transition};
use crate::{Content, Genesis, Named, Refusal, StoreSecret};

impl State {
    /// The beginning of the logs, unless they have begun. Another life keeps the secret of the first:
    /// its ids are given.
    pub(super) fn decide_genesis(&self, epoch: Epoch, secret: StoreSecret) -> Option<Genesis> {
        debug_assert!(epoch != Epoch(0), "whoever draws it leaves out the one that is none");
        let secret = self.secret.unwrap_or(secret);
        (!self.has_begun()).then_some(Genesis { epoch, rules: RULES, secret })
    }
}

impl Transition<'_> {
    /// Makes a room when it is not there, in nobody's name. The logs need not have their secret yet.
    pub(super) fn ensure_room(
        &mut self,
        secret: StoreSecret,
        name: Named<RoomName>,
    ) -> Result<Answer, Refusal> {
        if let Some(id) = self.state.room_named(&name.keys) {
            return Ok(Answer::Room(id));
        }
        if let Some(id) = self.state.room_names.holder(&name.keys) {
            let holder = self.state.rooms.get(&id).map(|room| format!("#{}", room.name));
            let (wished, holder) = (format!("#{}", name.name), holder.unwrap_or_default());
            return Err(Refusal::NameTaken { wished, holder });
        }
        Ok(Answer::Room(self.create_room(secret, None, name)))
    }

    /// Makes an account a member; a room is there once somebody joins it.
    pub(super) fn join(
        &mut self,
        account: AccountId,
        name: Named<RoomName>,
    ) -> Result<Answer, Refusal> {
        let Some(joining) = self.state.accounts.get(&account) else {
            return Err(Refusal::NotReadable { log: account.0 });
        };
        let known = self.access(account).can_join(&name);
        if let Ok(Some(room)) = known
            && joining.rooms.contains(room)
        {
            return Ok(Answer::Room(room));
        }
        if joining.rooms.len() >= ROOMS_PER_ACCOUNT_MAX {
            return Err(Refusal::TooManyRooms);
        }
        let room = match known? {
            Some(room) => room,
            None => self.create_room(self.state.secret(), Some(account), name),
        };
        self.append(room.into(), Content::Joined { account });
        self.take_over(room, account);
        self.append(account.into(), Content::RoomJoined { room });
        Ok(Answer::Room(room))
    }

    /// Makes a room, also one of which nobody else is to know.
    pub(super) fn open_room(
        &mut self,
        account: AccountId,
        name: Named<RoomName>,
        is_private: bool,
    ) -> Result<Answer, Refusal> {
        let Some(creator) = self.state.accounts.get(&account) else {
            return Err(Refusal::NotReadable { log: account.0 });
        };
        self.access(account).can_create(&name)?;
        if creator.rooms.len() >= ROOMS_PER_ACCOUNT_MAX {
            return Err(Refusal::TooManyRooms);
        }
        let room = self.create_room(self.state.secret(), Some(account), name);
        if is_private {
            self.append(room.into(), Content::AccessSet { by: account, is_private });
        }
        self.append(room.into(), Content::Joined { account });
        self.append(account.into(), Content::RoomJoined { room });
        Ok(Answer::Room(room))
    }

    /// Ends a membership, or declines an invitation.
    pub(super) fn leave(&mut self, account: AccountId, room: RoomId) -> Result<Answer, Refusal> {
        let known = self.access(account).can_leave(room)?;
        if known.members.contains(account) {
            let told = Content::RoomLeft { room };
            self.end_membership(room, account, Content::Left { account }, told);
        } else if known.invited.contains(account) {
            self.set_invited(account, room, account, None);
        }
        Ok(Answer::Done)
    }

    /// Makes a room under a name that nobody holds.
    fn create_room(
        &mut self,
        secret: StoreSecret,
        by: Option<AccountId>,
        name: Named<RoomName>,
    ) -> RoomId {
        let id = RoomId(self.state.next_id(secret));
        self.append(id.into(), Content::RoomCreated { by, name });
        id
    }
}
