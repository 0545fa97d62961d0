//! The deterministic state machine: a command comes in, events and an answer come out.
//!
//! [`State::decide`] says which events follow from a command and changes nothing; [`State::evolve`]
//! is what an event changes, and nothing else changes the state. [`State::apply`] is both.
//!
//! Holds what is hot: accounts, rooms, members, names, heads. History stays in the store and is
//! reached through [`Lookup`]. It must not know about connections, clocks or chance: the same
//! commands in the same order make the same events on every machine.

mod access;
mod accounts;
mod admission;
mod answer;
mod bots;
mod credentials;
mod direct;
mod evolve;
mod governing;
mod messages;
mod moderation;
mod progress;
mod restore_error;
mod roles;
mod room;
mod room_settings;
mod rooms;
mod sanctions;
mod transition;
mod unchanged;

use std::collections::BTreeMap;

use chat_proto::{
    AccountId, Credential, CredentialId, Epoch, LinkCodeHash, LogId, RoomId, Seq, Timestamp,
};

use rustc_hash::FxHashMap;

use crate::decision::idset::IdSet;
use crate::decision::names::{NameIndex, NameKeys};
use crate::decision::permutation;
use crate::{Action, BotScope, Command, Lookup, OrderProgress, StoreError, StoreSecret};

pub(crate) use access::Access;
pub use accounts::AccountRow;
pub use admission::InvitationRow;
pub(crate) use admission::Invitations;
pub use answer::{Answer, Decision};
pub use bots::BotRow;
pub(crate) use credentials::HeldCredential;
pub use credentials::{CredentialRow, LinkRow};
pub use direct::direct_name;
pub(crate) use evolve::Account;
pub use evolve::Snapshot;
pub use restore_error::RestoreError;
pub(crate) use room::Room;
pub use room::RoomRow;
pub use sanctions::{Sanction, SanctionRow};
use transition::Transition;

/// The number of the rules by which commands are decided: what is refused, which names collide, what an
/// event says. Whoever changes one of them makes it larger, so that a store that was made by newer rules
/// is not carried on by older ones.
pub const RULES: u16 = 6;

/// The hot state of a server.
#[derive(Clone, Debug)]
#[cfg_attr(test, derive(PartialEq))]
pub struct State {
    /// 0: the logs have not begun.
    epoch: Epoch,
    rules: u16,
    /// `None`: the logs have never begun.
    secret: Option<StoreSecret>,
    progress: OrderProgress,
    /// No event is later. It decides nothing: with a stamp that is not before it, no log has to be
    /// asked for its newest event.
    last_ts: Timestamp,
    /// While the clock is behind `last_ts`: when the newest event of each log was, as far as they
    /// have been asked for.
    floors: FxHashMap<LogId, Timestamp>,
    /// Ids are given by the server, so that nobody can choose those that collide.
    accounts: FxHashMap<AccountId, Account>,
    account_of: BTreeMap<Credential, AccountId>,
    /// Credentials that were taken from their accounts.
    revoked: BTreeMap<CredentialId, (Credential, AccountId)>,
    /// The accounts of programs, and what their tokens are for.
    bots: BTreeMap<AccountId, BotScope>,
    /// The newest link code of each account, used or not.
    links: BTreeMap<LinkCodeHash, AccountId>,
    account_names: NameIndex<AccountId>,
    rooms: BTreeMap<RoomId, Room>,
    room_names: NameIndex<RoomId>,
    invitations: Invitations,
    /// Of the server's own log, which is there from the beginning on.
    server_head: Seq,
}

