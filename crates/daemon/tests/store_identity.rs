//! Whose the files of a data directory are: a store is not taken for another, and none is begun
//! where one is missing.

mod store_seed;

use std::fs;
use std::path::Path;

use chat_core::Store;
use chat_proto::Seq;
use chatd::store::{Durability, OpenError, SqliteStore};
use store_seed::{open, post, seeded};
use tempfile::TempDir;

fn dir() -> TempDir {
    tempfile::tempdir().expect("there is room")
}

fn refusal(dir: &Path) -> OpenError {
    SqliteStore::open(dir, Durability::Full).expect_err("it must be refused")
}

/// The store with ten events in its WAL, as a kill leaves it; tells what the WAL held.
fn killed(dir: &Path) -> Vec<u8> {
    let mut store = seeded(dir, Durability::Full);
    post(&mut store, 2..=10);
    let wal = fs::read(dir.join("chatd.db-wal")).expect("it is there");
    let (database, witness) = (fs::read(store.path()), fs::read(dir.join("witness")));
    drop(store);
    for (name, bytes) in
        [("chatd.db", database), ("chatd.db-wal", Ok(wal.clone())), ("witness", witness)]
    {
        fs::write(dir.join(name), bytes.expect("it is there")).expect("there is room");
    }
    wal
}

fn head(store: &mut SqliteStore) -> Option<Seq> {
    store.roll_back().expect("the store can be read").rooms.first().map(|room| room.head)
}

#[test]
fn a_database_of_another_program_is_refused_and_kept() {
    let dir = dir();
    let path = dir.path().join("chatd.db");
    let other = rusqlite::Connection::open(&path).expect("there is room");
    other.execute_batch("CREATE TABLE songs (title TEXT); PRAGMA user_version = 1;").expect("room");
    drop(other);
    let before = fs::read(&path).expect("it is there");
    let refused = refusal(dir.path());
    assert!(matches!(refused, OpenError::Foreign { .. }), "{refused}");
    assert!(refused.to_string().contains("another program"), "{refused}");
    assert_eq!(fs::read(&path).expect("it is there"), before);
    assert!(!dir.path().join("chatd.db-wal").exists());
}

#[test]
fn a_store_says_whose_it_is_from_its_first_byte_on() {
    let dir = dir();
    let store = seeded(dir.path(), Durability::Full);
    // All of its tables are still in the WAL.
    let head = fs::read(store.path()).expect("it is there");
    assert_eq!(&head[68..72], b"chat");
}

/// The head of SQLite's journal of a transaction before which the file had so many pages
/// (<https://www.sqlite.org/fileformat.html>, "The Rollback Journal").
fn journal(pages_before: u32) -> Vec<u8> {
    let mut journal = vec![0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7];
    for number in [0, 7, pages_before, 512, 4096] {
        journal.extend(u32::to_be_bytes(number));
    }
    journal.resize(512, 0);
    journal
}

#[test]
fn a_file_whose_making_a_loss_of_power_broke_off_is_made_again() {
    let dir = dir();
    let torn = [b"SQLite".to_vec(), vec![0; 4090]].concat();
    fs::write(dir.path().join("chatd.db"), &torn).expect("there is room");
    let refused = refusal(dir.path()).to_string();
    assert!(refused.contains("not a database"), "nothing says whose it is: {refused}");
    fs::write(dir.path().join("chatd.db-journal"), journal(1)).expect("there is room");
    let refused = refusal(dir.path()).to_string();
    assert!(refused.contains("not a database"), "there was something in it before: {refused}");
    assert_eq!(fs::read(dir.path().join("chatd.db")).expect("it is there"), torn, "kept");

    fs::write(dir.path().join("chatd.db-journal"), journal(0)).expect("there is room");
    let mut store = seeded(dir.path(), Durability::Full);
    assert_eq!(head(&mut store), Some(Seq(1)));
}

#[test]
fn something_else_under_the_name_is_refused_with_its_path() {
    let dir = dir();
    let path = dir.path().join("chatd.db");
    fs::create_dir(&path).expect("there is room");
    let said = refusal(dir.path()).to_string();
    assert!(said.contains(&*path.to_string_lossy()) && said.contains("regular file"), "{said}");
}

