//! Opening the store of a data directory, and deciding whether its logs go on.

use std::path::Path;
use std::sync::Arc;

use chat_core::{Lineage, Witness};
use chat_proto::Epoch;
use rusqlite::Connection;

use super::checkpoints::Checkpoints;
use super::connection::Writer;
use super::directory::{DataDir, bytes_free, open_private};
use super::pending::Pending;
use super::trouble::Trouble;
use super::witness::{self, WitnessFile};
use super::{Durability, OpenError, ROOM_BYTES_MIN, SqliteStore, Transaction, lookup, row, schema};

impl SqliteStore {
    /// Opens the store of a data directory, made where it is missing.
    ///
    /// # Errors
    /// [`OpenError`] says why not, and what to do.
    pub fn open(data_dir: &Path, durability: Durability) -> Result<Self, OpenError> {
        let opened = Self::open_locked(DataDir::lock(data_dir)?, durability);
        if bytes_free(data_dir).is_ok_and(|free| free < ROOM_BYTES_MIN)
            && let Err(OpenError::Database { doing, cause }) = opened
        {
            return Err(OpenError::NoRoom { dir: data_dir.to_owned(), doing, cause });
        }
        opened
    }

    fn open_locked(dir: DataDir, durability: Durability) -> Result<Self, OpenError> {
        let unusable = |cause| OpenError::Dir { dir: dir.path().to_owned(), cause };
        // Its companions get the mode of the file, so it is made before SQLite would make it.
        let database = Arc::new(open_private(&dir.database()).map_err(unusable)?);
        let (witness, seen) = WitnessFile::open(&dir.witness()).map_err(unusable)?;
        let writer = Writer {
            path: dir.database(),
            durability,
            #[cfg(test)]
            fault: None,
        };
        let mut connection = writer.connect().map_err(OpenError::because("opened"))?;
        schema::refuse_newer(&connection)?;
        writer.prepare(&connection).map_err(OpenError::because("opened"))?;
        schema::migrate(&mut connection)?;
        let mut pending = Pending::default();
        pending
            .read_back(&connection)
            .map_err(OpenError::because("asked for its newest events"))?;
        let committed = pending.recent().last_id();
        let boot = witness::boot()?;
        let epoch = decide_epoch(&connection, committed, boot, seen.as_ref())?;
        dir.sync().map_err(unusable)?;
        let checkpoints = Checkpoints::start(&writer, Arc::clone(&database))
            .map_err(OpenError::because("given a thread"))?;
        let mut store = Self {
            writer,
            connection: Some(connection),
            transaction: Transaction::None,
            pending,
            epoch,
            committed,
            appended: committed,
            witness,
            boot,
            trouble: Trouble::default(),
            checkpoints,
            witness_in_trouble: false,
            _database: database,
            dir,
        };
        // It may lag behind: a disk that cannot take it now is no reason not to read.
        store.bear_witness();
        if let Err(error) = store.witness.sync() {
            tracing::warn!(%error, "the witness beside the store could not be synchronised");
        }
        Ok(store)
    }
}

/// The epoch of an opened store: the one it has, or a new one when its logs may lack their end.
fn decide_epoch(
    connection: &Connection,
    committed: u64,
    boot: u128,
    seen: Option<&Witness>,
) -> Result<Epoch, OpenError> {
    let held =
        lookup::meta(connection, "epoch").map_err(OpenError::because("asked for its epoch"))?;
    if let Some(held) = held.map(Epoch) {
        match Lineage::judge(held, committed, boot, seen) {
            Lineage::Continues => return Ok(held),
            Lineage::Broken => tracing::warn!(
                events = committed,
                "the store may lack its newest events: it was restored from a copy, moved, or \
                 lost power; a new epoch begins, and clients read their rooms again"
            ),
        }
    }
    let mut bytes = [0; 8];
    getrandom::fill(&mut bytes)?;
    // SQLite's integers are signed, and 0 is no epoch.
    let epoch = (u64::from_le_bytes(bytes) >> 1).max(1);
    connection
        .execute(
            "INSERT OR REPLACE INTO meta (key, value) VALUES ('epoch', ?)",
            [row::integer(epoch)],
        )
        .map_err(OpenError::because("given an epoch"))?;
    Ok(Epoch(epoch))
}
