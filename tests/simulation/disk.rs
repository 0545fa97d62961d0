//! The store of one server process: transactions in memory over the platter, an open one and one
//! whose commit may be under way.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use chat_core::{Begun, Event, Lookup, PastSend, Record, Snapshot, Store, StoreError};
use chat_proto::{AccountId, LogId, Nonce, Seq, StreamId, Timestamp};

use crate::coverage::Situation;
use crate::data::{Owned, past_of};
use crate::platter::{Fate, Platter};

/// A disk that fails on purpose.
pub(crate) struct SimDisk {
    platter: Rc<RefCell<Platter>>,
    open: Transaction,
    under_way: Option<Transaction>,
}

/// Records that are not committed.
#[derive(Default)]
struct Transaction {
    records: Vec<Owned>,
    heads: BTreeMap<LogId, Seq>,
    sends: BTreeMap<(AccountId, StreamId), BTreeMap<u64, PastSend>>,
}

impl Transaction {
    fn newest_ts(&self, log: LogId) -> Option<Timestamp> {
        self.records.iter().rev().find_map(|record| match record {
            Owned::Event(event) if event.log == log => Some(event.ts),
            Owned::Event(_) | Owned::RefusedSend { .. } | Owned::Genesis(_) => None,
        })
    }
}

impl SimDisk {
    pub(crate) fn new(platter: Rc<RefCell<Platter>>) -> Self {
        Self { platter, open: Transaction::default(), under_way: None }
    }

    /// What is not committed, the newest first.
    fn uncommitted(&self) -> impl Iterator<Item = &Transaction> {
        std::iter::once(&self.open).chain(&self.under_way)
    }

    fn abandon(&mut self) {
        self.open = Transaction::default();
        self.under_way = None;
        self.platter.borrow_mut().under_way = None;
    }

    fn put_event(&mut self, event: &Event) -> Result<(), StoreError> {
        let held = self.uncommitted().find_map(|it| it.heads.get(&event.log).copied());
        let held = held.unwrap_or_else(|| self.platter.borrow().data.head(event.log));
        if event.seq <= held {
            return Err(failed("appended", "UNIQUE constraint failed: (room, seq)"));
        }
        self.open.heads.insert(event.log, event.seq);
        if let (Some(past), chat_core::Content::Posted { from, nonce, .. }) =
            (past_of(event), &event.content)
        {
            self.put_send(*from, *nonce, past)?;
        }
        self.open.records.push(Owned::Event(event.clone()));
        Ok(())
    }

    fn put_send(
        &mut self,
        account: AccountId,
        nonce: Nonce,
        past: PastSend,
    ) -> Result<(), StoreError> {
        if self.decided(account, nonce).is_some() {
            return Err(failed("appended", "UNIQUE constraint failed: (stream, n)"));
        }
        self.open.sends.entry((account, nonce.stream)).or_default().insert(nonce.n, past);
        Ok(())
    }

    fn decided(&self, account: AccountId, nonce: Nonce) -> Option<PastSend> {
        let of = (account, nonce.stream);
        let open = self.uncommitted().find_map(|it| it.sends.get(&of)?.get(&nonce.n).cloned());
        open.or_else(|| {
            let platter = self.platter.borrow();
            platter.data.sends.get(&of).and_then(|sends| sends.get(&nonce.n)).cloned()
        })
    }
}

impl Lookup for SimDisk {
    fn high_water(&self, account: AccountId, stream: StreamId) -> Result<u64, StoreError> {
        let platter = self.platter.borrow();
        if !platter.is_readable() {
            return Err(failed("looked a stream up", "input/output error"));
        }
        let last = |it: &Transaction| it.sends.get(&(account, stream))?.keys().last().copied();
        let open = self.uncommitted().find_map(last);
        Ok(open.unwrap_or_else(|| platter.data.high_water(account, stream)))
    }

    fn past_send(&self, account: AccountId, nonce: Nonce) -> Result<Option<PastSend>, StoreError> {
        if !self.platter.borrow().is_readable() {
            return Err(failed("looked a send up", "input/output error"));
        }
        Ok(self.decided(account, nonce))
    }

    fn newest_ts(&self, log: LogId) -> Result<Timestamp, StoreError> {
        let platter = self.platter.borrow();
        if !platter.is_readable() {
            return Err(failed("looked for the newest event", "input/output error"));
        }
        let open = self.uncommitted().find_map(|it| it.newest_ts(log));
        Ok(open.or_else(|| platter.data.newest_ts(log)).unwrap_or_default())
    }
}

