//! What the committed transactions come to: the logs, and the tables that follow from them.

use std::collections::{BTreeMap, BTreeSet};

use chat_core::{Content, Event, Genesis, OrderProgress, PastSend, Snapshot, State};
use chat_proto::{
    AccountId, CredentialId, Epoch, InvitationId, LogId, Nonce, RoomId, Seq, StreamId, Timestamp,
};
use chat_tests::history::{Log, Stored};

use crate::rights::Rights;
use crate::seen::seen_of_event;

/// One record, owned.
#[derive(Clone)]
pub(crate) enum Owned {
    Genesis(Genesis),
    Event(Event),
    OrderProgress(OrderProgress),
}

/// Everything that was committed.
pub(crate) struct Data {
    /// What the tables of a store say: they follow from the events as the state does.
    tables: State,
    pub(crate) progress: OrderProgress,
    pub(crate) logs: BTreeMap<LogId, Vec<Event>>,
    /// Those of rooms that are gone: the store has nothing of them any more, but they were read.
    removed: BTreeMap<LogId, Vec<Event>>,
    /// What speaks for each account, as the events say.
    credentials: BTreeMap<AccountId, BTreeSet<CredentialId>>,
    /// How many may still come in with each invitation, as the events say.
    invited: BTreeMap<InvitationId, u32>,
    /// What was done by somebody who might not: a post of what did not speak for its account, an invitation
    /// that was used up.
    foreign: Vec<String>,
    /// Who may do and read what, as the events say.
    pub(crate) rights: Rights,
    /// The room of each stream's first send.
    pub(crate) streams: BTreeMap<(AccountId, StreamId), RoomId>,
    pub(crate) sends: BTreeMap<(AccountId, StreamId), BTreeMap<u64, PastSend>>,
}

impl Default for Data {
    fn default() -> Self {
        let tables = State::restore(Snapshot::default()).expect("there is nothing in it");
        let (logs, removed) = (BTreeMap::new(), BTreeMap::new());
        let (streams, sends) = (BTreeMap::new(), BTreeMap::new());
        let (credentials, invited, foreign) = (BTreeMap::new(), BTreeMap::new(), Vec::new());
        let (progress, rights) = (OrderProgress::default(), Rights::default());
        Self {
            tables,
            progress,
            logs,
            removed,
            credentials,
            invited,
            foreign,
            rights,
            streams,
            sends,
        }
    }
}

impl Data {
    /// The largest `n` of a stream.
    pub(crate) fn high_water(&self, account: AccountId, stream: StreamId) -> u64 {
        let sends = self.sends.get(&(account, stream));
        sends.and_then(|sends| sends.last_key_value()).map_or(0, |(n, _)| *n)
    }

    /// The epoch that the store says, whether it goes on or not.
    pub(crate) fn epoch(&self) -> Epoch {
        self.tables.epoch()
    }

    /// 0 when there is no such log, or none any more.
    pub(crate) fn head(&self, log: LogId) -> Seq {
        Seq(self.logs.get(&log).map_or(0, |events| events.len() as u64))
    }

    /// Everything that was ever in a log.
    pub(crate) fn events_of(&self, log: LogId) -> &[Event] {
        self.logs.get(&log).or_else(|| self.removed.get(&log)).map_or(&[], Vec::as_slice)
    }

    /// Whether a log was there, and is gone.
    pub(crate) fn is_gone(&self, log: LogId) -> bool {
        self.removed.contains_key(&log)
    }

    /// Whether a room of that name was there, and is gone.
    pub(crate) fn was_there(&self, name: &str) -> bool {
        let mut events = self.removed.values().flatten();
        events.any(|event| {
            matches!(&event.content, Content::RoomCreated { name: held, .. } if held.name.as_str() == name)
        })
    }

    pub(crate) fn newest_ts(&self, log: LogId) -> Option<Timestamp> {
        self.logs.get(&log)?.last().map(|event| event.ts)
    }

    /// Takes the next record; says what is wrong with it.
    pub(crate) fn apply(&mut self, record: &Owned) -> Option<String> {
        let mut wrong = None;
        match record {
            Owned::Genesis(genesis) => self.tables.begin(*genesis),
            Owned::Event(event) => {
                self.tables.evolve(event);
                wrong = self.rights.follow(event);
                self.note_credentials(event);
                self.note_invitations(event);
                self.logs.entry(event.log).or_default().push(event.clone());
                if let Some((from, nonce, past)) = past_of(event) {
                    let stream = (from, nonce.stream);
                    self.streams.entry(stream).or_insert(RoomId(event.log.0));
                    self.sends.entry(stream).or_default().insert(nonce.n, past);
                }
                if matches!(event.content, Content::RoomRemoved {}) {
                    self.removed.extend(self.logs.remove_entry(&event.log));
                }
            }
            Owned::OrderProgress(progress) => self.progress = progress.clone(),
        }
        wrong
    }