impl State {
    /// The state of a store.
    ///
    /// # Errors
    /// [`RestoreError`] when two accounts or two rooms have names that collide: neither may be taken
    /// for the other; when it was made by rules that are not known here; and when its logs have begun
    /// without the secret that ids and digests follow from.
    pub fn restore(snapshot: Snapshot) -> Result<Self, RestoreError> {
        match snapshot.rules {
            // They have not begun.
            0 | RULES => {}
            found if found > RULES => return Err(RestoreError::NewerRules { found }),
            found => return Err(RestoreError::OlderRules { found }),
        }
        if snapshot.secret.is_none() && (snapshot.epoch, snapshot.rules) != (Epoch(0), 0) {
            return Err(RestoreError::NoSecret);
        }
        let mut state = Self {
            epoch: snapshot.epoch,
            rules: snapshot.rules,
            secret: snapshot.secret,
            progress: snapshot.progress,
            last_ts: snapshot.last_ts,
            floors: FxHashMap::default(),
            accounts: FxHashMap::default(),
            account_of: BTreeMap::new(),
            revoked: BTreeMap::new(),
            bots: snapshot.bots.iter().map(|row| (row.account, row.scope)).collect(),
            links: BTreeMap::new(),
            account_names: NameIndex::new(),
            rooms: BTreeMap::new(),
            room_names: NameIndex::new(),
            invitations: Invitations::default(),
            server_head: snapshot.server_head,
        };
        snapshot.invitations.into_iter().for_each(|row| state.invitations.restore(row));
        for row in snapshot.accounts {
            if let Err((row, holder)) = state.begin_account(row) {
                let held = state.accounts.get(&holder).map(|held| held.name.to_string());
                return Err(two_of_a_name("accounts", row.name.name.as_str(), held));
            }
        }
        for row in snapshot.rooms {
            if let Err((row, holder)) = state.begin_room(row) {
                let held = state.rooms.get(&holder).map(|held| held.name.to_string());
                return Err(two_of_a_name("rooms", row.name.name.as_str(), held));
            }
        }
        snapshot.credentials.into_iter().for_each(|row| state.add_credential(row));
        snapshot.links.into_iter().for_each(|row| state.open_link(row));
        for (room, account) in snapshot.members {
            state.link(room, account);
        }
        for (room, account, role) in snapshot.roles {
            state.set_role(room, account, role);
        }
        snapshot.slow_rooms.into_iter().for_each(|(room, seconds)| state.set_slow(room, seconds));
        for (room, account, ts) in snapshot.slow_posts {
            state.note_post(room, account, ts);
        }
        snapshot.sanctions.into_iter().for_each(|row| state.restore_sanction(row));
        for (room, account) in snapshot.invited {
            state.set_invitation(room, account, true);
        }
        for (room, account) in snapshot.named {
            state.note_named(room, account);
        }
        state.accounts.values_mut().for_each(|account| account.rooms.shrink());
        state.rooms.values_mut().for_each(|room| room.members.shrink());
        Ok(state)
    }

    /// Carries a command out. The state moves on at once; the caller commits the events before
    /// anybody sees them, and restores the state from the store when the commit fails.
    ///
    /// # Errors
    /// [`StoreError`] when the lookup fails; the state is as it was.
    pub fn apply(&mut self, command: Command, lookup: &dyn Lookup) -> Result<Decision, StoreError> {
        let decision = self.decide(command, lookup)?;
        if let Some(genesis) = decision.genesis {
            self.begin(genesis);
        }
        decision.events.iter().for_each(|event| self.evolve(event));
        self.advance_by(&decision);
        Ok(decision)
    }

    /// Decides what a command leads to, and changes nothing. It takes the command, so that a text
    /// becomes that of its event without being copied.
    ///
    /// # Errors
    /// [`StoreError`] when the lookup fails.
    pub fn decide(&self, command: Command, lookup: &dyn Lookup) -> Result<Decision, StoreError> {
        let Command { ts: now, action } = command;
        let mut transition =
            Transition { state: self, now, lookup, events: Vec::new(), failure: None };
        let (mut genesis, mut uses_nonce_up) = (None, false);
        if let Some(Err(why)) = action.account().map(|asker| self.access(asker).may_act()) {
            return Ok(Decision { events: Vec::new(), genesis, uses_nonce_up, answer: Err(why) });
        }
        let answer = match action {
            Action::Authenticated { credential, action } => {
                return match self.accepts(credential) {
                    Ok(()) => self.decide(Command { ts: now, action: *action }, lookup),
                    Err(refusal) => Ok(Decision::refused(refusal)),
                };
            }
            Action::Genesis { epoch, secret, lobby } => {
                genesis = self.decide_genesis(epoch, secret);
                match genesis {
                    Some(genesis) => transition.ensure_room(genesis.secret, lobby),
                    None => Ok(Answer::Done),
                }
            }
            Action::SignIn { credential, name, name_is_firm, registration, invitation } => {
                transition.sign_in(
                    credential,
                    (name, name_is_firm),
                    registration,
                    invitation.as_deref(),
                )
            }
            Action::CreateInvitation { account, invitation } => {
                transition.create_invitation(account, *invitation)
            }
            Action::RevokeInvitation { account, invitation } => {
                transition.revoke_invitation(account, invitation)
            }
            Action::LinkDevice(link) => transition.link_device(*link),
            Action::CreateBot(order) => transition.create_bot(*order),
            Action::RevokeToken { by, name } => transition.revoke_token(by, &name),
            Action::OpenLink { account, code } => transition.open_link(account, code),
            Action::RevokeCredential { account, credential } => {
                transition.revoke_credential(account, credential)
            }
            Action::Join { account, name } => transition.join(account, name),
            Action::Leave { account, room } => transition.leave(account, room),
            Action::Rename { account, name, is_reserved } => {
                transition.rename(account, name, is_reserved)
            }
            Action::CreateRoom { account, name, is_private } => {
                transition.open_room(account, name, is_private)
            }
            Action::OpenDirect { account, with } => transition.open_direct(account, with),
            Action::ChangeRoom { account, room, change } => {
                transition.change_room(account, room, change)
            }
            Action::Moderate { account, room, asked } => transition.moderate(account, room, asked),
            Action::Govern(order) => transition.govern(*order),
            Action::Post { account, credential, nonce, room, body } => {
                let decided = transition.post((account, credential), nonce, room, body)?;
                uses_nonce_up = decided.uses_nonce_up;
                decided.answer
            }
        };
        match transition.failure {
            None => Ok(Decision { events: transition.events, genesis, uses_nonce_up, answer }),
            Some(error) => Err(error),
        }
    }

