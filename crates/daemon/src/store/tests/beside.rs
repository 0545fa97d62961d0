//! A commit that is done beside the writer is seen by the writer alone until it is durable, and
//! takes with it what was built on it when it fails.

use rusqlite::Connection;

use super::*;

/// A store that commits large transactions beside the caller.
fn store_beside() -> (SqliteStore, TempDir) {
    let (mut store, dir) = store();
    store.commit_beside(|| ()).unwrap();
    (store, dir)
}

/// Appends the messages from one to another.
fn append(store: &mut SqliteStore, ns: std::ops::RangeInclusive<u64>) {
    ns.for_each(|n| store.append(Record::Event(&message(n))).unwrap());
}

fn head(reader: &mut Reader) -> Seq {
    reader.events_after(ROOM, Seq(0), Seq(0), usize::MAX).unwrap().after
}

fn is_posted(store: &SqliteStore, n: u64) -> bool {
    let past = store.past_send(ADA, Nonce { stream: STREAM, n }).unwrap();
    matches!(past, Some(PastSend::Posted { seq, .. }) if seq == Seq(n + 1))
}

/// Somebody who keeps the store from writing for as long as this is there.
fn in_the_way(store: &SqliteStore) -> Connection {
    let other = Connection::open(store.path()).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    other
}

#[test]
fn what_is_under_way_is_seen_by_lookups_and_by_no_reader() {
    let (mut store, _dir) = store_beside();
    let mut reader = Reader::open(&store).unwrap();
    // The stream has its row.
    post(&mut store, 1).unwrap();
    let other = in_the_way(&store);
    append(&mut store, 2..=5);
    assert_eq!(store.begin_commit().unwrap(), Begun::UnderWay);
    append(&mut store, 6..=7);
    assert!(store.poll_commit().is_none(), "it waits for the other one");
    assert_eq!(store.high_water(ADA, STREAM).unwrap(), 7);
    assert!((2..=7).all(|n| is_posted(&store, n)));
    assert_eq!(store.newest_ts(ROOM).unwrap(), Timestamp(1));
    assert_eq!(head(&mut reader), Seq(2));
    assert_eq!(store.committed, 3);
    other.execute_batch("ROLLBACK").unwrap();
    store.finish_commit().unwrap();
    assert_eq!(head(&mut reader), Seq(6), "the next one is not committed");
    assert_eq!(store.committed, 7);
    store.commit().unwrap();
    assert_eq!(head(&mut reader), Seq(8));
    let snapshot = store.roll_back().unwrap();
    assert_eq!(snapshot.rooms[0].head, Seq(8));
    assert!((1..=7).all(|n| is_posted(&store, n)));
}

#[test]
fn what_was_built_on_a_commit_that_failed_is_never_committed() {
    for asks_first in [false, true] {
        let (mut store, _dir) = store_beside();
        post(&mut store, 1).unwrap();
        let before = store.roll_back().unwrap();
        store.writer.fault = Some(Fault::Full { pages: 30 });
        store.recover().unwrap();
        append(&mut store, 2..=30);
        assert_eq!(store.begin_commit().unwrap(), Begun::UnderWay);
        append(&mut store, 31..=31);
        if asks_first {
            assert!(store.finish_commit().is_err());
        }
        // It is no matter whether it says so before or with the next one.
        assert!(store.commit().is_err());
        assert_eq!(store.roll_back().unwrap(), before);
        assert_eq!(head(&mut Reader::open(&store).unwrap()), Seq(2));
        assert_eq!(store.committed, 3);
        store.writer.fault = None;
        store.recover().unwrap();
        assert!(!is_posted(&store, 2));
        post(&mut store, 2).unwrap();
    }
}

#[test]
fn a_record_that_needs_the_file_waits_for_the_commit_under_way() {
    let (mut store, _dir) = store_beside();
    post(&mut store, 1).unwrap();
    append(&mut store, 2..=5);
    assert_eq!(store.begin_commit().unwrap(), Begun::UnderWay);
    let renamed =
        Content::AccountRenamed { by: AccountId(0), name: Nickname::parse("ida").unwrap().into() };
    let renamed = Event { log: ADA.into(), seq: Seq(2), ts: Timestamp(2), content: renamed };
    store.append(Record::Event(&renamed)).unwrap();
    store.finish_commit().unwrap();
    append(&mut store, 6..=9);
    assert_eq!(store.begin_commit().unwrap(), Begun::Durable, "it has begun already");
    let snapshot = store.roll_back().unwrap();
    assert_eq!((snapshot.rooms[0].head, snapshot.accounts[0].head), (Seq(10), Seq(2)));
    assert_eq!(snapshot.accounts[0].name.name.as_str(), "ida");
}

#[test]
fn blocks_of_commits_beside_each_other_say_where_the_messages_are() {
    let (mut store, dir) = store_beside();
    post(&mut store, 1).unwrap();
    let mut n = 1;
    for turn in 0..20 {
        append(&mut store, n + 1..=n + 4);
        n += 4;
        if turn % 5 == 4 {
            store.transactions.make_due();
        }
        assert_eq!(store.begin_commit().unwrap(), Begun::UnderWay);
    }
    store.finish_commit().unwrap();
    drop(store);
    let mut store = SqliteStore::open(dir.path(), Durability::Full).unwrap();
    assert_eq!(store.recover().unwrap().rooms[0].head, Seq(n + 1));
    assert!((1..=n).all(|n| is_posted(&store, n)));
    assert_eq!(head(&mut Reader::open(&store).unwrap()), Seq(n + 1));
    let page = Reader::open(&store).unwrap().history(&chat_core::HistoryRead {
        room: RoomId(ROOM.0),
        epoch: store.epoch(),
        before: Seq(u64::MAX),
        limit: 1,
        as_of: Seq(n + 1),
    });
    assert_eq!(page.unwrap().messages.iter().last().map(|message| message.seq), Some(Seq(n + 1)));
}
