//! The tables, and how an older file gets them.

use rusqlite::{Connection, Transaction, TransactionBehavior};

use super::{OpenError, row};

/// In order, each with its number, which is the file's `user_version` from then on. A released one is
/// never changed.
const MIGRATIONS: &[&str] = &[include_str!("schema.sql")];

/// The number of the first. Whoever changes it before it is released makes this larger: nothing leads
/// here from the files of a smaller number.
const FIRST: usize = 8;

/// The number of a file of this version.
const CURRENT: usize = FIRST + MIGRATIONS.len() - 1;

/// Whether a file has no tables yet, nor had any: its making was broken off, or all of it is lost.
pub(super) fn is_blank(connection: &Connection) -> Result<bool, OpenError> {
    let version = version(connection).map_err(OpenError::because("asked for its version"))?;
    Ok(version == 0)
}

/// Refuses a file that a newer version has written, or one that was never released. It changes nothing.
pub(super) fn refuse_unknown(connection: &Connection) -> Result<(), OpenError> {
    let found = version(connection).map_err(OpenError::because("asked for its version"))?;
    match found {
        0 | FIRST..=CURRENT => Ok(()),
        _ if found < FIRST => Err(OpenError::Unreleased { found, known: CURRENT }),
        _ => Err(OpenError::Newer { found, known: CURRENT }),
    }
}

/// Brings a file up to this version.
pub(super) fn migrate(connection: &mut Connection) -> Result<(), OpenError> {
    refuse_unknown(connection)?;
    apply(MIGRATIONS, connection).map_err(OpenError::because("brought up to this version"))
}

/// The number of a file's newest migration; 0 before the first. A number that none of ours has been is
/// past them.
fn version(connection: &Connection) -> rusqlite::Result<usize> {
    let version: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    Ok(usize::try_from(version).unwrap_or(usize::MAX))
}

/// Each with its number in one transaction, so that a file is never between two versions.
fn apply(migrations: &[&str], connection: &mut Connection) -> rusqlite::Result<()> {
    let applied = version(connection)?.saturating_sub(FIRST - 1);
    for (migration, number) in migrations.iter().zip(FIRST..).skip(applied) {
        let transaction = Transaction::new(connection, TransactionBehavior::Immediate)?;
        transaction.execute_batch(migration)?;
        transaction.pragma_update(None, "user_version", row::integer(number as u64))?;
        transaction.commit()?;
    }
    debug_assert!(version(connection)? >= FIRST + migrations.len() - 1, "none is left out");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SONGS: &str = "CREATE TABLE songs (title TEXT); INSERT INTO songs VALUES ('Kyrie');";
    const LENGTHS: &str = "ALTER TABLE songs ADD COLUMN length_s INTEGER NOT NULL DEFAULT 7;";
    const BROKEN: &str = "CREATE TABLE halves (id INTEGER); CREATE TABLE halves (id INTEGER);";

    fn memory() -> Connection {
        Connection::open_in_memory().unwrap()
    }

    fn tables(connection: &Connection) -> Vec<String> {
        let sql = "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name";
        let mut rows = connection.prepare(sql).unwrap();
        rows.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap()
    }

    #[test]
    fn a_new_file_gets_all_tables_and_the_newest_version() {
        let mut connection = memory();
        assert!(is_blank(&connection).unwrap());
        migrate(&mut connection).unwrap();
        assert!(tables(&connection).contains(&"meta".to_owned()), "{:?}", tables(&connection));
        assert_eq!(version(&connection).unwrap(), CURRENT);
        assert!(!is_blank(&connection).unwrap());
    }

    #[test]
    fn a_current_file_is_not_touched() {
        let mut connection = memory();
        migrate(&mut connection).unwrap();
        let changes = connection.total_changes();
        migrate(&mut connection).unwrap();
        assert_eq!(connection.total_changes(), changes);
        assert_eq!(version(&connection).unwrap(), CURRENT);
    }

    #[test]
    fn an_older_file_gets_only_what_it_lacks_and_keeps_its_rows() {
        let mut connection = memory();
        apply(&[SONGS], &mut connection).unwrap();
        apply(&[SONGS, LENGTHS], &mut connection).unwrap();
        let row: (String, i64) = connection
            .query_row("SELECT title, length_s FROM songs", [], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })
            .unwrap();
        assert_eq!(row, ("Kyrie".to_owned(), 7));
        assert_eq!(version(&connection).unwrap(), FIRST + 1);
    }

    #[test]
    fn one_that_fails_leaves_the_file_as_the_one_before_left_it() {
        let mut connection = memory();
        apply(&[SONGS, BROKEN], &mut connection).unwrap_err();
        assert_eq!(version(&connection).unwrap(), FIRST);
        assert_eq!(tables(&connection), ["songs"]);
        apply(&[SONGS, LENGTHS], &mut connection).unwrap();
        assert_eq!(version(&connection).unwrap(), FIRST + 1);
    }

    #[test]
    fn a_file_of_the_future_is_refused_and_not_touched() {
        for future in [CURRENT + 1, 77] {
            let mut connection = memory();
            connection.pragma_update(None, "user_version", i64::try_from(future).unwrap()).unwrap();
            let refused = migrate(&mut connection).unwrap_err();
            assert_eq!(
                refused.to_string(),
                format!(
                    "the store was written by a newer version of chatd (its format is {future}, \
                     this version knows {CURRENT}). Run the newer version"
                )
            );
            assert_eq!(tables(&connection), Vec::<String>::new());
            assert_eq!(version(&connection).unwrap(), future);
        }
    }

    #[test]
    fn a_file_that_no_release_has_made_is_refused_and_not_touched() {
        let mut connection = memory();
        connection.pragma_update(None, "user_version", 1).unwrap();
        let refused = migrate(&mut connection).unwrap_err();
        assert!(matches!(refused, OpenError::Unreleased { found: 1, known: CURRENT }), "{refused}");
        assert_eq!(tables(&connection), Vec::<String>::new());
        assert_eq!(version(&connection).unwrap(), 1);
    }

    #[test]
    fn a_version_that_is_no_number_of_ours_is_refused() {
        let mut connection = memory();
        connection.pragma_update(None, "user_version", -3).unwrap();
        let refused = migrate(&mut connection).unwrap_err();
        assert!(matches!(refused, OpenError::Newer { found: usize::MAX, .. }), "{refused}");
    }
}
