//! Who may do, read and know what, as the events say: a model of its own, which shares nothing with the
//! state of the core but the events.
//!
//! It follows the durable events in their one order. What was durable before an answer has a number, its
//! [`Place`]: an answer that opens a cursor was right at its place, and what the cursor brings must have
//! become durable before the reader's right ended.

mod events;
mod judging;
mod openings;

use std::collections::{BTreeMap, BTreeSet};

use chat_core::Event;
use chat_proto::{AccountId, CredentialId, LogId, Role, RoomId, Seq, Timestamp};

pub(crate) use openings::Openings;

/// How many events were durable before: a moment in the one order of all logs.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Debug)]
pub(crate) struct Place(u64);

/// What the events come to.
#[derive(Clone, Default)]
pub(crate) struct Rights {
    pub(crate) rooms: BTreeMap<RoomId, RoomRights>,
    accounts: BTreeSet<AccountId>,
    disabled: BTreeSet<AccountId>,
    /// Whose names everybody may know: the log of a public room has told of them.
    known: BTreeSet<AccountId>,
    /// How many events there were, and where each is among them.
    end: Place,
    places: BTreeMap<LogId, Vec<Place>>,
    /// Where rights to read a log ended.
    ended: BTreeMap<LogId, Vec<(Place, Whose)>>,
    /// Where accounts were disabled.
    signed_out: Vec<(Place, AccountId)>,
    /// Where credentials were taken from their accounts.
    revoked: Vec<(Place, CredentialId)>,
    /// The latest time of any event.
    pub(crate) newest_ts: Timestamp,
}

/// What a room's log comes to.
#[derive(Clone, Default)]
pub(crate) struct RoomRights {
    is_private: bool,
    /// Who is in it, when it is a conversation of two.
    between: Option<[AccountId; 2]>,
    pub(crate) is_read_only: bool,
    pub(crate) members: BTreeMap<AccountId, Role>,
    /// Until when; 0: until somebody ends it.
    pub(crate) bans: BTreeMap<AccountId, Timestamp>,
    pub(crate) mutes: BTreeMap<AccountId, Timestamp>,
    invited: BTreeSet<AccountId>,
    /// Whom its log tells of.
    named: BTreeSet<AccountId>,
    pub(crate) slow_seconds: u32,
    last_posts: BTreeMap<AccountId, Timestamp>,
    newest_ts: Timestamp,
    had_members: bool,
}

/// Whose right ended.
#[derive(Clone)]
enum Whose {
    Account(AccountId),
    OthersThan(BTreeSet<AccountId>),
}

impl Whose {
    fn is(&self, account: AccountId) -> bool {
        match self {
            Self::Account(meant) => *meant == account,
            Self::OthersThan(spared) => !spared.contains(&account),
        }
    }
}

/// Whether something that lasts until a time is over at another.
fn is_in_force(until: Option<&Timestamp>, now: Timestamp) -> bool {
    until.is_some_and(|until| *until == Timestamp(0) || *until > now)
}

/// An event that a reader was shown.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shown {
    pub(crate) account: AccountId,
    pub(crate) credential: CredentialId,
    pub(crate) log: LogId,
    pub(crate) seq: Seq,
    /// When its cursor was opened.
    pub(crate) opened: Place,
}

impl Rights {
    /// How much is durable.
    pub(crate) fn end(&self) -> Place {
        self.end
    }

    /// The next event is durable; says what is wrong with it.
    pub(crate) fn follow(&mut self, event: &Event) -> Option<String> {
        let room = RoomId(event.log.0);
        let wrong = self.judge(event);
        self.places.entry(event.log).or_default().push(self.end);
        self.fold(event);
        self.end.0 += 1;
        self.newest_ts = self.newest_ts.max(event.ts);
        if let Some(room) = self.rooms.get_mut(&room) {
            room.newest_ts = room.newest_ts.max(event.ts);
        }
        let (seq, log) = (event.seq, event.log);
        wrong.map(|words| format!("seq {seq} of log {log}: {words}: {:?}", event.content))
    }

    /// Whether somebody might be shown an event, on a cursor that was opened when it might be.
    pub(crate) fn judge_shown(&self, shown: &Shown) -> Option<String> {
        let Shown { account, credential, log, seq, opened } = *shown;
        let at = *self.places.get(&log)?.get(usize::try_from(seq.0).ok()?.checked_sub(1)?)?;
        let is_between = |place: &Place| opened <= *place && *place <= at;
        let ended = self.ended.get(&log).into_iter().flatten();
        if ended.clone().any(|(place, whose)| is_between(place) && whose.is(account)) {
            return Some(format!("{account} gets seq {seq} of log {log}, and may not any more"));
        }
        if self.signed_out.iter().any(|(place, of)| is_between(place) && *of == account) {
            return Some(format!("{account} gets seq {seq} of log {log}, and is disabled"));
        }
        let is_of_it = |(place, of): &(Place, CredentialId)| is_between(place) && *of == credential;
        self.revoked
            .iter()
            .any(is_of_it)
            .then(|| format!("a revoked device of {account} gets seq {seq} of log {log}"))
    }

    /// Whether an account may read a log now.
    pub(crate) fn may_read(&self, account: AccountId, log: LogId, now: Timestamp) -> bool {
        if log == LogId::from(account) {
            return true;
        }
        self.rooms.get(&RoomId(log.0)).is_some_and(|room| room.may_read(account, now))
    }

    /// Whether an account may know of a room now.
    pub(crate) fn may_know_of(&self, account: AccountId, room: RoomId, now: Timestamp) -> bool {
        self.rooms.get(&room).is_some_and(|room| {
            let is_invited =
                room.invited.contains(&account) && !is_in_force(room.bans.get(&account), now);
            let is_of_two = room.between.is_some_and(|between| between.contains(&account));
            room.may_read(account, now) || is_invited || is_of_two
        })
    }

    /// Whether an account may know another's name without being told it by a person.
    pub(crate) fn may_know(&self, asker: AccountId, account: AccountId) -> bool {
        let tells = |room: &RoomRights| {
            let is_for = room.members.contains_key(&asker) || room.invited.contains(&asker);
            is_for && room.named.contains(&account)
        };
        asker == account || self.known.contains(&account) || self.rooms.values().any(tells)
    }

    /// Whether somebody has invited an account to a room.
    pub(crate) fn is_invited(&self, log: LogId, account: AccountId) -> bool {
        self.rooms.get(&RoomId(log.0)).is_some_and(|room| room.invited.contains(&account))
    }

    /// The rooms in which an account keeps order.
    pub(crate) fn ruled_by(&self, account: AccountId) -> Vec<RoomId> {
        let rules = |room: &RoomRights| room.role_of(account) >= Some(Role::Moderator);
        let ruled = self.rooms.iter().filter(|(_id, room)| rules(room));
        ruled.map(|(id, _room)| *id).collect()
    }

    /// Everybody.
    pub(crate) fn people(&self) -> Vec<AccountId> {
        self.accounts.iter().copied().collect()
    }
}

impl RoomRights {
    pub(crate) fn role_of(&self, account: AccountId) -> Option<Role> {
        self.members.get(&account).copied()
    }

    fn may_read(&self, account: AccountId, now: Timestamp) -> bool {
        let is_banned = is_in_force(self.bans.get(&account), now);
        self.members.contains_key(&account) || !(self.is_private || is_banned)
    }
}
