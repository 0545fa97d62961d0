//! What the hot state holds of accounts and rooms, and what an event changes in it: the one fold.
//! Whoever has the same events in the same order has the same state, whether it decided them, was told
//! of them, or read back what they came to.
//!
//! It must not refuse anything: an event has happened.

use super::accounts::AccountRow;
use super::bots::BotRow;
use super::credentials::{CredentialRow, HeldCredential, LinkRow, OpenLink};
use super::direct::{direct_name, direct_of};
use super::room::{Room, RoomRow};
use super::sanctions::{Sanction, SanctionRow, Sanctions};
use super::{InvitationRow, State};
use crate::decision::idset::IdSet;
use crate::decision::permutation;
use crate::{
    Event, Genesis, NameKeys, Named, OrderProgress, SanctionKind, StateChange, StoreSecret,
};
use chat_proto::{AccountId, Epoch, LogId, Nickname, Role, RoomId, Seq, Timestamp};

#[derive(Clone, Debug)]
#[cfg_attr(test, derive(PartialEq))]
pub(crate) struct Account {
    pub(crate) name: Nickname,
    pub(crate) keys: NameKeys,
    pub(crate) head: Seq,
    pub(crate) rooms: IdSet<RoomId>,
    /// In the order in which they were added.
    pub(crate) credentials: Vec<HeldCredential>,
    /// The newest link code, used or not.
    pub(crate) link: Option<OpenLink>,
    /// Why nobody signs in to it; `None`: its owner does.
    pub(crate) disabled: Option<Box<str>>,
    /// Whether it is an administrator of the server.
    pub(crate) is_administrator: bool,
    /// The rooms that it may join since somebody invited it.
    pub(crate) invitations: IdSet<RoomId>,
    /// Whether the log of a public room has told of it: everybody may know its name.
    pub(crate) is_known: bool,
    /// Otherwise the rooms whose log tells of it.
    pub(crate) named_in: IdSet<RoomId>,
}

/// The hot state, as committed.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Snapshot {
    /// The epoch of all logs; 0 when there is none yet, or when they may have lost their end, so that
    /// another one is to begin.
    pub epoch: Epoch,
    /// The number of the rules that they go by; 0 when they have not begun.
    pub rules: u16,
    /// What came with the first [`Genesis`]; `None` before it.
    pub secret: Option<StoreSecret>,
    /// How far in the order this is.
    pub progress: OrderProgress,
    /// The latest time of any event, which need not be the newest: a clock may have been ahead.
    pub last_ts: Timestamp,
    /// Every account.
    pub accounts: Vec<AccountRow>,
    /// What signs in to which account; those of one account in the order in which they were added.
    pub credentials: Vec<CredentialRow>,
    /// The accounts of programs.
    pub bots: Vec<BotRow>,
    /// The newest link code of each account that has had one.
    pub links: Vec<LinkRow>,
    /// Every room.
    pub rooms: Vec<RoomRow>,
    /// Who is a member where.
    pub members: Vec<(RoomId, AccountId)>,
    /// Who is more than a member there, in the order in which they became it.
    pub roles: Vec<(RoomId, AccountId, Role)>,
    /// Who is invited where.
    pub invited: Vec<(RoomId, AccountId)>,
    /// Whom the log of which private room tells of, but for those that are known.
    pub named: Vec<(RoomId, AccountId)>,
    /// Every invitation that is open; some that have expired may be among them.
    pub invitations: Vec<InvitationRow>,
    /// The head of the server's own log.
    pub server_head: Seq,
    /// Who is kept from what.
    pub sanctions: Vec<SanctionRow>,
    /// Where members wait behind each message, and how long, in seconds.
    pub slow_rooms: Vec<(RoomId, u32)>,
    /// Who has spoken there, and when last.
    pub slow_posts: Vec<(RoomId, AccountId, Timestamp)>,
}

impl State {
    /// The logs begin, or another life of them does.
    pub fn begin(&mut self, genesis: Genesis) {
        debug_assert!(self.secret.is_none_or(|secret| secret == genesis.secret), "ids are given");
        (self.epoch, self.rules) = (genesis.epoch, genesis.rules);
        self.secret = Some(genesis.secret);
    }

