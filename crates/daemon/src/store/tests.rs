//! A store whose disk fails: nothing acknowledged is lost, nothing else is shown, and writes go on
//! when the disk is back.

mod beside;
mod removed;
mod unflushed;

use chat_core::{BodyDigest, Content, Event, Lookup, PastSend};
use chat_proto::{
    LogId, MessageId, Nickname, Nonce, PublicKey, RoomId, RoomName, Seq, TextBody, Timestamp,
};
use tempfile::TempDir;

use super::connection::Fault;
use super::*;

const ROOM: LogId = LogId(1);
const ADA: AccountId = AccountId(2);
const STREAM: StreamId = StreamId([7; 16]);

fn store() -> (SqliteStore, TempDir) {
    let dir = tempfile::tempdir().unwrap();
    let mut store = SqliteStore::open(dir.path(), Durability::Full).unwrap();
    store.recover().unwrap();
    let event = |log, content| Event { log, seq: Seq(1), ts: Timestamp(1), content };
    let name = RoomName::parse("lobby").unwrap();
    store
        .append(Record::Event(&event(ROOM, Content::RoomCreated { by: None, name: name.into() })))
        .unwrap();
    let (credential, name) = (PublicKey([1; 32]).into(), Nickname::parse("ada").unwrap());
    store
        .append(Record::Event(&event(
            ADA.into(),
            Content::AccountCreated { credential, name: name.into() },
        )))
        .unwrap();
    store.commit().unwrap();
    (store, dir)
}

/// The `n`th message: large, so that a small disk is soon full.
fn message(n: u64) -> Event {
    let content = Content::Posted {
        from: ADA,
        id: MessageId([9; 16]),
        nonce: Nonce { stream: STREAM, n },
        digest: BodyDigest(n),
        body: TextBody::say("x".repeat(8_000)),
    };
    Event { log: ROOM, seq: Seq(n + 1), ts: Timestamp(1), content }
}

fn post(store: &mut SqliteStore, n: u64) -> Result<(), StoreError> {
    store.append(Record::Event(&message(n)))?;
    store.commit()
}

/// Posts until the disk is full; tells the number of the message that failed.
fn fill(store: &mut SqliteStore) -> u64 {
    let full = (1..1_000).find(|n| post(store, *n).is_err());
    full.expect("the disk is small")
}

#[test]
fn a_full_disk_loses_nothing_and_writes_go_on_when_there_is_room() {
    let (mut store, _dir) = store();
    store.writer.fault = Some(Fault::Full { pages: 60 });
    store.recover().unwrap();
    let failed = fill(&mut store);
    assert!(failed > 5, "message {failed} failed already");

    let snapshot = store.roll_back().unwrap();
    assert_eq!(snapshot.rooms[0].head, Seq(failed), "the failed one is not in it");
    assert_eq!(store.high_water(ADA, STREAM).unwrap(), failed - 1);
    let last = Nonce { stream: STREAM, n: failed - 1 };
    assert!(store.past_send(ADA, last).unwrap().is_some());
    assert!(post(&mut store, failed).is_err(), "the disk is still full");
    assert_eq!(store.roll_back().unwrap(), snapshot);

    store.writer.fault = None;
    assert_eq!(store.recover().unwrap(), snapshot);
    post(&mut store, failed).unwrap();
    assert_eq!(store.roll_back().unwrap().rooms[0].head, Seq(failed + 1));
    let mut reader = Reader::open(&store).unwrap();
    assert_eq!(
        reader.events_after(ROOM, Seq(0), Seq(failed + 1), usize::MAX).unwrap().after,
        Seq(failed + 1)
    );
}

#[test]
fn a_disk_that_takes_no_writes_is_read_on() {
    let (mut store, _dir) = store();
    post(&mut store, 1).unwrap();
    let before = store.roll_back().unwrap();
    store.writer.fault = Some(Fault::ReadOnly);
    assert!(store.recover().is_err());
    assert!(store.recover().is_err());
    assert_eq!(store.roll_back().unwrap(), before);
    assert!(post(&mut store, 2).is_err());
    assert_eq!(store.roll_back().unwrap(), before);

    store.writer.fault = None;
    assert_eq!(store.recover().unwrap(), before);
    post(&mut store, 2).unwrap();
}

#[test]
fn what_could_not_be_rolled_back_is_never_counted_as_committed() {
    let (mut store, dir) = store();
    post(&mut store, 1).unwrap();
    let before = store.roll_back().unwrap();
    store.append(Record::Event(&message(2))).unwrap();
    let path = std::mem::replace(&mut store.writer.path, dir.path().join("not/there"));
    store.connection = None;
    assert!(store.roll_back().is_err());
    // As the next second's tick does, with nothing to commit.
    store.commit().unwrap();
    store.writer.path = path;
    assert_eq!(store.recover().unwrap(), before);
    post(&mut store, 2).unwrap();
}

#[test]
fn a_transaction_that_lacks_a_record_is_never_committed() {
    let (mut store, _dir) = store();
    post(&mut store, 1).unwrap();
    let before = store.roll_back().unwrap();
    store.append(Record::Event(&message(2))).unwrap();
    let hole = message(4);
    assert!(store.append(Record::Event(&hole)).is_err(), "a log goes on without a gap");
    assert!(store.commit().is_err());
    assert_eq!(store.roll_back().unwrap(), before);
}

#[test]
fn the_same_nonce_is_never_stored_twice() {
    let (mut store, _dir) = store();
    post(&mut store, 1).unwrap();
    let again = Event { seq: Seq(3), ..message(1) };
    assert!(store.append(Record::Event(&again)).is_err());
}

#[test]
fn a_file_that_lost_committed_events_is_not_gone_on_with() {
    let (mut store, _dir) = store();
    post(&mut store, 1).unwrap();
    store.committed += 1;
    store.appended += 1;
    for error in [store.recover().unwrap_err(), store.roll_back().unwrap_err()] {
        assert!(error.to_string().contains("Restart the daemon"), "{error}");
    }
}

#[test]
fn a_commit_that_was_durable_after_all_is_found() {
    let (mut store, _dir) = store();
    post(&mut store, 1).unwrap();
    // As after an error that came behind the commit.
    store.committed -= 1;
    let snapshot = store.recover().unwrap();
    let lobby = RoomName::parse("lobby").unwrap().into();
    let lobby = chat_core::RoomRow::new(RoomId(ROOM.0), lobby, Seq(2));
    let expected = chat_core::RoomRow { is_permanent: true, has_posts: true, ..lobby };
    assert_eq!(snapshot.rooms, [expected]);
    assert_eq!(store.committed, 3);
    post(&mut store, 2).unwrap();
}

#[test]
fn full_durability_synchronises_every_commit() {
    for (durability, number) in [(Durability::Full, 2), (Durability::Process, 1)] {
        let dir = tempfile::tempdir().unwrap();
        let mut store = SqliteStore::open(dir.path(), durability).unwrap();
        store.recover().unwrap();
        let ask = |pragma| {
            let connection = store.connection().unwrap();
            connection.pragma_query_value(None, pragma, |row| row.get::<_, i64>(0)).unwrap()
        };
        assert_eq!(ask("synchronous"), number);
        assert_eq!(ask("fullfsync"), 1);
        assert_eq!(ask("checkpoint_fullfsync"), 1);
        assert_eq!(ask("foreign_keys"), 1);
        assert_eq!(ask("secure_delete"), 1);
        let mode: String = store
            .connection()
            .unwrap()
            .pragma_query_value(None, "journal_mode", |row| row.get(0))
            .unwrap();
        assert_eq!(mode, "wal");
    }
}
