//! What accounts are called, as a client knows it from what it was told.

use chat_core::Snapshot;
use chat_proto::{AccountId, Accounts, Frame, Joined, Left, List, Renamed, RoomId, Subscribed};

use super::{Asked, Client, Phase};
use crate::coverage::Situation;
use crate::env::Env;

impl Client {
    /// Asks for the names that something waits for.
    pub(super) fn ask_for_names(&mut self) {
        if self.phase == Phase::Up
            && let Some(accounts) = self.names.next_question()
        {
            self.ask(&Accounts { ids: List::first_of(accounts) }, Asked::Names);
        }
    }

    pub(super) fn learn_members(&mut self, subscribed: &Subscribed) {
        for member in subscribed.members.iter() {
            self.names.learn_account(member.account, member.name.clone());
        }
    }

    pub(super) fn renamed(&mut self, renamed: &Renamed, env: &mut Env) {
        let Renamed { account, name } = renamed.clone();
        if account == AccountId(0) {
            env.coverage.hit(Situation::NamesUnsure);
            self.names.forget_accounts();
        } else if self.names.rename(account, &name).is_some() {
            env.coverage.hit(Situation::RenameTold);
        }
    }

    /// Whoever comes may have been renamed while nothing of that was told here.
    pub(super) fn forget_who_came_or_went(&mut self, frame: &Frame) {
        let came = frame.decode_lenient::<Joined>().map(|joined| joined.account);
        let went = frame.decode_lenient::<Left>().map(|left| left.account);
        for account in [came, went].into_iter().flatten() {
            self.names.forget_account(account);
        }
    }

    /// Members of rooms that are followed now whose names are other ones than is known here.
    pub(crate) fn stale_names(&self, tables: &Snapshot) -> Vec<String> {
        let mut stale = Vec::new();
        let is_open = |room: RoomId| self.cursors.contains_key(&room.into());
        for (room, id) in tables.members.iter().filter(|(room, _)| is_open(*room)) {
            let account = tables.accounts.iter().find(|account| account.id == *id);
            let now = account.map_or("", |account| account.name.name.as_str());
            if let Some(known) = self.names.account(*id).filter(|known| *known != now) {
                stale.push(format!("{id} in room {room} is {now}, and {known} is known"));
            }
        }
        stale
    }
}
