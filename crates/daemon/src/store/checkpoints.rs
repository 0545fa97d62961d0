//! Moves the WAL into the database now and then, to learn whether it can be moved: SQLite does it
//! after commits by itself, and says nothing when that fails. Commits are durable all the same.

use std::time::{Duration, Instant};

use rusqlite::Connection;

/// How often it is looked whether the WAL can be moved.
const EVERY: Duration = Duration::from_secs(5);

/// When it was done last, and how it went.
#[derive(Debug)]
pub(super) struct Checkpoints {
    last: Instant,
    is_failing: bool,
}

impl Checkpoints {
    pub(super) fn new() -> Self {
        Self { last: Instant::now(), is_failing: false }
    }

    /// Moves the WAL when it is time to. It waits for nobody: what a reader still needs stays.
    pub(super) fn move_when_due(&mut self, connection: &Connection) {
        if self.last.elapsed() < EVERY {
            return;
        }
        self.last = Instant::now();
        let moved = connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_row| Ok(()));
        match (&moved, self.is_failing) {
            (Err(error), false) => tracing::error!(
                %error,
                "chatd.db takes no writes: new messages are safe in chatd.db-wal, which grows"
            ),
            (Ok(()), true) => tracing::info!("chatd.db takes writes again"),
            (Err(_), true) | (Ok(()), false) => {}
        }
        self.is_failing = moved.is_err();
    }
}
