//! The files of a data directory: what a kill leaves, who may read them, and who may open them.

mod store_seed;

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use chat_core::Store;
use chat_proto::{Epoch, Seq};
use chatd::store::{Durability, OpenError, SqliteStore};
use store_seed::{open, post, seeded};
use tempfile::TempDir;

fn dir() -> TempDir {
    tempfile::tempdir().expect("there is room")
}

/// Ends a store, and leaves its files as a kill would have left them.
fn kill(store: SqliteStore) {
    let dir = store.data_dir().to_owned();
    let files = ["chatd.db", "chatd.db-wal", "witness"].map(|name| {
        let path = dir.join(name);
        (std::fs::read(&path).expect("the file is there"), path)
    });
    drop(store);
    for (bytes, path) in files {
        // In its place: the witness knows itself and the database by their inodes.
        std::fs::write(path, bytes).expect("there is room");
    }
}

/// Where nobody does, the machine may have been booted meanwhile, and commits that were not
/// synchronised are lost.
const TELLS_OF_BOOTS: bool = cfg!(all(target_os = "linux", not(feature = "portable")));

/// Copies the database alone, as a backup would.
fn backup(from: &Path, to: &Path) {
    for name in ["chatd.db", "chatd.db-wal"] {
        match std::fs::copy(from.join(name), to.join(name)) {
            Err(_closed) => drop(std::fs::remove_file(to.join(name))),
            Ok(_bytes) => {}
        }
    }
}

fn head(store: &mut SqliteStore) -> Seq {
    store.roll_back().expect("the store can be read").rooms[0].head
}

#[test]
fn a_kill_after_a_commit_loses_nothing_and_keeps_the_epoch() {
    for durability in [Durability::Full, Durability::Process] {
        let live = dir();
        let mut store = seeded(live.path(), durability);
        post(&mut store, 2..=50);
        store_seed::put(&mut store, &store_seed::message(51, "not committed"));
        let before = store.epoch();
        kill(store);
        let mut after = open(live.path(), durability);
        assert_eq!(head(&mut after), Seq(50));
        let keeps = TELLS_OF_BOOTS || matches!(durability, Durability::Full);
        assert_eq!(after.epoch() == before, keeps, "{durability:?}");
        post(&mut after, [51]);
    }
}

#[test]
fn a_store_that_goes_on_keeps_its_epoch() {
    let dir = dir();
    let epoch = seeded(dir.path(), Durability::Full).epoch();
    for seq in 2..6 {
        let mut store = open(dir.path(), Durability::Full);
        post(&mut store, [seq]);
        assert_eq!(store.epoch(), epoch);
        if seq % 2 == 0 {
            store.close();
        }
    }
}

#[test]
fn a_backup_that_is_restored_begins_a_new_epoch() {
    let (live, kept) = (dir(), dir());
    let mut store = seeded(live.path(), Durability::Full);
    post(&mut store, 2..=10);
    backup(live.path(), kept.path());
    post(&mut store, [11]);
    let before = store.epoch();
    store.close();

    backup(kept.path(), live.path());
    let mut restored = open(live.path(), Durability::Full);
    assert_eq!(head(&mut restored), Seq(10));
    assert_ne!(restored.epoch(), before);
    assert_ne!(restored.epoch(), Epoch(0));
    let begun = restored.epoch();
    restored.close();
    assert_eq!(open(live.path(), Durability::Full).epoch(), begun, "it begins once");
}

#[test]
fn a_start_that_dies_before_the_new_epoch_leaves_it_to_the_next_one() {
    let (live, kept) = (dir(), dir());
    let mut store = seeded(live.path(), Durability::Full);
    post(&mut store, 2..=10);
    backup(live.path(), kept.path());
    post(&mut store, [11]);
    store.close();

    backup(kept.path(), live.path());
    for _start in 0..3 {
        let mut restored = SqliteStore::open(live.path(), Durability::Full).expect("it opens");
        assert_eq!(restored.epoch(), Epoch(0), "opening decides, and writes nothing");
        assert_eq!(restored.recover().expect("it takes writes").epoch, Epoch(0));
        kill(restored);
    }
    assert_ne!(open(live.path(), Durability::Full).epoch(), Epoch(0));
}

#[test]
fn a_store_that_comes_with_a_copied_witness_or_none_begins_a_new_epoch() {
    let live = dir();
    let mut store = seeded(live.path(), Durability::Full);
    post(&mut store, 2..=10);
    let before = store.epoch();
    for witness in [true, false] {
        let elsewhere = dir();
        backup(live.path(), elsewhere.path());
        if witness {
            std::fs::copy(live.path().join("witness"), elsewhere.path().join("witness"))
                .expect("it is there");
        }
        assert_ne!(open(elsewhere.path(), Durability::Full).epoch(), before);
    }
}

