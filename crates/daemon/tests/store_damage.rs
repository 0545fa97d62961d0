//! Damaged pages: what is on them is told as a gap, and everything else is read.

mod store_seed;
mod store_told;

use std::fs;
use std::path::Path;

use chat_core::{Content, Event, Store};
use chat_proto::{LogId, RoomId, RoomName, Seq, Timestamp};
use chatd::store::{Durability, Reader, SqliteStore};
use store_seed::{message, post, put, seeded};
use store_told::{follow, page_back};
use tempfile::TempDir;

/// Bytes of a page of the database.
const PAGE: usize = 4096;

/// Events of the lobby.
const EVENTS: u64 = 3_000;

/// The kinds of pages by the byte that they begin with (<https://www.sqlite.org/fileformat.html>).
const INTERIOR: u8 = 0x05;
const LEAF: u8 = 0x0D;

/// A message that does not fit a page.
const LONG: u64 = 1_500;

/// A store with many messages, all of them moved into the database.
fn filled() -> (TempDir, SqliteStore) {
    let dir = tempfile::tempdir().expect("there is room");
    let mut store = seeded(dir.path(), Durability::Process);
    post(&mut store, 2..LONG);
    put(&mut store, &message(LONG, &"x".repeat(9_000)));
    post(&mut store, LONG + 1..=EVENTS);
    store.close();
    let mut store = store_seed::open(dir.path(), Durability::Process);
    store.commit().expect("there is room");
    (dir, store)
}

/// The pages of the events that begin with this byte: those of other tables are few and come first.
fn pages(file: &Path, kind: u8) -> Vec<usize> {
    let database = rusqlite::Connection::open(file).expect("it is there");
    let root: i64 = database
        .query_row("SELECT rootpage FROM sqlite_schema WHERE name = 'events'", [], |row| row.get(0))
        .expect("there is one");
    let root = usize::try_from(root).expect("it is a page");
    let bytes = fs::read(file).expect("it is there");
    let pages = bytes.chunks(PAGE).enumerate().skip(20);
    // The root is not among them: behind it there would be nothing.
    pages.filter(|(at, page)| page[0] == kind && at + 1 != root).map(|(at, _page)| at).collect()
}

fn flip(file: &Path, from: usize, bytes: usize) {
    use std::os::unix::fs::FileExt;
    let file = fs::File::options().read(true).write(true).open(file).expect("it is there");
    let mut damaged = vec![0; bytes];
    file.read_exact_at(&mut damaged, from as u64).expect("it is there");
    damaged.iter_mut().for_each(|byte| *byte ^= 0xFF);
    file.write_all_at(&damaged, from as u64).expect("it takes writes");
}

/// Damages a page, and holds that what is missing is told, is little, and nothing else is missing.
fn tells_what_is_missing(damage: impl Fn(&Path), missing_max: usize) {
    let (_dir, store) = filled();
    damage(store.path());
    let mut reader = Reader::open(&store).expect("it opens");
    let (came, missing) = follow(&mut reader, EVENTS);
    assert!(!missing.is_empty() && missing.len() <= missing_max, "{} missing", missing.len());
    let mut all: Vec<u64> = came.iter().chain(&missing).copied().collect();
    all.sort_unstable();
    assert!(all.into_iter().eq(1..=EVENTS), "each is told once");

    let (paged, missing_pages) = page_back(&mut reader, &store, EVENTS);
    let posts: Vec<u64> = came.into_iter().filter(|seq| *seq > 1).collect();
    assert!(paged == posts, "history has the same");
    assert_eq!(missing_pages, missing);
}

#[test]
fn a_damaged_leaf_hides_its_events_and_no_others() {
    let middle = |file: &Path| pages(file, LEAF)[10] * PAGE;
    tells_what_is_missing(|file| flip(file, middle(file), 64), 120);
    tells_what_is_missing(|file| flip(file, middle(file), PAGE), 120);
}

