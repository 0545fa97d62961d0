//! The writer's transactions: what is appended, and how it is committed, here or beside the caller.

use std::sync::Arc;

use chat_core::{Record, StoreError};

use super::checkpoints::SMALL_DISK_BYTES_FREE;
use super::committer::{self, Committer, WriteConnection};
use super::wal::WalLayout;
use super::write::{ClosedTransaction, WriteError};
use super::{SqliteStore, TransactionState};

/// From so many bytes of texts on a transaction is committed beside the caller. What is smaller
/// takes little more than its sync, and the other thread would have to be woken first.
const BESIDE_BYTES_MIN: usize = 16 * 1024;

/// A commit that is done beside the caller.
#[derive(Debug)]
pub(super) struct UnderWay {
    /// Events with those of its transaction.
    appended: u64,
    /// Where the outcome is when it was waited for, but not asked for yet.
    outcome: Option<Result<(), StoreError>>,
}

impl SqliteStore {
    /// From now on [`chat_core::Store::begin_commit`] leaves large commits to a thread of their own,
    /// which calls `wake` behind each.
    ///
    /// # Errors
    /// When the system gives it no thread.
    pub fn commit_beside(&mut self, wake: impl Fn() + Send + 'static) -> std::io::Result<()> {
        self.committer = Some(Committer::start(Box::new(wake))?);
        Ok(())
    }

    /// Makes the WAL so long beforehand, soon after the first commits, where the disk has room: with
    /// what it has before it begins anew, commits overwrite it and do not make it longer.
    pub fn lay_out_wal(&mut self, bytes: u64) {
        self.layout = Some(WalLayout::of(bytes));
    }

    pub(super) fn try_append(&mut self, record: Record<'_>) -> Result<(), StoreError> {
        let doing = "put a record into its transaction";
        let connection = self.connection.as_ref().ok_or_else(not_open)?;
        if let Record::Event(event) = record {
            let noted = self.latest_ts.note(connection, event.ts);
            noted.map_err(|cause| StoreError::new(doing, cause))?;
        }
        if let Record::Genesis(genesis) = record {
            let begun = connection.in_transaction().and_then(|it| self.epoch.begin(&it, genesis));
            begun.map_err(|cause| StoreError::new(doing, cause))?;
            self.transaction = TransactionState::Open;
            return Ok(());
        }
        self.transactions.append(connection, record).map_err(|cause| match cause {
            // Unwrapped, so that a full disk is recognised.
            WriteError::Sqlite(cause) => StoreError::new(doing, cause),
            WriteError::Hole { .. } | WriteError::Beginning { .. } | WriteError::Nonce { .. } => {
                StoreError::new(doing, cause)
            }
        })?;
        if self.transaction == TransactionState::None {
            self.transaction = TransactionState::Open;
        }
        self.appended += u64::from(matches!(record, Record::Event(_)));
        Ok(())
    }

    pub(super) fn try_commit(&mut self) -> Result<(), StoreError> {
        match self.transaction {
            TransactionState::None if self.transactions.index().is_due() => self.flush(),
            TransactionState::None => Ok(()),
            TransactionState::Lost => Err(StoreError::new("committed", "a record is missing")),
            TransactionState::Open => self.end_transaction(self.transactions.index().is_due()),
        }
    }

    /// Writes where the newest events are, in a transaction of its own. Not in trouble: nothing
    /// is lost without it.
    pub(super) fn flush(&mut self) -> Result<(), StoreError> {
        let is_idle = self.transaction == TransactionState::None && self.faults.is_none();
        if !is_idle || self.transactions.index().is_flushed() {
            return Ok(());
        }
        self.end_transaction(true)
    }

    fn end_transaction(&mut self, flushes: bool) -> Result<(), StoreError> {
        // Until it is known to be durable: whatever happens, it is not committed another time.
        self.transaction = TransactionState::Lost;
        let (connection, closed) = self.close_transaction(flushes)?;
        committer::commit(&connection, &self.wal, &closed)?;
        drop(closed);
        self.transaction = TransactionState::None;
        self.note_durable();
        Ok(())
    }

