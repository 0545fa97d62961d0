//! Followers are counted, and nobody who reads later gets what is gone, also from a memfd.

use std::collections::BTreeSet;
use std::sync::atomic::AtomicU64;
use std::thread;
use std::time::{Duration, Instant};

use bytes::BytesMut;
use chat_core::{
    Batch, Connection, Content, Event, Opening, Output, Reply, Roster, SessionSeed, Transmit,
};
use chat_proto::{
    AccountId, Epoch, FrameCodec, Gap, Kind, LoggedHead, RequestId, SessionId, Timestamp, Window,
};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rustix::io::pread;

use super::*;

const LOG: LogId = LogId(1);

/// Longer than anything here takes.
const LONG: Duration = Duration::from_secs(60);

/// Events of one append: enough that it is cached in memfds.
const EVENTS: u64 = 1_000;
const APPENDS: u64 = 40;
const REDACTIONS_PER_APPEND: u64 = 8;

fn append(tail: &SharedTail) {
    let mut batch = Batch::after(tail.head());
    for seq in tail.head().0 + 1..=tail.head().0 + EVENTS {
        let content = Content::Joined { account: AccountId(1) };
        batch.push(&Event { log: LOG, seq: Seq(seq), ts: Timestamp(1), content });
    }
    assert!(tail.append(|tail| tail.publish(batch)) >= MEMFD_BYTES_MIN);
}

fn reader(tail: &Arc<SharedTail>) -> Connection<TailFollower> {
    let seed = SessionSeed { id: SessionId(1), challenge: [0; 32], binding: None };
    let mut connection = Connection::new(seed, chat_core::WayIn::Network);
    let (epoch, after, head) = (Epoch(1), Seq(0), Seq(0));
    let (name, topic, members) = (String::new(), String::new(), Roster::default());
    let (log, member_count, online) = (LOG, 0, 0);
    let opening = Opening { log, epoch, after, head, name, topic, members, member_count, online };
    let (reply, to) = (Reply::Subscribed(Box::new(opening)), (RequestId(1), Window::Queries));
    assert!(connection.deliver(to, &reply, Some(tail.follow())).is_none());
    // What was said to open it.
    let told = connection.outgoing().len();
    connection.wrote(&Transmit::default(), told);
    connection
}

/// What a write of a transmit brings: from a memfd where there is one.
fn bytes_of(connection: &Connection<TailFollower>, transmit: &Transmit) -> (Vec<u8>, bool) {
    let all: Vec<u8> = connection.slices(transmit).collect::<Vec<_>>().concat();
    let Some((log, offset)) = transmit.place_in_tail() else { return (all, false) };
    let tail = connection.handle(log).expect("it follows");
    let Some(slice) = tail.memfd_slice(offset, transmit.bytes()) else { return (all, false) };
    let mut bytes = vec![0; slice.bytes];
    let read = pread(&*slice.file, &mut bytes, slice.offset).expect("it is in memory");
    assert_eq!(read, slice.bytes);
    assert_eq!(bytes, all[..read], "the memfd has what the tail has");
    (bytes, true)
}

/// The events of the whole frames at the beginning of `bytes`, each with whether it is told as gone.
fn events(bytes: &[u8]) -> Vec<(u64, bool)> {
    take_events(&mut BytesMut::from(bytes))
}

/// The same, taken off `buffer`.
fn take_events(buffer: &mut BytesMut) -> Vec<(u64, bool)> {
    let mut events = Vec::new();
    while let Some(frame) = FrameCodec::default().take_frame(buffer).unwrap() {
        if Kind::is_logged(frame.kind) {
            events.push((LoggedHead::of(&frame).unwrap().seq.0, false));
        } else {
            events.push((frame.decode::<Gap>().unwrap().from.0, true));
        }
    }
    events
}

/// What those who append and those who read share.
struct Scene {
    tail: Arc<SharedTail>,
    /// What was redacted before the set was looked at.
    gone: Mutex<BTreeSet<u64>>,
    /// How far the first of the readers is.
    read_to: AtomicU64,
}

impl Scene {
    /// Waits until somebody has read so far.
    fn await_reader(&self, seq: Seq) {
        let began = Instant::now();
        while self.read_to.load(Ordering::Relaxed) < seq.0 {
            assert!(began.elapsed() < LONG, "nobody reads");
            thread::yield_now();
        }
    }
}

