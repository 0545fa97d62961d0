//! What the tables do not say yet is known all the same: to the writer, to readers, and to the
//! next start.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bytes::BytesMut;
use chat_core::HistoryRead;
use chat_proto::{FrameCodec, Kind, LoggedHead, RoomId};

use super::super::index::EVENTS_MAX;
use super::*;

const SIDE: LogId = LogId(3);

/// Says something; the writer knows what is next.
#[derive(Default)]
struct Talk {
    /// The room and seq of each message, by its `n` less 1; `None`: it was refused.
    sends: Vec<Option<(LogId, Seq)>>,
    heads: [u64; 2],
}

impl Talk {
    /// In a store with another room.
    fn begin(store: &mut SqliteStore) -> Self {
        let name = RoomName::parse("side").unwrap();
        let content = Content::RoomCreated { by: None, name: name.into() };
        let created = Event { log: SIDE, seq: Seq(1), ts: Timestamp(1), content };
        store.append(Record::Event(&created)).unwrap();
        store.commit().unwrap();
        Self { sends: Vec::new(), heads: [1, 1] }
    }

    fn next(&self) -> u64 {
        self.sends.len() as u64 + 1
    }

    /// Some in one room, then some in the other, and between them a refusal; the second room's
    /// events get the smaller ids when it has the last word.
    fn append(&mut self, store: &mut SqliteStore, turn: u64) {
        for (at, count) in [(1, turn % 3), (0, turn % 2 + 1), (1, turn % 5)] {
            for _ in 0..count {
                self.say(store, at);
            }
        }
        if turn.is_multiple_of(4) {
            self.sends.push(None);
        }
        self.say(store, 0);
    }

    fn say(&mut self, store: &mut SqliteStore, at: usize) {
        self.heads[at] += 1;
        let (log, seq) = ([ROOM, SIDE][at], Seq(self.heads[at]));
        store.append(Record::Event(&said(log, seq, self.next()))).unwrap();
        self.sends.push(Some((log, seq)));
    }

    fn commit(&mut self, store: &mut SqliteStore, turn: u64) {
        self.append(store, turn);
        store.commit().unwrap();
    }

    /// Everything is found that was committed, and nothing else.
    fn check(&self, store: &SqliteStore, snapshot: &Snapshot) {
        let heads: Vec<_> = snapshot.rooms.iter().map(|room| room.head.0).collect();
        assert_eq!(heads, self.heads);
        assert_eq!(snapshot.accounts[0].head, Seq(1));
        assert_eq!(store.high_water(ADA, STREAM).unwrap(), self.next() - 1);
        for (n, send) in (1..).zip(&self.sends) {
            let past = store.past_send(ADA, Nonce { stream: STREAM, n }).unwrap();
            match (past, send) {
                (None, None) => {}
                (Some(PastSend::Posted { room, seq, .. }), Some(place)) => {
                    assert_eq!((LogId::from(room), seq), *place, "{n}");
                }
                (past, _) => panic!("{n} was found as {past:?}"),
            }
        }
        let next = Nonce { stream: STREAM, n: self.next() };
        assert_eq!(store.past_send(ADA, next).unwrap(), None);
        let mut reader = Reader::open(store).unwrap();
        for (log, head) in [ROOM, SIDE].into_iter().zip(self.heads) {
            for after in 0..=head {
                assert!(seqs(&mut reader, log, after).eq(after + 1..=head), "{after}");
            }
            for before in 2..=head + 1 {
                assert!(history(&mut reader, log, before, 7).eq(before.max(9) - 7..before));
            }
        }
    }
}

fn said(log: LogId, seq: Seq, n: u64) -> Event {
    let content = Content::Posted {
        from: ADA,
        id: MessageId([9; 16]),
        nonce: Nonce { stream: STREAM, n },
        digest: BodyDigest(n),
        body: TextBody::say("hello"),
    };
    Event { log, seq, ts: Timestamp(1), content }
}

/// What a log has behind a place. A gap is none of it.
fn seqs(reader: &mut Reader, log: LogId, after: u64) -> impl Iterator<Item = u64> {
    let page = reader.events_after(log, Seq(after), Seq(0), 100_000).unwrap();
    let mut bytes = BytesMut::from(&*page.frames);
    let codec = FrameCodec::default();
    std::iter::from_fn(move || codec.take_last_frame(&mut bytes).unwrap()).map(|frame| {
        assert_ne!(frame.known_kind(), Some(Kind::Gap));
        LoggedHead::of(&frame).unwrap().seq.0
    })
}

/// The newest messages before a place.
fn history(
    reader: &mut Reader,
    log: LogId,
    before: u64,
    limit: usize,
) -> impl Iterator<Item = u64> {
    let as_of = Seq(before - 1);
    let read =
        HistoryRead { room: RoomId(log.0), epoch: Epoch(7), before: Seq(u64::MAX), limit, as_of };
    let page = reader.history(&read).unwrap();
    page.messages.into_vec().into_iter().map(|message| message.seq.0)
}

