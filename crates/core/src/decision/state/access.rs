//! Who may know of, read and post in what: the one place where that is decided.
//!
//! Whoever answers a request gets rooms, logs and names from here only; the state gives them to
//! nobody else. What an account does not know of is answered as if it were not there, so that
//! nobody learns by guessing ids. Whoever may not post somewhere is told so before anything else, so
//! that nobody learns by what is wrong with a request. It must not know what is asked for, and why.

mod accounts;
mod bots;
mod invitations;

use chat_proto::{AccountId, CredentialId, LogId, Role, RoomId, RoomName, Seq, Timestamp};

use super::{Account, Room, Sanction, State};
use crate::{Named, Refusal, SanctionKind};

/// What one account may do.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Access<'a> {
    state: &'a State,
    account: AccountId,
    /// What ends by itself is over from its time on.
    now: Timestamp,
}

impl State {
    /// What an account may do, as of the newest event; [`Access::at`] says another time.
    pub(crate) fn access(&self, account: AccountId) -> Access<'_> {
        Access { state: self, account, now: self.last_ts }
    }

    /// Whether a credential speaks for its account: not one that was taken from it, whatever of it is
    /// still under way.
    pub(crate) fn accepts(&self, credential: CredentialId) -> Result<(), Refusal> {
        match self.revoked.contains_key(&credential) {
            true => Err(Refusal::CredentialRevoked),
            false => Ok(()),
        }
    }
}

impl State {
    /// Who alone may read a room, in order of their ids; `None`: everybody, or it is not there.
    pub(crate) fn sole_readers(&self, room: RoomId) -> Option<Vec<AccountId>> {
        let room = self.rooms.get(&room).filter(|room| !room.is_public);
        room.map(|room| room.members.iter().collect())
    }
}

#[cfg(test)]
impl State {
    /// From now on only its members know of a room.
    pub(crate) fn hide(&mut self, room: RoomId) {
        self.rooms.get_mut(&room).expect("it is there").is_public = false;
    }

    /// Nobody is more than a member of a room any more.
    pub(crate) fn forget_roles(&mut self, room: RoomId) {
        self.rooms.get_mut(&room).expect("it is there").roles.clear();
    }

    /// The same state, but that room was never made.
    pub(crate) fn without_room(mut self, id: RoomId) -> Self {
        let room = self.rooms.remove(&id).expect("it is there");
        self.room_names.free(&room.keys);
        for account in self.accounts.values_mut() {
            account.rooms.remove(id);
            account.invitations.remove(id);
            account.named_in.remove(id);
        }
        self
    }
}

impl<'a> Access<'a> {
    /// The same at a time: of a command its own, of a question the time that it is answered at.
    pub(crate) fn at(self, now: Timestamp) -> Self {
        Self { now, ..self }
    }

