//! A store in memory and somebody who holds connections, for tests of the pipeline: both count.

use std::collections::BTreeMap;

use chat_proto::{
    AccountId, CredentialId, ErrorCode, FrameCodec, LogId, Nonce, RequestId, RoomId, Seq, StreamId,
    Timestamp,
};

use crate::{
    Batch, Begun, BoundStream, Closing, Conn, Content, Effect, Event, Fanout, Genesis, Lookup,
    OperatorAnswer, OrderProgress, Origin, PastSend, Record, Refusal, Reply, Snapshot, State,
    Store, StoreError, StoreRead,
};

/// Keeps what was committed; begins commits beside the caller when it is told to.
#[derive(Default, Debug)]
pub(super) struct MemoryStore {
    committed: Vec<Kept>,
    under_way: Vec<Kept>,
    open: Vec<Kept>,
    /// How often anything was asked to be committed.
    pub(super) commits: usize,
    /// Commits of sends stay under way until they are waited for.
    pub(super) is_slow: bool,
    /// So many records are taken, and no more until the state is read back.
    pub(super) takes: Option<usize>,
    /// How many were not.
    pub(super) refused_appends: usize,
    /// The next commit fails, and nothing of it is there.
    pub(super) fails: bool,
    /// The commit under way fails when it has been looked at so often, and nothing of it is there.
    pub(super) fails_after_looks: Option<usize>,
    /// Only their members know of these rooms.
    pub(super) hidden: Vec<RoomId>,
    /// But all of a commit that failed is there when the state is read back.
    pub(super) keeps_what_failed: bool,
}

#[derive(Clone, Debug)]
enum Kept {
    Event(Event),
    Genesis(Genesis),
    OrderProgress(OrderProgress),
}

impl MemoryStore {
    fn kept(&self) -> impl Iterator<Item = &Kept> {
        self.committed.iter().chain(&self.under_way).chain(&self.open)
    }

    /// How many records are durable, but for how far in the order they are.
    pub(super) fn records(&self) -> usize {
        self.committed.iter().filter(|kept| !matches!(kept, Kept::OrderProgress(_))).count()
    }

    /// How far in the order each commit was.
    pub(super) fn progress(&self) -> Vec<OrderProgress> {
        let progress = self.committed.iter().filter_map(|kept| match kept {
            Kept::OrderProgress(progress) => Some(progress.clone()),
            Kept::Event(_) | Kept::Genesis(_) => None,
        });
        progress.collect()
    }

    fn sends(&self) -> impl Iterator<Item = (AccountId, Nonce, PastSend)> {
        self.kept().filter_map(|kept| match kept {
            Kept::Event(event) => posted(event),
            Kept::Genesis(_) | Kept::OrderProgress(_) => None,
        })
    }

    fn snapshot(&self) -> Snapshot {
        let mut state = State::restore(Snapshot::default()).expect("there is nothing in it");
        let mut progress = OrderProgress::default();
        for kept in &self.committed {
            match kept {
                Kept::Event(event) => state.evolve(event),
                Kept::Genesis(genesis) => state.begin(*genesis),
                Kept::OrderProgress(newest) => progress = newest.clone(),
            }
        }
        let mut snapshot = Snapshot { progress, ..state.snapshot() };
        for room in &mut snapshot.rooms {
            room.is_public &= !self.hidden.contains(&room.id);
        }
        snapshot
    }
}

impl Lookup for MemoryStore {
    fn stream(
        &self,
        account: AccountId,
        stream: StreamId,
    ) -> Result<Option<BoundStream>, StoreError> {
        let marks = self.kept().filter_map(|kept| match kept {
            Kept::Event(event) => {
                let (by, nonce, _past) = posted(event)?;
                Some((by, RoomId(event.log.0), nonce))
            }
            Kept::Genesis(_) | Kept::OrderProgress(_) => None,
        });
        let mut of = marks.filter(|(by, _, nonce)| (*by, nonce.stream) == (account, stream));
        let Some((_, room, first)) = of.next() else { return Ok(None) };
        let high_water = of.map(|(_, _, nonce)| nonce.n).last().unwrap_or(first.n);
        Ok(Some(BoundStream { room, high_water }))
    }

    fn past_send(&self, account: AccountId, nonce: Nonce) -> Result<Option<PastSend>, StoreError> {
        let mut sends = self.sends();
        Ok(sends.find(|(by, held, _)| (*by, *held) == (account, nonce)).map(|(_, _, past)| past))
    }

    fn newest_ts(&self, log: LogId) -> Result<Timestamp, StoreError> {
        let times = self.kept().filter_map(|kept| match kept {
            Kept::Event(event) if event.log == log => Some(event.ts),
            Kept::Event(_) | Kept::Genesis(_) | Kept::OrderProgress(_) => None,
        });
        Ok(times.last().unwrap_or_default())
    }
}

impl Store for MemoryStore {
    fn append(&mut self, record: Record<'_>) -> Result<(), StoreError> {
        if let Some(left) = &mut self.takes {
            let Some(fewer) = left.checked_sub(1) else {
                self.refused_appends += 1;
                return Err(StoreError::new("took a record", "it was told to fail"));
            };
            *left = fewer;
        }
        self.open.push(match record {
            Record::Genesis(genesis) => Kept::Genesis(genesis),
            Record::Event(event) => Kept::Event(event.clone()),
            Record::OrderProgress(progress) => Kept::OrderProgress(progress.clone()),
        });
        Ok(())
    }

