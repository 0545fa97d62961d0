//! Queries: what the asker is told of the committed state.
//!
//! Owns what each answer is made of. Which rooms, logs and names may be in it is decided by
//! [`Access`] alone: there is no other way to them from here.

use std::collections::BTreeSet;

use chat_proto::limits::{
    HISTORY_MESSAGES_MAX, INVITATIONS_PAGE_MAX, PAGE_ITEMS_MAX, SANCTIONS_PAGE_MAX,
    SUBSCRIBED_MEMBERS_MAX,
};
use chat_proto::{
    AccountId, AccountInfo, AccountList, Accounts, Device, DeviceList, Devices, Epoch, FindAccount,
    FindRoom, History, InvitationInfo, InvitationList, Invitations, List, LogId, Member,
    MemberList, MemberRef, Members, Nickname, Ping, Pong, Position, QueryRequest, Reset, RoomId,
    RoomInfo, RoomList, RoomName, Rooms, Seq, Subscribe, Unsubscribe,
};

use chat_proto::{BanInfo, BanList, Bans, Timestamp};

use super::Presence;
use crate::decision::state::{Access, HeldCredential, Room};
use crate::{
    HistoryRead, InvitationRow, Named, Opening, Refusal, Reply, Roster, Sanction, State, StoreRead,
};

/// Bytes of names and topics, and of what stands beside them, after which a page has no more rooms: one
/// more fits a frame.
const ROOM_LIST_BYTES: usize = 48 * 1024;

/// What stands beside a name and a topic, in bytes.
const ROOM_BYTES: usize = 64;

/// How a query is answered.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Answered {
    /// With this.
    Reply(Reply),
    /// With a page that is to be read from the store.
    Read(StoreRead),
    /// When the log has come so far.
    Ahead(LogId, Position),
}

/// A query at work.
#[derive(Clone, Copy)]
pub(super) struct Asker<'a> {
    access: Access<'a>,
    account: AccountId,
    epoch: Epoch,
    presence: &'a Presence,
}

impl<'a> Asker<'a> {
    pub(super) fn new(
        state: &'a State,
        presence: &'a Presence,
        account: AccountId,
        now: Timestamp,
    ) -> Self {
        let access = state.access(account).at(now);
        Self { access, account, epoch: state.epoch(), presence }
    }

    pub(super) fn answer(self, query: &QueryRequest) -> Result<Answered, Refusal> {
        self.access.may_act()?;
        Ok(Answered::Reply(match query {
            QueryRequest::Subscribe(asked) => return self.subscribe(asked),
            QueryRequest::Unsubscribe(Unsubscribe { log }) => Reply::Unsubscribed(*log),
            QueryRequest::History(asked) => return Ok(Answered::Read(self.history(asked)?)),
            QueryRequest::FindRoom(FindRoom { name }) => {
                let id = self.access.room_named(&RoomName::parse(name)?.into())?;
                self.room(id)?
            }
            QueryRequest::Rooms(asked) => Reply::Rooms(self.rooms(asked)),
            QueryRequest::Members(asked) => Reply::Members(self.members(asked)?),
            QueryRequest::Bans(asked) => Reply::Bans(Box::new(self.bans(asked)?)),
            QueryRequest::Accounts(asked) => Reply::Accounts(self.accounts(asked)),
            QueryRequest::Invitations(asked) => Reply::Invitations(self.invitations(asked)),
            QueryRequest::FindAccount(FindAccount { name }) => {
                Reply::Accounts(self.account_named(&Nickname::parse(name)?.into()))
            }
            QueryRequest::Ping(Ping { token }) => Reply::Pong(Pong { token: *token }),
            QueryRequest::Devices(Devices {}) => Reply::Devices(self.devices()?),
        }))
    }

    /// What is told of one room.
    pub(super) fn room(self, id: RoomId) -> Result<Reply, Refusal> {
        let room = self.access.knows_of(id)?;
        Ok(Reply::Room(Box::new(self.room_info(id, room))))
    }

    fn subscribe(self, &Subscribe { log, after }: &Subscribe) -> Result<Answered, Refusal> {
        let head = self.access.can_read(log)?;
        let epoch = self.epoch;
        let after = match after {
            None => head,
            Some(Position { seq: Seq::ZERO, .. }) => Seq::ZERO,
            Some(position) if position.epoch == epoch && position.seq <= head => position.seq,
            Some(position) if position.epoch == epoch => {
                return Ok(Answered::Ahead(log, position));
            }
            Some(_) => {
                return Ok(Answered::Reply(Reply::Reset(Reset { log, epoch, head })));
            }
        };
        Ok(Answered::Reply(Reply::Subscribed(Box::new(self.opening(log, after, head)))))
    }

    fn opening(self, log: LogId, after: Seq, head: Seq) -> Opening {
        let id = RoomId(log.0);
        let room = self.access.knows_of(id).ok();
        let account = || self.access.account(AccountId(log.0)).map(|held| held.name.to_string());
        let name = room.map(|room| self.access.title(room)).or_else(account).unwrap_or_default();
        let mut members = Roster::default();
        let first = room.into_iter().flat_map(|room| self.members_after(room, AccountId(0)));
        first.take(SUBSCRIBED_MEMBERS_MAX).for_each(|member| members.push(&member));
        Opening {
            log,
            epoch: self.epoch,
            after,
            head,
            name,
            topic: room.map(|room| room.topic.clone()).unwrap_or_default(),
            members,
            member_count: room.map_or(0, |room| count(room.members.len())),
            online: self.presence.online(id),
        }
    }

