//! A tail against the plainest model there is: the list of all frames ever published.

use chat_proto::{FrameCodec, Kind, LogId, RoomId, Timestamp};

use super::*;
use crate::conversation::test_frames::presence_frame;
use crate::{Content, Event};

fn event(seq: u64) -> Event {
    Event {
        log: LogId(9),
        seq: Seq(seq),
        ts: Timestamp(seq),
        content: Content::RoomJoined { room: RoomId(seq % 300) },
    }
}

fn batch(after: u64, count: u64) -> Batch {
    let mut batch = Batch::after(Seq(after));
    (after + 1..=after + count).for_each(|seq| batch.push(&event(seq)));
    batch
}

fn seqs(bytes: &[u8]) -> Vec<u64> {
    let mut buffer = BytesMut::from(bytes);
    let codec = FrameCodec::default();
    let mut seqs = Vec::new();
    while let Some(frame) = codec.take_last_frame(&mut buffer).unwrap() {
        if Kind::is_logged(frame.kind) {
            seqs.push(chat_proto::LoggedHead::of(&frame).unwrap().seq.0);
        }
    }
    seqs
}

/// Reads with `step` bytes at a time taken, as a slow socket would.
fn drain(tail: &Tail, cursor: &mut Cursor, step: usize) -> Vec<u8> {
    let mut out = Vec::new();
    while let Read::Frames(run) = tail.read(cursor, 1000) {
        let taken = run.bytes().min(step);
        let all = run.slices().concat();
        out.extend_from_slice(&all[..taken]);
        out.extend_from_slice(&cursor.advance(&run, taken));
    }
    out
}

#[test]
fn every_cursor_gets_every_event_once_whatever_it_takes_at_a_time() {
    let mut tail = Tail::new(Seq(0));
    let mut head = 0;
    for count in [1, 1, 5, 1, 700, 1, 1, 2, 3000, 1] {
        tail.publish(batch(head, count));
        tail.announce(presence_frame());
        head += count;
    }
    for after in [0, 1, 2, 6, 7, 8, 707, 708, 711, 3712, head - 1, head] {
        for step in [1, 7, 23, 24, 25, 1000, usize::MAX] {
            let mut cursor = Cursor::new(Seq(after));
            let bytes = drain(&tail, &mut cursor, step);
            assert!(seqs(&bytes).into_iter().eq(after + 1..=head), "after {after} by {step}");
            assert_eq!(cursor.after(), Seq(head));
        }
    }
}

#[test]
fn a_cursor_that_was_overtaken_is_sent_to_the_disk_and_comes_back() {
    let mut tail = Tail::new(Seq(0));
    (0..200).for_each(|n| tail.publish(batch(n * 100, 100)));
    let held = tail.bytes();
    let freed = tail.release(held / 2);
    assert!(freed > 0 && tail.bytes() == held - freed);

    let mut cursor = Cursor::new(Seq(3));
    assert_eq!(tail.read(&cursor, 1000), Read::Disk { after: Seq(3), head: Seq(20_000) });
    let first_held = tail.chunks[0].after;
    cursor.advance_from_disk(Seq(first_held.0 - 1));
    assert!(matches!(tail.read(&cursor, 1000), Read::Disk { .. }));
    cursor.advance_from_disk(first_held);
    let bytes = drain(&tail, &mut cursor, usize::MAX);
    assert!(seqs(&bytes).into_iter().eq(first_held.0 + 1..=20_000));
}

#[test]
fn a_tail_that_was_rewound_serves_only_what_comes_after() {
    let mut tail = Tail::new(Seq(0));
    tail.publish(batch(0, 10));
    let mut at_head = Cursor::new(Seq(0));
    drain(&tail, &mut at_head, usize::MAX);
    tail.rewind(Seq(12));
    assert_eq!(tail.read(&at_head, 1000), Read::Disk { after: Seq(10), head: Seq(12) });
    tail.publish(batch(12, 1));
    assert_eq!(tail.read(&at_head, 1000), Read::Disk { after: Seq(10), head: Seq(13) });
    at_head.advance_from_disk(Seq(12));
    assert_eq!(seqs(&drain(&tail, &mut at_head, usize::MAX)), [13]);
}

#[test]
fn what_is_not_logged_reaches_only_who_is_there() {
    let mut tail = Tail::new(Seq(5));
    tail.announce(presence_frame());
    let late = Cursor::new(Seq(5));
    assert_eq!(tail.read(&late, 1000), Read::UpToDate);
}
