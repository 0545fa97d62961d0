//! Why something could not be read: because of what is there, or for a while or everywhere.
//!
//! It must not know what was read, nor what is done about it.

use chat_core::StoreError;
use rusqlite::{Error, ErrorCode, ffi};

/// Why a read ended.
#[derive(Debug)]
pub(super) enum ReadError {
    /// At a place that is damaged: others may be read.
    Damaged(StoreError),
    /// It may succeed another time.
    Failed(StoreError),
}

impl From<Error> for ReadError {
    fn from(error: Error) -> Self {
        let is_damage = is_damage(&error);
        let error = StoreError::new("read a log", error);
        if is_damage { Self::Damaged(error) } else { Self::Failed(error) }
    }
}

/// Whether a read failed because of what is there, and not for a while or everywhere.
pub(super) fn is_damage(error: &Error) -> bool {
    let of_row = matches!(
        error,
        Error::FromSqlConversionFailure(..)
            | Error::IntegralValueOutOfRange(..)
            | Error::InvalidColumnType(..)
            | Error::Utf8Error(..)
    );
    // A bad place on the disk is damage, too; that of a disk that has failed altogether shows
    // before, when a log's head is asked for.
    let of_disk = [ffi::SQLITE_IOERR_READ, ffi::SQLITE_IOERR_SHORT_READ];
    of_row
        || error.sqlite_error().is_some_and(|error| {
            matches!(error.code, ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase)
                || of_disk.contains(&error.extended_code)
        })
}
