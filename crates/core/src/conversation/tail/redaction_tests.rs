//! Readers beside redactions: whatever the order, nobody who reads later gets what is gone, and
//! everybody gets every event once.

use std::collections::BTreeSet;

use chat_proto::{
    AccountId, FrameCodec, Kind, LoggedHead, MessageId, Nonce, RoomId, StreamId, TextBody,
    Timestamp,
};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::conversation::test_frames::presence_frame;
use crate::{Batch, BodyDigest, Content, Cursor, Event, Read};

use super::super::Tail;
use super::*;

const LOG: LogId = LogId(9);

fn batch(after: u64, count: u64) -> Batch {
    let mut batch = Batch::after(Seq(after));
    for seq in after + 1..=after + count {
        let content = Content::RoomJoined { room: RoomId(seq % 300) };
        batch.push(&Event { log: LOG, seq: Seq(seq), ts: Timestamp(seq), content });
    }
    batch
}

/// The events of whole frames, each with whether it is told as gone.
fn events(bytes: &[u8]) -> Vec<(u64, bool)> {
    let mut buffer = BytesMut::from(bytes);
    let mut events = Vec::new();
    while let Some(frame) = FrameCodec::default().take_last_frame(&mut buffer).unwrap() {
        if Kind::is_logged(frame.kind) {
            events.push((LoggedHead::of(&frame).unwrap().seq.0, false));
        } else if frame.kind == Kind::Gap as u16 {
            let gap: Gap = frame.decode().unwrap();
            events.extend((gap.from.0..=gap.to.0).map(|seq| (seq, true)));
        }
    }
    assert!(buffer.is_empty(), "whole frames");
    events
}

/// A reader, with all bytes that it has taken.
struct Reader {
    cursor: Cursor,
    from: u64,
    taken: Vec<u8>,
}

impl Reader {
    /// Reads once, and takes so many bytes of it. Tells which events it was offered.
    fn read(&mut self, tail: &Tail, most: usize) -> Option<Vec<(u64, bool)>> {
        let Read::Frames(run) = tail.read(&self.cursor, 500) else { return None };
        let bytes = run.slices().concat();
        assert_eq!(bytes.len(), run.bytes());
        let taken = most.min(bytes.len());
        self.taken.extend_from_slice(&bytes[..taken]);
        self.taken.extend_from_slice(&self.cursor.advance(&run, taken));
        Some(events(&bytes))
    }
}

#[test]
fn nobody_who_reads_later_gets_what_is_gone_and_everybody_gets_every_event_once() {
    for seed in 1..=20 {
        run(&mut ChaCha8Rng::seed_from_u64(seed), seed);
    }
}

fn run(chance: &mut ChaCha8Rng, seed: u64) {
    let mut tail = Tail::new(Seq(0));
    let (mut head, mut gone) = (0, BTreeSet::new());
    let mut readers: Vec<Reader> = Vec::new();
    for step in 0..400 {
        match chance.random_range(0..10) {
            0 | 1 => {
                let most = if chance.random_range(0..20) == 0 { 900 } else { 6 };
                let count = 1 + chance.random_range(0..most);
                tail.publish(batch(head, count));
                head += count;
            }
            2 => tail.announce(presence_frame()),
            3 | 4 if head > 0 => {
                // Mostly where somebody reads now.
                let near = 1 + head.saturating_sub(chance.random_range(0..head.min(40)) + 1);
                let was_held = tail.redact(LOG, Seq(near)).is_some();
                assert_eq!(was_held, gone.insert(near), "seed {seed}: {near} at {step}");
            }
            5 => {
                let from = head - chance.random_range(0..=head.min(60));
                let cursor = Cursor::new(Seq(from));
                readers.push(Reader { cursor, from, taken: Vec::new() });
            }
            _ if !readers.is_empty() => {
                let at = chance.random_range(0..readers.len());
                let most = chance.random_range(0..400);
                for (seq, is_gap) in readers[at].read(&tail, most).into_iter().flatten() {
                    assert_eq!(is_gap, gone.contains(&seq), "seed {seed}: {seq} at {step}");
                }
            }
            _ => {}
        }
    }
    let (rest, seqs) = (tail.bytes(), head);
    for reader in &mut readers {
        while reader.read(&tail, usize::MAX).is_some() {}
        let seen: Vec<_> = events(&reader.taken).into_iter().map(|(seq, _)| seq).collect();
        let all: Vec<_> = (reader.from + 1..=seqs).collect();
        assert_eq!(seen, all, "seed {seed}: a reader from {}", reader.from);
    }
    assert_eq!(tail.release(usize::MAX), rest, "seed {seed}: what is counted is what is held");
    assert_eq!(tail.bytes(), 0);
}

