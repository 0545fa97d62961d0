//! The store of one server process: transactions in memory over the disk, an open one and one
//! whose commit may be under way.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use chat_core::{Begun, BoundStream, Event, Lookup, PastSend, Record, Snapshot, Store, StoreError};
use chat_proto::{AccountId, LogId, Nonce, RoomId, Seq, StreamId, Timestamp};

use crate::coverage::Situation;
use crate::data::{Owned, past_of};
use crate::disk::{Fate, SimDisk};

/// A store whose disk fails on purpose.
pub(crate) struct SimStore {
    disk: Rc<RefCell<SimDisk>>,
    open: Transaction,
    under_way: Option<Transaction>,
}

/// Records that are not committed.
#[derive(Default)]
struct Transaction {
    records: Vec<Owned>,
    heads: BTreeMap<LogId, Seq>,
    streams: BTreeMap<(AccountId, StreamId), RoomId>,
    sends: BTreeMap<(AccountId, StreamId), BTreeMap<u64, PastSend>>,
}

impl Transaction {
    fn newest_ts(&self, log: LogId) -> Option<Timestamp> {
        self.records.iter().rev().find_map(|record| match record {
            Owned::Event(event) if event.log == log => Some(event.ts),
            Owned::Event(_) | Owned::Genesis(_) | Owned::OrderProgress(_) => None,
        })
    }
}

impl SimStore {
    pub(crate) fn new(disk: Rc<RefCell<SimDisk>>) -> Self {
        Self { disk, open: Transaction::default(), under_way: None }
    }

    /// What is not committed, the newest first.
    fn uncommitted(&self) -> impl Iterator<Item = &Transaction> {
        std::iter::once(&self.open).chain(&self.under_way)
    }

    fn abandon(&mut self) {
        self.open = Transaction::default();
        self.under_way = None;
        self.disk.borrow_mut().under_way = None;
    }

    fn put_event(&mut self, event: &Event) -> Result<(), StoreError> {
        let held = self.uncommitted().find_map(|it| it.heads.get(&event.log).copied());
        let held = held.unwrap_or_else(|| self.disk.borrow().data.head(event.log));
        if event.seq <= held {
            return Err(failed("appended", "UNIQUE constraint failed: (room, seq)"));
        }
        self.open.heads.insert(event.log, event.seq);
        if let Some((from, nonce, past)) = past_of(event) {
            self.put_send((from, RoomId(event.log.0)), nonce, past)?;
        }
        self.open.records.push(Owned::Event(event.clone()));
        Ok(())
    }

    fn put_send(
        &mut self,
        (account, room): (AccountId, RoomId),
        nonce: Nonce,
        past: PastSend,
    ) -> Result<(), StoreError> {
        if self.decided(account, nonce).is_some() {
            return Err(failed("appended", "UNIQUE constraint failed: (stream, n)"));
        }
        if self.bound(account, nonce.stream).is_none() {
            self.open.streams.insert((account, nonce.stream), room);
        }
        self.open.sends.entry((account, nonce.stream)).or_default().insert(nonce.n, past);
        Ok(())
    }

    /// The room of a stream's first send.
    fn bound(&self, account: AccountId, stream: StreamId) -> Option<RoomId> {
        let of = (account, stream);
        let open = self.uncommitted().find_map(|it| it.streams.get(&of).copied());
        open.or_else(|| self.disk.borrow().data.streams.get(&of).copied())
    }

    fn decided(&self, account: AccountId, nonce: Nonce) -> Option<PastSend> {
        let of = (account, nonce.stream);
        let open = self.uncommitted().find_map(|it| it.sends.get(&of)?.get(&nonce.n).cloned());
        open.or_else(|| {
            let disk = self.disk.borrow();
            disk.data.sends.get(&of).and_then(|sends| sends.get(&nonce.n)).cloned()
        })
    }
}

impl Lookup for SimStore {
    fn stream(
        &self,
        account: AccountId,
        stream: StreamId,
    ) -> Result<Option<BoundStream>, StoreError> {
        let disk = self.disk.borrow();
        if !disk.is_readable() {
            return Err(failed("looked a stream up", "input/output error"));
        }
        let last = |it: &Transaction| it.sends.get(&(account, stream))?.keys().last().copied();
        let open = self.uncommitted().find_map(last);
        let high_water = open.unwrap_or_else(|| disk.data.high_water(account, stream));
        Ok(self.bound(account, stream).map(|room| BoundStream { room, high_water }))
    }

    fn past_send(&self, account: AccountId, nonce: Nonce) -> Result<Option<PastSend>, StoreError> {
        if !self.disk.borrow().is_readable() {
            return Err(failed("looked a send up", "input/output error"));
        }
        Ok(self.decided(account, nonce))
    }

    fn newest_ts(&self, log: LogId) -> Result<Timestamp, StoreError> {
        let disk = self.disk.borrow();
        if !disk.is_readable() {
            return Err(failed("looked for the newest event", "input/output error"));
        }
        let open = self.uncommitted().find_map(|it| it.newest_ts(log));
        Ok(open.or_else(|| disk.data.newest_ts(log)).unwrap_or_default())
    }
}

