//! What the committed transactions come to: the logs, and the tables that follow from them.

use std::collections::{BTreeMap, BTreeSet};

use chat_core::{
    AccountRow, Content, Event, Genesis, PastSend, RefusedSend, RoomRow, Snapshot, StoreSecret,
};
use chat_proto::{
    AccountId, Credential, Epoch, LogId, Nickname, RoomId, RoomName, Seq, StreamId, Timestamp,
};
use chat_tests::history::{Log, Stored};

use crate::seen::seen_of_event;

/// One record, owned.
#[derive(Clone)]
pub(crate) enum Owned {
    Genesis(Genesis),
    Event(Event),
    RefusedSend(RefusedSend),
}

/// Everything that was committed.
#[derive(Default)]
pub(crate) struct Data {
    epoch: Epoch,
    rules: u16,
    secret: Option<StoreSecret>,
    last_ts: Timestamp,
    accounts: BTreeMap<AccountId, (Credential, Nickname)>,
    rooms: BTreeMap<RoomId, RoomName>,
    members: BTreeSet<(RoomId, AccountId)>,
    pub(crate) logs: BTreeMap<LogId, Vec<Event>>,
    /// The room of each stream's first send.
    pub(crate) streams: BTreeMap<(AccountId, StreamId), RoomId>,
    pub(crate) sends: BTreeMap<(AccountId, StreamId), BTreeMap<u64, PastSend>>,
}

impl Data {
    /// The largest `n` of a stream.
    pub(crate) fn high_water(&self, account: AccountId, stream: StreamId) -> u64 {
        let sends = self.sends.get(&(account, stream));
        sends.and_then(|sends| sends.last_key_value()).map_or(0, |(n, _)| *n)
    }

    /// The epoch that the store says, whether it goes on or not.
    pub(crate) fn epoch(&self) -> Epoch {
        self.epoch
    }

    pub(crate) fn head(&self, log: LogId) -> Seq {
        Seq(self.logs.get(&log).map_or(0, |events| events.len() as u64))
    }

    pub(crate) fn newest_ts(&self, log: LogId) -> Option<Timestamp> {
        self.logs.get(&log)?.last().map(|event| event.ts)
    }

    pub(crate) fn members(&self) -> impl Iterator<Item = (LogId, AccountId)> {
        self.members.iter().map(|(room, account)| ((*room).into(), *account))
    }

    /// What an account is called.
    pub(crate) fn name(&self, account: AccountId) -> &str {
        self.accounts.get(&account).map_or("", |(_credential, name)| name.as_str())
    }

    pub(crate) fn apply(&mut self, record: &Owned) {
        match record {
            Owned::Genesis(genesis) => {
                (self.epoch, self.rules) = (genesis.epoch, genesis.rules);
                self.secret = Some(genesis.secret);
            }
            Owned::Event(event) => {
                self.apply_event(event);
                self.last_ts = self.last_ts.max(event.ts);
                self.logs.entry(event.log).or_default().push(event.clone());
            }
            Owned::RefusedSend(refused) => {
                let RefusedSend { account, room, nonce, code, digest } = *refused;
                let past = PastSend::Refused { code, digest };
                self.streams.entry((account, nonce.stream)).or_insert(room);
                self.sends.entry((account, nonce.stream)).or_default().insert(nonce.n, past);
            }
        }
    }

    fn apply_event(&mut self, event: &Event) {
        let (room, owner) = (RoomId(event.log.0), AccountId(event.log.0));
        match &event.content {
            Content::AccountCreated { credential, name } => {
                self.accounts.insert(owner, (*credential, name.clone()));
            }
            Content::AccountRenamed { name } => {
                if let Some((_, held)) = self.accounts.get_mut(&owner) {
                    *held = name.clone();
                }
            }
            Content::RoomCreated { name, .. } => {
                self.rooms.insert(room, name.clone());
            }
            Content::Joined { account } => drop(self.members.insert((room, *account))),
            Content::Left { account } => drop(self.members.remove(&(room, *account))),
            Content::Posted { from, nonce, .. } => {
                let stream = (*from, nonce.stream);
                self.streams.entry(stream).or_insert(room);
                self.sends
                    .entry(stream)
                    .or_default()
                    .extend(past_of(event).map(|it| (nonce.n, it)));
            }
            Content::RoomJoined { .. } | Content::RoomLeft { .. } => {}
        }
    }

    /// What the events of the logs say against each other: only members speak, ids are those of
    /// nonce and credential, and an account's own log has the memberships that its rooms have.
    pub(crate) fn contradictions(&self) -> Vec<String> {
        let mut found = Vec::new();
        let mut in_rooms = BTreeSet::new();
        let mut in_accounts = BTreeSet::new();
        for event in self.logs.values().flatten() {
            let (room, owner) = (RoomId(event.log.0), AccountId(event.log.0));
            match &event.content {
                Content::Joined { account } => drop(in_rooms.insert((room, *account))),
                Content::Left { account } => drop(in_rooms.remove(&(room, *account))),
                Content::RoomJoined { room } => drop(in_accounts.insert((*room, owner))),
                Content::RoomLeft { room } => drop(in_accounts.remove(&(*room, owner))),
                Content::Posted { from, id, nonce, .. } => {
                    let credential = self.accounts.get(from).map(|(credential, _)| credential);
                    if !in_rooms.contains(&(room, *from)) {
                        found.push(format!("{from} speaks in {room} without being a member"));
                    }
                    if credential.map(|credential| nonce.message_id(credential.id())) != Some(*id) {
                        found.push(format!("the id of {nonce:?} in {room} is not its own"));
                    }
                }
                Content::AccountCreated { .. }
                | Content::AccountRenamed { .. }
                | Content::RoomCreated { .. } => {}
            }
        }
        if in_rooms != in_accounts {
            found.push(format!("rooms say {in_rooms:?}, accounts say {in_accounts:?}"));
        }
        found
    }

    pub(crate) fn snapshot(&self, epoch: Epoch) -> Snapshot {
        let accounts = self.accounts.iter().map(|(&id, (_credential, name))| AccountRow {
            id,
            name: name.clone(),
            head: self.head(id.into()),
        });
        let rooms = self.rooms.iter().map(|(&id, name)| RoomRow {
            id,
            name: name.clone(),
            head: self.head(id.into()),
        });
        Snapshot {
            epoch,
            rules: self.rules,
            secret: self.secret,
            last_ts: self.last_ts,
            accounts: accounts.collect(),
            credentials: self.accounts.iter().map(|(&id, (held, _name))| (*held, id)).collect(),
            rooms: rooms.collect(),
            members: self.members.iter().copied().collect(),
        }
    }

    pub(crate) fn logs_in_words(&self) -> BTreeMap<LogId, Log> {
        let in_words = |(log, events): (&LogId, &Vec<Event>)| {
            let name = self.rooms.get(&RoomId(log.0)).map(ToString::to_string).unwrap_or_default();
            (*log, Log { name, events: events.iter().map(stored).collect() })
        };
        self.logs.iter().map(in_words).collect()
    }
}

/// How the send of a message is remembered.
pub(crate) fn past_of(event: &Event) -> Option<PastSend> {
    #[expect(clippy::wildcard_enum_match_arm, reason = "no other event has a nonce")]
    match &event.content {
        Content::Posted { id, digest, .. } => {
            let (room, digest) = (RoomId(event.log.0), *digest);
            Some(PastSend::Posted { room, seq: event.seq, ts: event.ts, id: *id, digest })
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