#[test]
fn bytes_that_are_wrong_here_and_there_hide_what_they_are_in_and_no_others() {
    for round in 0..8 {
        let (_dir, store) = filled();
        let page = pages(store.path(), LEAF)[8] * PAGE;
        // Ids, lengths and texts alike; a scan that meets a wrong id may end there.
        (0..12).for_each(|nth| {
            flip(store.path(), page + 8 + (round * 37 + nth * 331) % 4_000, 1);
        });
        let mut reader = Reader::open(&store).expect("it opens");
        // A reader of the log and one of its messages need not be hurt by the same bytes.
        for (first, (came, missing)) in
            [(1, follow(&mut reader, EVENTS)), (2, page_back(&mut reader, &store, EVENTS))]
        {
            assert!(missing.len() <= 120, "{} missing", missing.len());
            let mut all: Vec<u64> = came.into_iter().chain(missing).collect();
            all.sort_unstable();
            assert!(all.into_iter().eq(first..=EVENTS), "each is told once");
        }
    }
}

/// Where the cells of a leaf are (<https://www.sqlite.org/fileformat.html>).
fn cells(file: &Path, page: usize) -> Vec<usize> {
    let bytes = fs::read(file).expect("it is there");
    let leaf = &bytes[page * PAGE..(page + 1) * PAGE];
    let number = |at: usize| usize::from(u16::from_be_bytes([leaf[at], leaf[at + 1]]));
    (0..number(3)).map(|nth| page * PAGE + number(8 + 2 * nth)).collect()
}

/// The id is one that a scan takes for the end of what it looks for, and that leads searches for its
/// neighbours astray.
#[test]
fn an_event_whose_id_is_damaged_is_unreadable() {
    let (_dir, store) = filled();
    let cell = cells(store.path(), pages(store.path(), LEAF)[10])[20];
    let mut bytes = fs::read(store.path()).expect("it is there");
    // Behind the length of the row, which takes a byte, is its id, which takes two.
    assert!(bytes[cell] < 0x80 && bytes[cell + 1] >= 0x80 && bytes[cell + 2] < 0x80);
    bytes[cell + 1] = 0xFF;
    fs::write(store.path(), bytes).expect("it takes writes");
    let mut reader = Reader::open(&store).expect("it opens");
    // A page of history is read downwards, and need not notice.
    let (followed, paged) = (follow(&mut reader, EVENTS), page_back(&mut reader, &store, EVENTS));
    for (first, least, (came, missing)) in [(1, 1, followed), (2, 0, paged)] {
        assert!((least..=10).contains(&missing.len()), "{} missing", missing.len());
        let mut all: Vec<u64> = came.into_iter().chain(missing).collect();
        all.sort_unstable();
        assert!(all.into_iter().eq(first..=EVENTS), "each is told once");
    }
}

#[test]
fn cells_that_are_not_found_hide_their_events_and_no_others() {
    let (_dir, store) = filled();
    let page = pages(store.path(), LEAF)[10];
    flip(store.path(), page * PAGE + 8 + 2 * 15, 2);
    // One that leads to the cell of its neighbour.
    let mut bytes = fs::read(store.path()).expect("it is there");
    let other = page * PAGE + 8 + 2 * 30;
    bytes.copy_within(other..other + 2, other + 4);
    fs::write(store.path(), bytes).expect("it takes writes");
    let mut reader = Reader::open(&store).expect("it opens");
    // What is found before a search is led astray need not be the same from both sides.
    let (followed, paged) = (follow(&mut reader, EVENTS), page_back(&mut reader, &store, EVENTS));
    for (first, (came, missing)) in [(1, followed), (2, paged)] {
        // A search that meets the first may be led astray on its whole page.
        assert!((1..=120).contains(&missing.len()), "{} missing", missing.len());
        let mut all: Vec<u64> = came.into_iter().chain(missing).collect();
        all.sort_unstable();
        assert!(all.into_iter().eq(first..=EVENTS), "each is told once");
    }
}

#[test]
fn two_damaged_leaves_are_two_holes() {
    tells_what_is_missing(
        |file| {
            let leaves = pages(file, LEAF);
            flip(file, leaves[5] * PAGE, PAGE);
            flip(file, leaves[12] * PAGE, PAGE);
        },
        240,
    );
}

