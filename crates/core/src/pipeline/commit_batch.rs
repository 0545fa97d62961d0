//! A batch at work: what waits for its commit.

use std::collections::BTreeMap;

use chat_proto::{AccountId, CredentialId, LogId, Nonce, QueryRequest, RequestId, RoomId, Seq};

use crate::{
    AccountSetting, Action, Answer, Batch, Conn, Content, Event, OperatorQuery, Origin,
    PresenceReport, Refusal, Removal, RoomSetting, StateChange, StoreError, SubmitterId,
};

/// What waits for the commit, in the order of the inputs.
#[derive(Debug)]
pub(super) enum Waiting {
    /// The outcome of a command.
    Answer { origin: Origin, answer: Result<Answer, Refusal>, send: Option<Send> },
    /// A question, to be answered from the committed state.
    Query { origin: Origin, account: AccountId, query: QueryRequest },
    /// A question of the operator's, to be answered from the committed state.
    Operator { request: RequestId, query: OperatorQuery },
    /// A connection that is gone.
    Gone(Conn),
    /// Another machine tells who is connected to it.
    Presence { machine: SubmitterId, report: PresenceReport },
}

/// The parts of a send that its answer needs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Send {
    pub(super) account: AccountId,
    pub(super) nonce: Nonce,
}

/// A membership that began or ended.
#[derive(Debug)]
pub(super) struct MembershipChange {
    pub(super) room: RoomId,
    pub(super) account: AccountId,
    pub(super) is_member: bool,
    /// False of one who was no member before either, and may not even read any more.
    pub(super) is_counted: bool,
}

/// A room that went with its last member.
#[derive(Clone, Copy, Debug)]
pub(super) struct RemovedRoom {
    pub(super) room: RoomId,
    pub(super) last_member: AccountId,
}

/// The batch.
#[derive(Default, Debug)]
pub(super) struct CommitBatch {
    waiting: Vec<Waiting>,
    batches: BTreeMap<LogId, Batch>,
    memberships: Vec<MembershipChange>,
    removed_rooms: Vec<RemovedRoom>,
    /// Accounts that nobody may be signed in to any more.
    disabled: Vec<AccountId>,
    /// Rooms that others than their members know of no more.
    made_private: Vec<RoomId>,
    /// Messages that are taken away.
    removals: Vec<Removal>,
    new_accounts: Vec<AccountId>,
    /// Accounts to which something else signs in from now on, and what was taken from them.
    credentials: Vec<(AccountId, Option<CredentialId>)>,
    /// The newest name of each account that was renamed.
    renames: BTreeMap<AccountId, String>,
    bytes: usize,
    /// How much the batch before had: its buffers are made as large at once, rather than grow.
    expected: Expected,
    /// Something of it could not be appended: it can only fail.
    broken: Option<StoreError>,
    /// The store is to be asked: something of it is recorded, or repeats what was.
    has_records: bool,
    /// Something of it is recorded.
    has_appended: bool,
    /// Something else than messages comes of it.
    has_changes: bool,
    /// An answer in it tells of the state, which must not move on before.
    tells_of_state: bool,
    /// The store is to be asked in any case.
    is_demanded: bool,
}

/// How large a batch is expected to become.
#[derive(Clone, Copy, Default, Debug)]
struct Expected {
    /// Bytes of frames in each log.
    log_bytes: usize,
    /// Bytes of frames in all logs that are still to begin. All that is reserved is no more than the batch
    /// before had, however many logs there are now.
    left: usize,
    /// Inputs that wait.
    waiting: usize,
}

impl Expected {
    fn take_log_bytes(&mut self) -> usize {
        let taken = self.log_bytes.min(self.left);
        self.left -= taken;
        taken
    }
}

/// What a batch wants of the store.
#[derive(Debug)]
pub(super) enum Commits {
    /// It can only fail, because a record could not be appended.
    Never(StoreError),
    /// Nothing was changed, and nobody is told that a send was posted.
    Nothing,
    /// Every answer is told by the commands themselves: the state may move on meanwhile.
    Sends,
    /// Other things, too.
    More,
}

/// The send of an action, if it is one.
pub(super) fn send_of(action: &Action) -> Option<Send> {
    match action {
        Action::Post { account, nonce, .. } => Some(Send { account: *account, nonce: *nonce }),
        Action::Genesis { .. }
        | Action::SignIn { .. }
        | Action::Join { .. }
        | Action::Leave { .. }
        | Action::CreateBot(_)
        | Action::RevokeToken { .. }
        | Action::LinkDevice(_)
        | Action::OpenLink { .. }
        | Action::RevokeCredential { .. }
        | Action::Authenticated { .. }
        | Action::ChangeRoom { .. }
        | Action::Moderate { .. }
        | Action::Govern(_)
        | Action::CreateRoom { .. }
        | Action::OpenDirect { .. }
        | Action::Rename { .. }
        | Action::CreateInvitation { .. }
        | Action::RevokeInvitation { .. } => None,
    }
}

