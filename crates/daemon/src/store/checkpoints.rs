//! Moves the WAL into the database beside the writer, in a thread with a connection of its own.
//!
//! When the thread has caught up, SQLite begins the WAL anew by itself. Under a load that never
//! pauses it never does, as something always comes while the thread synchronises: then, when the
//! WAL is large, the writer moves the few pages that the thread could not.
//!
//! SQLite synchronises the database only when all of the WAL is in it. The thread does so each
//! time, or the writer would wait for 24 MiB.
//!
//! When that fails, the system has dropped pages of the database, says so once, and nobody can tell
//! which. The WAL still has them all: so nothing is moved any more, that it may never begin anew,
//! and the next start moves all of it again. Nor is anything moved while the WAL itself is
//! distrusted: a loss of power would find the database ahead of it.
//!
//! SQLite itself moves nothing, neither when the WAL is large nor when a connection closes: it
//! would say nothing of a failure.
//!
//! Commits are durable without all this. When it fails, the operator is told.

use std::fs::File;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, Result, ffi};

use super::connection::Writer;
use super::directory::bytes_free;
use super::wal::Wal;

/// When the WAL is moved at the latest, as long as there is something to move.
const EVERY: Duration = Duration::from_secs(5);

/// When it is moved before that: so many pages of 4 KiB have come.
const PAGES_DUE: usize = 1000;

/// When the writer does the rest, so that the WAL begins anew: 24 MiB. It bounds what a start after
/// a crash has to read, and each time one commit takes a millisecond or two more.
const REST_DUE: usize = 6144;

/// When the writer itself moves what it can after each commit, as the thread does not get on: 64
/// MiB. It bounds the WAL, unless a reader is in the way.
const PAGES_MAX: usize = 16_384;

/// The same as [`REST_DUE`] where the disk has little room.
const REST_DUE_ON_SMALL_DISK: usize = 1000;

/// So few pages are moved by the writer in no more time than a commit takes. The thread goes on
/// until no more than that have come while it was at it.
const REST_MAX: usize = 64;

/// How often the thread tries to get there.
const PASSES_MAX: usize = 8;

/// What little room is, in bytes.
pub(super) const SMALL_DISK_BYTES_FREE: u64 = 128 * 1024 * 1024;

/// The thread's name.
const THREAD: &str = "chatd-ckpt";

/// The writer's end.
#[derive(Debug)]
pub(super) struct Checkpoints {
    /// `None` when the thread is to end.
    wake: Option<SyncSender<()>>,
    thread: Option<JoinHandle<()>>,
    shared: Arc<CheckpointState>,
    /// The thread was woken, and what it did has not been looked at.
    awaits_thread: bool,
    /// What came into the WAL since the thread was woken, rather too much, in pages.
    pages_since: usize,
    last: Instant,
}

#[derive(Debug)]
struct CheckpointState {
    wal: Arc<Wal>,
    is_working: AtomicBool,
    is_failing: AtomicBool,
    /// Pages in the WAL when it was last looked at.
    pages: AtomicUsize,
    /// Those that a reader, or a failure, kept from being moved.
    pages_left: AtomicUsize,
    /// The writer is to move what came while the thread did: the WAL is large.
    is_rest_due: AtomicBool,
    /// See the module.
    has_given_up: AtomicBool,
}

/// What SQLite says of a checkpoint.
struct Checkpointed {
    /// Somebody else was at it.
    busy: bool,
    /// Pages in the WAL, and those of them that are in the database.
    pages: usize,
    moved: usize,
}

impl Checkpoints {
    /// Starts the thread.
    pub(super) fn start(
        writer: &Writer,
        database: Arc<File>,
        wal: Arc<Wal>,
    ) -> std::io::Result<Self> {
        // One is enough: it is woken again when it has ended its work.
        let (wake, woken) = sync_channel(1);
        let shared = Arc::new(CheckpointState::of(wal));
        let (writer, its) = (writer.clone(), Arc::clone(&shared));
        let checkpointer = Checkpointer { writer, database, connection: None, shared: its };
        let thread = std::thread::Builder::new()
            .name(THREAD.to_owned())
            .spawn(move || checkpointer.work(&woken))?;
        Ok(Self {
            wake: Some(wake),
            thread: Some(thread),
            shared,
            awaits_thread: false,
            pages_since: 0,
            last: Instant::now(),
        })
    }

