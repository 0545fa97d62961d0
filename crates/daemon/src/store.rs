//! The store: one SQLite file, written by one thread, read by as many as like.
//!
//! Owns what is under the data directory but the identity: the file `chatd.db`, the lock, and the
//! witness beside it. It must not know what a command or a connection is: it keeps records and
//! the tables that follow from them, and promises what [`chat_core::Store`] says.

mod access;
pub(crate) mod audit;
mod checkpoints;
mod commit;
mod committer;
mod connection;
mod damage;
mod directory;
mod durability;
mod epoch;
mod error;
mod fault_log;
mod frames;
mod header;
mod held;
mod history;
mod holder;
mod in_place;
mod index;
mod lookup;
mod meta;
mod open;
mod past_sends;
mod progress;
mod projections;
mod read;
mod read_error;
mod removed_rooms;
mod row;
mod row_buffer;
mod schema;
#[cfg(test)]
mod tests;
mod times;
mod traces;
mod transactions;
mod wal;
mod witness;
mod write;

use std::fs::File;
use std::path::Path;
use std::sync::{Arc, MutexGuard};

use chat_core::{Begun, Record, Snapshot, Store, StoreError, Witness};
use chat_proto::{AccountId, Epoch, StreamId};
use rusqlite::{Connection, ErrorCode};

use checkpoints::Checkpoints;
use commit::UnderWay;
use committer::{Committer, WriteConnection};
use connection::Writer;
use directory::DataDir;
pub use durability::Durability;
use epoch::CurrentEpoch;
pub use error::OpenError;
use fault_log::{FaultLog, NoRoom};
use held::HeldFiles;
pub use holder::Holder;
pub use read::{LogPage, Reader};
use times::LatestTs;
pub use times::correct_times;
pub use traces::Traces;
use transactions::Transactions;
use wal::{Wal, WalLayout};
use witness::{Testimony, WitnessFile};

/// What a disk that was full must have free before writing goes on, in bytes: two commits' pages.
const ROOM_BYTES_MIN: u64 = 2 * 1024 * 1024;

/// The store of a daemon. There is one for a data directory at any time.
#[derive(Debug)]
pub struct SqliteStore {
    writer: Writer,
    /// `None` after a reopening that failed.
    connection: Option<WriteConnection>,
    /// Commits beside the caller, when it is to. It ends before the files are closed.
    committer: Option<Committer>,
    under_way: Option<UnderWay>,
    transaction: TransactionState,
    transactions: Transactions,
    latest_ts: LatestTs,
    epoch: CurrentEpoch,
    /// Events committed for sure; none of them may ever be missing again.
    committed: u64,
    /// The same with those of the transaction under way and of the open one.
    appended: u64,
    witness: WitnessFile,
    held: HeldFiles,
    boot: u128,
    faults: FaultLog,
    wal: Arc<Wal>,
    /// How long the WAL is still to be made.
    layout: Option<WalLayout>,
    checkpoints: Checkpoints,
    witness_is_failing: bool,
    /// Damage that the operator knows of.
    told: damage::ToldDamage,
    /// Closed behind the connections that write: a process that closes a file loses its locks on it
    /// (POSIX), also those of SQLite.
    database: Arc<File>,
    /// Released last of all.
    dir: DataDir,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum TransactionState {
    None,
    Open,
    /// A record is missing in it: it must never be committed.
    Lost,
}

impl SqliteStore {
    /// Where its SQLite file is: `chatd.db` in the data directory.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.writer.path
    }

    /// The data directory, which this process has the lock of.
    #[must_use]
    pub fn data_dir(&self) -> &Path {
        self.dir.path()
    }

    /// The epoch of all logs; 0 when one is to begin.
    #[must_use]
    pub fn epoch(&self) -> Epoch {
        self.epoch.current()
    }

    /// Puts everything in its place on the disk. A store that is only dropped, or whose process is
    /// killed, loses nothing either: the next start does the work.
    pub fn close(mut self) {
        if let Err(error) = self.finish_commit() {
            tracing::warn!(%error, "the newest messages were not acknowledged");
        }
        self.committer = None;
        self.checkpoints.stop();
        if self.leave_files_alone() {
            return;
        }
        if let Err(error) = self.flush() {
            tracing::warn!(%error, "the next start finds out where the newest messages are");
        }
        if let Some(connection) = self.connection.take().and_then(WriteConnection::into_inner)
            && let Err(error) = self.checkpoints.close(connection)
        {
            tracing::warn!(%error, "the newest messages stay in chatd.db-wal until a start");
        }
        if let Err(error) = self.witness.sync() {
            tracing::warn!(%error, "the witness beside the store could not be synchronised");
        }
    }