impl CommitBatch {
    /// Takes it, and begins the next one in its place.
    pub(super) fn close(&mut self) -> Self {
        let expected = Expected {
            log_bytes: self.bytes / self.batches.len().max(1),
            left: self.bytes,
            waiting: self.waiting.len(),
        };
        std::mem::replace(self, Self { expected, ..Self::default() })
    }

    pub(super) fn wait(&mut self, waiting: Waiting) {
        match &waiting {
            // A repetition is told only while what it repeats is where it was. Of a refusal nothing is
            // anywhere; it waits because what it was judged by may still be lost.
            Waiting::Answer { send: Some(_), answer: Ok(_), .. } => self.has_records = true,
            Waiting::Answer { answer: Ok(Answer::Done) | Err(_), .. } => {}
            Waiting::Answer { .. }
            | Waiting::Query { .. }
            | Waiting::Operator { .. }
            | Waiting::Gone(_)
            | Waiting::Presence { .. } => {
                self.tells_of_state = true;
            }
        }
        if self.waiting.is_empty() {
            self.waiting.reserve(self.expected.waiting);
        }
        self.waiting.push(waiting);
    }

    /// The store is to be asked to commit, also when there is nothing of it.
    pub(super) fn demand_commit(&mut self) {
        self.is_demanded = true;
    }

    /// Something that is no event was appended.
    pub(super) fn note_record(&mut self) {
        (self.has_records, self.has_appended) = (true, true);
    }

    /// Whether anything of it is recorded.
    pub(super) fn has_appended(&self) -> bool {
        self.has_appended
    }

    /// The logs begin with it.
    pub(super) fn note_genesis(&mut self) {
        self.note_record();
        self.has_changes = true;
    }

    /// A record could not be appended.
    pub(super) fn break_off(&mut self, cause: StoreError) {
        self.broken.get_or_insert(cause);
    }

    /// Whether one could not.
    pub(super) fn is_broken(&self) -> bool {
        self.broken.is_some()
    }

    pub(super) fn commits(&mut self) -> Commits {
        if let Some(cause) = self.broken.take() {
            Commits::Never(cause)
        } else if self.is_demanded || self.has_records && !self.is_only_sends() {
            Commits::More
        } else if self.has_records {
            Commits::Sends
        } else {
            Commits::Nothing
        }
    }

    /// Whether what is told of an account may not be durable yet.
    pub(super) fn changes_accounts(&self) -> bool {
        self.has_changes || self.broken.is_some()
    }

    /// Whether every answer in it is told by the commands themselves: the state may move on before
    /// they are given.
    pub(super) fn is_only_sends(&self) -> bool {
        !(self.tells_of_state || self.has_changes || self.is_demanded || self.broken.is_some())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty() && !self.has_records && self.is_only_sends()
    }

    /// Encodes an event, once for all who will ever see it.
    pub(super) fn push(&mut self, event: &Event) {
        let before = Seq(event.seq.0 - 1);
        let expected = &mut self.expected;
        let begin = || Batch::with_capacity(before, expected.take_log_bytes());
        let batch = self.batches.entry(event.log).or_insert_with(begin);
        let held = batch.frames.len();
        batch.push(event);
        self.bytes += batch.frames.len() - held;
        self.note_record();
        self.has_changes |= !matches!(event.content, Content::Posted { .. });
        self.note(event);
    }

    /// The bytes of all frames so far.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// The two as one, when nothing of either will be published.
    pub(super) fn followed_by(mut self, behind: Self) -> Self {
        self.waiting.extend(behind.waiting);
        self.memberships.extend(behind.memberships);
        self.removed_rooms.extend(behind.removed_rooms);
        self.disabled.extend(behind.disabled);
        self.made_private.extend(behind.made_private);
        self.removals.extend(behind.removals);
        self.new_accounts.extend(behind.new_accounts);
        self.credentials.extend(behind.credentials);
        self.renames.extend(behind.renames);
        self
    }