impl Store for SimDisk {
    fn append(&mut self, record: Record<'_>) -> Result<(), StoreError> {
        {
            let mut platter = self.platter.borrow_mut();
            if platter.has_died {
                return Err(failed("appended", "the process is dead"));
            }
            let fails = platter.appends_fail > 0 && platter.chance.percent(30);
            if fails {
                platter.appends_fail -= 1;
                platter.coverage.hit(Situation::AppendFailed);
            }
            if !platter.takes_writes() {
                platter.coverage.hit(Situation::DiskFull);
            }
            if fails || !platter.takes_writes() {
                drop(platter);
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
            Record::RefusedSend { account, nonce, code, digest } => {
                self.put_send(account, nonce, PastSend::Refused { code, digest })?;
                self.open.records.push(Owned::RefusedSend { account, nonce, code, digest });
                Ok(())
            }
        }
    }

    fn commit(&mut self) -> Result<(), StoreError> {
        self.finish_commit()?;
        let transaction = std::mem::take(&mut self.open);
        end(&mut self.platter.borrow_mut(), transaction.records)
    }

    fn begin_commit(&mut self) -> Result<Begun, StoreError> {
        self.finish_commit()?;
        let is_beside = self.platter.borrow_mut().chance.percent(60);
        if !is_beside || self.open.records.is_empty() {
            return self.commit().map(|()| Begun::Durable);
        }
        let transaction = std::mem::take(&mut self.open);
        self.platter.borrow_mut().under_way = Some(transaction.records.clone());
        self.under_way = Some(transaction);
        Ok(Begun::UnderWay)
    }

    fn poll_commit(&mut self) -> Option<Result<(), StoreError>> {
        let is_over = self.platter.borrow_mut().chance.percent(30);
        (is_over && self.under_way.is_some()).then(|| self.finish_commit())
    }

    fn finish_commit(&mut self) -> Result<(), StoreError> {
        let Some(transaction) = self.under_way.take() else { return Ok(()) };
        let mut platter = self.platter.borrow_mut();
        platter.under_way = None;
        let is_alone = self.open.records.is_empty();
        if !is_alone {
            platter.coverage.hit(Situation::AppliedBesideCommit);
        }
        let outcome = end(&mut platter, transaction.records);
        if outcome.is_err() && !is_alone {
            platter.coverage.hit(Situation::FailedWithWhatWasBehind);
        }
        outcome
    }

    fn recover(&mut self) -> Result<Snapshot, StoreError> {
        self.abandon();
        let mut platter = self.platter.borrow_mut();
        match platter.takes_writes() && !platter.has_died {
            true => Ok(platter.recover()),
            false => Err(failed("proved that it takes writes", "no space left on device")),
        }
    }

    fn roll_back(&mut self) -> Result<Snapshot, StoreError> {
        self.abandon();
        let platter = self.platter.borrow();
        if !platter.is_readable() {
            platter.coverage.hit(Situation::StoreUnreadable);
            return Err(failed("read the state back", "input/output error"));
        }
        Ok(platter.snapshot())
    }
}

/// The commit of a transaction comes to its end.
fn end(platter: &mut Platter, transaction: Vec<Owned>) -> Result<(), StoreError> {
    if transaction.is_empty() {
        return Ok(());
    }
    if platter.has_died || !platter.takes_writes() {
        return Err(failed("committed", "no space left on device"));
    }
    match platter.fates.pop_front().unwrap_or(Fate::Good) {
        Fate::Good => {
            platter.make_durable(transaction, true);
            return Ok(());
        }
        Fate::Lost => platter.coverage.hit(Situation::CommitFailedAndLost),
        Fate::Durable => {
            platter.coverage.hit(Situation::CommitFailedButDurable);
            platter.make_durable(transaction, true);
        }
        Fate::DurableAtRecovery => platter.leave_in_limbo(transaction),
        Fate::DiesBefore => {
            platter.coverage.hit(Situation::DiedBeforeCommit);
            platter.has_died = true;
        }
        Fate::DiesAfter => {
            platter.coverage.hit(Situation::DiedAfterCommit);
            let is_witnessed = platter.chance.percent(50);
            platter.make_durable(transaction, is_witnessed);
            platter.has_died = true;
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

    struct Fresh(Rc<RefCell<Platter>>);

    impl Disk for Fresh {
        type Store = SimDisk;

        fn open(&mut self) -> SimDisk {
            self.0.borrow_mut().open();
            SimDisk::new(Rc::clone(&self.0))
        }
    }

    #[test]
    fn the_simulated_disk_is_a_store() {
        conformance::run(|| {
            let platter = Platter::new(Chance::new(1, 2), Coverage::default(), true);
            Fresh(Rc::new(RefCell::new(platter)))
        });
    }
}