    fn testimony(&self) -> Witness {
        Witness {
            epoch: self.epoch.current(),
            commits: self.committed,
            survives_power_loss: self.writer.durability == Durability::Full,
            boot: self.boot,
        }
    }

    fn opened(&self) -> Result<&WriteConnection, StoreError> {
        self.connection.as_ref().ok_or_else(commit::not_open)
    }

    fn connection(&self) -> Result<MutexGuard<'_, Connection>, StoreError> {
        self.opened().map(WriteConnection::lock)
    }

    fn mark(&self, account: AccountId, stream: StreamId) -> Result<index::StreamMark, StoreError> {
        self.transactions
            .stream(self.opened()?, account, stream)
            .map_err(|cause| StoreError::new("looked for a stream", cause))
    }

    /// What was appended is not there any more, or is only known when the state is read back.
    fn forget_transaction(&mut self) {
        // Its outcome has been told, or is of no use any more.
        drop(self.wait_for_commit());
        self.transaction = TransactionState::None;
        self.transactions.forget();
        debug_assert!(self.appended >= self.committed, "what is committed was appended");
        self.appended = self.committed;
    }

    /// Ends the open transaction without a trace; opens the file again where it is not open.
    fn abandon(&mut self) -> Result<(), StoreError> {
        self.forget_transaction();
        match self.connection() {
            Ok(connection)
                if connection.is_autocommit() || connection.execute_batch("ROLLBACK").is_ok() =>
            {
                return Ok(());
            }
            Ok(_) | Err(_) => {}
        }
        self.reopen()
    }

    fn reopen(&mut self) -> Result<(), StoreError> {
        let failed = |cause| StoreError::new("opened its file again", cause);
        self.forget_transaction();
        // Whoever opens it next may take a failed commit in it for a good one.
        committer::make_durable(&self.wal)?;
        self.connection = None;
        // Whoever opens it may remove them.
        self.held.release_companions();
        let connection = self.writer.connect().map_err(failed)?;
        self.writer.prepare(&connection).map_err(failed)?;
        self.held.hold_companions();
        self.connection = Some(WriteConnection::new(connection));
        Ok(())
    }

    fn try_recover(&mut self) -> Result<Snapshot, StoreError> {
        self.put_in_place()?;
        self.reopen()?;
        let connection = self.connection()?;
        let emptied = self.checkpoints.empty_wal(&connection);
        emptied.map_err(|cause| StoreError::new("emptied its WAL", cause))?;
        if self.faults.is_full() {
            self.demand_room()?;
        }
        prove_writable(&connection).map_err(|cause| StoreError::new("tried to write", cause))?;
        drop(connection);
        self.read_back()
    }

    /// Reads the hot state, and makes sure that nothing is missing of what was once committed.
    fn read_back(&mut self) -> Result<Snapshot, StoreError> {
        let connection = self.opened()?.clone();
        let connection = connection.lock();
        self.transactions
            .read_back(&connection)
            .map_err(|cause| StoreError::new("looked where its newest events are", cause))?;
        let mut snapshot = lookup::snapshot(&connection, &self.transactions)?;
        self.latest_ts.read_back(snapshot.last_ts);
        // The pages that it was read from are of no use to appends.
        connection
            .execute_batch("PRAGMA shrink_memory")
            .map_err(|cause| StoreError::new("freed the pages that it had read", cause))?;
        let removed = removed_rooms::event_count(&connection)
            .map_err(|cause| StoreError::new("read how many events went with rooms", cause))?;
        let found = lookup::event_count_of(&snapshot) + removed;
        let stored = self.transactions.index().last_id();
        if found != stored {
            let damaged = format!(
                "the file is damaged: its logs have {found} events together, and {stored} were \
                 stored. See \"A damaged file\" in docs/OPERATING.md"
            );
            return Err(StoreError::new("read how far its logs have come", damaged));
        }
        let in_file = snapshot.epoch;
        let known = self.epoch.read_back(in_file).filter(|_known| found >= self.committed);
        let Some(epoch) = known else {
            let committed = self.committed;
            let lost = format!(
                "its file has {found} events of epoch {:016x} where {committed} of epoch {:016x} \
                 were committed. Restart the daemon, so that a new epoch begins",
                in_file.0,
                self.epoch.current().0,
            );
            return Err(StoreError::new("checked what it had committed", lost));
        };
        snapshot.epoch = epoch;
        self.committed = found;
        self.appended = found;
        Ok(snapshot)
    }

    /// A trial write fits where a commit does not: a disk that was full must have room for one.
    fn demand_room(&self) -> Result<(), StoreError> {
        let free = self.dir.bytes_free();
        let free = free.map_err(|cause| StoreError::new("looked for room on its disk", cause))?;
        if free >= ROOM_BYTES_MIN {
            return Ok(());
        }
        let (free_kib, needed_kib) = (free / 1024, ROOM_BYTES_MIN / 1024);
        Err(StoreError::new("looked for room on its disk", NoRoom { free_kib, needed_kib }))
    }

    fn note<T>(&mut self, outcome: Result<T, StoreError>) -> Result<T, StoreError> {
        outcome.inspect_err(|error| {
            if has_failed_io(error) {
                self.wal.distrust();
            }
            self.faults.note_write(error);
        })
    }

    fn bear_witness(&mut self) {
        if self.epoch.current() == Epoch(0) {
            // Of logs that have not begun, or may have lost their end: whoever opens them next is to see that,
            // too.
            return;
        }
        self.write_witness(&self.testimony());
    }

    /// What was seen of another file stays, but for the epoch, which no file has: the WAL that is
    /// begun now is this file's, also when the daemon ends before its logs begin.
    fn stand_beside(&mut self, seen: Option<Testimony>) {
        let is_pending = self.epoch.current() == Epoch(0);
        if let Some(seen) = seen.filter(|seen| is_pending && !self.witness.is_of(seen)) {
            self.write_witness(&Witness { epoch: Epoch(0), ..seen.witness });
        }
    }

    fn write_witness(&mut self, witness: &Witness) {
        let written = self.witness.write(witness);
        match &written {
            Err(error) if !self.witness_is_failing => tracing::warn!(
                %error,
                "the witness beside the store cannot be written; \
                 an older copy of the store may go unnoticed"
            ),
            Ok(()) | Err(_) => {}
        }
        self.witness_is_failing = written.is_err();
    }
}