#[test]
fn a_store_that_is_missing_or_empty_is_not_begun_anew_unless_that_is_wanted() {
    for is_empty in [false, true] {
        let dir = dir();
        let at = |name: &str| dir.path().join(name);
        let wal = killed(dir.path());
        fs::write(at("identity"), "a key").expect("there is room");
        match is_empty {
            true => fs::write(at("chatd.db"), "").expect("there is room"),
            false => fs::remove_file(at("chatd.db")).expect("it is ours"),
        }
        let said = refusal(dir.path()).to_string();
        for word in ["chatd.db-wal", "witness (it saw 11 events)", "identity", "--new-store"] {
            assert!(said.contains(word), "{word}: {said}");
        }
        assert_eq!(fs::read(at("chatd.db-wal")).expect("it is there"), wal, "untouched");
        assert_eq!(at("chatd.db").exists(), is_empty);

        let mut store =
            SqliteStore::open_or_begin_again(dir.path(), Durability::Full).expect("it was wanted");
        assert_eq!(head(&mut store), None);
        assert_eq!(fs::read(at("chatd.db-wal.old-1")).expect("it is kept"), wal);
        drop(store);
        open(dir.path(), Durability::Full);
    }
}

#[test]
fn each_trace_alone_tells_of_a_store() {
    for trace in ["witness", "identity", "chatd.db-wal"] {
        let dir = dir();
        killed(dir.path());
        fs::write(dir.path().join("identity"), "a key").expect("there is room");
        for name in ["chatd.db", "chatd.db-wal", "chatd.db-shm", "witness", "identity"] {
            if name != trace {
                drop(fs::remove_file(dir.path().join(name)));
            }
        }
        let refused = refusal(dir.path());
        assert!(matches!(refused, OpenError::Missing { .. }), "{trace}: {refused}");
    }
    // The lock is there before the first store.
    let dir = dir();
    fs::write(dir.path().join("lock"), "").expect("there is room");
    open(dir.path(), Durability::Full);
}

#[test]
fn a_store_without_tables_is_not_filled_where_a_witness_saw_more() {
    let dir = dir();
    killed(dir.path());
    // As when its making was broken off, before it had tables.
    for name in ["chatd.db", "chatd.db-wal"] {
        drop(fs::remove_file(dir.path().join(name)));
    }
    let blank = rusqlite::Connection::open(dir.path().join("chatd.db")).expect("there is room");
    blank.pragma_update(None, "application_id", 0x6368_6174).expect("there is room");
    drop(blank);
    let refused = refusal(dir.path());
    assert!(matches!(refused, OpenError::Missing { .. }), "{refused}");
}

#[test]
fn a_restored_copy_does_not_get_the_wal_of_the_file_before_it() {
    let dir = dir();
    let at = |name: &str| dir.path().join(name);
    seeded(dir.path(), Durability::Full).close();
    fs::copy(at("chatd.db"), at("copy")).expect("there is room");
    let mut store = open(dir.path(), Durability::Full);
    post(&mut store, 2..=10);
    let wal = fs::read(at("chatd.db-wal")).expect("it is there");
    let before = store.epoch();
    store.close();
    fs::write(at("chatd.db-wal"), &wal).expect("there is room");
    fs::rename(at("chatd.db"), at("old")).expect("it is ours");
    fs::rename(at("copy"), at("chatd.db")).expect("it is ours");
    let copy = fs::read(at("chatd.db")).expect("it is there");

    let refused = refusal(dir.path());
    assert!(matches!(refused, OpenError::StrayWal { .. }), "{refused}");
    assert!(refused.to_string().contains("remove"), "{refused}");
    assert_eq!(fs::read(at("chatd.db")).expect("it is there"), copy);
    assert_eq!(fs::read(at("chatd.db-wal")).expect("it is there"), wal);

    fs::remove_file(at("chatd.db-wal")).expect("it is ours");
    let mut restored = open(dir.path(), Durability::Full);
    assert_eq!(head(&mut restored), Some(Seq(1)));
    assert_ne!(restored.epoch(), before);
}