    /// The epoch of all logs.
    #[must_use]
    pub fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// Whether the logs have an epoch.
    #[must_use]
    pub fn has_begun(&self) -> bool {
        self.epoch != Epoch(0)
    }

    /// The number of the rules that the logs go by.
    #[must_use]
    pub fn rules(&self) -> u16 {
        self.rules
    }

    /// The latest time of any event. The clock may be behind it, when it was ahead before.
    #[must_use]
    pub fn last_ts(&self) -> Timestamp {
        self.last_ts
    }

    /// Every log and its head.
    pub fn heads(&self) -> impl Iterator<Item = (LogId, Seq)> {
        let rooms = self.rooms.iter().map(|(id, room)| ((*id).into(), room.head));
        let accounts = self.accounts.iter().map(|(id, account)| ((*id).into(), account.head));
        let server = Some((LogId::SERVER, self.server_head));
        rooms.chain(accounts).chain(server.filter(|(_log, head)| *head > Seq::ZERO))
    }

    fn room_named(&self, keys: &NameKeys) -> Option<RoomId> {
        let id = self.room_names.holder(keys)?;
        (self.rooms.get(&id)?.keys.spelling == keys.spelling).then_some(id)
    }

    pub(crate) fn has_room(&self, room: RoomId) -> bool {
        self.rooms.contains_key(&room)
    }

    pub(crate) fn room_ids(&self) -> impl Iterator<Item = RoomId> {
        self.rooms.keys().copied()
    }

    pub(crate) fn rooms_of(&self, account: AccountId) -> impl Iterator<Item = RoomId> {
        self.accounts.get(&account).into_iter().flat_map(|account| account.rooms.iter())
    }

    pub(crate) fn memberships(&self) -> impl Iterator<Item = (RoomId, AccountId)> {
        self.by_room(|room| &room.members)
    }

    /// A set of accounts that rooms have.
    fn by_room(
        &self,
        set: fn(&Room) -> &IdSet<AccountId>,
    ) -> impl Iterator<Item = (RoomId, AccountId)> {
        let rooms = self.rooms.iter();
        rooms.flat_map(move |(id, room)| set(room).iter().map(|account| (*id, account)))
    }

    /// The head of a log; 0 when it has not begun.
    pub(crate) fn head_of(&self, log: LogId) -> Seq {
        if log == LogId::SERVER {
            return self.server_head;
        }
        let room = self.rooms.get(&RoomId(log.0)).map(|room| room.head);
        let own = || self.accounts.get(&AccountId(log.0)).map(|account| account.head);
        room.or_else(own).unwrap_or_default()
    }

    fn secret(&self) -> StoreSecret {
        self.secret.expect("the logs begin with it, before anything else is asked for")
    }

    /// The id that the next room or account gets: no command makes two.
    fn next_id(&self, secret: StoreSecret) -> u64 {
        let (id, _count) = permutation::next_id(secret, self.progress.ids_given);
        debug_assert!(
            !self.rooms.contains_key(&RoomId(id)) && !self.accounts.contains_key(&AccountId(id)),
            "an id is given once"
        );
        id
    }
}

fn two_of_a_name(what: &'static str, name: &str, held: Option<String>) -> RestoreError {
    RestoreError::SameNames { what, held: held.unwrap_or_default(), name: name.to_owned() }
}

#[cfg(test)]
mod admission_tests;
#[cfg(test)]
mod genesis_tests;
#[cfg(test)]
mod governing_tests;
#[cfg(test)]
mod moderation_tests;
#[cfg(test)]
mod posts_tests;
#[cfg(test)]
mod removal_tests;
#[cfg(test)]
mod replica_tests;
#[cfg(test)]
mod roles_tests;
#[cfg(test)]
mod test_memory;
#[cfg(test)]
mod tests;
