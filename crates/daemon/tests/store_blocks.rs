//! What the blocks and the runs of nonces find, however the events came into the file; and that
//! nothing gets there twice, or leaves a hole.

mod store_seed;

use chat_core::{BodyDigest, Content, Event, HistoryRead, Lookup, PastSend, Store};
use chat_proto::{AccountId, Epoch, LogId, Nonce, RoomId, RoomName, Seq, StreamId};
use chatd::store::{Durability, Reader, SqliteStore};
use store_seed::{ADA, LOBBY, STREAM, event, message, open, post, put, seeded};
use tempfile::TempDir;

/// Rooms besides the lobby.
const ROOMS: std::ops::RangeInclusive<u64> = 3..=7;

fn store() -> (SqliteStore, TempDir) {
    let dir = tempfile::tempdir().expect("there is room");
    (seeded(dir.path(), Durability::Process), dir)
}

/// Ada's `n`th message, in any room.
fn said(room: LogId, seq: u64, n: u64) -> Event {
    let mut said = Event { log: room, ..message(seq, &format!("{n} in {room}")) };
    if let Content::Posted { nonce, .. } = &mut said.content {
        nonce.n = n;
    }
    said
}

/// Says so many things in many rooms, in commits of all sizes; of some nothing comes here, as they are
/// refused. Tells each room's events, and what each send has led to.
fn babble(store: &mut SqliteStore, sends: u64) -> (Vec<Vec<Event>>, Vec<Option<Event>>) {
    let mut rooms: Vec<Vec<Event>> = Vec::new();
    for room in ROOMS {
        let name = RoomName::parse(&format!("room{room}")).expect("a name");
        let created =
            event(LogId(room), 1, Content::RoomCreated { by: Some(ADA), name: name.into() });
        put(store, &created);
        rooms.push(vec![created]);
    }
    let mut decided = Vec::new();
    let mut chance = 12_345_u64;
    for n in 1..=sends {
        chance = chance.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let dice = chance >> 40;
        if dice.is_multiple_of(11) && n < sends {
            decided.push(None);
        } else {
            // Sometimes one room for long, so that its block grows from commit to commit.
            let at = if n % 500 < 200 { 2 } else { usize::try_from(dice % 5).expect("small") };
            let room = &mut rooms[at];
            let event = said(room[0].log, room.len() as u64 + 1, n);
            put(store, &event);
            room.push(event.clone());
            decided.push(Some(event));
        }
        if (dice / 16).is_multiple_of(1 + n % 40) {
            store.commit().expect("there is room");
        }
    }
    store.commit().expect("there is room");
    (rooms, decided)
}

fn frames(events: &[Event]) -> Vec<u8> {
    let mut frames = Vec::new();
    events.iter().for_each(|event| event.encode(&mut frames));
    frames
}

#[test]
fn events_are_found_after_many_commits_over_many_logs() {
    let (mut store, _dir) = store();
    let (rooms, _decided) = babble(&mut store, 2_000);
    let mut reader = Reader::open(&store).expect("the file is there");
    for events in rooms {
        let head = Seq(events.len() as u64);
        for after in (0..events.len()).step_by(7) {
            let page = reader.events_after(events[0].log, Seq(after as u64), head, usize::MAX);
            let page = page.expect("the file can be read");
            assert_eq!((page.frames, page.after), (frames(&events[after..]), head), "{after}");
        }
    }
}

#[test]
fn sends_are_found_across_commits_rooms_refusals_and_starts() {
    let (mut store, dir) = store();
    let (_rooms, decided) = babble(&mut store, 2_000);
    for _start in 1..=2 {
        assert_eq!(store.high_water(ADA, STREAM).expect("it is known"), 2_000);
        for (n, event) in (1..).zip(&decided) {
            let past = store.past_send(ADA, Nonce { stream: STREAM, n }).expect("it can be read");
            match (past, event) {
                (None, None) => {}
                (Some(PastSend::Posted { room, seq, digest, .. }), Some(event)) => {
                    assert_eq!((LogId::from(room), seq), (event.log, event.seq), "{n}");
                    assert_eq!(digest, BodyDigest(event.seq.0 + (1 << 46)), "{n}");
                }
                (past, _) => panic!("{n} was found as {past:?}"),
            }
        }
        drop(store);
        store = open(dir.path(), Durability::Process);
    }
}

#[test]
fn a_nonce_out_of_turn_is_never_stored() {
    let (mut store, _dir) = store();
    post(&mut store, 2..=4);
    let before = store.roll_back().expect("the file can be read");
    // Its seq is right: only the nonce is not.
    for n in [0, 1, 3] {
        let refused = store.append(chat_core::Record::Event(&said(LOBBY, 5, n)));
        assert!(
            refused.expect_err("its turn is over").to_string().contains("of its stream"),
            "{n}"
        );
        assert!(store.commit().is_err(), "the transaction lacks a record");
        assert_eq!(store.roll_back().expect("the file can be read"), before);
    }
    put(&mut store, &said(LOBBY, 5, 4));
    let twice = store.append(chat_core::Record::Event(&said(LOBBY, 6, 4)));
    assert!(twice.is_err(), "also in the open transaction");
}

#[test]
fn a_log_begins_with_what_creates_it_and_only_once() {
    let (mut store, _dir) = store();
    let name = RoomName::parse("side").expect("a name");
    let created = Content::RoomCreated { by: None, name: name.into() };
    let nothing = event(LogId(9), 1, Content::Joined { account: ADA });
    let again = event(LOBBY, 2, created.clone());
    let late = event(LogId(9), 2, created);
    for event in [nothing, again, late] {
        assert!(store.append(chat_core::Record::Event(&event)).is_err(), "{event:?}");
        store.roll_back().expect("the file can be read");
    }
}