    /// Moves on by one event, the next one of its log.
    ///
    /// # Panics
    /// When no state decides such an event: of a log that has not begun, or with a name that
    /// somebody else holds.
    #[expect(clippy::too_many_lines, reason = "a line or two for each change")]
    pub fn evolve(&mut self, event: &Event) {
        let (room, own) = (RoomId(event.log.0), AccountId(event.log.0));
        let change = event.content.change();
        match change {
            StateChange::Nothing
            | StateChange::MessagesRemoved { .. }
            | StateChange::RoomRemoved => {}
            StateChange::MessagePosted { from } => self.note_post(room, from, event.ts),
            StateChange::AccountBegins { credential, name } => {
                let account = AccountRow::new(own, name.clone(), Seq::ZERO);
                self.begin_account(account).expect("nobody holds the name");
                self.add_credential(CredentialRow::first(own, *credential, event.ts));
            }
            StateChange::BotBegins { scope } => drop(self.bots.insert(own, scope)),
            StateChange::CredentialAdded { credential, label } => {
                let first = CredentialRow::first(own, *credential, event.ts);
                self.add_credential(CredentialRow { label: label.to_owned(), ..first });
                self.use_link(own);
            }
            StateChange::CredentialRemoved { credential } => {
                self.remove_credential(own, credential);
            }
            StateChange::LinkOpened { code } => {
                let (account, opened) = (own, event.ts);
                self.open_link(LinkRow { account, code, opened, is_used: false });
            }
            StateChange::AccountRenamed { name } => self.rename(own, name),
            StateChange::AccountSet(setting) => self.set_account(own, setting),
            StateChange::RoomBegins { by, name, is_permanent } => {
                let room = RoomRow { is_permanent, ..RoomRow::new(room, name.clone(), Seq::ZERO) };
                let id = room.id;
                self.begin_room(room).expect("no room holds the name");
                by.into_iter().for_each(|by| self.set_role(id, by, Role::Owner));
            }
            StateChange::DirectBegins { between } => {
                let row = RoomRow::new(room, direct_name(between), Seq::ZERO);
                let begun = self.begin_room(RoomRow { is_public: false, ..row });
                begun.expect("two have one conversation");
            }
            StateChange::RoomSet(setting) => self.set(room, setting),
            StateChange::MemberJoined { account } => {
                // It is over, or nobody could join; a clock that is set back must not bring it back.
                self.lift_sanction(room, SanctionKind::Ban, account);
                self.link(room, account);
                self.set_invitation(room, account, false);
                self.note_named(room, account);
            }
            StateChange::MemberLeft { account } => self.unlink(room, account),
            StateChange::RoleSet { account, role } => self.set_role(room, account, role),
            StateChange::InvitationBegins { hash, by, uses, expires, rooms, name } => {
                let (rooms, name) = (rooms.to_vec(), name.to_owned());
                let row = InvitationRow { hash: *hash, by, uses_left: uses, expires, rooms, name };
                self.invitations.begin(row, event.ts);
            }
            StateChange::InvitationUsed { id } => self.invitations.count_use(id),
            StateChange::InvitationEnds { id } => self.invitations.end(id),
            StateChange::Banned { account, by, until, reason, .. } => {
                self.unlink(room, account);
                let sanction = Sanction { by, since: event.ts, until, reason: reason.to_owned() };
                self.put_sanction(SanctionRow { room, kind: SanctionKind::Ban, account, sanction });
                self.note_named(room, account);
            }
            StateChange::Muted { account, by, until, reason } => {
                let sanction = Sanction { by, since: event.ts, until, reason: reason.to_owned() };
                self.put_sanction(SanctionRow {
                    room,
                    kind: SanctionKind::Mute,
                    account,
                    sanction,
                });
                self.note_named(room, account);
            }
            StateChange::SanctionLifted { kind, account } => {
                self.lift_sanction(room, kind, account);
            }
            StateChange::SlowSet { seconds } => self.set_slow(room, seconds),
        }
        self.note_time(event);
        self.move_head(event, matches!(change, StateChange::MessagePosted { .. }));
        if change == StateChange::RoomRemoved {
            self.remove_room(room);
        }
    }