    /// A commit has put about so many pages into the WAL.
    pub(super) fn note_commit(&mut self, pages: usize) {
        self.pages_since += pages;
    }

    /// Has the WAL moved when it is time to. Nobody is waited for: what a reader still needs stays.
    pub(super) fn move_when_due(&mut self, writer: &Connection) {
        if self.shared.keeps_still() {
            return;
        }
        if self.pages_since + self.shared.pages.load(Ordering::Relaxed) >= PAGES_MAX {
            self.move_rest(writer);
        }
        if self.awaits_thread {
            if !self.shared.is_working.load(Ordering::Acquire) {
                self.awaits_thread = false;
                self.take_stock(writer);
            }
            return;
        }
        let left = self.pages_since + self.shared.pages_left.load(Ordering::Relaxed);
        if self.pages_since >= PAGES_DUE || (left > 0 && self.last.elapsed() >= EVERY) {
            self.last = Instant::now();
            self.pages_since = 0;
            self.shared.is_working.store(true, Ordering::Release);
            self.awaits_thread = self.wake.as_ref().is_some_and(|wake| wake.try_send(()).is_ok());
        }
    }

    /// Moves all of the WAL and cuts it off, so that a full disk has its room back. A reader may be
    /// in the way.
    pub(super) fn empty_wal(&self, writer: &Connection) -> Result<()> {
        if self.shared.keeps_still() {
            return Ok(());
        }
        let emptied = writer.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0));
        match emptied {
            Ok(true) => tracing::debug!("the WAL could not be emptied: a reader is in the way"),
            Ok(false) => {}
            Err(error) => {
                self.shared.note_failed(&error);
                if is_failed_sync(&error) {
                    self.shared.give_up(&error);
                }
                return Err(error);
            }
        }
        Ok(())
    }

    /// Moves all of the WAL and closes the connection; the last one takes the empty file away.
    pub(super) fn close(&self, connection: Connection) -> Result<()> {
        self.empty_wal(&connection)?;
        let keeps_still = self.shared.keeps_still();
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, keeps_still)?;
        connection.close().map_err(|(_connection, error)| error)
    }

    /// The thread has done what it could.
    fn take_stock(&mut self, writer: &Connection) {
        let CheckpointState { is_failing, is_rest_due, pages_left, .. } = &*self.shared;
        let is_moved = self.pages_since == 0 && pages_left.load(Ordering::Relaxed) == 0;
        if is_moved || is_failing.load(Ordering::Relaxed) || !is_rest_due.load(Ordering::Relaxed) {
            return;
        }
        self.move_rest(writer);
    }

    fn move_rest(&mut self, writer: &Connection) {
        let moved = self.shared.checkpoint(writer);
        self.shared.tell(&moved);
        match moved {
            Ok(moved) if !moved.busy && moved.pages == moved.moved => self.pages_since = 0,
            Ok(_a_reader_is_in_the_way) => {}
            // The thread tries it again.
            Err(_told) => self.shared.pages_left.store(1, Ordering::Relaxed),
        }
    }

    /// Ends the thread.
    pub(super) fn stop(&mut self) {
        self.wake = None;
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the thread that moves the WAL did not end in order");
        }
    }
}

impl Drop for Checkpoints {
    fn drop(&mut self) {
        self.stop();
    }
}

impl CheckpointState {
    fn of(wal: Arc<Wal>) -> Self {
        Self {
            wal,
            is_working: AtomicBool::new(false),
            is_failing: AtomicBool::new(false),
            pages: AtomicUsize::new(0),
            pages_left: AtomicUsize::new(0),
            is_rest_due: AtomicBool::new(false),
            has_given_up: AtomicBool::new(false),
        }
    }

    /// Moves what can be moved.
    fn checkpoint(&self, connection: &Connection) -> Result<Checkpointed> {
        let moved = checkpoint(connection).inspect_err(|error| self.note_failed(error))?;
        if !moved.busy {
            self.pages.store(moved.pages, Ordering::Relaxed);
        }
        Ok(moved)
    }

    /// SQLite synchronises both files, and does not say which of them failed.
    fn note_failed(&self, error: &rusqlite::Error) {
        if error.sqlite_error_code() == Some(ErrorCode::SystemIoFailure) {
            self.wal.distrust();
        }
    }