#[test]
fn what_retention_deletes_is_never_sent_again() {
    let (mut store, dir) = store();
    post(&mut store, 2..=9);
    let retention = rusqlite::Connection::open(store.path()).expect("it is there");
    retention.execute("DELETE FROM events WHERE kind = 'posted'", []).expect("it takes writes");
    drop(retention);
    store.close();
    let store = open(dir.path(), Durability::Process);
    assert_eq!(store.high_water(ADA, STREAM).expect("it can be read"), 8);
    let past = store.past_send(ADA, Nonce { stream: STREAM, n: 8 }).expect("it can be read");
    assert_eq!(past, Some(PastSend::Deleted), "it was not refused");
    let past = store.past_send(ADA, Nonce { stream: STREAM, n: 9 }).expect("it can be read");
    assert_eq!(past, None);
}

#[test]
fn more_streams_than_are_remembered_are_all_known() {
    let (mut store, _dir) = store();
    let stream = |at: u64| StreamId(u128::from(at).to_le_bytes());
    for at in 0..70_000 {
        let mut said = said(LOBBY, 2 + at, 1);
        if let Content::Posted { nonce, .. } = &mut said.content {
            nonce.stream = stream(at);
        }
        put(&mut store, &said);
        if at % 10_000 == 0 {
            store.commit().expect("there is room");
        }
    }
    store.commit().expect("there is room");
    for at in (0..70_000).step_by(1_111) {
        assert_eq!(store.high_water(ADA, stream(at)).expect("it can be read"), 1);
    }
    assert_eq!(store.high_water(AccountId(77), stream(1)).expect("it can be read"), 0);
}

#[test]
fn history_is_found_behind_any_number_of_joins() {
    let (mut store, dir) = store();
    post(&mut store, 2..=4);
    for seq in 5..=3_000 {
        let content = match seq % 2 {
            0 => Content::Left { account: ADA },
            _ => Content::Joined { account: ADA },
        };
        put(&mut store, &event(LOBBY, seq, content));
        let content = match seq % 2 {
            0 => Content::RoomLeft { room: RoomId(1) },
            _ => Content::RoomJoined { room: RoomId(1) },
        };
        put(&mut store, &event(ADA.into(), seq - 3, content));
        if seq % 3 == 0 {
            store.commit().expect("there is room");
        }
    }
    put(&mut store, &said(LOBBY, 3_001, 4));
    store.commit().expect("there is room");
    for _start in 1..=3 {
        let mut reader = Reader::open(&store).expect("the file is there");
        let mut page = |before, limit| {
            let (room, epoch) = (RoomId(1), Epoch(7));
            let read = HistoryRead { room, epoch, before: Seq(before), limit, as_of: Seq(3_001) };
            let page = reader.history(&read).expect("the file can be read");
            let seqs: Vec<_> = page.messages.iter().map(|message| message.seq.0).collect();
            (seqs, page.more)
        };
        assert_eq!(page(u64::MAX, 10), (vec![2, 3, 4, 3_001], false));
        assert_eq!(page(u64::MAX, 2), (vec![4, 3_001], true));
        assert_eq!(page(3_001, 2), (vec![3, 4], true));
        assert_eq!(page(2_000, 3), (vec![2, 3, 4], false));
        assert_eq!(page(2, 3), (vec![], false));
        assert_eq!(page(0, 3), (vec![], false));
        drop(store);
        store = open(dir.path(), Durability::Process);
    }
}

/// No index and no foreign key of `events` keeps it so: this does.
#[test]
fn the_file_is_whole() {
    let (mut store, dir) = store();
    babble(&mut store, 3_000);
    store.close();
    let store = open(dir.path(), Durability::Process);
    let file = rusqlite::Connection::open(store.path()).expect("it is there");
    let count = |sql: &str| -> i64 {
        file.query_row(sql, [], |row| row.get(0)).unwrap_or_else(|error| panic!("{sql}: {error}"))
    };
    for wrong in [
        "SELECT count(*) FROM pragma_foreign_key_check",
        "SELECT count(*) - count(DISTINCT log || '.' || seq) FROM events",
        "SELECT count(n) - count(DISTINCT stream || '.' || n) FROM events",
        "SELECT count(*) FROM events WHERE log NOT IN (SELECT id FROM logs)",
        "SELECT count(*) FROM events WHERE account NOT IN (SELECT id FROM accounts)",
        "SELECT count(*) FROM events WHERE stream NOT IN (SELECT id FROM streams)",
        // Each event is where its block says, and each block is full.
        "SELECT count(*) - sum(id = (SELECT first_id + events.seq - first_seq FROM blocks \
           WHERE log = events.log AND first_seq <= events.seq ORDER BY first_seq DESC LIMIT 1)) \
         FROM events",
        "SELECT (SELECT sum(events) FROM blocks) - count(*) FROM events",
        "SELECT sum(head) - (SELECT count(*) FROM events) FROM logs",
        "SELECT sum(head != (SELECT max(seq) FROM events WHERE log = logs.id)) FROM logs",
        "SELECT sum(last_post != (SELECT coalesce(max(seq), 0) FROM events WHERE kind = 'posted' \
           AND log = blocks.log AND seq < first_seq + blocks.events)) FROM blocks",
        // Each message is in one run, and no other send.
        "SELECT sum(last_n + 1 - first_n) - (SELECT count(n) FROM events) FROM nonces",
        "SELECT sum(high_water) - (SELECT sum(n) FROM (SELECT max(n) AS n FROM events \
           WHERE n IS NOT NULL GROUP BY stream)) FROM outboxes",
    ] {
        assert_eq!(count(wrong), 0, "{wrong}");
    }
}