    fn commit(&mut self) -> Result<(), StoreError> {
        self.finish_commit()?;
        self.commits += 1;
        let records = std::mem::take(&mut self.open);
        if std::mem::take(&mut self.fails) {
            if self.keeps_what_failed {
                self.committed.extend(records);
            }
            return Err(StoreError::new("committed", "it was told to fail"));
        }
        self.committed.extend(records);
        Ok(())
    }

    fn begin_commit(&mut self) -> Result<Begun, StoreError> {
        if !self.is_slow {
            return self.commit().map(|()| Begun::Durable);
        }
        self.finish_commit()?;
        self.commits += 1;
        self.under_way = std::mem::take(&mut self.open);
        Ok(Begun::UnderWay)
    }

    fn poll_commit(&mut self) -> Option<Result<(), StoreError>> {
        let looks = self.fails_after_looks.as_mut()?;
        *looks = looks.checked_sub(1)?;
        (*looks == 0).then(|| self.finish_commit())
    }

    fn finish_commit(&mut self) -> Result<(), StoreError> {
        let records = std::mem::take(&mut self.under_way);
        if self.fails_after_looks.take().is_some() {
            return Err(StoreError::new("committed", "it was told to fail beside the caller"));
        }
        self.committed.extend(records);
        Ok(())
    }

    fn recover(&mut self) -> Result<Snapshot, StoreError> {
        self.roll_back()
    }

    fn roll_back(&mut self) -> Result<Snapshot, StoreError> {
        self.open.clear();
        self.takes = None;
        Ok(self.snapshot())
    }
}

fn posted(event: &Event) -> Option<(AccountId, Nonce, PastSend)> {
    let Content::Posted { from, id, nonce, digest, .. } = &event.content else { return None };
    let (room, digest) = (RoomId(event.log.0), *digest);
    let past = PastSend::Posted { room, seq: event.seq, ts: event.ts, id: *id, digest };
    Some((*from, *nonce, past))
}

/// What connections were given, in its order.
#[derive(Default, Debug)]
pub(super) struct Heard {
    pub(super) replies: Vec<(Conn, u16, Effect)>,
    /// Whose alone a log is from then on.
    pub(super) left_to: Vec<(LogId, Vec<AccountId>)>,
    /// The refusals among them.
    pub(super) refusals: Vec<Refusal>,
    pub(super) announced: BTreeMap<LogId, usize>,
    pub(super) published: BTreeMap<LogId, Seq>,
    pub(super) revoked: Vec<(LogId, AccountId, Vec<u8>)>,
    /// What was published of the log of each, when it was.
    pub(super) published_before: Vec<Option<Seq>>,
    /// How often the tails were told of a store that was read back.
    pub(super) rewinds: usize,
    pub(super) removed: Vec<(LogId, Vec<u8>)>,
    pub(super) told_operator: Vec<(RequestId, Result<OperatorAnswer, Refusal>)>,
    /// Each with why, and how many replies there were before it.
    pub(super) signed_out: Vec<(AccountId, Option<CredentialId>, Option<ErrorCode>, usize)>,
    /// Replies that were there when everybody was last woken.
    pub(super) released: usize,
}

impl Heard {
    /// The kinds of the replies since somebody last looked.
    pub(super) fn take(&mut self) -> Vec<(Conn, u16)> {
        self.released = 0;
        self.replies.drain(..).map(|(conn, kind, _effect)| (conn, kind)).collect()
    }
}

impl Fanout for Heard {
    fn publish(&mut self, log: LogId, batch: Batch) {
        self.published.insert(log, batch.head);
    }

    fn announce(&mut self, log: LogId, _frame: Vec<u8>) {
        *self.announced.entry(log).or_default() += 1;
    }

    fn renamed(&mut self, _account: AccountId, _rooms: Vec<RoomId>, _frame: Vec<u8>) {}

    fn reply(&mut self, to: Origin, reply: Reply) {
        let mut bytes = Vec::new();
        reply.encode(to.request, &mut bytes);
        let frame = FrameCodec::default().split_frame(&mut &bytes[..]).unwrap().unwrap();
        assert_eq!(frame.known_kind(), Some(reply.kind()));
        self.replies.push((to.conn, frame.kind, reply.effect()));
        if let Reply::Refused(why) = reply {
            self.refusals.push(why);
        }
    }

    fn tell_operator(&mut self, request: RequestId, answer: Result<OperatorAnswer, Refusal>) {
        self.told_operator.push((request, answer));
    }

    fn read(&mut self, _to: Origin, _account: AccountId, _read: StoreRead) {}

    fn revoke(&mut self, log: LogId, account: AccountId, frame: Vec<u8>) {
        self.published_before.push(self.published.get(&log).copied());
        self.revoked.push((log, account, frame));
    }

    fn sign_out(&mut self, of: AccountId, with: Option<CredentialId>, why: &Closing) {
        let replies = self.replies.len();
        self.signed_out.push((of, with, why.code, replies));
    }

    fn revoke_others(&mut self, log: LogId, members: Vec<AccountId>, _frame: Vec<u8>) {
        self.published_before.push(self.published.get(&log).copied());
        self.left_to.push((log, members));
    }

    fn remove(&mut self, log: LogId, frame: Vec<u8>) {
        self.removed.push((log, frame));
    }

    fn redact(&mut self, _log: LogId, _seq: Seq) {}

    fn remove_messages(&mut self, _removal: crate::Removal) {}

    fn release(&mut self) {
        self.released = self.replies.len();
    }

    fn rewind(&mut self, _heads: &[(LogId, Seq)]) {
        self.rewinds += 1;
    }
}