#[test]
fn a_store_of_a_newer_version_is_refused_and_kept() {
    let dir = dir();
    seeded(dir.path(), Durability::Full).close();
    let file = dir.path().join("chatd.db");
    let newer = rusqlite::Connection::open(&file).expect("it is there");
    newer.pragma_update(None, "user_version", 77).expect("it takes writes");
    drop(newer);
    let before = std::fs::read(&file).expect("it is there");
    let refused = SqliteStore::open(dir.path(), Durability::Full).expect_err("it is newer");
    assert!(matches!(refused, OpenError::Newer { found: 77, .. }));
    assert!(refused.to_string().contains("newer version"), "{refused}");
    assert_eq!(std::fs::read(&file).expect("it is there"), before);
}

#[test]
fn a_store_that_no_release_has_made_is_refused_and_kept() {
    let dir = dir();
    seeded(dir.path(), Durability::Full).close();
    let file = dir.path().join("chatd.db");
    let older = rusqlite::Connection::open(&file).expect("it is there");
    older.execute_batch("DROP TABLE secrets; PRAGMA user_version = 1;").expect("it takes writes");
    drop(older);
    let before = std::fs::read(&file).expect("it is there");
    let refused = SqliteStore::open(dir.path(), Durability::Full).expect_err("it is older");
    assert!(matches!(refused, OpenError::Unreleased { found: 1, known: 8 }), "{refused}");
    assert_eq!(std::fs::read(&file).expect("it is there"), before);
}

#[test]
fn a_file_that_is_no_database_is_refused_and_kept() {
    let dir = dir();
    let file = dir.path().join("chatd.db");
    std::fs::write(&file, "hello, I am a text file").expect("there is room");
    let refused = SqliteStore::open(dir.path(), Durability::Full).expect_err("it is a text");
    assert!(matches!(refused, OpenError::Database { .. }), "{refused}");
    assert_eq!(std::fs::read(&file).expect("it is there"), b"hello, I am a text file");
}

#[test]
fn a_second_daemon_is_refused_with_the_first_ones_number() {
    let dir = dir();
    let first = seeded(dir.path(), Durability::Full);
    let refused = SqliteStore::open(dir.path(), Durability::Full).expect_err("it is in use");
    let said = refused.to_string();
    assert!(said.contains(&format!("process {}", std::process::id())), "{said}");
    assert!(said.contains(&*dir.path().to_string_lossy()), "{said}");
    drop(first);
    SqliteStore::open(dir.path(), Durability::Full).expect("nobody has it");
}

#[test]
fn every_file_is_for_its_owner_only() {
    let parent = dir();
    let data = parent.path().join("deep/data");
    let mut store = seeded(&data, Durability::Full);
    post(&mut store, 2..=3);
    assert_modes(&data, &["chatd.db", "chatd.db-shm", "chatd.db-wal", "lock", "witness"]);
    let mode = data.metadata().expect("it is there").permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
    store.close();

    let open_to_all = std::fs::Permissions::from_mode(0o666);
    for name in ["chatd.db", "lock", "witness"] {
        std::fs::set_permissions(data.join(name), open_to_all.clone()).expect("it is ours");
    }
    let _store = open(&data, Durability::Full);
    assert_modes(&data, &["chatd.db", "chatd.db-shm", "chatd.db-wal", "lock", "witness"]);
}

fn assert_modes(data: &Path, expected: &[&str]) {
    let mut names = Vec::new();
    for entry in data.read_dir().expect("it is there") {
        let entry = entry.expect("it is there");
        let mode = entry.metadata().expect("it is there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{:?}", entry.file_name());
        names.push(entry.file_name().into_string().expect("it is ASCII"));
    }
    names.sort();
    assert_eq!(names, expected);
}

#[test]
fn a_directory_that_cannot_be_made_is_named() {
    let dir = dir();
    let file = dir.path().join("file");
    std::fs::write(&file, "").expect("there is room");
    let refused = SqliteStore::open(&file.join("data"), Durability::Full).expect_err("no way");
    assert!(matches!(refused, OpenError::Dir { .. }));
    assert!(refused.to_string().contains("--data-dir"), "{refused}");
}

#[test]
fn a_person_can_read_it_with_sqlite3() {
    let dir = dir();
    let mut store = seeded(dir.path(), Durability::Full);
    post(&mut store, [2]);
    store.commit().expect("there is room");
    let person = rusqlite::Connection::open(store.path()).expect("it is there");
    let line: (String, String, String, String) = person
        .query_row("SELECT time, room, sender, text FROM messages", [], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
        })
        .expect("there is one");
    let at = |text: &str| text.to_owned();
    let expected = (at("2026-09-21 14:13:20.002Z"), at("#lobby"), at("ada"), at("text 2"));
    assert_eq!(line, expected);
    let number = |sql| person.query_row(sql, [], |row| row.get::<_, i64>(0)).expect("there is one");
    assert_eq!(number("SELECT head FROM rooms JOIN logs USING (id) WHERE name = 'lobby'"), 2);
    assert_eq!(number("SELECT high_water FROM outboxes"), 1);
}
