//! Accounts of programs, which sign in with a token: who makes them, and when they end.
//!
//! What a token is for is decided where everything is decided that an account may do, in `access`.

use std::collections::BTreeSet;

use chat_proto::{AccountId, Credential, Nickname, RoomId, Timestamp};

use super::{Answer, State, Transition};
use crate::{BotOrder, BotScope, Content, Named, Refusal};

/// A program's account as the tables of a store have it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct BotRow {
    /// Which account.
    pub account: AccountId,
    /// What its token is for.
    pub scope: BotScope,
}

impl State {
    /// The programs whose tokens have ended.
    pub(crate) fn expired_bots(&self, now: Timestamp) -> impl Iterator<Item = AccountId> {
        let expired = self.bots.iter().filter(move |(_id, scope)| scope.has_ended(now));
        expired.map(|(id, _scope)| *id)
    }

    /// Whether the account is a program's whose token has ended. Nearly always there is none.
    pub(super) fn has_ended(&self, account: AccountId, now: Timestamp) -> bool {
        self.bots.get(&account).is_some_and(|scope| scope.has_ended(now))
    }
}

impl Transition<'_> {
    /// Makes an account for a program, which is a member of some rooms from the beginning.
    pub(super) fn create_bot(&mut self, order: BotOrder) -> Result<Answer, Refusal> {
        let BotOrder { by, token, name, is_reserved, scope, rooms } = order;
        let access = self.state.access(by);
        access.can_make_bots()?;
        self.is_free_for(&name, is_reserved, None)?;
        let credential = Credential::Token(token);
        if self.state.account_of.contains_key(&credential) {
            return Err(Refusal::CredentialInUse);
        }
        let rooms = rooms.iter().map(|name| access.room_named(name));
        let rooms: BTreeSet<RoomId> = rooms.collect::<Result<_, _>>()?;
        let id = AccountId(self.state.next_id(self.state.secret()));
        self.append(id.into(), Content::AccountCreated { credential, name });
        self.append(id.into(), Content::BotCreated { by, scope });
        for room in rooms {
            self.append(room.into(), Content::Joined { account: id });
            self.append(id.into(), Content::RoomJoined { room });
        }
        Ok(Answer::Done)
    }

    /// Takes its token from a program; the account stays, for what it has said.
    pub(super) fn revoke_token(
        &mut self,
        by: AccountId,
        name: &Named<Nickname>,
    ) -> Result<Answer, Refusal> {
        self.state.access(by).can_make_bots()?;
        let holder = self.state.account_names.holder(&name.keys);
        let bot = holder.filter(|id| self.state.bots.contains_key(id));
        let unknown = || Refusal::UnknownBot { name: name.name.to_string() };
        let id = bot.ok_or_else(unknown)?;
        let held = &self.state.accounts.get(&id).ok_or_else(unknown)?.credentials;
        let held: Vec<_> = held.iter().map(|held| held.credential).collect();
        for credential in held {
            self.append(id.into(), Content::CredentialRemoved { credential });
        }
        Ok(Answer::Done)
    }
}

#[cfg(test)]
#[path = "bots_tests.rs"]
mod tests;
