//! How far in the order of commands the store has come: the one row of the table `progress`. Each commit
//! overwrites it, in its own transaction.
//!
//! It says of which event it is, so that a row that is not of the newest commit is noticed: from it a
//! machine would carry out again what is here, or leave out what is not.

use std::fmt::Write as _;

use chat_core::{OrderDigest, OrderProgress, Place, Submission, SubmitterId};
use rusqlite::{Connection, OptionalExtension, Result, ffi, params};

use super::row::{integer, unsigned};

/// Overwrites the row, in the open transaction, whose newest event, or the newest before it, is
/// `last_event`.
pub(super) fn write(
    connection: &Connection,
    progress: &OrderProgress,
    last_event: u64,
) -> Result<()> {
    let OrderProgress { place, digest, submitters } = progress;
    connection
        .prepare_cached(
            "INSERT INTO progress (id, place, digest, last_event, submitters) \
             VALUES (1, ?, ?, ?, ?) \
             ON CONFLICT (id) DO UPDATE SET place = excluded.place, digest = excluded.digest, \
             last_event = excluded.last_event, submitters = excluded.submitters",
        )?
        .execute(params![
            integer(place.0),
            digest.0.cast_signed(),
            integer(last_event),
            words_of(submitters)
        ])
        .map(drop)
}

/// The row, in a file whose newest event is `last_event`. A file without events need not have one.
pub(super) fn read(connection: &Connection, last_event: u64) -> Result<OrderProgress> {
    let row = connection
        .prepare_cached("SELECT place, digest, last_event, submitters FROM progress WHERE id = 1")?
        .query_row([], |row| {
            let number = |at| row.get(at).map(unsigned);
            let digest = row.get(1).map(i64::cast_unsigned)?;
            Ok((number(0)?, digest, number(2)?, row.get::<_, String>(3)?))
        })
        .optional()?;
    let Some((place, digest, of_event, words)) = row else {
        return match last_event {
            0 => Ok(OrderProgress::default()),
            _ => Err(damaged("it does not say how far in the order it is")),
        };
    };
    if of_event != last_event {
        let said = format!("it says how far in the order it was with event {of_event}");
        return Err(damaged(&format!("{said}, and its newest is event {last_event}")));
    }
    let submitters = submitters_of(&words)
        .ok_or_else(|| damaged(&format!("its submitters are {words:?}, which are none")))?;
    Ok(OrderProgress { place: Place(place), digest: OrderDigest(digest), submitters })
}

/// As a person can read them: `1:57 12:4` are the submissions 57 of submitter 1, and 4 of 12.
fn words_of(submitters: &[Submission]) -> String {
    let mut words = String::with_capacity(submitters.len() * 24);
    for Submission { submitter, n } in submitters {
        let space = if words.is_empty() { "" } else { " " };
        write!(words, "{space}{}:{n}", submitter.0).expect("a string takes all");
    }
    words
}

/// `None`: the words are not such ones.
fn submitters_of(words: &str) -> Option<Vec<Submission>> {
    let submission = |word: &str| {
        let (submitter, n) = word.split_once(':')?;
        Some(Submission { submitter: SubmitterId(submitter.parse().ok()?), n: n.parse().ok()? })
    };
    let submitters: Vec<_> = words.split_terminator(' ').map(submission).collect::<Option<_>>()?;
    submitters.is_sorted_by(|a, b| a.submitter < b.submitter).then_some(submitters)
}

fn damaged(what: &str) -> rusqlite::Error {
    let said = format!("the file is damaged: {what}");
    rusqlite::Error::SqliteFailure(ffi::Error::new(ffi::SQLITE_CORRUPT), Some(said))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file() -> Connection {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch(include_str!("schema.sql")).unwrap();
        connection
    }

    fn progress() -> OrderProgress {
        let of = |submitter, n| Submission { submitter: SubmitterId(submitter), n };
        let submitters = vec![of(1, 57), of(u64::MAX, u64::MAX)];
        OrderProgress { place: Place(900), digest: OrderDigest(u64::MAX - 1), submitters }
    }

    #[test]
    fn there_is_one_row_and_it_says_what_was_written_last() {
        let file = file();
        assert_eq!(read(&file, 0).unwrap(), OrderProgress::default());
        write(&file, &OrderProgress::default(), 0).unwrap();
        write(&file, &progress(), 3).unwrap();
        assert_eq!(read(&file, 3).unwrap(), progress());
        let rows: i64 =
            file.query_row("SELECT count(*) FROM progress", [], |row| row.get(0)).unwrap();
        assert_eq!(rows, 1);
    }

    #[test]
    fn a_row_that_is_damaged_missing_or_of_another_commit_is_told() {
        let file = file();
        let told = |last_event| read(&file, last_event).unwrap_err().to_string();
        let missing = told(1);
        assert!(missing.contains("does not say how far in the order it is"), "{missing}");
        write(&file, &progress(), 3).unwrap();
        for newest in [2, 4] {
            let other = told(newest);
            let sentence = format!("it was with event 3, and its newest is event {newest}");
            assert!(other.contains(&sentence), "{other}");
        }
        for words in ["1", "1:x", "2:1 1:1", "1:1 1:2", "1:1,2:1", "-1:1"] {
            file.execute("UPDATE progress SET submitters = ?", [words]).unwrap();
            let unreadable = told(3);
            assert!(unreadable.contains(&format!("submitters are {words:?}")), "{unreadable}");
        }
    }
}
