//! What moderators, administrators and the operator have done, from the logs of all rooms and accounts.
//!
//! Nothing is kept for it: the events are read, page by page, in the order in which they were committed.
//! It must not know who asks, and how it is shown.

use std::path::PathBuf;

use chat_core::StoreError;
use chat_proto::{AccountId, Timestamp};
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::SqliteStore;
use super::connection::connect_reader;
use super::held::FileIdentity;
use super::row::{integer, unsigned};

/// Entries of a page.
const ENTRIES: usize = 500;

/// Events that are looked at for a page: no index knows what is looked for.
const SCANNED: u64 = 200_000;

/// The file, to be read by a connection that is opened for each page: it is seldom asked for.
#[derive(Clone, Debug)]
pub(crate) struct AuditLog {
    path: PathBuf,
    database: FileIdentity,
}

/// Something that was done.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct AuditEntry {
    pub(crate) ts: Timestamp,
    /// What the store calls it.
    pub(crate) what: String,
    pub(crate) by: AccountId,
    /// What that one is called now; `None`: it is nobody's account.
    pub(crate) by_name: Option<String>,
    /// To whom, by the name of now.
    pub(crate) account: Option<String>,
    /// Where, by the name of now.
    pub(crate) room: Option<String>,
    /// A reason, a name, or whatever words it came with.
    pub(crate) words: Option<String>,
    /// A figure: which one says the kind.
    pub(crate) number: Option<u64>,
}

/// Entries, oldest first.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct AuditPage {
    pub(crate) entries: Vec<AuditEntry>,
    /// Behind which event the next page begins; `None`: there is nothing behind this one.
    pub(crate) next: Option<u64>,
}

impl AuditLog {
    pub(crate) fn of(store: &SqliteStore) -> Self {
        Self { path: store.path().to_owned(), database: store.writer.database }
    }

    /// What was done behind an event; 0: from the beginning.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read.
    pub(crate) fn page(&self, after: u64) -> Result<AuditPage, StoreError> {
        let failed = |cause| StoreError::new("read what was done by moderators", cause);
        let connection = connect_reader(&self.path, self.database).map_err(failed)?;
        page_of(&connection, after, SCANNED, ENTRIES).map_err(failed)
    }
}

/// Who did it stands in `done_by`, or in `account` where it is about nobody. Left out is what stands in
/// an account's log beside the event of a room, what people do in their own name, and conversations of two.
const ENTRIES_SQL: &str = "\
    SELECT events.id, events.ts, events.kind, coalesce(events.done_by, events.account), doer.name, \
           CASE WHEN events.done_by IS NULL THEN NULL ELSE target.name END, rooms.name, events.name, \
           events.number \
    FROM events \
    LEFT JOIN accounts AS doer ON doer.id = coalesce(events.done_by, events.account) \
    LEFT JOIN accounts AS target ON target.id = events.account \
    LEFT JOIN rooms ON rooms.id = events.log \
    WHERE events.id > ?1 AND events.id <= ?2 AND events.room IS NULL \
      AND (events.done_by IS NOT NULL AND events.done_by IS NOT events.log \
           OR events.kind IN ('invitation_created', 'invitation_used', 'invitation_revoked')) \
      AND events.kind NOT IN ('direct_begun', 'reported') \
    ORDER BY events.id LIMIT ?3";

fn page_of(
    connection: &Connection,
    after: u64,
    scanned: u64,
    entries_max: usize,
) -> rusqlite::Result<AuditPage> {
    let newest = "SELECT id FROM events ORDER BY id DESC LIMIT 1";
    let newest = connection.query_row(newest, [], |row| row.get(0)).optional()?.map_or(0, unsigned);
    let last = newest.min(after.saturating_add(scanned));
    let mut statement = connection.prepare(ENTRIES_SQL)?;
    let limit = i64::try_from(entries_max).unwrap_or(i64::MAX);
    let rows = statement.query_map(params![integer(after), integer(last), limit], entry)?;
    let (mut entries, mut last_id) = (Vec::new(), after);
    for row in rows {
        let (id, entry) = row?;
        entries.push(entry);
        last_id = id;
    }
    let next = if entries.len() < entries_max { last } else { last_id };
    Ok(AuditPage { entries, next: Some(next).filter(|next| *next < newest) })
}