impl Store for SimStore {
    fn append(&mut self, record: Record<'_>) -> Result<(), StoreError> {
        {
            let mut disk = self.disk.borrow_mut();
            if disk.has_died {
                return Err(failed("appended", "the process is dead"));
            }
            let fails = disk.appends_fail > 0 && disk.chance.percent(30);
            if fails {
                disk.appends_fail -= 1;
                disk.coverage.hit(Situation::AppendFailed);
            }
            if !disk.takes_writes() {
                disk.coverage.hit(Situation::DiskFull);
            }
            if fails || !disk.takes_writes() {
                drop(disk);
                self.open = Transaction::default();
                return Err(failed("appended", "no space left on device"));
            }
        }
        match record {
            Record::Genesis(genesis) => {
                self.open.records.push(Owned::Genesis(genesis));
                Ok(())
            }
            Record::Event(event) => self.put_event(event),
            Record::OrderProgress(progress) => {
                self.open.records.push(Owned::OrderProgress(progress.clone()));
                Ok(())
            }
        }
    }

    fn commit(&mut self) -> Result<(), StoreError> {
        self.finish_commit()?;
        let transaction = std::mem::take(&mut self.open);
        end(&mut self.disk.borrow_mut(), transaction.records)
    }

    fn begin_commit(&mut self) -> Result<Begun, StoreError> {
        self.finish_commit()?;
        let is_beside = self.disk.borrow_mut().chance.percent(60);
        if !is_beside || self.open.records.is_empty() {
            return self.commit().map(|()| Begun::Durable);
        }
        let transaction = std::mem::take(&mut self.open);
        self.disk.borrow_mut().under_way = Some(transaction.records.clone());
        self.under_way = Some(transaction);
        Ok(Begun::UnderWay)
    }

    fn poll_commit(&mut self) -> Option<Result<(), StoreError>> {
        let is_over = self.disk.borrow_mut().chance.percent(30);
        (is_over && self.under_way.is_some()).then(|| self.finish_commit())
    }

    fn finish_commit(&mut self) -> Result<(), StoreError> {
        let Some(transaction) = self.under_way.take() else { return Ok(()) };
        let mut disk = self.disk.borrow_mut();
        disk.under_way = None;
        let is_alone = self.open.records.is_empty();
        if !is_alone {
            disk.coverage.hit(Situation::AppliedBesideCommit);
        }
        let outcome = end(&mut disk, transaction.records);
        if outcome.is_err() && !is_alone {
            disk.coverage.hit(Situation::FailedWithWhatWasBehind);
        }
        outcome
    }

    fn recover(&mut self) -> Result<Snapshot, StoreError> {
        self.abandon();
        let mut disk = self.disk.borrow_mut();
        match disk.takes_writes() && !disk.has_died {
            true => Ok(disk.recover()),
            false => Err(failed("proved that it takes writes", "no space left on device")),
        }
    }

    fn roll_back(&mut self) -> Result<Snapshot, StoreError> {
        self.abandon();
        let disk = self.disk.borrow();
        if !disk.is_readable() {
            disk.coverage.hit(Situation::StoreUnreadable);
            return Err(failed("read the state back", "input/output error"));
        }
        Ok(disk.snapshot())
    }
}

/// The commit of a transaction comes to its end.
fn end(disk: &mut SimDisk, transaction: Vec<Owned>) -> Result<(), StoreError> {
    if transaction.is_empty() {
        return Ok(());
    }
    if disk.has_died || !disk.takes_writes() {
        return Err(failed("committed", "no space left on device"));
    }
    match disk.fates.pop_front().unwrap_or(Fate::Good) {
        Fate::Good => {
            disk.make_durable(transaction, true);
            return Ok(());
        }
        Fate::Lost => disk.coverage.hit(Situation::CommitFailedAndLost),
        Fate::Durable => {
            disk.coverage.hit(Situation::CommitFailedButDurable);
            disk.make_durable(transaction, true);
        }
        Fate::DurableAtRecovery => disk.leave_in_limbo(transaction),
        Fate::DiesBefore => {
            disk.coverage.hit(Situation::DiedBeforeCommit);
            disk.has_died = true;
        }
        Fate::DiesAfter => {
            disk.coverage.hit(Situation::DiedAfterCommit);
            let is_witnessed = disk.chance.percent(50);
            disk.make_durable(transaction, is_witnessed);
            disk.has_died = true;
        }
    }
    Err(failed("committed", "input/output error"))
}

fn failed(doing: &'static str, cause: &'static str) -> StoreError {
    StoreError::new(doing, cause)
}

#[cfg(test)]
mod tests {
    use chat_core::conformance::{self, Disk};

    use super::*;
    use crate::chance::Chance;
    use crate::coverage::Coverage;

    struct Fresh(Rc<RefCell<SimDisk>>);

    impl Disk for Fresh {
        type Store = SimStore;

        fn open(&mut self) -> SimStore {
            self.0.borrow_mut().open();
            SimStore::new(Rc::clone(&self.0))
        }
    }

    #[test]
    fn the_simulated_disk_is_a_store() {
        conformance::run(|| {
            let disk = SimDisk::new(Chance::new(1, 2), Coverage::default(), true);
            Fresh(Rc::new(RefCell::new(disk)))
        });
    }
}
