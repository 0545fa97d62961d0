//! The store: one SQLite file, written by one thread, read by as many as like.
//!
//! Owns what is under the data directory but the identity: the file `chatd.db`, the lock, and the
//! witness beside it. It must not know what a command or a connection is: it keeps records and
//! the tables that follow from them, and promises what [`chat_core::Store`] says.

mod access;
mod checkpoints;
mod connection;
mod damage;
mod dir_watch;
mod directory;
mod durability;
mod error;
mod frames;
mod header;
mod held;
mod history;
mod in_place;
mod logs;
mod lookup;
mod nonces;
mod open;
mod pending;
mod read;
mod recent;
mod row;
mod schema;
mod staged;
mod streams;
#[cfg(test)]
mod tests;
mod times;
mod traces;
mod trouble;
mod wal;
mod witness;
mod write;

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use chat_core::{Record, Snapshot, Store, StoreError, Witness};
use chat_proto::{AccountId, Epoch, StreamId};
use rusqlite::{Connection, ErrorCode};

pub use directory::Holder;
pub use durability::Durability;
pub use error::OpenError;
pub use read::{LogPage, Reader};
pub use times::correct_times;
pub use traces::Traces;

use checkpoints::Checkpoints;
use connection::Writer;
use directory::DataDir;
use held::HeldFiles;
use pending::Pending;
use times::LatestTs;
use trouble::{NoRoom, Trouble};
use wal::Wal;
use witness::WitnessFile;
use write::WriteError;

/// What must be free on a disk that was full before writing goes on, in bytes: a commit with its
/// pages, and as much again.
const ROOM_BYTES_MIN: u64 = 2 * 1024 * 1024;

/// The store of a daemon. There is one for a data directory at any time.
#[derive(Debug)]
pub struct SqliteStore {
    writer: Writer,
    /// `None` after a reopening that failed.
    connection: Option<Connection>,
    transaction: Transaction,
    pending: Pending,
    latest_ts: LatestTs,
    epoch: Epoch,
    /// Events committed for sure; none of them may ever be missing again.
    committed: u64,
    /// The same with those of the open transaction.
    appended: u64,
    witness: WitnessFile,
    held: HeldFiles,
    boot: u128,
    trouble: Trouble,
    wal: Arc<Wal>,
    checkpoints: Checkpoints,
    witness_in_trouble: bool,
    /// Damage that the operator knows of.
    told: damage::Told,
    /// Closed behind the connections that write: a process that closes a file loses its locks on it
    /// (POSIX), also those of SQLite.
    database: Arc<File>,
    /// Released last of all.
    dir: DataDir,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Transaction {
    None,
    Open,
    /// A record is missing in it: it must never be committed.
    Lost,
}

impl SqliteStore {
    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.writer.path
    }

    /// The directory.
    #[must_use]
    pub fn data_dir(&self) -> &Path {
        self.dir.path()
    }

