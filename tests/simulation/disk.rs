//! What survives the server process: the committed transactions, the witness beside them, and the
//! moods of the disk.
//!
//! The durable store *is* the list of its transactions; an older copy of it is a shorter list.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use chat_core::{Batch, Content, DiskRead, Event, Lineage, Snapshot, Witness};
use chat_proto::{AccountId, Epoch, Gap, GapReason, LogId, Nonce, RequestId, Seq, encode_frame};
use chat_tests::history::Truth;

use crate::chance::Chance;
use crate::coverage::{Coverage, Situation};
use crate::data::{Data, Owned};
use crate::order::Submitted;
use crate::rights::Rights;

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

/// The disk.
pub(crate) struct SimDisk {
    /// Of the logs; 0 while one is to begin.
    pub(crate) epoch: Epoch,
    commits: Vec<Vec<Owned>>,
    pub(crate) data: Data,
    /// A transaction whose commit failed and which recovery will find.
    limbo: Option<Vec<Owned>>,
    /// A transaction whose commit is under way: a process that dies learns no outcome.
    pub(crate) under_way: Option<Vec<Owned>>,
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

    /// What was put into the order.
    pub(crate) submitted: Submitted,
    /// What is wrong with what became durable.
    complaints: Vec<String>,

    /// The ends of the epochs that are over.
    past: Truth,
    /// Who might do and read what then.
    past_rights: BTreeMap<Epoch, Rights>,
    is_sealed: bool,
    /// What has become durable since somebody looked.
    grown: Vec<(LogId, Seq)>,
    /// The messages whose text is gone.
    pub(crate) redacted: BTreeSet<(LogId, Seq)>,
    /// The sends that were refused for good, of which no store knows.
    pub(crate) refused_sends: BTreeSet<(AccountId, Nonce)>,
}

impl SimDisk {
    pub(crate) fn new(chance: Chance, coverage: Coverage, survives_power_loss: bool) -> Self {
        Self {
            epoch: Epoch(0),
            commits: Vec::new(),
            data: Data::default(),
            limbo: None,
            under_way: None,
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
            submitted: Submitted::default(),
            complaints: Vec::new(),
            past: Truth::new(),
            past_rights: BTreeMap::new(),
            is_sealed: false,
            redacted: BTreeSet::new(),
            refused_sends: BTreeSet::new(),
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
        // A commit that failed is found when the file is read anew.
        self.settle_limbo(false);
        let (in_file, commits) = (self.data.epoch(), self.commits.len() as u64);
        let lineage = Lineage::judge(in_file, commits, self.boot, self.witness.as_ref());
        self.epoch = match lineage {
            Lineage::Continues => {
                self.past_rights.remove(&in_file);
                in_file
            }
            // Another one is to begin.
            Lineage::Broken => Epoch(0),
        };
        self.write_witness();
    }

    /// Makes a transaction durable. The witness is written after it, if the process lives so long.
    pub(crate) fn make_durable(&mut self, transaction: Vec<Owned>, is_witnessed: bool) {
        self.complaints.extend(self.submitted.judge(&self.data.progress, &transaction));
        for record in &transaction {
            let before = self.data.epoch();
            self.note_rooms(record);
            self.complaints.extend(self.data.apply(record));
            match record {
                Owned::Event(event) => {
                    self.grown.push((event.log, event.seq));
                    self.remove_messages(event);
                }
                Owned::Genesis(genesis) => {
                    if before != Epoch(0) {
                        self.coverage.hit(Situation::NewEpoch);
                    }
                    self.epoch = genesis.epoch;
                    let heads = self.data.logs.keys().map(|log| (*log, self.data.head(*log)));
                    self.grown = heads.collect();
                }
                Owned::OrderProgress(_) => {}
            }
        }
        self.commits.push(transaction);
        if is_witnessed {
            self.write_witness();
        }
    }

    /// A moderator takes away what somebody has said.
    fn remove_messages(&mut self, event: &Event) {
        let Content::MessagesRemoved { account, since, .. } = event.content else { return };
        let is_meant = |said: &&Event| {
            let is_his = matches!(said.content, Content::Posted { from, .. } if from == account);
            is_his && said.seq < event.seq && said.ts >= since
        };
        let removed = self.data.events_of(event.log).iter().filter(is_meant);
        self.redacted.extend(removed.map(|said| (event.log, said.seq)));
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "nothing else makes or removes a room")]
    fn note_rooms(&self, record: &Owned) {
        let Owned::Event(event) = record else { return };
        match &event.content {
            Content::RoomRemoved {} => self.coverage.hit(Situation::RoomRemoved),
            Content::Kicked { .. } => self.coverage.hit(Situation::Kicked),
            Content::Banned { was_member: true, .. } => self.coverage.hit(Situation::MemberBanned),
            Content::AccessSet { is_private: true, .. } if event.seq > Seq(2) => {
                self.coverage.hit(Situation::MadePrivate);
            }
            Content::Joined { account } if self.data.rights.is_invited(event.log, *account) => {
                self.coverage.hit(Situation::CameInvited);
            }
            Content::DirectBegun { .. } => self.coverage.hit(Situation::DirectBegun),
            Content::InvitationUsed { .. } => self.coverage.hit(Situation::CameByInvitation),
            Content::RoomCreated { name, .. } if self.data.was_there(name.name.as_str()) => {
                self.coverage.hit(Situation::RoomMadeAnew);
            }
            _ => {}
        }
    }

