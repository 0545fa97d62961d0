//! What is set of rooms: who knows of one, who may join it, what it is about, who may post.
//!
//! Who may set it is decided by [`super::Access`].

use chat_proto::limits::{ROOM_INVITATIONS_MAX, ROOMS_PER_ACCOUNT_MAX, TOPIC_BYTES_MAX};
use chat_proto::{AccountId, Role, RoomId, RoomName, TextError};

use super::{Answer, Room, State, Transition};
use crate::{Content, Refusal, RoomChange, RoomSetting};

impl State {
    /// What was set of a room counts from now on.
    pub(super) fn set(&mut self, id: RoomId, setting: RoomSetting<'_>) {
        match setting {
            RoomSetting::Access { is_private } => self.set_access(id, is_private),
            RoomSetting::Invitation { account, is_set } => {
                self.set_invitation(id, account, is_set);
                self.note_named(id, account);
            }
            RoomSetting::Topic(topic) => {
                if let Some(room) = self.rooms.get_mut(&id) {
                    topic.clone_into(&mut room.topic);
                }
            }
            RoomSetting::ReadOnly { is_read_only } => {
                if let Some(room) = self.rooms.get_mut(&id) {
                    room.is_read_only = is_read_only;
                }
            }
        }
    }

    fn set_access(&mut self, id: RoomId, is_private: bool) {
        let Some(room) = self.rooms.get_mut(&id) else { return };
        room.is_public = !is_private;
        if room.is_public {
            // Whoever may read its log may know whom it is about.
            let named: Vec<_> = room.named.iter().collect();
            named.into_iter().for_each(|account| self.make_known(account));
        }
    }

    /// Everybody may know an account's name: no room needs to say that its members may.
    fn make_known(&mut self, id: AccountId) {
        let Some(account) = self.accounts.get_mut(&id) else { return };
        account.is_known = true;
        for room in std::mem::take(&mut account.named_in).iter() {
            let room = self.rooms.get_mut(&room);
            room.into_iter().for_each(|room| room.named.remove(id));
        }
    }

    pub(super) fn set_invitation(&mut self, id: RoomId, account: AccountId, is_set: bool) {
        let room = self.rooms.get_mut(&id).map(|room| &mut room.invited);
        let held = self.accounts.get_mut(&account).map(|account| &mut account.invitations);
        let (Some(invited), Some(invitations)) = (room, held) else { return };
        if is_set {
            invited.insert(account);
            invitations.insert(id);
        } else {
            invited.remove(account);
            invitations.remove(id);
        }
    }

    /// A room's log tells of an account: whoever may read the log may know its name, for as long as the
    /// log is there.
    pub(super) fn note_named(&mut self, id: RoomId, account: AccountId) {
        let room = self.rooms.get_mut(&id);
        let (Some(room), Some(held)) = (room, self.accounts.get_mut(&account)) else { return };
        if held.is_known {
            return;
        }
        if room.is_public {
            self.make_known(account);
        } else {
            room.named.insert(account);
            held.named_in.insert(id);
        }
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
        let access = self.access(by);
        match change {
            RoomChange::Role { account, role } => self.set_role(by, room, account, role)?,
            RoomChange::Access { is_private } => {
                let known = access.can_set(room, Role::Owner)?;
                if known.is_public == is_private {
                    self.append(room.into(), Content::AccessSet { by, is_private });
                }
            }
            RoomChange::Invitation { account, is_set } => {
                let known = access.can_set(room, Role::Moderator)?;
                self.invite(by, (room, known), account, is_set)?;
            }
            RoomChange::Topic { topic } => {
                let known = access.can_set(room, Role::Moderator)?;
                check_topic(&topic)?;
                if known.topic != topic {
                    self.append(room.into(), Content::TopicSet { by, topic });
                }
            }
            RoomChange::ReadOnly { is_read_only } => {
                let known = access.can_set(room, Role::Moderator)?;
                if known.is_read_only != is_read_only {
                    self.append(room.into(), Content::ReadOnlySet { by, is_read_only });
                }
            }
        }
        Ok(Answer::Done)
    }

    fn invite(
        &mut self,
        by: AccountId,
        (id, room): (RoomId, &Room),
        account: AccountId,
        is_set: bool,
    ) -> Result<(), Refusal> {
        let Some(held) = self.state.accounts.get(&account) else {
            return Err(Refusal::NoSuchAccount);
        };
        let is_invited = room.invited.contains(account);
        if is_invited == is_set || is_set && room.members.contains(account) {
            return Ok(());
        }
        if is_set && room.invited.len() >= ROOM_INVITATIONS_MAX {
            return Err(Refusal::TooManyInvited { room: room.name.to_string() });
        }
        if is_set && held.invitations.len() >= ROOMS_PER_ACCOUNT_MAX {
            return Err(Refusal::NotPossible { what: "one more invitation of that account" });
        }
        let name = is_set.then(|| room.name.clone());
        self.set_invited(by, id, account, name);
        Ok(())
    }

    /// An account may join a room of that name; `None`: it may not any more.
    pub(super) fn set_invited(
        &mut self,
        by: AccountId,
        room: RoomId,
        account: AccountId,
        name: Option<RoomName>,
    ) {
        let is_set = name.is_some();
        self.append(room.into(), Content::InvitationSet { by, account, is_set });
        self.append(
            account.into(),
            match name {
                Some(name) => Content::RoomInvited { room, by, name },
                None => Content::InvitationWithdrawn { room },
            },
        );
    }
}

fn check_topic(topic: &str) -> Result<(), Refusal> {
    match topic.len() {
        bytes if bytes > TOPIC_BYTES_MAX => Err(Refusal::TopicTooLong { bytes }),
        _ if topic.contains('\0') => Err(TextError::Nul.into()),
        _ => Ok(()),
    }
}
