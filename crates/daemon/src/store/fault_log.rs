//! What is wrong with a store, and what the operator is told of it: a line when it begins, one for
//! each new cause that comes to it, and one when it is over. A disk that stays full says no more.

use std::time::Instant;

use chat_core::StoreError;
use rusqlite::ErrorCode;

use super::held::Displaced;

/// Causes that are told of one trouble; it has no more in practice.
const CAUSES_MAX: usize = 8;

/// What is wrong, as far as the operator was told; or nothing.
#[derive(Debug, Default)]
pub(super) struct FaultLog {
    /// When it began, and the causes that have been told.
    told: Option<(Instant, Vec<Cause>)>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
enum Cause {
    Full,
    Displaced(String),
    Unwritable(String),
    Unreadable(String),
}

/// Says that there is too little room to go on after the disk was full.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("only {free_kib} KiB are free on its disk, and it needs {needed_kib} KiB")]
pub(super) struct NoRoom {
    pub(super) free_kib: u64,
    pub(super) needed_kib: u64,
}

impl FaultLog {
    /// Whether everything is well.
    pub(super) fn is_none(&self) -> bool {
        self.told.is_none()
    }

    /// Whether the disk is or was full.
    pub(super) fn is_full(&self) -> bool {
        self.told.as_ref().is_some_and(|(_since, causes)| causes.contains(&Cause::Full))
    }

    /// A write failed: tells the operator, if the cause is news.
    pub(super) fn note_write(&mut self, error: &StoreError) {
        if is_full(error) {
            if self.is_news(Cause::Full) {
                tracing::error!(
                    %error,
                    "the disk is full: the store takes no writes until there is room; \
                     reading goes on"
                );
            }
        } else if let Some(displaced) = error.cause.downcast_ref::<Displaced>() {
            if self.is_news(Cause::Displaced(displaced.to_string())) {
                tracing::error!(
                    %error,
                    what_to_do = displaced.advice(),
                    "a file of the store is not in its place: nothing is acknowledged"
                );
            }
        } else if self.is_news(Cause::Unwritable(error.cause.to_string())) {
            let what_to_do = chat_files::limit::length_max().map(|max| {
                format!("if one of its files has {max} bytes: raise `ulimit -f` (LimitFSIZE)")
            });
            tracing::error!(
                %error,
                what_to_do,
                "the store takes no writes; it is tried again and again, and reading goes on"
            );
        }
    }

    /// The state cannot be read back.
    pub(super) fn note_read(&mut self, error: &StoreError) {
        if self.is_news(Cause::Unreadable(error.cause.to_string())) {
            tracing::error!(
                %error,
                "the store cannot be read; it is tried again and again, and nobody is answered"
            );
        }
    }

    /// Everything is well.
    pub(super) fn end(&mut self) {
        if let Some((since, _causes)) = self.told.take() {
            tracing::info!(after = ?since.elapsed(), "the store takes writes again");
        }
    }

    fn is_news(&mut self, cause: Cause) -> bool {
        let (_since, told) = self.told.get_or_insert_with(|| (Instant::now(), Vec::new()));
        let is_news = !told.contains(&cause) && told.len() < CAUSES_MAX;
        if is_news {
            told.push(cause);
        }
        is_news
    }
}

fn is_full(error: &StoreError) -> bool {
    let of_sqlite = error.cause.downcast_ref::<rusqlite::Error>();
    let is_full = of_sqlite.and_then(rusqlite::Error::sqlite_error_code);
    is_full == Some(ErrorCode::DiskFull) || error.cause.is::<NoRoom>()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failed(cause: &str) -> StoreError {
        StoreError::new("committed", cause)
    }

    #[test]
    fn a_cause_is_news_once_until_the_trouble_is_over() {
        let mut trouble = FaultLog::default();
        let cause = || Cause::Unwritable("disk I/O error".to_owned());
        assert!(trouble.is_news(cause()));
        assert!(!trouble.is_news(cause()));
        assert!(trouble.is_news(Cause::Full));
        assert!(!trouble.is_news(cause()), "taking turns is no news");
        trouble.end();
        assert!(trouble.is_news(cause()));
    }

    #[test]
    fn a_disk_without_room_is_full_whoever_says_so() {
        let code = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_FULL);
        let sqlite = StoreError::new("committed", rusqlite::Error::SqliteFailure(code, None));
        let room = StoreError::new("looked for room", NoRoom { free_kib: 1, needed_kib: 2 });
        for error in [sqlite, room] {
            let mut trouble = FaultLog::default();
            trouble.note_write(&error);
            assert!(trouble.is_full());
        }
        let mut trouble = FaultLog::default();
        trouble.note_write(&failed("disk I/O error"));
        assert!(!trouble.is_full());
    }
}
