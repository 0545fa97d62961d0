//! Moves the WAL into the database, beside the writer: a thread with a connection of its own does
//! the bulk, and the writer the few pages that came meanwhile, so that the WAL begins anew.
//!
//! Commits are durable without it. When it fails, the operator is told.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rusqlite::{Connection, Result};

use super::connection::Writer;

/// When the WAL is moved at the latest, as long as there is anything in it.
const EVERY: Duration = Duration::from_secs(5);

/// When it is moved before that, in pages of 4 KiB. It bounds what a start after a crash has to
/// look at, and what a small disk must have room for.
const PAGES_DUE: usize = 1000;

/// The thread's name.
const THREAD: &str = "chatd-wal";

/// The writer's end.
#[derive(Debug)]
pub(super) struct Checkpoints {
    /// `None` when the thread is to end.
    wake: Option<SyncSender<()>>,
    thread: Option<JoinHandle<()>>,
    shared: Arc<Shared>,
    /// The thread was woken, and what it leaves is the writer's.
    awaits_thread: bool,
    /// What is in the WAL, about, in pages.
    pages: usize,
    pages_due: usize,
    last: Instant,
}

#[derive(Debug, Default)]
struct Shared {
    is_working: AtomicBool,
    is_failing: AtomicBool,
}

/// What SQLite says of a checkpoint.
struct Moved {
    /// Somebody else was at it.
    busy: bool,
    /// Pages in the WAL, and those of them that are in the database.
    pages: usize,
    moved: usize,
}

impl Checkpoints {
    /// Starts the thread.
    pub(super) fn start(writer: &Writer) -> std::io::Result<Self> {
        // One is enough: it is woken again when it has ended its work.
        let (wake, woken) = sync_channel(1);
        let shared = Arc::new(Shared::default());
        let (writer, its) = (writer.clone(), Arc::clone(&shared));
        let thread = std::thread::Builder::new()
            .name(THREAD.to_owned())
            .spawn(move || work(&writer, &woken, &its))?;
        Ok(Self {
            wake: Some(wake),
            thread: Some(thread),
            shared,
            awaits_thread: false,
            pages: 0,
            pages_due: PAGES_DUE,
            last: Instant::now(),
        })
    }

    /// A commit has put about so many pages into the WAL.
    pub(super) fn note_commit(&mut self, pages: usize) {
        self.pages += pages;
    }

    /// Has the WAL moved when it is time to. Nobody is waited for: what a reader still needs stays.
    pub(super) fn move_when_due(&mut self, writer: &Connection) {
        if self.awaits_thread {
            if !self.shared.is_working.load(Ordering::Acquire) {
                self.awaits_thread = false;
                self.move_rest(writer);
            }
        } else if self.pages >= self.pages_due || (self.pages > 0 && self.last.elapsed() >= EVERY) {
            self.last = Instant::now();
            self.pages_due = self.pages + PAGES_DUE;
            self.shared.is_working.store(true, Ordering::Release);
            self.awaits_thread = self.wake.as_ref().is_some_and(|wake| wake.try_send(()).is_ok());
        }
    }

    fn move_rest(&mut self, writer: &Connection) {
        if self.shared.is_failing.load(Ordering::Relaxed) {
            // The thread tries it again.
            return;
        }
        let moved = checkpoint(writer);
        self.shared.tell(&moved);
        if let Ok(Moved { busy: false, pages, moved }) = moved {
            self.pages = if pages == moved { 0 } else { pages };
            self.pages_due = self.pages + PAGES_DUE;
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

impl Shared {
    /// Tells the operator when it begins to fail, and when that is over.
    fn tell(&self, moved: &Result<Moved>) {
        match moved {
            Err(error) => {
                if !self.is_failing.swap(true, Ordering::Relaxed) {
                    tracing::error!(
                        %error,
                        "chatd.db takes no writes: new messages are safe in chatd.db-wal, which grows"
                    );
                }
            }
            Ok(Moved { busy: false, .. }) => {
                if self.is_failing.swap(false, Ordering::Relaxed) {
                    tracing::info!("chatd.db takes writes again");
                }
            }
            Ok(_nothing_was_tried) => {}
        }
    }
}

/// The thread.
fn work(writer: &Writer, woken: &Receiver<()>, shared: &Shared) {
    let mut connection = None;
    while woken.recv().is_ok() {
        let moved = match connection.take() {
            Some(connection) => Ok(connection),
            None => writer.connect(),
        }
        .and_then(|opened| {
            let moved = checkpoint(&opened)?;
            // After a failure it is opened again.
            connection = Some(opened);
            Ok(moved)
        });
        shared.tell(&moved);
        shared.is_working.store(false, Ordering::Release);
    }
}

fn checkpoint(connection: &Connection) -> Result<Moved> {
    connection.prepare_cached("PRAGMA wal_checkpoint(PASSIVE)")?.query_row([], |row| {
        // Negative where there is no WAL.
        let pages = |column| row.get(column).map(|pages: i64| usize::try_from(pages).unwrap_or(0));
        Ok(Moved { busy: row.get(0)?, pages: pages(1)?, moved: pages(2)? })
    })
}