    /// Makes up the transaction that is to be committed; the next record begins another one.
    pub(super) fn close_transaction(
        &mut self,
        flushes: bool,
    ) -> Result<(WriteConnection, Arc<ClosedTransaction>), StoreError> {
        let connection = self.opened()?.clone();
        if flushes {
            committer::make_durable(&self.wal)?;
            let transaction = connection
                .in_transaction()
                .map_err(|cause| StoreError::new("began a transaction", cause))?;
            self.transactions
                .flush(&transaction)
                .map_err(|cause| StoreError::new("committed", cause))?;
        }
        Ok((connection, self.transactions.close_open()))
    }

    fn note_durable(&mut self) {
        let pages = self.transactions.note_durable();
        self.checkpoints.note_commit(pages);
        let due = self.layout.as_mut().and_then(|layout| layout.note_commit(pages));
        if let Some(bytes) = due {
            self.layout = None;
            if self.dir.bytes_free().is_ok_and(|free| free >= SMALL_DISK_BYTES_FREE) {
                self.wal.lay_out(bytes);
            }
        }
    }

    /// Whether the open transaction is one for the other thread. One that needed SQL already is not:
    /// between two transactions there must be times when none is open.
    pub(super) fn may_commit_beside(&self) -> bool {
        self.committer.is_some()
            && self.transaction == TransactionState::Open
            && self.transactions.staged_bytes() >= BESIDE_BYTES_MIN
            && !self.transactions.is_overfull()
            && self.connection().is_ok_and(|connection| connection.is_autocommit())
    }

    pub(super) fn try_begin_commit(&mut self) -> Result<(), StoreError> {
        let (connection, closed) = self.close_transaction(self.transactions.index().is_due())?;
        let Some(committer) = &self.committer else {
            return Err(StoreError::new("committed", "nobody does so beside it"));
        };
        debug_assert!(self.under_way.is_none(), "one commit at a time is beside the caller");
        committer.begin(connection, closed, Arc::clone(&self.wal))?;
        self.under_way = Some(UnderWay { appended: self.appended, outcome: None });
        self.transaction = TransactionState::None;
        Ok(())
    }

    /// The outcome of the commit under way, if there is one.
    pub(super) fn poll_outcome(&mut self) -> Option<(u64, Result<(), StoreError>)> {
        let under_way = self.under_way.as_mut()?;
        let outcome = match under_way.outcome.take() {
            Some(outcome) => outcome,
            None => self.committer.as_ref()?.poll()?,
        };
        let appended = under_way.appended;
        self.under_way = None;
        Some((appended, outcome))
    }

    /// The same, but waits for it.
    pub(super) fn wait_for_commit(&mut self) -> Option<(u64, Result<(), StoreError>)> {
        let UnderWay { appended, outcome } = self.under_way.take()?;
        let outcome = outcome.or_else(|| Some(self.committer.as_ref()?.wait()));
        Some((appended, outcome?))
    }

    /// Whether the commit under way has failed; waits for it. Its outcome is still to be asked for.
    pub(super) fn has_failed_under_way(&mut self) -> bool {
        let Some((appended, outcome)) = self.wait_for_commit() else { return false };
        let has_failed = outcome.is_err();
        self.under_way = Some(UnderWay { appended, outcome: Some(outcome) });
        has_failed
    }

    pub(super) fn conclude_under_way(
        &mut self,
        (appended, outcome): (u64, Result<(), StoreError>),
    ) -> Result<(), StoreError> {
        if outcome.is_ok() {
            self.note_durable();
        } else {
            // It was built on what is lost.
            self.transaction = TransactionState::Lost;
        }
        self.conclude(outcome, appended)
    }

    /// Behind a commit: what is to be known of it before anybody hears of it.
    pub(super) fn conclude(
        &mut self,
        outcome: Result<(), StoreError>,
        appended: u64,
    ) -> Result<(), StoreError> {
        let outcome = outcome.and_then(|()| self.demand_files());
        if self.transaction == TransactionState::None {
            self.transactions.trim();
        }
        // What was committed is never taken back: a witness that saw more would begin a new epoch.
        debug_assert!(outcome.is_err() || appended >= self.committed);
        if outcome.is_ok() && (self.epoch.committed() || self.committed != appended) {
            self.committed = appended;
            self.bear_witness();
        }
        if outcome.is_ok()
            && self.faults.is_none()
            && let Some(connection) = &self.connection
        {
            let connection = connection.lock();
            if connection.is_autocommit() {
                self.checkpoints.move_when_due(&connection);
            }
        }
        self.note(outcome)
    }
}

/// While the file could not be opened again.
pub(super) fn not_open() -> StoreError {
    StoreError::new("used its file", "it is not open")
}
