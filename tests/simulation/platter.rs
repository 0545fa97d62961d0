//! What survives the server process: the committed transactions, the witness beside them, and the
//! moods of the disk.
//!
//! The durable store *is* the list of its transactions; an older copy of it is a shorter list.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use chat_client::outbox::message_id;
use chat_core::{
    AccountRow, Batch, Content, Event, Lineage, PastSend, RoomRow, Snapshot, TextDigest, Witness,
};
use chat_proto::{
    AccountId, Epoch, ErrorCode, LogId, Nickname, Nonce, PublicKey, RoomId, RoomName, Seq,
    StreamId, Timestamp,
};
use chat_tests::history::{Log, Stored, Truth};

use crate::chance::Chance;
use crate::coverage::{Coverage, Situation};
use crate::seen::seen_of_event;

/// One record, owned.
#[derive(Clone)]
pub(crate) enum Owned {
    Event(Event),
    RefusedSend { account: AccountId, nonce: Nonce, code: ErrorCode, digest: TextDigest },
}

/// What becomes of a commit.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Fate {
    /// It is durable.
    Good,
    /// It fails, and nothing of it is there.
    Lost,
    /// It fails, and is durable all the same.
    Durable,
    /// It fails; that it is durable shows when the store is recovered.
    DurableAtRecovery,
    /// The process dies, and nothing of it is there.
    DiesBefore,
    /// The process dies, and it is durable.
    DiesAfter,
}

/// Everything that was committed.
#[derive(Default)]
pub(crate) struct Data {
    last_id: u64,
    last_ts: Timestamp,
    accounts: BTreeMap<AccountId, (PublicKey, Nickname)>,
    rooms: BTreeMap<RoomId, RoomName>,
    members: BTreeSet<(RoomId, AccountId)>,
    pub(crate) logs: BTreeMap<LogId, Vec<Event>>,
    pub(crate) sends: BTreeMap<(AccountId, StreamId), BTreeMap<u64, PastSend>>,
}

/// The disk.
pub(crate) struct Platter {
    pub(crate) epoch: Epoch,
    commits: Vec<Vec<Owned>>,
    pub(crate) data: Data,
    /// A transaction whose commit failed and which recovery will find.
    limbo: Option<Vec<Owned>>,
    witness: Option<Witness>,
    boot: u128,
    survives_power_loss: bool,

    pub(crate) now_us: u64,
    /// The process is dead: nobody may hear of anything that it still does.
    pub(crate) has_died: bool,
    pub(crate) fates: VecDeque<Fate>,
    pub(crate) appends_fail: u32,
    pub(crate) full_until_us: u64,
    pub(crate) unreadable_until_us: u64,
    pub(crate) chance: Chance,
    pub(crate) coverage: Coverage,

    /// The ends of the epochs that are over.
    past: Truth,
    is_sealed: bool,
    /// What has become durable since somebody looked.
    grown: Vec<(LogId, Seq)>,
}

impl Data {
    /// The largest `n` of a stream.
    pub(crate) fn high_water(&self, account: AccountId, stream: StreamId) -> u64 {
        let sends = self.sends.get(&(account, stream));
        sends.and_then(|sends| sends.last_key_value()).map_or(0, |(n, _)| *n)
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
        self.accounts.get(&account).map_or("", |(_key, name)| name.as_str())
    }

    fn apply(&mut self, record: &Owned) {
        match record {
            Owned::Event(event) => {
                self.apply_event(event);
                self.last_ts = self.last_ts.max(event.ts);
                self.logs.entry(event.log).or_default().push(event.clone());
            }
            Owned::RefusedSend { account, nonce, code, digest } => {
                let refused = PastSend::Refused { code: *code, digest: *digest };
                self.sends.entry((*account, nonce.stream)).or_default().insert(nonce.n, refused);
            }
        }
    }

