//! How far in the order of commands the store has come: the one row of the table `progress`. Each commit
//! overwrites it, in its own transaction.
//!
//! It says of which event it is, so that a row that is not of the newest commit is noticed: from it a
//! machine would carry out again what is here, or leave out what is not. A row that is of no use is begun
//! anew, since all that it tells follows from commands that are over, and every event is there. One that
//! knows of newer events than there are is proof of a loss, and refused.

use std::cmp::Ordering;
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
    let OrderProgress { place, digest, ids_given, submitters } = progress;
    connection
        .prepare_cached(
            "INSERT INTO progress (id, place, digest, last_event, submitters, ids_given) \
             VALUES (1, ?, ?, ?, ?, ?) \
             ON CONFLICT (id) DO UPDATE SET place = excluded.place, digest = excluded.digest, \
             last_event = excluded.last_event, submitters = excluded.submitters, \
             ids_given = excluded.ids_given",
        )?
        .execute(params![
            integer(place.0),
            digest.0.cast_signed(),
            integer(last_event),
            words_of(submitters),
            integer(*ids_given)
        ])
        .map(drop)
}

/// The row, in a file whose newest event is `last_event`. A file without events need not have one. When the
/// row is of no use, it goes on behind `known`, and the operator is told.
///
/// # Errors
/// Also when events are missing that the row knows.
pub(super) fn read(
    connection: &Connection,
    last_event: u64,
    known: Place,
) -> Result<OrderProgress> {
    let row = connection
        .prepare_cached(
            "SELECT place, digest, last_event, submitters, ids_given FROM progress WHERE id = 1",
        )?
        .query_row([], |row| {
            let number = |at| row.get(at).map(unsigned);
            let digest = row.get(1).map(i64::cast_unsigned)?;
            Ok((number(0)?, digest, number(2)?, row.get::<_, String>(3)?, number(4)?))
        })
        .optional()?;
    let Some((place, digest, of_event, words, ids_given)) = row else {
        return match last_event {
            0 => Ok(OrderProgress::default()),
            _ => Ok(begin_anew("there is none", last_event, known)),
        };
    };
    let place = Place(place);
    let is_of_event = format!("it is of event {of_event}, and the newest is event {last_event}");
    match of_event.cmp(&last_event) {
        Ordering::Equal => {}
        Ordering::Less => return Ok(begin_anew(&is_of_event, last_event, known.max(place))),
        Ordering::Greater => return Err(newer_than(&is_of_event)),
    }
    let Some(submitters) = submitters_of(&words) else {
        let why = format!("its submitters are {words:?}, which are none");
        return Ok(begin_anew(&why, last_event, known.max(place)));
    };
    Ok(OrderProgress { place, digest: OrderDigest(digest), ids_given, submitters })
}

/// How far the order has come at least; of what came of it nothing is known.
fn begin_anew(why: &str, last_event: u64, known: Place) -> OrderProgress {
    // No place is to be given away twice, where that can be helped.
    let place = known.max(Place(last_event));
    tracing::error!(
        %why,
        last_event,
        place = place.0,
        "the row of progress in chatd.db is of no use and is begun anew, with a new digest: no event is \
         missing for that. See \"A damaged file\" in docs/OPERATING.md"
    );
    // Whatever has an id began with an event: no id is given twice either.
    OrderProgress { place, ids_given: last_event, ..OrderProgress::default() }
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

fn newer_than(is_of_event: &str) -> rusqlite::Error {
    let said = format!(
        "the file is damaged: it lacks its newest events, or its row of progress is wrong: {is_of_event}. \
         See \"A damaged file\" in docs/OPERATING.md"
    );
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
        OrderProgress {
            place: Place(900),
            digest: OrderDigest(u64::MAX - 1),
            ids_given: 2,
            submitters,
        }
    }

    #[test]
    fn there_is_one_row_and_it_says_what_was_written_last() {
        let file = file();
        assert_eq!(read(&file, 0, Place(0)).unwrap(), OrderProgress::default());
        write(&file, &OrderProgress::default(), 0).unwrap();
        write(&file, &progress(), 3).unwrap();
        assert_eq!(read(&file, 3, Place(0)).unwrap(), progress());
        let rows: i64 =
            file.query_row("SELECT count(*) FROM progress", [], |row| row.get(0)).unwrap();
        assert_eq!(rows, 1);
    }

    #[test]
    fn a_row_that_is_damaged_missing_or_of_an_earlier_commit_begins_anew_and_goes_back_nowhere() {
        let file = file();
        let read = |last_event, known| read(&file, last_event, Place(known)).unwrap();
        let anew = |place, ids_given| OrderProgress {
            place: Place(place),
            ids_given,
            ..OrderProgress::default()
        };
        assert_eq!(read(7, 0), anew(7, 7), "as many ids may have been given as there were events");
        assert_eq!(read(7, 40), anew(40, 7), "nothing that was known is forgotten");
        write(&file, &progress(), 3).unwrap();
        assert_eq!(read(4, 40), anew(900, 4), "the row says how far it was before");
        assert_eq!(read(1000, 40), anew(1000, 1000));
        for words in ["1", "1:x", "2:1 1:1", "1:1 1:2", "1:1,2:1", "-1:1"] {
            file.execute("UPDATE progress SET submitters = ?", [words]).unwrap();
            assert_eq!(read(3, 0), anew(900, 3), "{words:?}");
        }
        write(&file, &anew(900, 3), 3).unwrap();
        assert_eq!(read(3, 0), anew(900, 3), "what was begun anew is as good as any");
    }

    #[test]
    fn a_row_that_knows_of_newer_events_than_there_are_is_no_reason_to_go_on() {
        let file = file();
        write(&file, &progress(), 3).unwrap();
        let refused = read(&file, 2, Place(0)).unwrap_err().to_string();
        assert!(refused.contains("it is of event 3, and the newest is event 2"), "{refused}");
        assert!(refused.contains("OPERATING.md"), "{refused}");
    }
}