fn open(dir: &TempDir) -> SqliteStore {
    SqliteStore::open(dir.path(), Durability::Full).unwrap()
}

#[test]
fn everything_is_found_in_the_tables_and_before_it_is_there() {
    let (mut store, _dir) = store();
    let mut talk = Talk::begin(&mut store);
    for turn in 0..60 {
        talk.commit(&mut store, turn);
        if turn % 11 == 7 {
            store.flush().unwrap();
            assert!(store.transactions.index().is_flushed());
        }
    }
    assert!(!store.transactions.index().is_flushed());
    let snapshot = store.roll_back().unwrap();
    talk.check(&store, &snapshot);
}

#[test]
fn a_start_after_a_kill_knows_what_was_not_flushed() {
    let (mut store, dir) = store();
    let mut talk = Talk::begin(&mut store);
    for turn in 0..30 {
        talk.commit(&mut store, turn);
        if turn % 10 == 7 {
            store.flush().unwrap();
        }
        let behind = store.transactions.index().last_id();
        drop(store);
        store = open(&dir);
        assert_eq!(store.committed, behind);
        if turn % 3 == 0 {
            let snapshot = store.recover().unwrap();
            talk.check(&store, &snapshot);
        }
        // What was there is refused, here or there.
        for n in [talk.next() - 1, 2] {
            let again = said(ROOM, Seq(talk.heads[0] + 1), n);
            assert!(store.append(Record::Event(&again)).is_err(), "{n}");
            store.recover().unwrap();
        }
    }
    store.close();
    let mut store = open(&dir);
    assert!(store.transactions.index().is_flushed(), "a stop leaves nothing to be done");
    let snapshot = store.recover().unwrap();
    talk.check(&store, &snapshot);
}

#[test]
fn a_start_after_a_kill_reads_as_much_as_is_ever_left() {
    let (mut store, dir) = store();
    let mut talk = Talk::begin(&mut store);
    let mut most = 0;
    while talk.next() < 2 * EVENTS_MAX {
        for turn in 0..100 {
            talk.append(&mut store, turn);
        }
        store.commit().unwrap();
        let unflushed = store.transactions.index();
        most = most.max(unflushed.last_id() - unflushed.indexed());
    }
    assert!(most < EVENTS_MAX + 1_000, "{most} events were left to a start");
    drop(store);
    let mut store = open(&dir);
    let snapshot = store.recover().unwrap();
    assert_eq!(snapshot.rooms[1].head, Seq(talk.heads[1]));
    assert_eq!(store.high_water(ADA, STREAM).unwrap(), talk.next() - 1);
    let mut reader = Reader::open(&store).unwrap();
    let after = talk.heads[1] - 1_000;
    assert!(seqs(&mut reader, SIDE, after).eq(after + 1..=talk.heads[1]));
}

#[test]
fn a_flush_that_fails_changes_nothing() {
    let (mut store, _dir) = store();
    let mut talk = Talk::begin(&mut store);
    talk.commit(&mut store, 1);
    store.flush().unwrap();
    talk.commit(&mut store, 2);
    for fault in [Fault::ReadOnly, Fault::Full { pages: 1 }] {
        store.writer.fault = Some(fault);
        store.reopen().unwrap();
        store.roll_back().unwrap();
        store.transactions.make_due();
        match fault {
            Fault::ReadOnly => assert!(store.commit().is_err()),
            // The few pages that there are have room, but not for a long message.
            Fault::Full { .. } => {
                let mut long = said(ROOM, Seq(talk.heads[0] + 1), talk.next());
                let Content::Posted { body, .. } = &mut long.content else { unreachable!() };
                body.text = "x".repeat(8_000);
                store.append(Record::Event(&long)).unwrap();
                assert!(store.commit().is_err());
            }
        }
        let snapshot = store.roll_back().unwrap();
        assert!(!store.transactions.index().is_flushed());
        talk.check(&store, &snapshot);
        // In trouble nothing is tried that nobody asked for.
        store.transactions.make_due();
        store.commit().unwrap();
    }
    store.writer.fault = None;
    store.recover().unwrap();
    for turn in [3, 4] {
        // The first has no flush.
        talk.commit(&mut store, turn);
        let snapshot = lookup::snapshot(&store.connection().unwrap(), &store.transactions);
        talk.check(&store, &snapshot.unwrap());
        store.transactions.make_due();
    }
}

