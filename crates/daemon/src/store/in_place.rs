//! What a store does when one of its files is not in its place any more.
//!
//! What happens in the directory is noticed behind each commit, before anything is acknowledged, and
//! what happens to those above it within a second; from then on every command is answered
//! `Unavailable` until the file is back, by hand or by restarting. The files that are held go on
//! being read, and nothing is moved or removed under their names.

use chat_core::StoreError;
use rusqlite::config::DbConfig;

use super::committer::WriteConnection;
use super::held::{Displaced, LOCK, WAL, WITNESS};
use super::witness::WitnessFile;
use super::{OpenError, SqliteStore};

impl SqliteStore {
    /// Whether what was committed can be found under its name. Not in trouble: healing asks first.
    pub(super) fn demand_files(&mut self) -> Result<(), StoreError> {
        if !self.faults.is_none() {
            return Ok(());
        }
        let checked = self.held.check_news();
        checked.map_err(|displaced| {
            self.rescue(&displaced);
            looked_for(displaced)
        })
    }

    /// Makes again what can be made again. What else is not in its place keeps the store from
    /// going on.
    pub(super) fn put_in_place(&mut self) -> Result<(), StoreError> {
        // Each of them once, and one more look.
        for _ in 0..2 {
            let Err(displaced) = self.held.check() else { return Ok(()) };
            match displaced.name {
                Some(WITNESS) => self.make_witness_again().map_err(looked_for)?,
                Some(LOCK) => self.take_lock_again()?,
                Some(_) | None => return Err(looked_for(displaced)),
            }
        }
        self.held.check().map_err(looked_for)
    }

    /// At the end: a connection that closes moves its WAL and removes it by its name. Where the
    /// database is not in its place, that name may be another file's: then it moves nothing.
    pub(super) fn leave_files_alone(&mut self) -> bool {
        let Err(displaced) = self.held.check() else { return false };
        if displaced.spares_database() {
            return false;
        }
        tracing::error!(%displaced, "the files of the store are left as they are");
        if let Some(connection) = self.connection.take().and_then(WriteConnection::into_inner)
            && let Err(error) =
                connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)
        {
            tracing::warn!(%error, "SQLite may move the WAL by itself");
        }
        true
    }

    /// Newer commits than the database has are in a WAL that ends with this process.
    fn rescue(&self, displaced: &Displaced) {
        if displaced.name == Some(WAL)
            && let Some(connection) = &self.connection
            && let Err(error) = self.checkpoints.empty_wal(&connection.lock())
        {
            tracing::error!(%error, "the removed WAL could not be moved into chatd.db");
        }
    }

    fn make_witness_again(&mut self) -> std::io::Result<()> {
        self.witness = WitnessFile::open(&self.dir.witness(), &self.database)?;
        self.witness.write(&self.testimony())?;
        self.held.hold(WITNESS, self.witness.file())
    }

    fn take_lock_again(&mut self) -> Result<(), StoreError> {
        let failed = |cause: OpenError| StoreError::new("took its lock again", cause);
        self.dir.lock_again().map_err(failed)?;
        self.held.hold(LOCK, self.dir.lock_file()).map_err(looked_for)
    }
}

fn looked_for(cause: impl std::error::Error + Send + Sync + 'static) -> StoreError {
    StoreError::new("looked for its files", cause)
}
