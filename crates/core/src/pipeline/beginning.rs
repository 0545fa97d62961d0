//! The beginning: a pipeline is opened without writing anything, and logs that have no epoch begin
//! with a command.

use chat_proto::{AccountId, CredentialId, LogId, RoomId, Seq, Timestamp};
use rustc_hash::FxHashMap;

use super::ahead::AheadReaders;
use super::commit_batch::CommitBatch;
use super::failing::InDoubt;
use super::pace::Paces;
use super::refused_sends::RefusedSends;
use super::submissions::Within;
use super::{COMMIT_BYTES_MAX, Pipeline};
use crate::conversation::presence::Presence;
use crate::{
    Batch, Closing, Command, Fanout, Input, Ordered, Origin, Reply, RestoreError, State, Store,
    StoreError, StoreRead,
};

impl<S: Store> Pipeline<S> {
    /// Opens the road: reads the state. Nothing is written: a store that takes no writes is read all
    /// the same, and found out with the first commit.
    ///
    /// # Errors
    /// [`RestoreError`] when the store cannot be read, or what it says cannot be carried on.
    pub fn open(mut store: S) -> Result<Self, RestoreError> {
        let state = State::restore(store.roll_back()?)?;
        Ok(Self {
            store,
            state: Some(state),
            presence: Presence::default(),
            paces: Paces::default(),
            refused: RefusedSends::default(),
            signed_in: FxHashMap::default(),
            ahead: AheadReaders::default(),
            recover_at: None,
            in_doubt: InDoubt::default(),
            commit_bytes_max: COMMIT_BYTES_MAX,
            within: Within::Nothing,
            open: CommitBatch::default(),
            under_way: None,
            has_answered: false,
            now: Timestamp(0),
        })
    }

    /// The same with smaller commits.
    #[must_use]
    pub fn with_commits_of(self, commit_bytes_max: usize) -> Self {
        Self { commit_bytes_max, ..self }
    }

    /// Whether the logs have an epoch. Without one nobody may be served: it begins with a
    /// [`crate::Action::Genesis`].
    pub fn has_begun(&self) -> bool {
        self.state.as_ref().is_none_or(State::has_begun)
    }

    /// Carries out what begins the logs, before anybody is there to be told of it.
    ///
    /// # Errors
    /// [`StoreError`] when it did not become durable.
    pub fn begin(&mut self, genesis: Command) -> Result<(), StoreError> {
        let now = genesis.ts;
        let genesis = Input::Ordered(Ordered { origin: None, command: genesis });
        self.run([genesis], now, &mut Nobody)
            .and_then(|()| self.settle(now, &mut Nobody))
            .map_err(super::Failed::into_cause)
    }
}

/// Nobody is connected yet.
struct Nobody;

impl Fanout for Nobody {
    fn publish(&mut self, _log: LogId, _batch: Batch) {}
    fn announce(&mut self, _log: LogId, _frame: Vec<u8>) {}
    fn renamed(&mut self, _account: AccountId, _rooms: Vec<RoomId>, _frame: Vec<u8>) {}
    fn reply(&mut self, _to: Origin, _reply: Reply) {}
    fn read(&mut self, _to: Origin, _account: AccountId, _read: StoreRead) {}
    fn revoke(&mut self, _log: LogId, _account: AccountId, _frame: Vec<u8>) {}
    fn sign_out(&mut self, _of: AccountId, _with: Option<CredentialId>, _why: &Closing) {}
    fn revoke_others(&mut self, _log: LogId, _members: Vec<AccountId>, _frame: Vec<u8>) {}
    fn remove(&mut self, _log: LogId, _frame: Vec<u8>) {}
    fn redact(&mut self, _log: LogId, _seq: Seq) {}

    fn remove_messages(&mut self, _removal: crate::Removal) {}
    fn release(&mut self) {}
    fn rewind(&mut self, _heads: &[(LogId, Seq)]) {}
}
