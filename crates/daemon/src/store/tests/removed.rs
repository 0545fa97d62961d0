//! Rooms that are gone: what is left of them, and when nothing is.

use chat_core::HistoryRead;
use chat_proto::{FrameCodec, Gap, GapReason};

use super::*;

/// Ada makes rooms, enters them and leaves them.
struct Rooms {
    head: u64,
    newest: u64,
}

impl Rooms {
    fn new() -> Self {
        Self { head: 1, newest: 100 }
    }

    fn own(&mut self, store: &mut SqliteStore, content: Content) {
        self.head += 1;
        append(store, ADA.into(), self.head, content);
    }

    /// In the open transaction.
    fn make(&mut self, store: &mut SqliteStore) -> LogId {
        self.newest += 1;
        let log = LogId(self.newest);
        let name = RoomName::parse("den").unwrap().into();
        append(store, log, 1, Content::RoomCreated { by: Some(ADA), name });
        append(store, log, 2, Content::Joined { account: ADA });
        self.own(store, Content::RoomJoined { room: RoomId(log.0) });
        log
    }

    fn leave(&mut self, store: &mut SqliteStore, log: LogId) {
        append(store, log, 3, Content::Left { account: ADA });
        append(store, log, 4, Content::RoomRemoved {});
        self.own(store, Content::RoomLeft { room: RoomId(log.0) });
    }

    fn come_and_go(&mut self, store: &mut SqliteStore) {
        let log = self.make(store);
        store.commit().unwrap();
        self.leave(store, log);
        store.commit().unwrap();
    }
}

fn append(store: &mut SqliteStore, log: LogId, seq: u64, content: Content) {
    let event = Event { log, seq: Seq(seq), ts: Timestamp(seq), content };
    store.append(Record::Event(&event)).unwrap();
}

fn ask(store: &SqliteStore, sql: &str) -> u64 {
    store.connection().unwrap().query_row(sql, [], |row| row.get(0).map(row::unsigned)).unwrap()
}

/// Rows of rooms that are gone, anywhere.
fn left_over(store: &SqliteStore) -> u64 {
    ask(store, "SELECT count(*) FROM events WHERE log > 100")
        + ask(store, "SELECT count(*) FROM blocks WHERE log > 100")
        + ask(store, "SELECT count(*) FROM members WHERE room > 100")
        + ask(store, "SELECT count(*) FROM rooms WHERE id > 100")
        + ask(store, "SELECT count(*) FROM removed_rooms")
}

fn tick(store: &mut SqliteStore) {
    store.transactions.make_due();
    store.commit().unwrap();
}

#[test]
fn a_room_that_is_gone_is_deleted_with_the_flush_that_knows_its_events() {
    let (mut store, dir) = store();
    let mut rooms = Rooms::new();
    rooms.come_and_go(&mut store);
    assert_eq!(ask(&store, "SELECT count(*) FROM rooms"), 1, "it is gone at once");
    assert!(left_over(&store) > 0, "its events are deleted later");
    tick(&mut store);
    assert_eq!(left_over(&store), 0);
    assert!(store.transactions.index().is_flushed());

    // A flush within the transaction in which a room goes leaves it to the next.
    let log = rooms.make(&mut store);
    store.commit().unwrap();
    store.transactions.make_due();
    rooms.leave(&mut store, log);
    store.commit().unwrap();
    assert_eq!(ask(&store, "SELECT count(*) FROM events WHERE log > 100"), 4);
    let before = store.roll_back().unwrap();
    tick(&mut store);
    assert_eq!(left_over(&store), 0);
    assert_eq!(store.roll_back().unwrap(), before, "and nobody else misses anything");
    drop(store);
    let mut store = SqliteStore::open(dir.path(), Durability::Full).unwrap();
    assert_eq!(store.recover().unwrap(), before);
    rooms.come_and_go(&mut store);
}

#[test]
fn a_start_after_a_kill_deletes_what_was_left() {
    let (mut store, dir) = store();
    let mut rooms = Rooms::new();
    for _ in 0..5 {
        rooms.come_and_go(&mut store);
    }
    drop(store);
    let mut store = SqliteStore::open(dir.path(), Durability::Full).unwrap();
    let before = store.recover().unwrap();
    assert!(left_over(&store) > 0);
    // As the first second's tick does, with nothing to commit.
    store.commit().unwrap();
    assert_eq!(left_over(&store), 0);
    assert_eq!(store.recover().unwrap(), before);
    rooms.come_and_go(&mut store);
}

#[test]
fn one_flush_deletes_only_so_much_and_the_next_ones_the_rest() {
    let (mut store, _dir) = store();
    let mut rooms = Rooms::new();
    for _ in 0..9_000 {
        let log = rooms.make(&mut store);
        rooms.leave(&mut store, log);
    }
    store.commit().unwrap();
    tick(&mut store);
    let left = ask(&store, "SELECT count(*) FROM events WHERE log > 100");
    assert_eq!(left, 9_000 * 4 - 32_768);
    store.commit().unwrap();
    assert_eq!(left_over(&store), 0, "without waiting another second");
    assert!(store.transactions.index().is_flushed());
}

#[test]
fn rooms_that_come_and_go_take_the_same_pages_again() {
    let (mut store, _dir) = store();
    let mut rooms = Rooms::new();
    let mut round = |store: &mut SqliteStore| {
        for _ in 0..1_000 {
            let log = rooms.make(store);
            rooms.leave(store, log);
        }
        store.commit().unwrap();
        tick(store);
        ask(store, "PRAGMA page_count") - ask(store, "PRAGMA freelist_count")
    };
    let first = round(&mut store);
    let pages: Vec<_> = (0..5).map(|_| round(&mut store)).collect();
    // What happened to Ada stays: two short events for each room.
    let own = 1_000 * 2 * 60 / 4096;
    for (turn, pages) in (1..).zip(&pages) {
        assert!(*pages <= first + turn * own, "{pages} pages in turn {turn}, {first} at first");
    }
}

#[test]
fn a_read_of_a_room_that_has_gone_since_is_told_what_became_of_it() {
    let (mut store, _dir) = store();
    let mut rooms = Rooms::new();
    let log = rooms.make(&mut store);
    store.commit().unwrap();
    let mut reader = Reader::open(&store).unwrap();
    rooms.leave(&mut store, log);
    store.commit().unwrap();
    let page = reader.events_after(log, Seq(0), Seq(2), usize::MAX).unwrap();
    assert_eq!(page.after, Seq(4), "it is all there for a second more");
    tick(&mut store);
    let page = reader.events_after(log, Seq(1), Seq(4), usize::MAX).unwrap();
    assert_eq!(page.after, Seq(4));
    let frame = FrameCodec::default().next_frame(&page.frames).unwrap().unwrap();
    let gap: Gap = frame.decode().unwrap();
    assert_eq!((gap.from, gap.to, gap.known_reason()), (Seq(2), Seq(4), Some(GapReason::Deleted)));
    let (room, epoch) = (RoomId(log.0), store.epoch());
    let read = HistoryRead { room, epoch, before: Seq(5), limit: 10, as_of: Seq(4) };
    let page = reader.history(&read).unwrap();
    assert!(page.messages.is_empty() && !page.more);
    let reasons: Vec<_> = page.gaps.iter().map(Gap::known_reason).collect();
    assert_eq!(reasons, [Some(GapReason::Deleted)], "nobody is told of damage");
}