#[test]
fn a_commit_that_was_durable_after_all_is_found_with_its_flush() {
    for has_flush in [false, true] {
        let (mut store, _dir) = store();
        let mut talk = Talk::begin(&mut store);
        talk.commit(&mut store, 1);
        if has_flush {
            store.transactions.make_due();
        }
        talk.append(&mut store, 2);
        // As when the error comes behind the commit.
        let (connection, closed) = store.close_transaction(has_flush).unwrap();
        committer::commit(&connection, &store.wal, &closed).unwrap();
        let snapshot = store.roll_back().unwrap();
        talk.check(&store, &snapshot);
        talk.commit(&mut store, 3);
        store.flush().unwrap();
        let snapshot = store.roll_back().unwrap();
        talk.check(&store, &snapshot);
    }
}

#[test]
fn a_block_grows_from_flush_to_flush() {
    let (mut store, _dir) = store();
    for n in 1..=5 {
        post(&mut store, n).unwrap();
        store.flush().unwrap();
    }
    let blocks = "SELECT group_concat(events ORDER BY first_seq) FROM blocks WHERE log = 1";
    let events: String =
        store.connection().unwrap().query_row(blocks, [], |row| row.get(0)).unwrap();
    assert_eq!(events, "1,5", "an account was created in between");
}

#[test]
fn a_tick_flushes_what_is_old_and_writes_nothing_when_there_is_nothing() {
    let (mut store, dir) = store();
    let mut talk = Talk::begin(&mut store);
    talk.commit(&mut store, 1);
    store.transactions.make_due();
    store.commit().unwrap();
    assert!(store.transactions.index().is_flushed());
    let wal = || dir.path().join("chatd.db-wal").metadata().unwrap().modified().unwrap();
    let before = (wal(), store.connection().unwrap().total_changes());
    store.commit().unwrap();
    store.flush().unwrap();
    assert_eq!((wal(), store.connection().unwrap().total_changes()), before);
}

#[test]
fn a_file_that_lacks_an_event_that_no_table_knows_is_refused() {
    let (mut store, dir) = store();
    let mut talk = Talk::begin(&mut store);
    talk.commit(&mut store, 4);
    let id = store.committed - 1;
    store
        .connection()
        .unwrap()
        .execute("DELETE FROM events WHERE id = ?", [row::integer(id)])
        .unwrap();
    drop(store);
    let refused = SqliteStore::open(dir.path(), Durability::Full).unwrap_err();
    assert!(refused.to_string().contains(&format!("event {id} is missing")), "{refused}");
}

/// Its log would have a hole, or an event twice, wherever it is searched.
#[test]
fn a_file_whose_newest_events_do_not_follow_one_another_is_refused() {
    let (mut store, dir) = store();
    let mut talk = Talk::begin(&mut store);
    talk.commit(&mut store, 4);
    let id = store.committed;
    let moved = "UPDATE events SET seq = seq + 1 WHERE id = ?";
    store.connection().unwrap().execute(moved, [row::integer(id)]).unwrap();
    drop(store);
    let refused = SqliteStore::open(dir.path(), Durability::Full).unwrap_err().to_string();
    assert!(refused.contains(&format!("event {id} does not follow")), "{refused}");
}

/// A reader that took the newest blocks behind its transaction, or a writer that showed them
/// before its commit, or let them go before it, would be found out here.
#[test]
fn readers_see_no_hole_while_the_writer_commits_and_flushes() {
    const LASTS: Duration = Duration::from_millis(300);
    let (mut store, _dir) = store();
    let mut talk = Talk::begin(&mut store);
    let mut readers = [ROOM, SIDE].map(|log| (log, Reader::open(&store).unwrap()));
    let committed = [AtomicU64::new(1), AtomicU64::new(1)];
    let end = Instant::now() + LASTS;
    std::thread::scope(|scope| {
        for (at, (log, reader)) in readers.iter_mut().enumerate() {
            let committed = &committed[at];
            scope.spawn(move || {
                let mut after = 0;
                while Instant::now() < end {
                    let head = committed.load(Ordering::Acquire);
                    let mut last = after;
                    for seq in seqs(reader, *log, after) {
                        assert_eq!(seq, last + 1);
                        last = seq;
                    }
                    assert!(last >= head, "{head} was committed, and {last} is the end");
                    assert!(history(reader, *log, head + 1, 7).eq((head + 1).max(9) - 7..=head));
                    after = last - last % 5;
                }
            });
        }
        for turn in 0.. {
            talk.commit(&mut store, turn);
            for (committed, head) in committed.iter().zip(talk.heads) {
                committed.store(head, Ordering::Release);
            }
            match turn % 7 {
                0 | 3 => store.transactions.make_due(),
                5 => drop(store.roll_back().unwrap()),
                _ => {}
            }
            if Instant::now() >= end {
                break;
            }
        }
    });
    let snapshot = store.roll_back().unwrap();
    assert_eq!(snapshot.rooms[0].head, Seq(talk.heads[0]));
}
