//! Opening the store of a data directory, and deciding whether its logs go on.

use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::Arc;

use rusqlite::Connection;

use super::checkpoints::Checkpoints;
use super::committer::WriteConnection;
use super::connection::Writer;
use super::damage::ToldDamage;
use super::directory::{DataDir, bytes_free, open_private};
use super::epoch::CurrentEpoch;
use super::fault_log::FaultLog;
use super::header::{self, FoundFile};
use super::held::{DATABASE, FileIdentity, HeldFiles, LOCK, WAL, WITNESS};
use super::times::LatestTs;
use super::traces::{Traces, set_wal_aside};
use super::transactions::Transactions;
use super::wal::Wal;
use super::witness::{self, Testimony, WitnessFile};
use super::{Durability, OpenError, ROOM_BYTES_MIN, SqliteStore, TransactionState, schema};

impl SqliteStore {
    /// Opens the store of a data directory, made where there never was one.
    ///
    /// # Errors
    /// [`OpenError`] says why not, and what to do.
    pub fn open(data_dir: &Path, durability: Durability) -> Result<Self, OpenError> {
        Self::open_as(data_dir, durability, false)
    }

    /// The same, but a store that was there and is lost is replaced by a new one.
    ///
    /// # Errors
    /// [`OpenError`] says why not, and what to do.
    pub fn open_or_begin_again(data_dir: &Path, durability: Durability) -> Result<Self, OpenError> {
        Self::open_as(data_dir, durability, true)
    }

    fn open_as(
        data_dir: &Path,
        durability: Durability,
        may_begin_again: bool,
    ) -> Result<Self, OpenError> {
        let opened = Self::open_locked(DataDir::lock(data_dir)?, durability, may_begin_again);
        if bytes_free(data_dir).is_ok_and(|free| free < ROOM_BYTES_MIN)
            && let Err(OpenError::Database { doing, cause }) = opened
        {
            return Err(OpenError::NoRoom { dir: data_dir.to_owned(), doing, cause });
        }
        opened
    }

    fn open_locked(
        dir: DataDir,
        durability: Durability,
        may_begin_again: bool,
    ) -> Result<Self, OpenError> {
        let path = dir.database();
        let seen = witness::read(&dir.witness())
            .map_err(|cause| OpenError::file(&dir.witness(), cause))?;
        let commits = seen.map(|seen| seen.witness.commits);
        let found = header::look(&path)?;
        if found == FoundFile::Nothing {
            permit_new(Traces::of(dir.path(), commits), dir.path(), may_begin_again)?;
        }
        // Its companions get the mode of the file, so it is made before SQLite would make it.
        let unusable = |cause| OpenError::file(&path, cause);
        let database = Arc::new(open_private(&path).map_err(unusable)?);
        let identity = FileIdentity::of(&database).map_err(unusable)?;
        let seen = seen.filter(|seen| seen.is_original);
        refuse_stray_wal(&dir, identity, seen.as_ref())?;
        let writer = Writer {
            path: path.clone(),
            database: identity,
            durability,
            #[cfg(test)]
            fault: None,
        };
        let wal = Arc::new(Wal::of(&writer.path));
        wal.make_durable().map_err(OpenError::because("made durable"))?;
        let mut connection = writer.connect().map_err(OpenError::because("opened"))?;
        if found == FoundFile::Nothing {
            header::mark(&connection).map_err(OpenError::because("marked as a store"))?;
        } else if schema::is_blank(&connection)? {
            permit_new(Traces::of(dir.path(), commits), dir.path(), may_begin_again)?;
        }
        schema::refuse_unknown(&connection)?;
        writer.prepare(&connection).map_err(OpenError::because("opened"))?;
        schema::migrate(&mut connection)?;
        Self::with_connection(dir, writer, connection, database, wal, seen)
    }

    fn with_connection(
        dir: DataDir,
        writer: Writer,
        connection: Connection,
        database: Arc<File>,
        wal: Arc<Wal>,
        seen: Option<Testimony>,
    ) -> Result<Self, OpenError> {
        let mut transactions = Transactions::default();
        transactions
            .read_back(&connection)
            .map_err(OpenError::because("asked for its newest events"))?;
        let committed = transactions.index().last_id();
        let boot = witness::boot()?;
        let seen_here = seen.map(|seen| seen.witness);
        let epoch = CurrentEpoch::judge(&connection, committed, boot, seen_here.as_ref())
            .map_err(OpenError::because("asked for its epoch"))?;
        let unusable = |cause| OpenError::file(&dir.witness(), cause);
        let witness = WitnessFile::open(&dir.witness(), &database).map_err(unusable)?;
        let held = hold(&dir, &database, &witness)
            .map_err(|cause| OpenError::Dir { dir: dir.path().to_owned(), cause })?;
        dir.sync().map_err(|cause| OpenError::Dir { dir: dir.path().to_owned(), cause })?;
        let checkpoints = Checkpoints::start(&writer, Arc::clone(&database), Arc::clone(&wal))
            .map_err(OpenError::because("given a thread"))?;
        let mut store = Self {
            writer,
            connection: Some(WriteConnection::new(connection)),
            committer: None,
            under_way: None,
            transaction: TransactionState::None,
            transactions,
            latest_ts: LatestTs::default(),
            epoch,
            committed,
            appended: committed,
            witness,
            held,
            boot,
            faults: FaultLog::default(),
            wal,
            layout: None,
            checkpoints,
            witness_is_failing: false,
            told: ToldDamage::default(),
            database,
            dir,
        };
        // It may lag behind: a disk that cannot take it now is no reason not to read.
        store.stand_beside(seen);
        store.bear_witness();
        if let Err(error) = store.witness.sync() {
            tracing::warn!(%error, "the witness beside the store could not be synchronised");
        }
        Ok(store)
    }
}

/// Refuses to begin a new store where something tells of another, unless it is allowed.
fn permit_new(traces: Traces, dir: &Path, may_begin_again: bool) -> Result<(), OpenError> {
    if traces.is_empty() {
        return Ok(());
    }
    if !may_begin_again {
        return Err(OpenError::Missing { dir: dir.to_owned(), database: DATABASE, traces });
    }
    let aside = set_wal_aside(dir).map_err(|cause| OpenError::file(&dir.join(WAL), cause))?;
    let aside = aside.map(|path| path.display().to_string());
    tracing::warn!(found = %traces, wal_kept_as = aside, "a new store begins in place of a lost one");
    Ok(())
}

/// The files that the store needs in their places from now on.
fn hold(dir: &DataDir, database: &File, witness: &WitnessFile) -> io::Result<HeldFiles> {
    let mut held = HeldFiles::of(dir.path())?;
    held.hold(DATABASE, database)?;
    held.hold_companions();
    held.hold(WITNESS, witness.file())?;
    held.hold(LOCK, dir.lock_file())?;
    Ok(held)
}

/// SQLite takes any WAL beside a file for the file's own, and would write its pages into it.
fn refuse_stray_wal(
    dir: &DataDir,
    database: FileIdentity,
    seen: Option<&Testimony>,
) -> Result<(), OpenError> {
    let wal = dir.path().join(WAL);
    let has_wal = std::fs::metadata(&wal).is_ok_and(|metadata| metadata.len() > 0);
    match seen {
        Some(seen) if has_wal && seen.database != database.inode() => {
            Err(OpenError::StrayWal { wal, database: dir.database() })
        }
        Some(_) | None => Ok(()),
    }
}