    fn history(self, &History { room: id, before, limit }: &History) -> Result<StoreRead, Refusal> {
        self.access.knows_of(id)?;
        let as_of = self.access.can_read(id.into())?;
        let limit = usize::from(limit).clamp(1, HISTORY_MESSAGES_MAX);
        let read = HistoryRead { room: id, epoch: self.epoch, before, limit, as_of };
        Ok(StoreRead::History(read))
    }

    fn room_info(self, id: RoomId, room: &Room) -> RoomInfo {
        RoomInfo {
            room: id,
            name: self.access.title(room),
            head: room.head,
            members: count(room.members.len()),
            online: self.presence.online(id),
            joined: room.members.contains(self.account),
            role: room.role_of(self.account).map_or(0, |role| role as u16),
            is_private: !room.is_public,
            is_read_only: room.is_read_only,
            with: room.other_than(self.account).unwrap_or_default(),
            topic: room.topic.clone(),
        }
    }

    fn rooms(self, asked: &Rooms) -> RoomList {
        let mut rest = self.access.rooms_after(asked.after).peekable();
        let (mut page, mut bytes) = (Vec::new(), 0);
        while page.len() < PAGE_ITEMS_MAX && bytes < ROOM_LIST_BYTES {
            let Some((id, room)) = rest.next() else { break };
            let info = self.room_info(id, room);
            bytes += ROOM_BYTES + info.name.len() + info.topic.len();
            page.push(info);
        }
        RoomList { rooms: List::first_of(page), more: rest.peek().is_some() }
    }

    fn invitations(self, asked: &Invitations) -> InvitationList {
        let mut rest = self.access.invitations_after(asked.after);
        let info = |row: &InvitationRow| InvitationInfo {
            invitation: row.id(),
            by: row.by,
            name: row.name.clone(),
            uses_left: row.uses_left,
            expires: row.expires,
            rooms: List::first_of(row.rooms.iter().copied()),
        };
        let invitations = List::first_of(rest.by_ref().take(INVITATIONS_PAGE_MAX).map(info));
        InvitationList { invitations, more: rest.next().is_some() }
    }

    fn members(self, &Members { room, after }: &Members) -> Result<MemberList, Refusal> {
        let mut rest = self.members_after(self.access.can_list(room)?, after);
        let owned = |member: MemberRef<'_>| {
            let MemberRef { account, name, online } = member;
            Member { account, name: name.to_owned(), online }
        };
        let members = List::first_of(rest.by_ref().take(PAGE_ITEMS_MAX).map(owned));
        Ok(MemberList { room, members, more: rest.next().is_some() })
    }

    fn members_after(
        self,
        room: &'a Room,
        after: AccountId,
    ) -> impl Iterator<Item = MemberRef<'a>> + 'a {
        self.access.members_after(room, after).map(move |(id, account)| {
            let name = account.name.as_str();
            MemberRef { account: id, name, online: self.presence.is_online(id) }
        })
    }

    fn devices(self) -> Result<DeviceList, Refusal> {
        let device = |held: &HeldCredential| Device {
            credential: held.id,
            kind: held.credential.kind() as u16,
            fingerprint: held.credential.fingerprint(),
            label: held.label.clone(),
            added: held.added,
        };
        let held = &self.access.own_account()?.credentials;
        Ok(DeviceList { devices: List::first_of(held.iter().map(device)) })
    }

    fn bans(self, &Bans { room: id, after }: &Bans) -> Result<BanList, Refusal> {
        let mut rest = self.access.bans_after(id, after)?;
        let name = |id| self.access.account(id).map(|held| held.name.to_string());
        let told = |(account, ban): (AccountId, &Sanction)| {
            let Sanction { by, since, until, reason } = ban.clone();
            let (name, by_name) = (name(account).unwrap_or_default(), name(by).unwrap_or_default());
            BanInfo { account, name, by, by_name, since, until, reason }
        };
        let bans = List::first_of(rest.by_ref().take(SANCTIONS_PAGE_MAX).map(told));
        Ok(BanList { room: id, bans, more: rest.next().is_some() })
    }

    fn accounts(self, asked: &Accounts) -> AccountList {
        let ids: BTreeSet<AccountId> = asked.ids.iter().copied().collect();
        let known = ids.iter().filter_map(|id| {
            let account = self.access.account(*id)?;
            Some(AccountInfo { account: *id, name: account.name.to_string() })
        });
        AccountList { accounts: List::first_of(known) }
    }

    fn account_named(self, name: &Named<Nickname>) -> AccountList {
        let found = self.access.account_named(name).ok();
        let found =
            found.map(|(account, held)| AccountInfo { account, name: held.name.to_string() });
        AccountList { accounts: List::first_of(found) }
    }
}

/// The answer while the store cannot be read. A cursor can be closed all the same, and a sign of
/// life given.
#[expect(clippy::wildcard_enum_match_arm, reason = "every other query is about the state")]
pub(super) fn answer_without_state(query: &QueryRequest) -> Reply {
    match query {
        QueryRequest::Unsubscribe(Unsubscribe { log }) => Reply::Unsubscribed(*log),
        QueryRequest::Ping(Ping { token }) => Reply::Pong(Pong { token: *token }),
        _ => Reply::Refused(Refusal::Unavailable),
    }
}

fn count(items: usize) -> u32 {
    u32::try_from(items).unwrap_or(u32::MAX)
}

#[cfg(test)]
#[path = "queries_tests.rs"]
mod tests;
