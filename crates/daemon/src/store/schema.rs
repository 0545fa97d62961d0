//! The tables, and how an older file gets them.

use rusqlite::Connection;
use rusqlite_migration::{M, Migrations};

use super::OpenError;

/// In order; the number of those applied is in the file as its `user_version`. A released one is
/// never changed.
const MIGRATIONS: &[M<'static>] = &[M::up(include_str!("schema.sql"))];

/// Whether a file has no tables yet, nor had any: its making was broken off, or all of it is lost.
pub(super) fn is_blank(connection: &Connection) -> Result<bool, OpenError> {
    let version: i64 = connection
        .pragma_query_value(None, "user_version", |row| row.get(0))
        .map_err(OpenError::because("asked for its version"))?;
    Ok(version == 0)
}

/// Refuses a file that a newer version has written. It changes nothing.
pub(super) fn refuse_newer(connection: &Connection) -> Result<(), OpenError> {
    let found: usize = connection
        .pragma_query_value(None, "user_version", |row| row.get::<_, i64>(0))
        .map(|version| usize::try_from(version).unwrap_or(usize::MAX))
        .map_err(OpenError::because("asked for its version"))?;
    match found > MIGRATIONS.len() {
        true => Err(OpenError::Newer { found, known: MIGRATIONS.len() }),
        false => Ok(()),
    }
}

/// Brings a file up to this version.
pub(super) fn migrate(connection: &mut Connection) -> Result<(), OpenError> {
    Migrations::from_slice(MIGRATIONS)
        .to_latest(connection)
        .map_err(OpenError::because("brought up to this version"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_migrations_are_sound() {
        Migrations::from_slice(MIGRATIONS).validate().unwrap();
    }
}
