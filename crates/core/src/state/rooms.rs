//! Rooms and memberships.

use chat_proto::limits::ROOMS_PER_ACCOUNT_MAX;
use chat_proto::{AccountId, RoomId, RoomName, Seq};

use super::{Answer, Appender, Room};
use crate::idset::IdSet;
use crate::{Content, Refusal};

impl Appender<'_> {
    /// Makes a room when it is not there, in nobody's name.
    pub(super) fn ensure_room(&mut self, name: RoomName) -> Result<Answer, Refusal> {
        match self.state.room_named(&name) {
            Some(id) => Ok(Answer::Room(id)),
            None => self.create_room(None, name).map(Answer::Room),
        }
    }

    /// Makes an account a member; a room is there once somebody joins it.
    pub(super) fn join(&mut self, account: AccountId, name: RoomName) -> Result<Answer, Refusal> {
        let Some(joining) = self.state.accounts.get(&account) else {
            return Err(Refusal::NotReadable { log: account.0 });
        };
        let known = self.state.room_named(&name);
        if let Some(room) = known.filter(|room| joining.rooms.contains(*room)) {
            return Ok(Answer::Room(room));
        }
        if joining.rooms.len() >= ROOMS_PER_ACCOUNT_MAX {
            return Err(Refusal::TooManyRooms);
        }
        let room = match known {
            Some(room) => room,
            None => self.create_room(Some(account), name)?,
        };
        self.state.link(room, account);
        self.append(room.into(), Content::Joined { account });
        self.append(account.into(), Content::RoomJoined { room });
        Ok(Answer::Room(room))
    }

    /// Ends a membership.
    pub(super) fn leave(&mut self, account: AccountId, room: RoomId) -> Result<Answer, Refusal> {
        let Some(left) = self.state.rooms.get(&room) else {
            return Err(Refusal::UnknownRoom { room: format!("with the id {room}") });
        };
        if left.members.contains(account) {
            self.state.unlink(room, account);
            self.append(room.into(), Content::Left { account });
            self.append(account.into(), Content::RoomLeft { room });
        }
        Ok(Answer::Done)
    }

    fn create_room(&mut self, by: Option<AccountId>, name: RoomName) -> Result<RoomId, Refusal> {
        if let Some(holder) = self.state.room_names.holder(name.as_str()) {
            return Err(self.room_name_taken(&name, holder));
        }
        let id = RoomId(self.state.take_id());
        self.state.room_names.claim(name.as_str(), id).expect("nobody holds it");
        let room = Room { name: name.clone(), head: Seq::ZERO, members: IdSet::default() };
        self.state.rooms.insert(id, room);
        self.append(id.into(), Content::RoomCreated { by, name });
        Ok(id)
    }

    fn room_name_taken(&self, wished: &RoomName, holder: RoomId) -> Refusal {
        let holder = self.state.rooms.get(&holder).map(|room| format!("#{}", room.name));
        Refusal::NameTaken { wished: format!("#{wished}"), holder: holder.unwrap_or_default() }
    }
}