/// Reads until everything has come; tells how many writes came from a memfd.
fn follow(shared: &Scene, mut chance: ChaCha8Rng) -> usize {
    let Scene { tail, gone, read_to } = shared;
    let mut connection = reader(tail);
    let (mut taken, mut seqs, mut from_memfd) = (BytesMut::new(), Vec::new(), 0);
    let last = APPENDS * EVENTS;
    while seqs.last().is_none_or(|seq| *seq < last) {
        let gone_before = gone.lock().unwrap().clone();
        connection.wake(LOG);
        for _ in 0..50 {
            let transmit = match connection.output_of(32 * 1024) {
                Output::Write(transmit) => transmit,
                Output::Nothing => break,
                other @ (Output::ReadDisk(_) | Output::Close) => panic!("{other:?}"),
            };
            let begun = connection.outgoing().len();
            let (bytes, is_cached) = bytes_of(&connection, &transmit);
            from_memfd += usize::from(is_cached);
            for (seq, is_gap) in events(&bytes[begun..]) {
                assert!(is_gap || !gone_before.contains(&seq), "{seq} was gone");
            }
            let most = match chance.random_range(0..4) {
                0 => chance.random_range(0..=bytes.len()),
                _ => bytes.len(),
            };
            taken.extend_from_slice(&bytes[..most]);
            connection.wrote(&transmit, most);
        }
        seqs.extend(take_events(&mut taken).into_iter().map(|(seq, _gap)| seq));
        read_to.fetch_max(seqs.last().copied().unwrap_or(0), Ordering::Relaxed);
        thread::yield_now();
    }
    assert!(seqs.into_iter().eq(1..=last), "every event once, in order");
    from_memfd
}

#[test]
fn nobody_who_reads_later_gets_what_is_gone_while_others_are_written_to() {
    let tail = Arc::new(SharedTail::new(Seq(0)));
    let crowd: Vec<_> = (0..MEMFD_FOLLOWERS_MIN).map(|_| tail.follow()).collect();
    let scene = Scene { tail, gone: Mutex::default(), read_to: AtomicU64::new(0) };
    let from_memfd: usize = thread::scope(|scope| {
        let (scene, tail) = (&scene, &scene.tail);
        let readers: Vec<_> = (1..=3)
            .map(|seed| scope.spawn(move || follow(scene, ChaCha8Rng::seed_from_u64(seed))))
            .collect();
        let mut chance = ChaCha8Rng::seed_from_u64(99);
        for append_number in 1..=APPENDS {
            append(tail);
            if append_number % 4 != 0 {
                scene.await_reader(Seq((append_number - 1) * EVENTS + 1));
                continue;
            }
            for _ in 0..REDACTIONS_PER_APPEND {
                let near =
                    append_number * EVENTS - chance.random_range(0..2 * EVENTS).min(EVENTS - 1);
                tail.redact(LOG, Seq(near));
                scene.gone.lock().unwrap().insert(near);
            }
        }
        readers.into_iter().map(|reader| reader.join().expect("it sees nothing wrong")).sum()
    });
    assert!(from_memfd > 0 || !MemfdCache::IS_OF_USE, "nothing came from a memfd");
    assert_eq!(scene.tail.followers(), crowd.len());
}

#[test]
fn a_follower_counts_for_as_long_as_it_follows() {
    let tail = Arc::new(SharedTail::new(Seq(0)));
    let (first, second) = (tail.follow(), tail.follow());
    assert_eq!(tail.followers(), 2);
    // Whoever only looks at the tail does not count.
    let looked_at = Arc::clone(&tail);
    drop(first);
    assert_eq!((looked_at.followers(), Arc::strong_count(&tail)), (1, 3));
    drop(second);
    assert_eq!(tail.followers(), 0);
}

#[test]
fn no_file_keeps_what_is_gone() {
    let tail = Arc::new(SharedTail::new(Seq(0)));
    let crowd: Vec<_> = (0..MEMFD_FOLLOWERS_MIN).map(|_| tail.follow()).collect();
    append(&tail);
    let is_cached = |offset| crowd[0].memfd_slice(offset, 1).is_some();
    assert_eq!(is_cached(1), MemfdCache::IS_OF_USE);
    tail.redact(LOG, Seq(500));
    assert!(!is_cached(1), "the whole file is let go");
    let before = tail.lock().tail.end();
    append(&tail);
    assert_eq!(is_cached(before), MemfdCache::IS_OF_USE, "what comes later is cached again");
}

#[test]
fn nobody_reads_on_before_it_is_known_whose_right_to_read_has_ended() {
    let tail = Arc::new(SharedTail::new(Seq(0)));
    let (theirs, another) = (tail.follow(), tail.follow());
    let head_of = |follower: &TailFollower| follower.with(Tail::head);
    append(&tail);
    assert_eq!(head_of(&theirs), Some(Seq(EVENTS)));
    let first = tail.revoke();
    append(&tail);
    let opened_later = tail.follow();
    assert_eq!([&theirs, &another].map(head_of), [None, None]);
    assert_eq!(head_of(&opened_later), Some(Seq(2 * EVENTS)));
    another.carry_on(first);
    assert_eq!([&theirs, &another].map(head_of), [None, Some(Seq(2 * EVENTS))]);
    // One that was carried out late is no reason to be behind again.
    let (second, third) = (tail.revoke(), tail.revoke());
    another.carry_on(second);
    assert_eq!(head_of(&another), None, "there is another");
    another.carry_on(third);
    another.carry_on(second);
    assert_eq!(head_of(&another), Some(Seq(2 * EVENTS)));
}
