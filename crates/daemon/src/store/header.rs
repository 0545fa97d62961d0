//! The head of an SQLite file: whose database it is. It is read without SQLite, which would change
//! a file, or its companions, by looking at it.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use rusqlite::Connection;

use super::OpenError;

/// `chat` in ASCII: what `PRAGMA application_id` and file(1) say of a store.
const APPLICATION_ID: i32 = i32::from_be_bytes(*b"chat");

/// What an SQLite file begins with (<https://www.sqlite.org/fileformat.html>).
const MAGIC: &[u8; 16] = b"SQLite format 3\0";

/// Where the file's application id stands, as a big-endian number.
const APPLICATION_ID_AT: usize = 68;

/// What the journal of a transaction begins with (the same page, "The Rollback Journal").
const JOURNAL_MAGIC: &[u8; 8] = &[0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7];

/// Up to the file's pages before the transaction, as a big-endian number.
const JOURNAL_HEAD_BYTES: usize = 20;

/// The head, as far as it is looked at.
const HEAD_BYTES: usize = APPLICATION_ID_AT + 4;

/// What is found under a store's name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum FoundFile {
    /// Nothing, or a file without a byte.
    Nothing,
    /// A file that is marked as a store.
    Store,
}

/// Looks at a file without changing it. What is neither a store nor empty is refused.
pub(super) fn look(path: &Path) -> Result<FoundFile, OpenError> {
    let unreadable = |cause| OpenError::file(path, cause);
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(FoundFile::Nothing),
        Err(error) => return Err(unreadable(error)),
    };
    let metadata = file.metadata().map_err(unreadable)?;
    if !metadata.is_file() {
        return Err(unreadable(io::Error::other("it is not a regular file")));
    }
    if metadata.len() == 0 {
        return Ok(FoundFile::Nothing);
    }
    let mut head = Vec::new();
    file.take(HEAD_BYTES as u64).read_to_end(&mut head).map_err(unreadable)?;
    if !head.starts_with(MAGIC) || head.len() < HEAD_BYTES {
        return match was_being_made(path) {
            true => Ok(FoundFile::Nothing),
            false => Err(OpenError::because("opened")("file is not a database")),
        };
    }
    match head.ends_with(&APPLICATION_ID.to_be_bytes()) {
        true => Ok(FoundFile::Store),
        false => Err(OpenError::Foreign { path: path.to_owned() }),
    }
}

/// Whether the file had nothing in it before a transaction that was never finished, such as when
/// power was lost in the moment in which it was made: its journal says so. SQLite takes back what
/// is there when it opens it.
fn was_being_made(path: &Path) -> bool {
    let mut journal = path.as_os_str().to_owned();
    journal.push("-journal");
    let mut head = [0; JOURNAL_HEAD_BYTES];
    let read = File::open(Path::new(&journal)).and_then(|mut file| file.read_exact(&mut head));
    read.is_ok() && head.starts_with(JOURNAL_MAGIC) && head.ends_with(&0_u32.to_be_bytes())
}

/// Marks a new file as a store: before it gets its WAL, so that it stands in the file itself from
/// the start.
pub(super) fn mark(connection: &Connection) -> rusqlite::Result<()> {
    connection.pragma_update(None, "application_id", APPLICATION_ID)
}
