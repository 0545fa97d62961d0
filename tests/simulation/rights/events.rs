//! What each event changes in the model.

use chat_core::{Content, Event};
use chat_proto::{AccountId, LogId, Role, RoomId, Timestamp};

use super::{Rights, RoomRights, Whose};

impl Rights {
    #[expect(clippy::wildcard_enum_match_arm, reason = "no other event says any of this")]
    pub(super) fn fold(&mut self, event: &Event) {
        let (room, own) = (RoomId(event.log.0), AccountId(event.log.0));
        match &event.content {
            Content::AccountCreated { .. } => drop(self.accounts.insert(own)),
            Content::AccountDisabled { .. } => {
                self.disabled.insert(own);
                self.signed_out.push((self.end, own));
            }
            Content::AccountEnabled { .. } => drop(self.disabled.remove(&own)),
            Content::CredentialRemoved { credential } => {
                self.revoked.push((self.end, credential.id()));
            }
            Content::RoomCreated { by, .. } => {
                let owner = by.iter().map(|by| (*by, Role::Owner)).collect();
                self.rooms.insert(room, RoomRights { members: owner, ..RoomRights::default() });
            }
            Content::DirectBegun { by, account } => {
                let between = Some([*by, *account]);
                let direct = RoomRights { is_private: true, between, ..RoomRights::default() };
                self.rooms.insert(room, direct);
            }
            Content::RoomRemoved {} => drop(self.rooms.remove(&room)),
            _ => self.fold_in_room(event),
        }
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "no other event says any of this")]
    fn fold_in_room(&mut self, event: &Event) {
        let (log, end) = (event.log, self.end);
        let Some(room) = self.rooms.get_mut(&RoomId(log.0)) else { return };
        let ends = match &event.content {
            Content::Joined { account } => {
                room.joined(*account);
                None
            }
            Content::Left { account } | Content::Kicked { account, .. } => {
                room.members.remove(account);
                room.is_private.then_some(Whose::Account(*account))
            }
            Content::Banned { account, until, .. } => {
                room.members.remove(account);
                room.bans.insert(*account, *until);
                Some(Whose::Account(*account))
            }
            Content::AccessSet { is_private, .. } => {
                room.is_private = *is_private;
                let members = || room.members.keys().copied().collect();
                is_private.then(|| Whose::OthersThan(members()))
            }
            _ => {
                room.set(event);
                None
            }
        };
        self.ended.entry(log).or_default().extend(ends.map(|whose| (end, whose)));
        self.note_named(event);
    }

    /// The log of a room tells of people: whoever may read it may know their names.
    #[expect(clippy::wildcard_enum_match_arm, reason = "no other event is about somebody")]
    fn note_named(&mut self, event: &Event) {
        let LogId(id) = event.log;
        let Some(room) = self.rooms.get_mut(&RoomId(id)) else { return };
        match &event.content {
            Content::Joined { account }
            | Content::Banned { account, .. }
            | Content::Muted { account, .. }
            | Content::InvitationSet { account, .. } => drop(room.named.insert(*account)),
            _ => {}
        }
        if !room.is_private {
            self.known.extend(&room.named);
        }
    }
}

impl RoomRights {
    fn joined(&mut self, account: AccountId) {
        self.members.entry(account).or_insert(Role::Member);
        self.bans.remove(&account);
        self.invited.remove(&account);
        self.had_members = true;
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "no other event says any of this")]
    fn set(&mut self, event: &Event) {
        match &event.content {
            Content::Unbanned { account, .. } => drop(self.bans.remove(account)),
            Content::Muted { account, until, .. } => drop(self.mutes.insert(*account, *until)),
            Content::Unmuted { account, .. } => drop(self.mutes.remove(account)),
            Content::InvitationSet { account, is_set: true, .. } => {
                self.invited.insert(*account);
            }
            Content::InvitationSet { account, is_set: false, .. } => {
                self.invited.remove(account);
            }
            Content::ReadOnlySet { is_read_only, .. } => self.is_read_only = *is_read_only,
            Content::RoleSet { account, role, .. } => drop(self.members.insert(*account, *role)),
            Content::SlowSet { seconds, .. } => {
                self.slow_seconds = *seconds;
                self.last_posts.clear();
            }
            Content::Posted { from, .. } => self.note_post(*from, event.ts),
            _ => {}
        }
    }

    fn note_post(&mut self, from: AccountId, ts: Timestamp) {
        if self.slow_seconds > 0 {
            self.last_posts.insert(from, ts);
        }
    }
}