    fn apply_event(&mut self, event: &Event) {
        let (room, owner) = (RoomId(event.log.0), AccountId(event.log.0));
        match &event.content {
            Content::AccountCreated { key, name } => {
                self.accounts.insert(owner, (*key, name.clone()));
                self.last_id = self.last_id.max(owner.0);
            }
            Content::AccountRenamed { name } => {
                if let Some((_, held)) = self.accounts.get_mut(&owner) {
                    *held = name.clone();
                }
            }
            Content::RoomCreated { name, .. } => {
                self.rooms.insert(room, name.clone());
                self.last_id = self.last_id.max(room.0);
            }
            Content::Joined { account } => drop(self.members.insert((room, *account))),
            Content::Left { account } => drop(self.members.remove(&(room, *account))),
            Content::Posted { from, nonce, .. } => {
                if let Some((nonce_n, past)) = past_of(event).map(|past| (nonce.n, past)) {
                    self.sends.entry((*from, nonce.stream)).or_default().insert(nonce_n, past);
                }
            }
            Content::RoomJoined { .. } | Content::RoomLeft { .. } => {}
        }
    }

    /// What the events of the logs say against each other: only members speak, ids are those of
    /// nonce and key, and an account's own log has the memberships that its rooms have.
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
                    let key = self.accounts.get(from).map(|(key, _)| key);
                    if !in_rooms.contains(&(room, *from)) {
                        found.push(format!("{from} speaks in {room} without being a member"));
                    }
                    if key.map(|key| message_id(*nonce, key)) != Some(*id) {
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

    fn snapshot(&self, epoch: Epoch) -> Snapshot {
        let accounts = self.accounts.iter().map(|(&id, (key, name))| AccountRow {
            id,
            key: *key,
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
            last_id: self.last_id,
            last_ts: self.last_ts,
            accounts: accounts.collect(),
            rooms: rooms.collect(),
            members: self.members.iter().copied().collect(),
        }
    }

    fn logs_in_words(&self) -> BTreeMap<LogId, Log> {
        let in_words = |(log, events): (&LogId, &Vec<Event>)| {
            let name = self.rooms.get(&RoomId(log.0)).map(ToString::to_string).unwrap_or_default();
            (*log, Log { name, events: events.iter().map(stored).collect() })
        };
        self.logs.iter().map(in_words).collect()
    }
}

impl Platter {
    pub(crate) fn new(chance: Chance, coverage: Coverage, survives_power_loss: bool) -> Self {
        Self {
            epoch: Epoch(0),
            commits: Vec::new(),
            data: Data::default(),
            limbo: None,
            witness: None,
            boot: 1,
            survives_power_loss,
            now_us: 0,
            has_died: false,
            fates: VecDeque::new(),
            appends_fail: 0,
            full_until_us: 0,
            unreadable_until_us: 0,
            chance,
            coverage,
            past: Truth::new(),
            is_sealed: false,
            grown: Vec::new(),
        }
    }

    pub(crate) fn takes_writes(&self) -> bool {
        self.now_us >= self.full_until_us && self.is_readable()
    }

    pub(crate) fn is_readable(&self) -> bool {
        self.now_us >= self.unreadable_until_us
    }

    pub(crate) fn commits(&self) -> usize {
        self.commits.len()
    }

    /// A process opens the store: the witness tells whether its logs go on.
    pub(crate) fn open(&mut self) {
        self.has_died = false;
        self.is_sealed = false;
        let commits = self.commits.len() as u64;
        let lineage = Lineage::judge(self.epoch, commits, self.boot, self.witness.as_ref());
        // A store without a transaction is one that was just made.
        let is_new = commits == 0;
        if is_new || lineage == Lineage::Broken {
            if self.epoch != Epoch(0) {
                self.coverage.hit(Situation::NewEpoch);
            }
            self.epoch = Epoch(1 + self.chance.within(&(1..=u64::MAX / 2)));
            let heads = self.data.logs.keys().map(|log| (*log, self.data.head(*log)));
            self.grown = heads.collect();
        }
        self.write_witness();
    }

    /// Makes a transaction durable. The witness is written after it, if the process lives so long.
    pub(crate) fn make_durable(&mut self, transaction: Vec<Owned>, is_witnessed: bool) {
        for record in &transaction {
            self.data.apply(record);
            if let Owned::Event(event) = record {
                self.grown.push((event.log, event.seq));
            }
        }
        self.commits.push(transaction);
        if is_witnessed {
            self.write_witness();
        }
    }

    pub(crate) fn leave_in_limbo(&mut self, transaction: Vec<Owned>) {
        self.limbo = Some(transaction);
    }

    /// What recovery finds.
    pub(crate) fn recover(&mut self) -> Snapshot {
        if let Some(transaction) = self.limbo.take() {
            self.coverage.hit(Situation::DurableAtRecovery);
            self.make_durable(transaction, true);
        }
        self.snapshot()
    }

    pub(crate) fn snapshot(&self) -> Snapshot {
        self.data.snapshot(self.epoch)
    }

    /// Replaces the store by a copy made when it had so many transactions.
    pub(crate) fn restore(&mut self, commits: usize) {
        self.seal();
        self.limbo = None;
        self.commits.truncate(commits);
        self.data = Data::default();
        self.commits.iter().flatten().for_each(|record| self.data.apply(record));
    }

    /// The machine loses its power: what was not synced is gone, and the machine boots again.
    pub(crate) fn lose_power(&mut self, commits_unsynced: usize) {
        self.boot += 1;
        if !self.survives_power_loss {
            self.restore(self.commits.len().saturating_sub(commits_unsynced));
            let commits = self.commits.len() as u64;
            // The witness was not synced either: it may say no more than the store does.
            if let Some(witness) = self.witness.as_mut().filter(|_| self.chance.percent(50)) {
                witness.commits = witness.commits.min(commits);
            }
        }
    }

    pub(crate) fn lose_witness(&mut self) {
        // A store without its witness gets another epoch: what it held is the end of this one.
        self.seal();
        self.witness = None;
    }

    /// Nothing breaks any more.
    pub(crate) fn heal(&mut self) {
        self.fates.clear();
        self.appends_fail = 0;
        self.full_until_us = 0;
        self.unreadable_until_us = 0;
    }

    /// The frames of the events after `after`, and the last of them.
    pub(crate) fn page(&self, log: LogId, after: Seq, events_max: usize) -> (Vec<u8>, Seq) {
        let mut batch = Batch::after(after);
        let skipped = usize::try_from(after.0).unwrap_or(usize::MAX);
        let events = self.data.logs.get(&log).into_iter().flatten();
        events.skip(skipped).take(events_max).for_each(|event| batch.push(event));
        (batch.frames, batch.head)
    }

    pub(crate) fn take_grown(&mut self) -> Vec<(LogId, Seq)> {
        std::mem::take(&mut self.grown)
    }

    /// What the store says, of this epoch and of those before.
    pub(crate) fn truth(&self) -> Truth {
        let mut truth = self.past.clone();
        truth.insert(self.epoch, self.data.logs_in_words());
        truth
    }

    /// Keeps what the store said when it was last open, before anything happens to it.
    fn seal(&mut self) {
        if !std::mem::replace(&mut self.is_sealed, true) {
            self.past.insert(self.epoch, self.data.logs_in_words());
        }
    }

    fn write_witness(&mut self) {
        self.witness = Some(Witness {
            epoch: self.epoch,
            commits: self.commits.len() as u64,
            survives_power_loss: self.survives_power_loss,
            boot: self.boot,
        });
    }
}

/// How the send of a message is remembered.
pub(crate) fn past_of(event: &Event) -> Option<PastSend> {
    #[expect(clippy::wildcard_enum_match_arm, reason = "no other event has a nonce")]
    match &event.content {
        Content::Posted { id, text, .. } => {
            let room = RoomId(event.log.0);
            let digest = TextDigest::of(room, text);
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