#[test]
fn a_damaged_overflow_page_hides_one_message() {
    tells_what_is_missing(
        |file| {
            let bytes = fs::read(file).expect("it is there");
            let overflow = bytes.chunks(PAGE).position(|page| {
                let texts = page[4..].iter().filter(|byte| **byte == b'x').count();
                texts > PAGE - 8
            });
            // Its first bytes lead to the next one; the text is no UTF-8 any more.
            flip(file, overflow.expect("a message is that long") * PAGE, PAGE);
        },
        1,
    );
}

#[test]
fn a_damaged_interior_page_hides_what_is_below_it() {
    let dir = tempfile::tempdir().expect("there is room");
    let mut store = seeded(dir.path(), Durability::Process);
    // Large enough for more than the root above the leaves.
    let text = "y".repeat(1_000);
    (2..=EVENTS).for_each(|seq| put(&mut store, &message(seq, &text)));
    store.commit().expect("there is room");
    store.close();
    let store = store_seed::open(dir.path(), Durability::Process);
    let interior = pages(store.path(), INTERIOR);
    flip(store.path(), interior[0] * PAGE, PAGE);
    let mut reader = Reader::open(&store).expect("it opens");
    let (came, missing) = follow(&mut reader, EVENTS);
    assert!(!missing.is_empty() && !came.is_empty(), "{} {}", came.len(), missing.len());
    assert_eq!(came.len() + missing.len(), usize::try_from(EVENTS).expect("few"));
    let (paged, missing_pages) = page_back(&mut reader, &store, EVENTS);
    // The first event is no message.
    assert!(missing_pages.iter().eq(missing.iter().filter(|seq| **seq > 1)));
    assert_eq!(paged.len(), came.iter().filter(|seq| **seq > 1).count());
}

#[test]
fn a_room_that_goes_and_cannot_be_deleted_keeps_nobody_from_being_heard() {
    let dir = tempfile::tempdir().expect("there is room");
    let mut store = seeded(dir.path(), Durability::Full);
    let (room, ada) = (LogId(77), store_seed::ADA);
    let append = |store: &mut SqliteStore, log: LogId, seq: u64, content: Content| {
        put(store, &Event { log, seq: Seq(seq), ts: Timestamp(1), content });
    };
    let name = RoomName::parse("den").expect("a name").into();
    append(&mut store, room, 1, Content::RoomCreated { by: Some(ada), name });
    append(&mut store, room, 2, Content::Joined { account: ada });
    append(&mut store, ada.into(), 2, Content::RoomJoined { room: RoomId(room.0) });
    post(&mut store, 2..EVENTS);
    store.close();
    let store = store_seed::open(dir.path(), Durability::Full);
    let file = store.path().to_owned();
    store.close();
    let bytes = fs::read(&file).expect("it is there");
    let holds = |page: &[u8], word: &str| page.windows(word.len()).any(|at| at == word.as_bytes());
    let is_there = |page: &[u8]| holds(page, "room_created") && holds(page, "den");
    let damaged = bytes.chunks(PAGE).position(is_there);
    flip(&file, damaged.expect("it was made") * PAGE, PAGE);

    let mut store = store_seed::open(dir.path(), Durability::Full);
    append(&mut store, room, 3, Content::Left { account: ada });
    append(&mut store, room, 4, Content::RoomRemoved {});
    append(&mut store, ada.into(), 3, Content::RoomLeft { room: RoomId(room.0) });
    store.commit().expect("there is room");
    drop(store);
    let mut store = store_seed::open(dir.path(), Durability::Full);
    store.commit().expect_err("SQLite gives up what has met damage");
    store.recover().expect("it takes writes");
    store.commit().expect("what cannot be deleted is left");
    post(&mut store, EVENTS..EVENTS + 10);
    store.commit().expect("and others are heard");
    assert_eq!(store.recover().expect("it is whole but for that").rooms.len(), 1);
}