impl Store for SqliteStore {
    fn append(&mut self, record: Record<'_>) -> Result<(), StoreError> {
        let outcome = self.try_append(record);
        if outcome.is_err() {
            self.transaction = TransactionState::Lost;
            // What was built on a commit that failed can only fail: that one is the trouble.
            if self.has_failed_under_way() {
                return outcome;
            }
        }
        self.note(outcome)
    }

    fn commit(&mut self) -> Result<(), StoreError> {
        self.finish_commit()?;
        let outcome = self.try_commit();
        self.conclude(outcome, self.appended)
    }

    fn begin_commit(&mut self) -> Result<Begun, StoreError> {
        self.finish_commit()?;
        if !self.may_commit_beside() {
            return self.commit().map(|()| Begun::Durable);
        }
        let begun = self.try_begin_commit();
        self.note(begun).map(|()| Begun::UnderWay)
    }

    fn poll_commit(&mut self) -> Option<Result<(), StoreError>> {
        let outcome = self.poll_outcome()?;
        Some(self.conclude_under_way(outcome))
    }

    fn finish_commit(&mut self) -> Result<(), StoreError> {
        match self.wait_for_commit() {
            Some(outcome) => self.conclude_under_way(outcome),
            None => Ok(()),
        }
    }

    fn recover(&mut self) -> Result<Snapshot, StoreError> {
        let outcome = self.try_recover();
        let snapshot = self.note(outcome)?;
        self.faults.end();
        Ok(snapshot)
    }

    fn roll_back(&mut self) -> Result<Snapshot, StoreError> {
        let outcome = self.abandon().and_then(|()| self.read_back());
        outcome.inspect_err(|error| self.faults.note_read(error))
    }
}

/// Whether the system may have dropped what was written.
fn has_failed_io(error: &StoreError) -> bool {
    let of_sqlite = error.cause.downcast_ref::<rusqlite::Error>();
    of_sqlite.and_then(rusqlite::Error::sqlite_error_code) == Some(ErrorCode::SystemIoFailure)
}

fn prove_writable(connection: &Connection) -> rusqlite::Result<()> {
    connection
        .execute(
            "INSERT INTO meta (key, value) VALUES ('recoveries', 1) \
             ON CONFLICT (key) DO UPDATE SET value = value + 1",
            [],
        )
        .map(drop)
}