    /// What a store would say of it, in order of the ids: it is restored from that as the same state.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        let account = |(&id, account): (&AccountId, &Account)| {
            let (name, head) = (with_keys(&account.name, &account.keys), account.head);
            let Account { is_administrator, is_known, .. } = *account;
            let disabled = account.disabled.clone();
            AccountRow { id, name, head, disabled, is_administrator, is_known }
        };
        let room = |(&id, room): (&RoomId, &Room)| {
            let (name, head) = (with_keys(&room.name, &room.keys), room.head);
            let Room { is_public, is_read_only, is_permanent, has_posts, .. } = *room;
            let topic = room.topic.clone();
            RoomRow { id, name, head, is_public, is_read_only, topic, is_permanent, has_posts }
        };
        let mut accounts: Vec<_> = self.accounts.iter().map(account).collect();
        accounts.sort_unstable_by_key(|row| row.id);
        Snapshot {
            epoch: self.epoch,
            rules: self.rules,
            secret: self.secret,
            progress: self.progress.clone(),
            last_ts: self.last_ts,
            accounts,
            credentials: self.credential_rows(),
            bots: self
                .bots
                .iter()
                .map(|(of, scope)| BotRow { account: *of, scope: *scope })
                .collect(),
            links: self.link_rows(),
            rooms: self.rooms.iter().map(room).collect(),
            members: self.memberships().collect(),
            roles: self.roles().collect(),
            invited: self.by_room(|room| &room.invited).collect(),
            named: self.by_room(|room| &room.named).collect(),
            invitations: self.invitations.rows().cloned().collect(),
            server_head: self.server_head,
            sanctions: self.sanction_rows().collect(),
            slow_rooms: self.slow_rooms().collect(),
            slow_posts: self.slow_posts().collect(),
        }
    }

    /// An account is there.
    ///
    /// # Errors
    /// The account, and who holds a name that collides with its own.
    pub(super) fn begin_account(&mut self, row: AccountRow) -> Result<(), (AccountRow, AccountId)> {
        if let Err(holder) = self.account_names.claim(&row.name.keys, row.id) {
            return Err((row, holder));
        }
        let AccountRow { id, name: Named { name, keys }, head, .. } = row;
        let account = Account {
            name,
            keys: *keys,
            head,
            rooms: IdSet::default(),
            credentials: Vec::new(),
            link: None,
            disabled: row.disabled,
            is_administrator: row.is_administrator,
            invitations: IdSet::default(),
            is_known: row.is_known,
            named_in: IdSet::default(),
        };
        self.accounts.insert(id, account);
        self.note_id(id.0);
        Ok(())
    }

    /// A room is there.
    ///
    /// # Errors
    /// The room, and which one holds a name that collides with its own.
    pub(super) fn begin_room(&mut self, row: RoomRow) -> Result<(), (RoomRow, RoomId)> {
        if let Err(holder) = self.room_names.claim(&row.name.keys, row.id) {
            return Err((row, holder));
        }
        let RoomRow { id, name: Named { name, keys }, head, .. } = row;
        let room = Room {
            direct: direct_of(&name),
            name,
            keys: *keys,
            head,
            members: IdSet::default(),
            roles: Vec::new(),
            sanctions: Sanctions::default(),
            invited: IdSet::default(),
            named: IdSet::default(),
            is_public: row.is_public,
            is_read_only: row.is_read_only,
            topic: row.topic,
            is_permanent: row.is_permanent,
            has_posts: row.has_posts,
        };
        self.rooms.insert(id, room);
        self.note_id(id.0);
        Ok(())
    }

    /// A room is gone. Its id is not given again.
    fn remove_room(&mut self, id: RoomId) {
        let room = self.rooms.remove(&id).expect("a room that was made is removed");
        debug_assert!(room.members.len() == 0 && !room.has_posts, "nobody misses it");
        for account in room.invited.iter() {
            let account = self.accounts.get_mut(&account);
            account.into_iter().for_each(|account| account.invitations.remove(id));
        }
        for account in room.named.iter() {
            let account = self.accounts.get_mut(&account);
            account.into_iter().for_each(|account| account.named_in.remove(id));
        }
        self.room_names.free(&room.keys);
        self.floors.remove(&id.into());
    }

    pub(super) fn link(&mut self, room: RoomId, account: AccountId) {
        if let Some(room) = self.rooms.get_mut(&room) {
            room.members.insert(account);
        }
        if let Some(account) = self.accounts.get_mut(&account) {
            account.rooms.insert(room);
        }
    }

    fn unlink(&mut self, room: RoomId, account: AccountId) {
        if let Some(room) = self.rooms.get_mut(&room) {
            room.members.remove(account);
            room.roles.retain(|(holder, _role)| *holder != account);
        }
        if let Some(account) = self.accounts.get_mut(&account) {
            account.rooms.remove(room);
        }
    }

    fn rename(&mut self, id: AccountId, name: &Named<Nickname>) {
        let account = self.accounts.get_mut(&id).expect("an account that was made is renamed");
        account.name.clone_from(&name.name);
        let before = std::mem::replace(&mut account.keys, *name.keys);
        self.account_names.free(&before);
        self.account_names.claim(&name.keys, id).expect("nobody else holds it");
    }

    /// An id leads back to its count: the next one is given behind the largest.
    fn note_id(&mut self, id: u64) {
        let count = self.secret.and_then(|secret| permutation::count_of(secret, id));
        self.progress.ids_given = self.progress.ids_given.max(count.unwrap_or(0));
    }

    /// A floor is always the time of its log's newest event, or not there: then the store is asked.
    fn note_time(&mut self, event: &Event) {
        if event.ts > self.last_ts {
            self.last_ts = event.ts;
            self.floors.clear();
        } else if event.ts < self.last_ts || !self.floors.is_empty() {
            self.floors.insert(event.log, event.ts);
        }
    }

    fn move_head(&mut self, event: &Event, is_post: bool) {
        let head = match self.rooms.get_mut(&RoomId(event.log.0)) {
            Some(room) => {
                room.has_posts |= is_post;
                &mut room.head
            }
            None if event.log == LogId::SERVER => &mut self.server_head,
            None => {
                let account = self.accounts.get_mut(&AccountId(event.log.0));
                &mut account.expect("a log begins with the event that makes it").head
            }
        };
        debug_assert_eq!(event.seq, head.next(), "log {} goes on without a gap", event.log);
        *head = event.seq;
    }
}

fn with_keys<N: Clone>(name: &N, keys: &NameKeys) -> Named<N> {
    Named { name: name.clone(), keys: Box::new(*keys) }
}
