//! The tables, and how an older file gets them.

use rusqlite::{Connection, Transaction, TransactionBehavior};

use super::OpenError;

/// In order; the number of those applied is in the file as its `user_version`. A released one is
/// never changed.
const MIGRATIONS: &[&str] = &[include_str!("schema.sql")];

/// Whether a file has no tables yet, nor had any: its making was broken off, or all of it is lost.
pub(super) fn is_blank(connection: &Connection) -> Result<bool, OpenError> {
    let version = version(connection).map_err(OpenError::because("asked for its version"))?;
    Ok(version == 0)
}

/// Refuses a file that a newer version has written. It changes nothing.
pub(super) fn refuse_newer(connection: &Connection) -> Result<(), OpenError> {
    let found = version(connection).map_err(OpenError::because("asked for its version"))?;
    match found > MIGRATIONS.len() {
        true => Err(OpenError::Newer { found, known: MIGRATIONS.len() }),
        false => Ok(()),
    }
}

/// Brings a file up to this version.
pub(super) fn migrate(connection: &mut Connection) -> Result<(), OpenError> {
    refuse_newer(connection)?;
    apply(MIGRATIONS, connection).map_err(OpenError::because("brought up to this version"))
}

/// How many migrations were applied to a file. A number that none of ours has been is past them.
fn version(connection: &Connection) -> rusqlite::Result<usize> {
    let version: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    Ok(usize::try_from(version).unwrap_or(usize::MAX))
}

/// Each with its number in one transaction, so that a file is never between two versions.
fn apply(migrations: &[&str], connection: &mut Connection) -> rusqlite::Result<()> {
    let applied = version(connection)?;
    for (migration, number) in migrations.iter().zip(1_i64..).skip(applied) {
        let transaction = Transaction::new(connection, TransactionBehavior::Immediate)?;
        transaction.execute_batch(migration)?;
        transaction.pragma_update(None, "user_version", number)?;
        transaction.commit()?;
    }
    debug_assert!(version(connection)? >= migrations.len(), "none is left out");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: &str = "CREATE TABLE songs (title TEXT); INSERT INTO songs VALUES ('Kyrie');";
    const SECOND: &str = "ALTER TABLE songs ADD COLUMN length_s INTEGER NOT NULL DEFAULT 7;";
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
        assert_eq!(version(&connection).unwrap(), MIGRATIONS.len());
        assert!(!is_blank(&connection).unwrap());
    }

    #[test]
    fn a_current_file_is_not_touched() {
        let mut connection = memory();
        migrate(&mut connection).unwrap();
        let changes = connection.total_changes();
        migrate(&mut connection).unwrap();
        assert_eq!(connection.total_changes(), changes);
        assert_eq!(version(&connection).unwrap(), MIGRATIONS.len());
    }

    #[test]
    fn an_older_file_gets_only_what_it_lacks_and_keeps_its_rows() {
        let mut connection = memory();
        apply(&[FIRST], &mut connection).unwrap();
        apply(&[FIRST, SECOND], &mut connection).unwrap();
        let row: (String, i64) = connection
            .query_row("SELECT title, length_s FROM songs", [], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })
            .unwrap();
        assert_eq!(row, ("Kyrie".to_owned(), 7));
        assert_eq!(version(&connection).unwrap(), 2);
    }

    #[test]
    fn one_that_fails_leaves_the_file_as_the_one_before_left_it() {
        let mut connection = memory();
        apply(&[FIRST, BROKEN], &mut connection).unwrap_err();
        assert_eq!(version(&connection).unwrap(), 1);
        assert_eq!(tables(&connection), ["songs"]);
        apply(&[FIRST, SECOND], &mut connection).unwrap();
        assert_eq!(version(&connection).unwrap(), 2);
    }

    #[test]
    fn a_file_of_the_future_is_refused_and_not_touched() {
        for future in [MIGRATIONS.len() + 1, 77] {
            let mut connection = memory();
            connection.pragma_update(None, "user_version", i64::try_from(future).unwrap()).unwrap();
            let refused = migrate(&mut connection).unwrap_err();
            assert_eq!(
                refused.to_string(),
                format!(
                    "the store was written by a newer version of chatd (its format is {future}, \
                     this version knows {}). Run the newer version",
                    MIGRATIONS.len()
                )
            );
            assert_eq!(tables(&connection), Vec::<String>::new());
            assert_eq!(version(&connection).unwrap(), future);
        }
    }

    #[test]
    fn a_version_that_is_no_number_of_ours_is_refused() {
        let mut connection = memory();
        connection.pragma_update(None, "user_version", -3).unwrap();
        let refused = migrate(&mut connection).unwrap_err();
        assert!(matches!(refused, OpenError::Newer { found: usize::MAX, .. }), "{refused}");
    }
}
