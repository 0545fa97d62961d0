//! Files that are taken away from a store at work: nothing more is acknowledged, what is held is
//! read, and a file that comes back is used again.

mod store_seed;

use std::fs;

use chat_core::{Record, Store, StoreError};
use chat_proto::Seq;
use chatd::store::{Durability, Reader, SqliteStore};
use store_seed::{LOBBY, message, open, post, seeded};
use tempfile::TempDir;

/// A store under a directory that can be taken away as a whole, with five events.
fn place() -> (SqliteStore, TempDir) {
    let parent = tempfile::tempdir().expect("there is room");
    let mut store = seeded(&parent.path().join("data"), Durability::Full);
    post(&mut store, 2..=5);
    (store, parent)
}

fn try_post(store: &mut SqliteStore, seq: u64) -> Result<(), StoreError> {
    store.append(Record::Event(&message(seq, "x")))?;
    store.commit()
}

fn head(store: &mut SqliteStore) -> Seq {
    store.roll_back().expect("what is held is read").rooms[0].head
}

fn reads(store: &SqliteStore) -> Reader {
    Reader::open(store).expect("it can be read")
}

#[test]
fn what_is_moved_away_ends_every_ack_and_goes_on_when_it_is_back() {
    for name in ["data", "data/chatd.db", "data/chatd.db-wal", "data/chatd.db-shm"] {
        let (mut store, parent) = place();
        let (there, away) = (parent.path().join(name), parent.path().join("away"));
        let mut reader = reads(&store);
        fs::rename(&there, &away).expect("it is ours");
        let error = try_post(&mut store, 6).expect_err(name);
        assert!(error.to_string().contains(&*there.to_string_lossy()), "{error}");
        assert!(error.to_string().contains("removed or renamed"), "{error}");
        let head = head(&mut store);
        assert!(store.recover().is_err(), "{name}: it is still away");
        let page =
            reader.events_after(LOBBY, Seq(0), Seq(5), 100_000).expect("what is held is read");
        assert!(page.after >= Seq(5));

        fs::rename(&away, &there).expect("it is ours");
        let back = store.recover().expect(name);
        assert_eq!(back.rooms[0].head, head);
        post(&mut store, [head.0 + 1]);
        let (dir, epoch) = (store.data_dir().to_owned(), store.epoch());
        drop(reader);
        store.close();
        let mut after = open(&dir, Durability::Full);
        assert_eq!((after.epoch(), self::head(&mut after)), (epoch, Seq(head.0 + 1)), "{name}");
    }
}

#[test]
fn what_is_removed_is_noticed_with_the_next_second_though_nobody_says_anything() {
    for name in ["chatd.db", "chatd.db-wal", "chatd.db-shm", "witness", "lock"] {
        let (mut store, _parent) = place();
        store.commit().expect("all is well");
        fs::remove_file(store.data_dir().join(name)).expect("it is ours");
        assert!(store.commit().is_err(), "{name}");
    }
    let (mut store, _parent) = place();
    fs::remove_dir_all(store.data_dir()).expect("it is ours");
    assert!(store.commit().is_err());
}

#[test]
fn another_file_in_the_place_is_neither_read_nor_written() {
    let (mut store, parent) = place();
    let path = store.path().to_owned();
    let other = parent.path().join("other");
    seeded(&other, Durability::Full).close();
    fs::copy(other.join("chatd.db"), parent.path().join("copy")).expect("there is room");
    let before = fs::read(parent.path().join("copy")).expect("it is there");
    fs::rename(parent.path().join("copy"), &path).expect("it is ours");
    let error = try_post(&mut store, 6).expect_err("it is another file");
    assert!(error.to_string().contains("replaced"), "{error}");
    head(&mut store);
    assert!(store.recover().is_err());
    assert!(Reader::open(&store).is_err(), "a new reader would read the other file");
    let wal = fs::read(path.with_extension("db-wal")).expect("it is there");
    store.close();
    assert_eq!(fs::read(&path).expect("it is there"), before);
    assert_eq!(fs::read(path.with_extension("db-wal")).expect("it is left"), wal);
}

#[test]
fn a_witness_and_a_lock_that_were_removed_are_made_again() {
    for name in ["witness", "lock"] {
        let (mut store, _parent) = place();
        let path = store.data_dir().join(name);
        fs::remove_file(&path).expect("it is ours");
        assert!(try_post(&mut store, 6).is_err(), "{name}");
        let head = head(&mut store);
        store.recover().expect(name);
        post(&mut store, [head.0 + 1]);
        assert!(path.exists());
        assert!(SqliteStore::open(store.data_dir(), Durability::Full).is_err(), "it is in use");
        let (dir, epoch) = (store.data_dir().to_owned(), store.epoch());
        store.close();
        assert_eq!(open(&dir, Durability::Full).epoch(), epoch, "{name}");
    }
}

#[test]
fn what_was_in_a_wal_that_is_removed_survives_a_kill_behind_the_notice() {
    let (mut store, _parent) = place();
    let wal = store.data_dir().join("chatd.db-wal");
    fs::remove_file(wal).expect("it is ours");
    assert!(store.commit().is_err());
    let kept = fs::read(store.path()).expect("it is there");
    let elsewhere = tempfile::tempdir().expect("there is room");
    fs::write(elsewhere.path().join("chatd.db"), kept).expect("there is room");
    assert_eq!(head(&mut open(elsewhere.path(), Durability::Full)), Seq(5));
}