    /// Tells the operator when it begins to fail, and when that is over.
    fn tell(&self, moved: &Result<Checkpointed>) {
        match moved {
            Err(error) if is_failed_sync(error) => self.give_up(error),
            Err(error) => {
                if !self.is_failing.swap(true, Ordering::Relaxed) {
                    tracing::error!(
                        %error,
                        "chatd.db takes no writes: new messages are safe in chatd.db-wal, which grows"
                    );
                }
            }
            Ok(Checkpointed { busy: false, .. }) => {
                if self.is_failing.swap(false, Ordering::Relaxed) {
                    tracing::info!("chatd.db takes writes again");
                }
            }
            Ok(_nothing_was_tried) => {}
        }
    }

    /// Whether nothing may be moved, now or any more.
    fn keeps_still(&self) -> bool {
        self.has_given_up.load(Ordering::Acquire) || !self.wal.is_trusted()
    }

    fn give_up(&self, error: &rusqlite::Error) {
        if !self.has_given_up.swap(true, Ordering::AcqRel) {
            tracing::error!(
                %error,
                "chatd.db could not be synchronised: new messages are safe in chatd.db-wal, which \
                 grows. Look at the disk, and restart chatd"
            );
        }
    }
}

/// The thread.
struct Checkpointer {
    writer: Writer,
    /// `None` after a failure: it is opened again.
    connection: Option<Connection>,
    /// The database's file, to be synchronised.
    database: Arc<File>,
    shared: Arc<CheckpointState>,
}

impl Checkpointer {
    fn work(mut self, woken: &Receiver<()>) {
        while woken.recv().is_ok() {
            if !self.shared.keeps_still() {
                let moved = self.move_bulk();
                self.shared.tell(&moved);
                if moved.is_err() {
                    // Opened again with the next turn, if there is one.
                    self.connection = None;
                    self.shared.pages_left.store(1, Ordering::Relaxed);
                }
            }
            self.shared.is_working.store(false, Ordering::Release);
        }
    }

    fn move_bulk(&mut self) -> Result<Checkpointed> {
        let rest_due = if self.has_little_room() { REST_DUE_ON_SMALL_DISK } else { REST_DUE };
        let mut moved = self.move_and_sync()?;
        for _ in 1..PASSES_MAX {
            if moved.pages < rest_due || moved.busy || self.shared.keeps_still() {
                break;
            }
            // What came meanwhile, so that less is left to the writer.
            let before = moved.pages;
            moved = self.move_and_sync()?;
            if moved.pages <= before + REST_MAX {
                break;
            }
        }
        // Where a reader keeps much of it from being moved, it is left to the thread.
        let left = moved.pages - moved.moved.min(moved.pages);
        let is_rest_due = moved.pages >= rest_due && left <= PAGES_DUE;
        self.shared.is_rest_due.store(is_rest_due, Ordering::Relaxed);
        self.shared.pages_left.store(left.max(usize::from(moved.busy)), Ordering::Relaxed);
        Ok(moved)
    }

    fn move_and_sync(&mut self) -> Result<Checkpointed> {
        let connection = match self.connection.take() {
            Some(connection) => connection,
            None => self.writer.connect()?,
        };
        let moved = self.shared.checkpoint(self.connection.insert(connection))?;
        self.database.sync_data().map_err(|error| {
            let code = ffi::Error::new(ffi::SQLITE_IOERR_FSYNC);
            rusqlite::Error::SqliteFailure(code, Some(error.to_string()))
        })?;
        Ok(moved)
    }

    fn has_little_room(&self) -> bool {
        let free = self.writer.path.parent().map(bytes_free);
        free.is_some_and(|free| free.is_ok_and(|free| free < SMALL_DISK_BYTES_FREE))
    }
}

fn is_failed_sync(error: &rusqlite::Error) -> bool {
    error.sqlite_error().is_some_and(|error| error.extended_code == ffi::SQLITE_IOERR_FSYNC)
}

fn checkpoint(connection: &Connection) -> Result<Checkpointed> {
    connection.prepare_cached("PRAGMA wal_checkpoint(PASSIVE)")?.query_row([], |row| {
        // Negative where there is no WAL.
        let pages = |column| row.get(column).map(|pages: i64| usize::try_from(pages).unwrap_or(0));
        Ok(Checkpointed { busy: row.get(0)?, pages: pages(1)?, moved: pages(2)? })
    })
}