fn entry(row: &Row<'_>) -> rusqlite::Result<(u64, AuditEntry)> {
    let number: Option<i64> = row.get(8)?;
    let entry = AuditEntry {
        ts: Timestamp(unsigned(row.get(1)?)),
        what: row.get(2)?,
        by: AccountId(unsigned(row.get(3)?)),
        by_name: row.get(4)?,
        account: row.get(5)?,
        room: row.get(6)?,
        words: row.get(7)?,
        number: number.map(unsigned),
    };
    Ok((unsigned(row.get(0)?), entry))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A store in which Ada has done something ten times among a thousand joins.
    fn store() -> Connection {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch(include_str!("schema.sql")).unwrap();
        connection
            .execute_batch(
                "INSERT INTO accounts (id, name, name_keys, created_ts) VALUES (2, 'ada', x'', 1);
                 INSERT INTO accounts (id, name, name_keys, created_ts) VALUES (3, 'bob', x'', 1);
                 INSERT INTO rooms (id, name, name_keys, created_ts, permanent, private)
                 VALUES (7, 'dev', x'', 1, 0, 0);",
            )
            .unwrap();
        for id in 1..=1_000 {
            let sql = match id % 100 {
                50 => {
                    "INSERT INTO events (id, log, seq, ts, kind, account, done_by, name, number)
                       VALUES (?1, 7, ?1, ?1, 'muted', 3, 2, 'why', 9)"
                }
                _ => {
                    "INSERT INTO events (id, log, seq, ts, kind, account)
                      VALUES (?1, 7, ?1, ?1, 'joined', 3)"
                }
            };
            connection.execute(sql, [id]).unwrap();
        }
        connection
    }

    #[test]
    fn all_that_was_done_is_read_once_in_bounded_pages() {
        let connection = store();
        let (mut seen, mut after, mut pages) = (Vec::new(), 0, 0);
        loop {
            let page = page_of(&connection, after, 300, 2).unwrap();
            assert!(page.entries.len() <= 2);
            seen.extend(page.entries);
            pages += 1;
            let Some(next) = page.next else { break };
            assert!(after < next && next <= after + 300, "{after} {next}");
            after = next;
        }
        assert_eq!(
            seen.iter().map(|entry| entry.ts.0).collect::<Vec<_>>(),
            (0..10).map(|n| n * 100 + 50).collect::<Vec<_>>()
        );
        assert!(pages >= 5, "{pages}");
        let text = |text: &str| Some(text.to_owned());
        let expected = AuditEntry {
            ts: Timestamp(50),
            what: "muted".to_owned(),
            by: AccountId(2),
            by_name: text("ada"),
            account: text("bob"),
            room: text("dev"),
            words: text("why"),
            number: Some(9),
        };
        assert_eq!(seen[0], expected);
    }

    #[test]
    fn what_people_do_in_their_own_name_is_left_out() {
        let connection = store();
        for sql in [
            // A rename of one's own, and what an account is told of a room.
            "INSERT INTO events (id, log, seq, ts, kind, account, done_by, name)
             VALUES (1001, 3, 1, 1, 'account_renamed', 3, 3, 'bob')",
            "INSERT INTO events (id, log, seq, ts, kind, account, done_by, room)
             VALUES (1002, 3, 2, 1, 'room_banned', 3, 2, 7)",
            "INSERT INTO events (id, log, seq, ts, kind, account, done_by, name)
             VALUES (1003, 3, 3, 1, 'account_renamed', 3, 0, 'rob')",
        ] {
            connection.execute(sql, []).unwrap();
        }
        let page = page_of(&connection, 1_000, 300, 10).unwrap();
        let [entry] = &page.entries[..] else { panic!("{page:?}") };
        assert_eq!((entry.by, &entry.by_name, &entry.room), (AccountId(0), &None, &None));
        assert_eq!((entry.account.as_deref(), page.next), (Some("bob"), None));
    }
}