    pub(crate) fn leave_in_limbo(&mut self, transaction: Vec<Owned>) {
        self.limbo = Some(transaction);
    }

    /// The process has died.
    pub(crate) fn lose_process(&mut self) {
        if let Some(transaction) = self.under_way.take() {
            self.coverage.hit(Situation::DiedWithCommitUnderWay);
            if self.chance.percent(50) {
                self.make_durable(transaction, false);
            }
        }
    }

    /// What recovery finds.
    pub(crate) fn recover(&mut self) -> Snapshot {
        self.settle_limbo(true);
        self.snapshot()
    }

    fn settle_limbo(&mut self, is_witnessed: bool) {
        if let Some(transaction) = self.limbo.take() {
            self.coverage.hit(Situation::DurableAtRecovery);
            self.make_durable(transaction, is_witnessed);
        }
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
        self.commits.iter().flatten().for_each(|record| drop(self.data.apply(record)));
        let data = &self.data;
        self.redacted.retain(|(log, seq)| *seq <= data.head(*log));
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

    /// The frames of the events that are asked for, and the last of them.
    pub(crate) fn page(&self, asked: DiskRead, events_max: usize) -> (Vec<u8>, Seq) {
        let DiskRead { log, after, head } = asked;
        let mut batch = Batch::after(after);
        let skipped = usize::try_from(after.0).unwrap_or(usize::MAX);
        let events = self.data.events_of(log).iter();
        let wanted = events.skip(skipped).take_while(|event| event.seq <= head);
        for event in wanted.take(events_max) {
            match self.redacted.contains(&(log, event.seq)) {
                false => batch.push(event),
                true => {
                    put_gap(log, event.seq, &mut batch.frames);
                    batch.head = event.seq;
                }
            }
        }
        (batch.frames, batch.head)
    }

    pub(crate) fn take_grown(&mut self) -> Vec<(LogId, Seq)> {
        std::mem::take(&mut self.grown)
    }

    pub(crate) fn take_complaints(&mut self) -> Vec<String> {
        std::mem::take(&mut self.complaints)
    }

    /// What the store says, of this epoch and of those before.
    pub(crate) fn truth(&self) -> Truth {
        let mut truth = self.past.clone();
        truth.insert(self.epoch, self.data.logs_in_words());
        truth
    }

    /// Who may do and read what, in an epoch.
    pub(crate) fn rights_in(&self, epoch: Epoch) -> &Rights {
        self.past_rights.get(&epoch).unwrap_or(&self.data.rights)
    }

    /// Keeps what the store said when it was last open, before anything happens to it.
    fn seal(&mut self) {
        if !std::mem::replace(&mut self.is_sealed, true) && self.epoch != Epoch(0) {
            self.past.insert(self.epoch, self.data.logs_in_words());
            self.past_rights.insert(self.epoch, self.data.rights.clone());
        }
    }

    fn write_witness(&mut self) {
        if self.epoch == Epoch(0) {
            // Whoever opens it next is to see that an epoch is to begin, too.
            return;
        }
        self.witness = Some(Witness {
            epoch: self.epoch,
            commits: self.commits.len() as u64,
            survives_power_loss: self.survives_power_loss,
            boot: self.boot,
        });
    }
}

/// What stands in the place of an event whose text is gone.
fn put_gap(log: LogId, seq: Seq, frames: &mut Vec<u8>) {
    let gap = Gap { log, from: seq, to: seq, reason: GapReason::Deleted as u16 };
    encode_frame(&gap, RequestId(0), frames).expect("four numbers fit a frame");
}
