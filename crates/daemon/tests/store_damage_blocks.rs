//! Damaged rows of `blocks`: the events that they lead to are told as unreadable, nothing of
//! another log is told in their place, and a store whose logs have lost their ends is not written. One that does
//! not know how far in the order it is goes on.

mod store_seed;
mod store_told;

use std::fs::File;
use std::ops::RangeInclusive;
use std::os::unix::fs::FileExt;

use chat_core::{Content, Store};
use chat_proto::Nickname;
use chatd::store::{Durability, Reader, SqliteStore};
use store_seed::{ADA, event, post, put, seeded};
use store_told::{Told, follow, page_back};
use tempfile::TempDir;

/// Events of the lobby.
const EVENTS: u64 = 300;

/// How many of them are in a block.
const BLOCK: u64 = 30;

/// No event at all.
const NONE: RangeInclusive<u64> = RangeInclusive::new(1, 0);

/// A store whose lobby is in many blocks: somebody else's events lie in between.
fn filled() -> (TempDir, SqliteStore) {
    let dir = tempfile::tempdir().expect("there is room");
    let mut store = seeded(dir.path(), Durability::Process);
    for nth in 0..EVENTS / BLOCK {
        let name = Nickname::parse(&format!("ada{nth}")).expect("a name");
        put(
            &mut store,
            &event(ADA.into(), nth + 2, Content::AccountRenamed { by: ADA, name: name.into() }),
        );
        store.commit().expect("there is room");
        post(&mut store, (nth * BLOCK + 1).max(2)..=(nth + 1) * BLOCK);
    }
    store.close();
    let mut store = store_seed::open(dir.path(), Durability::Process);
    store.commit().expect("there is room");
    (dir, store)
}

/// Changes rows of `blocks` under the store.
fn damage(store: &SqliteStore, sql: &str) {
    let other = rusqlite::Connection::open(store.path()).expect("it is there");
    let rows = other.execute(sql, []).expect("it takes writes");
    assert_eq!(rows, 1, "{sql}");
}

/// Each event but the first, which is no message, as history has it.
fn messages((came, missing): &Told) -> Told {
    let behind = |seqs: &Vec<u64>| seqs.iter().copied().filter(|seq| *seq > 1).collect();
    (behind(came), behind(missing))
}

#[test]
fn a_block_that_leads_elsewhere_hides_its_events_and_shows_no_others() {
    let tenth = "WHERE log = 1 AND first_seq = 91";
    for (change, expected) in [
        ("UPDATE blocks SET first_id = first_id + 1", 91..=120),
        ("UPDATE blocks SET first_id = first_id - 40", 91..=120),
        // It names rows that are not there.
        ("UPDATE blocks SET first_id = 9223372036854775807", 91..=120),
        ("UPDATE blocks SET log = 77", 91..=120),
        ("UPDATE blocks SET events = events - 7, last_post = 113", 114..=120),
        ("UPDATE blocks SET events = 9223372036854775807", NONE),
        ("UPDATE blocks SET last_post = 9223372036854775807", NONE),
        ("DELETE FROM blocks", 91..=120),
    ] {
        let (_dir, store) = filled();
        damage(&store, &format!("{change} {tenth}"));
        let mut reader = Reader::open(&store).expect("it opens");
        let told = follow(&mut reader, EVENTS);
        assert!(told.1.iter().copied().eq(expected.clone()), "{change}: {:?}", told.1);
        let mut all: Vec<u64> = told.0.iter().chain(&told.1).copied().collect();
        all.sort_unstable();
        assert!(all.into_iter().eq(1..=EVENTS), "{change}: each is told once");
        let paged = page_back(&mut reader, &store, EVENTS);
        assert_eq!(paged, messages(&told), "{change}: history has the same");
    }
}

