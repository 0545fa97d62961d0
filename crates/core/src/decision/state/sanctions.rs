//! What a room keeps accounts from: bans, mutes, and how fast members may speak; what it holds of them,
//! and what an event changes in that. Time is what the commands bring.
//!
//! It must not know who may do any of it: [`super::Access`] does.

use std::collections::BTreeMap;

use chat_proto::{AccountId, RoomId, Timestamp};

use super::State;
use crate::SanctionKind;

/// What a room keeps accounts from.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Sanctions {
    bans: BTreeMap<AccountId, Sanction>,
    mutes: BTreeMap<AccountId, Sanction>,
    /// How long a member waits behind each message; 0: not at all.
    pub(crate) slow_seconds: u32,
    /// When each account last said something here, since it waits behind that.
    last_posts: BTreeMap<AccountId, Timestamp>,
}

/// What keeps one account from something.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Sanction {
    /// Who did it.
    pub by: AccountId,
    /// Since when.
    pub since: Timestamp,
    /// When it ends; 0: not by itself.
    pub until: Timestamp,
    /// Why, as it was typed.
    pub reason: String,
}

/// A sanction as the tables of a store have it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SanctionRow {
    /// Where.
    pub room: RoomId,
    /// From what it keeps.
    pub kind: SanctionKind,
    /// Whom.
    pub account: AccountId,
    /// The rest of it.
    pub sanction: Sanction,
}

impl Sanction {
    /// Whether it is over at a time.
    #[must_use]
    pub fn is_over(&self, now: Timestamp) -> bool {
        self.until != Timestamp(0) && self.until <= now
    }
}

impl Sanctions {
    fn of_kind(&self, kind: SanctionKind) -> &BTreeMap<AccountId, Sanction> {
        match kind {
            SanctionKind::Ban => &self.bans,
            SanctionKind::Mute => &self.mutes,
        }
    }

    fn of_kind_mut(&mut self, kind: SanctionKind) -> &mut BTreeMap<AccountId, Sanction> {
        match kind {
            SanctionKind::Ban => &mut self.bans,
            SanctionKind::Mute => &mut self.mutes,
        }
    }

    /// What keeps an account from something now.
    pub(crate) fn on(
        &self,
        kind: SanctionKind,
        account: AccountId,
        now: Timestamp,
    ) -> Option<&Sanction> {
        self.of_kind(kind).get(&account).filter(|held| !held.is_over(now))
    }

    /// Those of a kind that are in force, behind an account, in order of the accounts.
    pub(crate) fn after(
        &self,
        kind: SanctionKind,
        after: AccountId,
        now: Timestamp,
    ) -> impl Iterator<Item = (AccountId, &Sanction)> {
        let behind = self.of_kind(kind).range(AccountId(after.0.saturating_add(1))..);
        behind.filter(move |(_id, held)| !held.is_over(now)).map(|(id, held)| (*id, held))
    }

    /// Whether something is known of an account, in force or over.
    pub(super) fn holds(&self, kind: SanctionKind, account: AccountId) -> bool {
        self.of_kind(kind).contains_key(&account)
    }

    /// How long an account waits before it may say something, in milliseconds.
    pub(crate) fn wait_ms(&self, account: AccountId, now: Timestamp) -> u64 {
        let Some(last) = self.last_posts.get(&account) else { return 0 };
        // A clock that was set back makes nobody wait.
        let waited_ms = now.0.checked_sub(last.0).unwrap_or(u64::MAX);
        (u64::from(self.slow_seconds) * 1_000).saturating_sub(waited_ms)
    }

    /// Those that are over go whenever another comes, so that they are never more than may be in force.
    fn put(&mut self, kind: SanctionKind, account: AccountId, sanction: Sanction) {
        let held = self.of_kind_mut(kind);
        let now = sanction.since;
        held.retain(|_account, held| !held.is_over(now));
        held.insert(account, sanction);
    }
}

impl State {
    pub(super) fn put_sanction(&mut self, row: SanctionRow) {
        let SanctionRow { room, kind, account, sanction } = row;
        if let Some(room) = self.rooms.get_mut(&room) {
            room.sanctions.put(kind, account, sanction);
        }
    }

    /// The same of what a store says, which has let go of what is over when the state did.
    pub(super) fn restore_sanction(&mut self, row: SanctionRow) {
        let SanctionRow { room, kind, account, sanction } = row;
        if let Some(room) = self.rooms.get_mut(&room) {
            room.sanctions.of_kind_mut(kind).insert(account, sanction);
        }
    }

    pub(super) fn lift_sanction(&mut self, room: RoomId, kind: SanctionKind, account: AccountId) {
        if let Some(room) = self.rooms.get_mut(&room) {
            room.sanctions.of_kind_mut(kind).remove(&account);
        }
    }

    /// Whoever has spoken before that waits no longer.
    pub(super) fn set_slow(&mut self, room: RoomId, seconds: u32) {
        if let Some(room) = self.rooms.get_mut(&room) {
            room.sanctions.slow_seconds = seconds;
            room.sanctions.last_posts.clear();
        }
    }

    /// Somebody has said something.
    pub(super) fn note_post(&mut self, room: RoomId, account: AccountId, ts: Timestamp) {
        if let Some(room) = self.rooms.get_mut(&room)
            && room.sanctions.slow_seconds > 0
        {
            room.sanctions.last_posts.insert(account, ts);
        }
    }

    pub(super) fn sanction_rows(&self) -> impl Iterator<Item = SanctionRow> {
        self.rooms.iter().flat_map(|(room, held)| {
            SanctionKind::ALL.iter().flat_map(|kind| {
                held.sanctions.of_kind(*kind).iter().map(|(account, sanction)| SanctionRow {
                    room: *room,
                    kind: *kind,
                    account: *account,
                    sanction: sanction.clone(),
                })
            })
        })
    }

    pub(super) fn slow_rooms(&self) -> impl Iterator<Item = (RoomId, u32)> {
        let slow = self.rooms.iter().map(|(id, room)| (*id, room.sanctions.slow_seconds));
        slow.filter(|(_id, seconds)| *seconds > 0)
    }

    pub(super) fn slow_posts(&self) -> impl Iterator<Item = (RoomId, AccountId, Timestamp)> {
        self.rooms.iter().flat_map(|(room, held)| {
            held.sanctions.last_posts.iter().map(|(account, ts)| (*room, *account, *ts))
        })
    }
}