    /// The epoch of all logs.
    #[must_use]
    pub fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// Puts everything in its place on the disk. A store that is only dropped, or whose process is
    /// killed, loses nothing either: the next start does the work.
    pub fn close(mut self) {
        self.checkpoints.stop();
        if self.leave_files_alone() {
            return;
        }
        if let Err(error) = self.flush() {
            tracing::warn!(%error, "the next start finds out where the newest messages are");
        }
        if let Some(connection) = self.connection.take()
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
            epoch: self.epoch,
            commits: self.committed,
            survives_power_loss: self.writer.durability == Durability::Full,
            boot: self.boot,
        }
    }

    fn connection(&self) -> Result<&Connection, StoreError> {
        opened(self.connection.as_ref())
    }

    fn mark(&self, account: AccountId, stream: StreamId) -> Result<streams::Mark, StoreError> {
        self.pending
            .stream(self.connection()?, account, stream)
            .map_err(|cause| StoreError::new("looked for a stream", cause))
    }

    fn try_append(&mut self, record: Record<'_>) -> Result<(), StoreError> {
        if self.transaction == Transaction::None {
            self.begin().map_err(|cause| StoreError::new("began a transaction", cause))?;
        }
        let connection = opened(self.connection.as_ref())?;
        let doing = "put a record into its transaction";
        if let Record::Event(event) = record {
            let noted = self.latest_ts.note(connection, event.ts);
            noted.map_err(|cause| StoreError::new(doing, cause))?;
        }
        self.pending.append(connection, record).map_err(|cause| match cause {
            // Unwrapped, so that a full disk is recognised.
            WriteError::Sqlite(cause) => StoreError::new(doing, cause),
            WriteError::Hole { .. } | WriteError::Beginning { .. } | WriteError::Nonce { .. } => {
                StoreError::new(doing, cause)
            }
        })?;
        self.appended += u64::from(matches!(record, Record::Event(_)));
        Ok(())
    }

    fn begin(&mut self) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        self.connection()?.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
        self.transaction = Transaction::Open;
        Ok(())
    }

    fn try_commit(&mut self) -> Result<(), StoreError> {
        match self.transaction {
            Transaction::None if self.pending.recent().is_due() => self.flush(),
            Transaction::None => Ok(()),
            Transaction::Lost => Err(StoreError::new("committed", "a record is missing")),
            Transaction::Open => self.end_transaction(Pending::write),
        }
    }

    /// What is not on the disk for sure is written again before anything is built on it.
    fn make_wal_durable(&self) -> Result<(), StoreError> {
        let durable = self.wal.make_durable();
        durable
            .map_err(|error| StoreError::new("wrote its WAL once more", wal::as_of_sqlite(&error)))
    }

    /// Writes where the newest events are, in a transaction of its own. Not in trouble: nothing
    /// is lost without it.
    fn flush(&mut self) -> Result<(), StoreError> {
        let is_idle = self.transaction == Transaction::None && self.trouble.is_none();
        if !is_idle || self.pending.recent().is_empty() {
            return Ok(());
        }
        self.begin().map_err(|cause| StoreError::new("began a transaction", cause))?;
        self.end_transaction(Pending::flush)
    }

    fn end_transaction(
        &mut self,
        write: fn(&mut Pending, &Connection) -> rusqlite::Result<()>,
    ) -> Result<(), StoreError> {
        self.make_wal_durable()?;
        let connection = opened(self.connection.as_ref())?;
        write(&mut self.pending, connection)
            .and_then(|()| connection.prepare_cached("COMMIT")?.execute([]))
            .map_err(|cause| StoreError::new("committed", cause))?;
        // The thread that moves it may have been told of a failure meanwhile.
        self.make_wal_durable()?;
        self.transaction = Transaction::None;
        self.checkpoints.note_commit(self.pending.committed());
        Ok(())
    }

    /// What was appended is not there any more, or is only known when the state is read back.
    fn forget_transaction(&mut self) {
        self.transaction = Transaction::None;
        self.pending.forget();
        self.appended = self.committed;
    }

    /// Ends the open transaction without a trace; opens the file again where it is not open.
    fn abandon(&mut self) -> Result<(), StoreError> {
        self.forget_transaction();
        if let Some(connection) = &self.connection
            && (connection.is_autocommit() || connection.execute_batch("ROLLBACK").is_ok())
        {
            return Ok(());
        }
        self.reopen()
    }

    fn reopen(&mut self) -> Result<(), StoreError> {
        let failed = |cause| StoreError::new("opened its file again", cause);
        self.forget_transaction();
        // Whoever opens it next may take a failed commit in it for a good one.
        self.make_wal_durable()?;
        self.connection = None;
        // Whoever opens it may remove them.
        self.held.release_companions();
        let connection = self.writer.connect().map_err(failed)?;
        self.writer.prepare(&connection).map_err(failed)?;
        self.held.hold_companions();
        self.connection = Some(connection);
        Ok(())
    }

    fn try_recover(&mut self) -> Result<Snapshot, StoreError> {
        self.put_in_place()?;
        self.reopen()?;
        let connection = self.connection()?;
        let emptied = self.checkpoints.empty_wal(connection);
        emptied.map_err(|cause| StoreError::new("emptied its WAL", cause))?;
        if self.trouble.is_full() {
            self.demand_room()?;
        }
        prove_writable(connection).map_err(|cause| StoreError::new("tried to write", cause))?;
        self.read_back()
    }

    /// Reads the hot state, and makes sure that nothing is missing of what was once committed.
    fn read_back(&mut self) -> Result<Snapshot, StoreError> {
        let connection = opened(self.connection.as_ref())?;
        self.pending
            .read_back(connection)
            .map_err(|cause| StoreError::new("looked where its newest events are", cause))?;
        let snapshot = lookup::snapshot(connection, self.pending.recent())?;
        self.latest_ts.read_back(snapshot.last_ts);
        // The pages that it was read from are of no use to appends.
        connection
            .execute_batch("PRAGMA shrink_memory")
            .map_err(|cause| StoreError::new("freed the pages that it had read", cause))?;
        let found = lookup::event_count_of(&snapshot);
        if found < self.committed || snapshot.epoch != self.epoch {
            let committed = self.committed;
            let lost = format!(
                "its file has {found} events of epoch {:016x} where {committed} of epoch {:016x} \
                 were committed. Restart the daemon, so that a new epoch begins",
                snapshot.epoch.0, self.epoch.0,
            );
            return Err(StoreError::new("checked what it had committed", lost));
        }
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
            self.trouble.note_write(error);
        })
    }

    fn bear_witness(&mut self) {
        let written = self.witness.write(&self.testimony());
        match &written {
            Err(error) if !self.witness_in_trouble => tracing::warn!(
                %error,
                "the witness beside the store cannot be written; \
                 an older copy of the store may go unnoticed"
            ),
            Ok(()) | Err(_) => {}
        }
        self.witness_in_trouble = written.is_err();
    }
}

impl Store for SqliteStore {
    fn append(&mut self, record: Record<'_>) -> Result<(), StoreError> {
        let outcome = self.try_append(record);
        if outcome.is_err() {
            self.transaction = Transaction::Lost;
        }
        self.note(outcome)
    }

    fn commit(&mut self) -> Result<(), StoreError> {
        let outcome = self.try_commit().and_then(|()| self.demand_files());
        if self.transaction == Transaction::None {
            self.pending.trim();
        }
        if outcome.is_ok() && self.committed != self.appended {
            self.committed = self.appended;
            self.bear_witness();
        }
        if let Some(connection) = &self.connection
            && self.trouble.is_none()
        {
            self.checkpoints.move_when_due(connection);
        }
        self.note(outcome)
    }

    fn recover(&mut self) -> Result<Snapshot, StoreError> {
        let outcome = self.try_recover();
        let snapshot = self.note(outcome)?;
        self.trouble.end();
        Ok(snapshot)
    }

    fn roll_back(&mut self) -> Result<Snapshot, StoreError> {
        let outcome = self.abandon().and_then(|()| self.read_back());
        outcome.inspect_err(|error| self.trouble.note_read(error))
    }
}

fn opened(connection: Option<&Connection>) -> Result<&Connection, StoreError> {
    connection.ok_or_else(|| StoreError::new("used its file", "it is not open"))
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