/// A scan that begins above it does not notice, and a search does: each tells of every event once.
#[test]
fn a_block_that_begins_elsewhere_hides_its_own_events_at_most() {
    let (_dir, store) = filled();
    damage(&store, "UPDATE blocks SET first_seq = 92 WHERE log = 1 AND first_seq = 91");
    let mut reader = Reader::open(&store).expect("it opens");
    let told = follow(&mut reader, EVENTS);
    for (first, (came, missing)) in [(1, told), (2, page_back(&mut reader, &store, EVENTS))] {
        assert!(missing.iter().all(|seq| (91..=121).contains(seq)), "{missing:?}");
        let mut all: Vec<u64> = came.into_iter().chain(missing).collect();
        all.sort_unstable();
        assert!(all.into_iter().eq(first..=EVENTS), "each is told once");
    }
}

#[test]
fn a_log_whose_blocks_cannot_be_read_at_all_goes_on_with_what_is_new() {
    let (_dir, mut store) = filled();
    // These are not in the table yet.
    post(&mut store, EVENTS + 1..=EVENTS + 5);
    let database = rusqlite::Connection::open(store.path()).expect("it is there");
    let sql = "SELECT rootpage FROM sqlite_schema WHERE name = 'blocks'";
    let page: i64 = database.query_row(sql, [], |row| row.get(0)).expect("there is one");
    drop(database);
    let at = (u64::try_from(page).expect("it is a page") - 1) * 4096;
    let file = File::options().write(true).open(store.path()).expect("it is there");
    file.write_all_at(&[0xEE; 64], at).expect("it takes writes");

    let mut reader = Reader::open(&store).expect("it opens");
    let told = follow(&mut reader, EVENTS + 5);
    assert!(told.0.iter().copied().eq(EVENTS + 1..=EVENTS + 5), "{:?}", told.0);
    assert!(told.1.iter().copied().eq(1..=EVENTS));
    let (came, missing) = page_back(&mut reader, &store, EVENTS + 5);
    assert_eq!(came, told.0);
    assert!(missing.into_iter().eq(1..=EVENTS));
}

/// Events that got a seq for the second time would be two events under one.
#[test]
fn a_store_whose_logs_have_another_end_is_not_written() {
    for change in ["events = events - 1", "events = events + 1"] {
        let (dir, store) = filled();
        damage(&store, &format!("UPDATE blocks SET {change} WHERE log = 1 AND first_seq = 271"));
        store.close();
        let mut store = SqliteStore::open(dir.path(), Durability::Process).expect("it opens");
        let error = store.recover().expect_err(change).to_string();
        assert!(error.contains("damaged") && error.contains("OPERATING.md"), "{error}");
    }
}

#[test]
fn a_store_that_does_not_know_how_far_in_the_order_it_is_goes_on_with_all_its_events() {
    for change in [
        "DELETE FROM progress",
        "UPDATE progress SET last_event = 7",
        "UPDATE progress SET submitters = 'x'",
    ] {
        let (dir, store) = filled();
        damage(&store, change);
        store.close();
        for start in ["the first", "the second"] {
            let mut store = SqliteStore::open(dir.path(), Durability::Process).expect(change);
            let snapshot = store.recover().expect(change);
            let lobby = snapshot.rooms.iter().find(|room| room.id.0 == 1).expect("it is there");
            assert_eq!(lobby.head.0, EVENTS, "{change}: {start}");
            assert!(snapshot.progress.place.0 >= EVENTS, "{change}: {:?}", snapshot.progress);
            store.close();
        }
    }
}

/// The events are the promise: a row that knows more of them than there are is believed.
#[test]
fn a_store_that_lacks_events_which_its_place_in_the_order_knows_is_not_opened() {
    let (dir, store) = filled();
    damage(&store, "UPDATE progress SET last_event = last_event + 1");
    store.close();
    let refused = SqliteStore::open(dir.path(), Durability::Process).expect_err("it is refused");
    let told = with_causes(&refused);
    assert!(told.contains("the file is damaged: it lacks its newest events"), "{told}");
    let database = rusqlite::Connection::open(dir.path().join("chatd.db")).expect("it is there");
    database.execute_batch("DELETE FROM progress").expect("as docs/OPERATING.md says");
    drop(database);
    SqliteStore::open(dir.path(), Durability::Process).expect("it goes on").close();
}

fn with_causes(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