    /// A room that the account knows of, and is not banned from. A ban is told of only where everybody
    /// knows of the room.
    pub(crate) fn knows_of(self, id: RoomId) -> Result<&'a Room, Refusal> {
        let room = self.can_leave(id)?;
        self.ban_from(room).map_or(Ok(room), Err)
    }

    /// A room of which the account can end its membership, or have none: those that it knows of, or would
    /// know of without a ban.
    pub(crate) fn can_leave(self, id: RoomId) -> Result<&'a Room, Refusal> {
        let room = self.state.rooms.get(&id).filter(|room| self.sees(room));
        room.ok_or_else(|| unknown_room(id))
    }

    /// The room of that name, when the account knows of it: the same name but for case.
    pub(crate) fn room_named(self, name: &Named<RoomName>) -> Result<RoomId, Refusal> {
        let unknown = || Refusal::UnknownRoom { room: format!("#{}", name.name) };
        let id = self.state.room_named(&name.keys).ok_or_else(unknown)?;
        match self.knows_of(id) {
            Ok(_known) => Ok(id),
            Err(banned @ Refusal::Banned { .. }) => Err(banned),
            Err(_hidden) => Err(unknown()),
        }
    }

    /// The rooms that the account knows of, behind an id.
    pub(crate) fn rooms_after(self, after: RoomId) -> impl Iterator<Item = (RoomId, &'a Room)> {
        let behind = self.state.rooms.range(RoomId(after.0.saturating_add(1))..);
        let is_open = move |room: &Room| self.sees(room) && self.ban_from(room).is_none();
        behind.filter(move |(_id, room)| is_open(room)).map(|(id, room)| (*id, room))
    }

    /// The head of a log that the account can read: its own, and those of rooms that are public or that
    /// it is a member of. The server's own is for those who look after the server, of whom there are none
    /// yet.
    pub(crate) fn can_read(self, log: LogId) -> Result<Seq, Refusal> {
        match self.knows_of(RoomId(log.0)) {
            Ok(room) if self.reads(room) && self.may_read() => return Ok(room.head),
            Err(banned @ Refusal::Banned { .. }) => return Err(banned),
            Ok(_) | Err(_) => {}
        }
        let own = self.account(self.account).filter(|_own| log == self.account.into());
        own.map(|own| own.head).ok_or(Refusal::NotReadable { log: log.0 })
    }

    /// A room that the account can post in: its members can, but for those who are mute; of a read-only
    /// one those who keep order there.
    pub(crate) fn can_post(self, id: RoomId) -> Result<&'a Room, Refusal> {
        let room = self.can_report(id)?;
        if room.is_read_only && room.role_of(self.account) == Some(Role::Member) {
            return Err(Refusal::ReadOnly { room: self.called(room) });
        }
        match room.sanctions.on(SanctionKind::Mute, self.account, self.now) {
            None => Ok(room),
            Some(Sanction { until, reason, .. }) => {
                let (room, until) = (room.name.to_string(), *until);
                Err(Refusal::Muted { room, until, reason: reason.clone() })
            }
        }
    }

    /// A room in which the account can say something now: where it can post, and in a slow room has not
    /// said anything a moment ago. Who keeps order there does not wait.
    pub(crate) fn can_speak(self, id: RoomId) -> Result<&'a Room, Refusal> {
        let room = self.can_post(id)?;
        match room.sanctions.wait_ms(self.account, self.now) {
            0 => Ok(room),
            _ if self.can_rule(id, Role::Moderator).is_ok() => Ok(room),
            wait_ms => Err(Refusal::SlowMode { room: room.name.to_string(), wait_ms }),
        }
    }

    /// A room whose messages the account can show to its moderators: that of a member, also of one who is
    /// mute.
    pub(crate) fn can_report(self, id: RoomId) -> Result<&'a Room, Refusal> {
        let room = self.knows_of(id)?;
        match room.role_of(self.account) {
            None => Err(Refusal::NotMember { room: self.called(room) }),
            Some(_role) => self.may_send().map(|()| room),
        }
    }

    /// A room whose members the account may know.
    pub(crate) fn can_list(self, id: RoomId) -> Result<&'a Room, Refusal> {
        let room = self.knows_of(id)?;
        match self.reads(room) {
            true => Ok(room),
            false => Err(Refusal::NotMember { room: self.called(room) }),
        }
    }

    /// A room in which the account has this role, or one above it. Whoever is no member learns no more
    /// than of a post.
    pub(crate) fn can_rule(self, id: RoomId, least: Role) -> Result<&'a Room, Refusal> {
        let room = self.knows_of(id)?;
        // A program does what its token is for, whatever it is in the room.
        self.within_scope("keep order", |_scope| false)?;
        match self.role_in(room) {
            Some(role) if role >= least => Ok(room),
            Some(_lower) => Err(Refusal::RoleTooLow { room: self.called(room), least }),
            None => Err(Refusal::NotMember { room: self.called(room) }),
        }
    }

    /// A room in which the account can act on somebody, and on what that one has said: as a moderator or
    /// an owner, and on nobody of its own role or above; owners can on each other, since the one who acts
    /// stays. Whom it is about need not be a member.
    pub(crate) fn can_moderate(self, id: RoomId, target: AccountId) -> Result<&'a Room, Refusal> {
        let room = self.can_rule(id, Role::Moderator)?;
        let own = self.role_in(room);
        let is_above = own > room.role_of(target);
        let is_equal = own == Some(Role::Owner) && target != self.account;
        // Whoever rules over the room is above its owners.
        let is_ruler = self.state.access(target).rules_over(room) && !self.rules_over(room);
        match !is_ruler && (is_above || is_equal) {
            true => Ok(room),
            false => Err(Refusal::Outranked { room: self.called(room) }),
        }
    }

    /// A room in which the account can give a member this role: owners any, moderators none above
    /// member. Everybody can go back to a lower one, but for the only owner.
    pub(crate) fn can_set_role(
        self,
        id: RoomId,
        target: AccountId,
        role: Role,
    ) -> Result<&'a Room, Refusal> {
        let room = match target == self.account {
            true => self.can_rule(id, role)?,
            false => self.can_moderate(id, target)?,
        };
        let name = || self.called(room);
        let (own, held) = (self.role_in(room), room.role_of(target));
        if role > Role::Member && own != Some(Role::Owner) && target != self.account {
            return Err(Refusal::RoleTooLow { room: name(), least: Role::Owner });
        }
        if role > Role::Member {
            self.state.access(target).within_scope("keep order", |_scope| false)?;
        }
        match held {
            None => Err(Refusal::NoSuchMember { room: name() }),
            Some(Role::Owner) if role < Role::Owner && room.owners().eq([target]) => {
                Err(Refusal::LastOwner { room: name() })
            }
            Some(_held) => Ok(room),
        }
    }

    /// The account itself, with what nobody else sees of it.
    pub(crate) fn own_account(self) -> Result<&'a Account, Refusal> {
        self.account(self.account).ok_or(Refusal::NotReadable { log: self.account.0 })
    }

    /// The bans of a room in which the account keeps order, behind an account.
    pub(crate) fn bans_after(
        self,
        id: RoomId,
        after: AccountId,
    ) -> Result<impl Iterator<Item = (AccountId, &'a Sanction)>, Refusal> {
        let room = self.can_rule(id, Role::Moderator)?;
        Ok(room.sanctions.after(SanctionKind::Ban, after, self.now))
    }

    /// A room of which the account can set something, with this role or one above it. Nothing can be set
    /// of a conversation of two.
    pub(crate) fn can_set(self, id: RoomId, least: Role) -> Result<&'a Room, Refusal> {
        let room = self.knows_of(id)?;
        match room.direct {
            Some(_two) => Err(Refusal::NotPossible { what: "that in a conversation of two" }),
            None => self.can_rule(id, least),
        }
    }

    /// The room that the account becomes a member of under a name; `None`: one that it makes. That
    /// a name is taken can be hidden from nobody, but by what is told nobody: it is the same sentence for
    /// every room that there is.
    pub(crate) fn can_join(self, name: &Named<RoomName>) -> Result<Option<RoomId>, Refusal> {
        match self.room_named(name) {
            Ok(room) => Ok(Some(room)),
            Err(banned @ Refusal::Banned { .. }) => Err(banned),
            Err(_unknown) => self.can_create(name).map(|()| None),
        }
    }

    /// Whether the account can begin a conversation of two.
    pub(crate) fn can_talk(self) -> Result<(), Refusal> {
        self.may_join()
    }

    /// Whether the account can make a room of that name.
    pub(crate) fn can_create(self, name: &Named<RoomName>) -> Result<(), Refusal> {
        // Whoever may not learns nothing of rooms that it was not put into.
        self.may_join()?;
        match self.state.room_names.holder(&name.keys) {
            None => Ok(()),
            Some(_holder) => {
                let (wished, holder) = (format!("#{}", name.name), "another room".to_owned());
                Err(Refusal::NameTaken { wished, holder })
            }
        }
    }

    /// The members of a room that the account may read, behind an id, with their accounts.
    pub(crate) fn members_after(
        self,
        room: &'a Room,
        after: AccountId,
    ) -> impl Iterator<Item = (AccountId, &'a Account)> + 'a {
        debug_assert!(self.reads(room), "who is in a room is for those who read it");
        let known = move |id| self.state.accounts.get(&id).map(|account| (id, account));
        room.members.after(after).filter_map(known)
    }

    /// What a room is called where the account is told of it: a conversation of two is called after the
    /// other, as no room can be.
    pub(crate) fn title(self, room: &Room) -> String {
        let Some(other) = room.other_than(self.account) else { return room.name.to_string() };
        let other = self.state.accounts.get(&other);
        format!("@{}", other.map_or("?", |other| other.name.as_str()))
    }

    /// The same with its sigil.
    fn called(self, room: &Room) -> String {
        match room.direct {
            Some(_two) => self.title(room),
            None => format!("#{}", room.name),
        }
    }

    fn sees(self, room: &Room) -> bool {
        self.reads(room)
            || self.rules_over(room)
            || self.may_join().is_ok()
                && (room.invited.contains(self.account) && self.ban_from(room).is_none()
                    || room.direct.is_some_and(|two| two.contains(&self.account)))
    }

    /// Whether what is in its log is for the account. Whoever rules over a room without being a member
    /// reads it only where everybody does.
    fn reads(self, room: &Room) -> bool {
        let is_open = room.is_public && (self.may_join().is_ok() || self.rules_over(room));
        is_open || room.members.contains(self.account)
    }

    /// What keeps the account out of a room: nothing, where it rules over it.
    fn ban_from(self, room: &Room) -> Option<Refusal> {
        if self.rules_over(room) {
            return None;
        }
        let ban = room.sanctions.on(SanctionKind::Ban, self.account, self.now)?;
        debug_assert!(!room.members.contains(self.account), "who is banned is no member");
        let (room, until) = (room.name.to_string(), ban.until);
        Some(Refusal::Banned { room, until, reason: ban.reason.clone() })
    }
}

fn unknown_room(id: RoomId) -> Refusal {
    Refusal::UnknownRoom { room: format!("with the id {id}") }
}