    /// No invitation makes more accounts than it says.
    fn note_invitations(&mut self, event: &Event) {
        #[expect(clippy::wildcard_enum_match_arm, reason = "no other event says any of this")]
        match &event.content {
            Content::InvitationCreated { hash, uses, .. } => {
                *self.invited.entry(hash.id()).or_default() += uses;
            }
            Content::InvitationUsed { id, account } => {
                let left = self.invited.entry(*id).or_default();
                match left.checked_sub(1) {
                    Some(fewer) => *left = fewer,
                    None => {
                        let words = format!("{account} came in with {id}, which was used up");
                        self.foreign.push(words);
                    }
                }
            }
            _ => {}
        }
    }

    /// A message's id is made of a credential that speaks for its account just then: it is of no other,
    /// nor of one that was revoked before.
    fn note_credentials(&mut self, event: &Event) {
        let own = AccountId(event.log.0);
        #[expect(clippy::wildcard_enum_match_arm, reason = "no other event says any of this")]
        match &event.content {
            Content::AccountCreated { credential, .. }
            | Content::CredentialAdded { credential, .. } => {
                self.credentials.entry(own).or_default().insert(credential.id());
            }
            Content::CredentialRemoved { credential } => {
                self.credentials.entry(own).or_default().remove(&credential.id());
            }
            Content::Posted { from, id, nonce, .. } => {
                let mut held = self.credentials.get(from).into_iter().flatten();
                if !held.any(|credential| nonce.message_id(*credential) == *id) {
                    let (seq, log) = (event.seq, event.log);
                    let words = format!("nothing that speaks for {from} posted {seq} of log {log}");
                    self.foreign.push(words);
                }
            }
            _ => {}
        }
    }

    /// What the events of the logs say against each other and against the tables: only members speak,
    /// ids are those of nonce and credential, and an account's own log has the memberships that its
    /// rooms have.
    pub(crate) fn contradictions(&self) -> Vec<String> {
        let mut found = self.foreign.clone();
        let tables = self.tables.snapshot();
        let mut in_rooms = BTreeSet::new();
        let mut in_accounts = BTreeSet::new();
        for event in self.logs.values().flatten() {
            let (room, owner) = (RoomId(event.log.0), AccountId(event.log.0));
            #[expect(clippy::wildcard_enum_match_arm, reason = "no other event says any of this")]
            match &event.content {
                Content::Joined { account } => drop(in_rooms.insert((room, *account))),
                Content::Left { account }
                | Content::Kicked { account, .. }
                | Content::Banned { account, .. } => drop(in_rooms.remove(&(room, *account))),
                Content::RoomJoined { room } => drop(in_accounts.insert((*room, owner))),
                Content::RoomLeft { room }
                | Content::RoomKicked { room, .. }
                | Content::RoomBanned { room, .. } => {
                    in_accounts.remove(&(*room, owner));
                }
                Content::Posted { from, .. } if !in_rooms.contains(&(room, *from)) => {
                    found.push(format!("{from} speaks in {room} without being a member"));
                }
                _ => {}
            }
        }
        for log in self.logs.keys().filter(|log| self.is_gone(**log)) {
            found.push(format!("the id {log} was given again after its room had gone"));
        }
        if in_rooms != in_accounts {
            found.push(format!("rooms say {in_rooms:?}, accounts say {in_accounts:?}"));
        }
        if !in_rooms.iter().eq(&tables.members) {
            found.push(format!("rooms say {in_rooms:?}, the tables say {:?}", tables.members));
        }
        found
    }

    pub(crate) fn snapshot(&self, epoch: Epoch) -> Snapshot {
        let progress = self.progress.clone();
        Snapshot { epoch, progress, ..self.tables.snapshot() }
    }

    pub(crate) fn logs_in_words(&self) -> BTreeMap<LogId, Log> {
        let rooms = self.tables.snapshot().rooms;
        let in_words = |(log, events): (&LogId, &Vec<Event>)| {
            let room = rooms.iter().find(|room| LogId::from(room.id) == *log);
            let name = room.map(|room| room.name.name.to_string()).unwrap_or_default();
            (*log, Log { name, events: events.iter().map(stored).collect() })
        };
        self.removed.iter().chain(&self.logs).map(in_words).collect()
    }
}

/// How the send of a message is remembered: whose it is, and which.
pub(crate) fn past_of(event: &Event) -> Option<(AccountId, Nonce, PastSend)> {
    #[expect(clippy::wildcard_enum_match_arm, reason = "no other event has a nonce")]
    match &event.content {
        Content::Posted { from, id, nonce, digest, .. } => {
            let (room, digest) = (RoomId(event.log.0), *digest);
            let past = PastSend::Posted { room, seq: event.seq, ts: event.ts, id: *id, digest };
            Some((*from, *nonce, past))
        }
        _ => None,
    }
}

fn stored(event: &Event) -> Stored {
    #[expect(clippy::wildcard_enum_match_arm, reason = "no other event has a nonce")]
    let nonce = match &event.content {
        Content::Posted { nonce, .. } => Some(*nonce),
        _ => None,
    };
    Stored { seen: seen_of_event(event), nonce }
}