    /// The commit failed: nothing is published, and no command has a known outcome.
    pub(super) fn fail(&mut self) {
        self.batches.clear();
        self.memberships.clear();
        self.removed_rooms.clear();
        self.disabled.clear();
        self.made_private.clear();
        self.removals.clear();
        self.renames.clear();
        self.credentials.clear();
        for waiting in &mut self.waiting {
            if let Waiting::Answer { answer, .. } = waiting {
                *answer = Err(Refusal::Unavailable);
            }
        }
    }

    pub(super) fn take_batches(&mut self) -> BTreeMap<LogId, Batch> {
        std::mem::take(&mut self.batches)
    }

    pub(super) fn take_memberships(&mut self) -> Vec<MembershipChange> {
        std::mem::take(&mut self.memberships)
    }

    /// The rooms that it removes, in its order.
    pub(super) fn removed_rooms(&self) -> &[RemovedRoom] {
        &self.removed_rooms
    }

    /// Takes them; what happened in them is published to nobody.
    pub(super) fn take_removed_rooms(&mut self) -> Vec<RemovedRoom> {
        let removed = std::mem::take(&mut self.removed_rooms);
        removed.iter().for_each(|removed| drop(self.batches.remove(&removed.room.into())));
        removed
    }

    /// Accounts that nobody may be signed in to any more.
    pub(super) fn take_disabled(&mut self) -> Vec<AccountId> {
        std::mem::take(&mut self.disabled)
    }

    /// The rooms that others than their members know of no more.
    pub(super) fn made_private(&self) -> &[RoomId] {
        &self.made_private
    }

    /// What is taken away, in order.
    pub(super) fn removals(&self) -> &[Removal] {
        &self.removals
    }

    pub(super) fn take_renames(&mut self) -> BTreeMap<AccountId, String> {
        std::mem::take(&mut self.renames)
    }

    /// Accounts to which something else signs in from now on.
    pub(super) fn changed_credentials(&self) -> impl Iterator<Item = AccountId> {
        self.credentials.iter().map(|(account, _removed)| *account)
    }

    /// What was taken from accounts: whoever has signed in with it has no part in what follows.
    pub(super) fn removed_credentials(&self) -> Vec<(AccountId, CredentialId)> {
        let removed = self.credentials.iter();
        removed.filter_map(|(account, removed)| Some((*account, (*removed)?))).collect()
    }

    /// The accounts that it makes.
    pub(super) fn new_accounts(&self) -> impl Iterator<Item = AccountId> {
        self.new_accounts.iter().copied()
    }

    /// The memberships that it ends.
    pub(super) fn ended_memberships(&self) -> impl Iterator<Item = (AccountId, RoomId)> {
        let ended = self.memberships.iter().filter(|change| !change.is_member);
        ended.map(|change| (change.account, change.room))
    }

    /// Whose memberships or names it changes.
    pub(super) fn changed_accounts(&self) -> impl Iterator<Item = AccountId> {
        let members = self.memberships.iter().map(|change| change.account);
        members.chain(self.renames.keys().copied())
    }

    pub(super) fn into_waiting(self) -> Vec<Waiting> {
        self.waiting
    }

    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "other changes concern no cursor and no name"
    )]
    fn note(&mut self, event: &Event) {
        let (room, own) = (RoomId(event.log.0), AccountId(event.log.0));
        let (account, is_member, is_counted) = match event.content.change() {
            StateChange::AccountBegins { .. } => return self.new_accounts.push(own),
            StateChange::CredentialAdded { .. } => return self.credentials.push((own, None)),
            StateChange::CredentialRemoved { credential } => {
                return self.credentials.push((own, Some(credential.id())));
            }
            StateChange::AccountRenamed { name } => {
                self.renames.insert(own, name.name.to_string());
                return;
            }
            StateChange::AccountSet(AccountSetting::Disabled(Some(_why))) => {
                return self.disabled.push(own);
            }
            StateChange::MemberJoined { account } => (account, true, true),
            StateChange::MemberLeft { account } => (account, false, true),
            StateChange::Banned { account, was_member, .. } => (account, false, was_member),
            StateChange::RoomSet(RoomSetting::Access { is_private: true }) => {
                return self.made_private.push(room);
            }
            StateChange::MessagesRemoved { account, since } => {
                let (log, to) = (event.log, event.seq);
                return self.removals.push(Removal { log, account, since, to });
            }
            StateChange::RoomRemoved => {
                // The event before it says who left.
                let last = self.memberships.last().filter(|left| left.room == room);
                let last_member = last.map(|left| left.account).unwrap_or_default();
                return self.removed_rooms.push(RemovedRoom { room, last_member });
            }
            _ => return,
        };
        self.memberships.push(MembershipChange { room, account, is_member, is_counted });
    }
}

#[cfg(test)]
mod tests;