#[test]
fn no_copy_of_what_is_gone_is_kept() {
    let mut tail = Tail::new(Seq(0));
    tail.publish(batch(0, 40));
    let place = tail.redact(LOG, Seq(7)).expect("it is held");
    assert!(place.start > 1 && place.end > place.start);
    assert_eq!(tail.redact(LOG, Seq(7)), None, "it is gone already");
    assert_eq!(tail.redact(LOG, Seq(41)), None, "it has not come");
    let text = batch(6, 1).frames;
    let holds = |tail: &Tail| {
        tail.chunks.iter().any(|chunk| chunk.bytes.windows(text.len()).any(|part| part == text))
    };
    assert!(!holds(&tail));
    // Beside one another they are one chunk.
    let chunks = tail.chunks.len();
    tail.redact(LOG, Seq(8)).expect("it is held");
    tail.redact(LOG, Seq(6)).expect("it is held");
    assert_eq!(tail.chunks.len(), chunks);
}

#[test]
fn what_is_gone_in_a_row_is_merged_up_to_a_chunk() {
    let mut tail = Tail::new(Seq(0));
    let events = 8_000;
    tail.publish(batch(0, events));
    for seq in 1..=events {
        tail.redact(LOG, Seq(seq)).expect("it is held");
    }
    let largest = tail.chunks.iter().map(|chunk| chunk.bytes.len()).max();
    assert!(largest.is_some_and(|largest| largest <= CHUNK_BYTES_MAX), "{largest:?}");
    let held: usize = tail.chunks.iter().map(|chunk| chunk.bytes.len()).sum();
    assert!(held > 2 * CHUNK_BYTES_MAX, "{held} would have been one chunk");
    assert!(tail.chunks.len() <= 2 * held.div_ceil(CHUNK_BYTES_MAX), "{}", tail.chunks.len());
}

#[test]
fn what_somebody_has_said_is_gone_from_a_time_on_and_nothing_else() {
    const EVE: AccountId = AccountId(5);
    let mut tail = Tail::new(Seq(0));
    let mut published = Batch::after(Seq(0));
    for seq in 1..=2_000 {
        let (from, ts) = (AccountId(4 + seq % 2), Timestamp(seq / 2));
        let body = TextBody::say("hello");
        let nonce = Nonce { stream: StreamId([1; 16]), n: seq };
        let (id, digest) = (MessageId([1; 16]), BodyDigest(0));
        let content = Content::Posted { from, id, nonce, digest, body };
        published.push(&Event { log: LOG, seq: Seq(seq), ts, content });
    }
    tail.publish(published);
    let removal = Removal { log: LOG, account: EVE, since: Timestamp(500), to: Seq(1_990) };
    let places = tail.remove_messages(removal);
    let is_gone = |seq: u64| seq % 2 == 1 && seq / 2 >= 500 && seq <= 1_990;
    assert_eq!(places.len(), (1..=2_000).filter(|seq| is_gone(*seq)).count());
    let mut reader = Reader { cursor: Cursor::new(Seq(0)), from: 0, taken: Vec::new() };
    while reader.read(&tail, usize::MAX).is_some_and(|offered| !offered.is_empty()) {}
    let expected: Vec<_> = (1..=2_000).map(|seq| (seq, is_gone(seq))).collect();
    assert_eq!(events(&reader.taken), expected);
    assert!(tail.remove_messages(removal).is_empty(), "it is gone already");
}
