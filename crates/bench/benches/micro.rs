//! What one step of the road costs by itself, in time and in allocations: encoding, decoding,
//! applying a command, publishing into a tail.
//!
//! `cargo bench -p chat-bench` prints both.

use std::cell::{Cell, RefCell};
use std::hint::black_box;

use chat_core::{
    AccountRow, Action, Batch, BodyDigest, BoundStream, Command, Content, CredentialRow, Cursor,
    Event, Lookup, PastSend, PostBody, RULES, Read, RoomRow, Snapshot, State, StoreError,
    StoreSecret, Tail,
};
use chat_proto::{
    AccountId, Credential, Epoch, FrameCodec, LogId, MessageId, Nickname, Nonce, Posted, PublicKey,
    RequestId, RoomId, RoomName, Send, Seq, StreamId, TextBody, Timestamp, encode_frame,
};
use divan::counter::{BytesCount, ItemsCount};
use divan::{AllocProfiler, Bencher};

#[global_allocator]
static ALLOCATIONS: AllocProfiler = AllocProfiler::system();

const TEXT_BYTES: usize = 128;
const ROOM: RoomId = RoomId(1);
const ACCOUNT: AccountId = AccountId(2);
const KEY: Credential = Credential::Key(PublicKey([1; 32]));
const NOW: Timestamp = Timestamp(1_767_225_600_000);

fn main() {
    divan::main();
}

fn text() -> String {
    "x".repeat(TEXT_BYTES)
}

fn posted() -> Posted {
    let (seq, id) = (Seq(1_000_000), MessageId([7; 16]));
    Posted { room: ROOM, seq, ts: NOW, from: ACCOUNT, id, body: TextBody::say(text()) }
}

fn nonce(n: u64) -> Nonce {
    Nonce { stream: StreamId([3; 16]), n }
}

fn event(seq: u64) -> Event {
    let (from, id) = (ACCOUNT, MessageId([7; 16]));
    let (digest, body) = (BodyDigest(seq), TextBody::say(text()));
    let content = Content::Posted { from, id, nonce: nonce(seq), digest, body };
    Event { log: ROOM.into(), seq: Seq(seq), ts: NOW, content }
}

/// An event into a buffer that is there.
#[divan::bench]
fn encode_posted(bencher: Bencher<'_, '_>) {
    let (posted, mut out) = (posted(), Vec::with_capacity(1024));
    bencher.counter(ItemsCount::new(1_u32)).bench_local(|| {
        out.clear();
        encode_frame(black_box(&posted), RequestId(0), &mut out).expect("it fits a frame");
        black_box(out.len())
    });
}

/// A request out of the bytes that came, as the daemon reads it.
#[divan::bench]
fn decode_send(bencher: Bencher<'_, '_>) {
    let send = Send { nonce: nonce(9), room: ROOM, body: TextBody::say(text()) };
    let mut bytes = Vec::new();
    encode_frame(&send, RequestId(5), &mut bytes).expect("it fits a frame");
    let codec = FrameCodec::default();
    bencher.counter(BytesCount::new(bytes.len())).bench_local(|| {
        let frame = codec.next_frame(black_box(&bytes)).expect("a frame").expect("whole");
        frame.decode::<Send>().expect("a send")
    });
}

/// Streams that are always up to date.
struct Streams {
    high_water: Cell<u64>,
}

impl Lookup for Streams {
    fn stream(
        &self,
        _account: AccountId,
        _stream: StreamId,
    ) -> Result<Option<BoundStream>, StoreError> {
        Ok(Some(BoundStream { room: ROOM, high_water: self.high_water.get() }))
    }

    fn past_send(
        &self,
        _account: AccountId,
        _nonce: Nonce,
    ) -> Result<Option<PastSend>, StoreError> {
        Ok(None)
    }

    fn newest_ts(&self, _log: LogId) -> Result<Timestamp, StoreError> {
        Ok(NOW)
    }
}

/// One room, one member.
fn state() -> State {
    let name = Nickname::parse("ada").expect("a name");
    let head = Seq(1);
    State::restore(Snapshot {
        epoch: Epoch(1),
        rules: RULES,
        secret: Some(StoreSecret([5; 16])),
        last_ts: NOW,
        accounts: vec![AccountRow::new(ACCOUNT, name.into(), head)],
        credentials: vec![CredentialRow::first(ACCOUNT, KEY, NOW)],
        rooms: vec![RoomRow::new(ROOM, RoomName::parse("lobby").expect("a name").into(), head)],
        members: vec![(ROOM, ACCOUNT)],
        ..Snapshot::default()
    })
    .expect("its names are different")
}

/// A message through the state machine.
#[divan::bench]
fn state_apply_send(bencher: Bencher<'_, '_>) {
    let (mut state, streams) = (state(), Streams { high_water: Cell::new(0) });
    let n = Cell::new(0);
    bencher
        .counter(ItemsCount::new(1_u32))
        .with_inputs(|| {
            n.set(n.get() + 1);
            Action::Post {
                account: ACCOUNT,
                credential: KEY.id(),
                nonce: nonce(n.get()),
                room: ROOM,
                body: PostBody::Text(TextBody::say(text())),
            }
        })
        .bench_local_values(|action| {
            let applied = state.apply(Command { ts: NOW, action }, &streams).expect("a lookup");
            streams.high_water.set(streams.high_water.get() + 1);
            assert!(applied.answer.is_ok(), "{:?}", applied.answer);
            applied
        });
}

/// Consecutive events of one commit, encoded.
fn batch(after: Seq, events: u64) -> Batch {
    let mut batch = Batch::after(after);
    (1..=events).for_each(|turn| batch.push(&event(after.0 + turn)));
    batch
}

/// The frames of one commit into the tail; then the oldest are freed.
#[divan::bench(args = [1, 16, 256, 1024])]
fn tail_publish(bencher: Bencher<'_, '_>, events: u64) {
    let template = batch(Seq::ZERO, events);
    let tail = RefCell::new(Tail::new(Seq::ZERO));
    bencher
        .counter(ItemsCount::new(events))
        // Several are made before the first is used: where each begins is known only then.
        .with_inputs(|| template.frames.clone())
        .bench_local_values(|frames| {
            let mut tail = tail.borrow_mut();
            let after = tail.head();
            let head = Seq(after.0 + events);
            tail.publish(Batch { after, head, frames, is_urgent: true });
            let excess = tail.bytes().saturating_sub(1 << 20);
            black_box(tail.release(excess));
        });
}

/// What a woken connection is given to write: no bytes are copied.
#[divan::bench(args = [1, 16, 1024])]
fn tail_read(bencher: Bencher<'_, '_>, events: u64) {
    let mut tail = Tail::new(Seq::ZERO);
    tail.publish(batch(Seq::ZERO, 1));
    let mut cursor = Cursor::new(Seq::ZERO);
    if let Read::Frames(run) = tail.read(&cursor, usize::MAX) {
        cursor.advance(&run, run.bytes());
    }
    tail.publish(batch(Seq(1), events));
    bencher
        .counter(ItemsCount::new(events))
        .bench_local(|| black_box(tail.read(black_box(&cursor), 256 * 1024)));
}

/// An event as the commit encodes it, once for everybody.
#[divan::bench]
fn encode_event(bencher: Bencher<'_, '_>) {
    let (event, mut out) = (event(1_000_000), Vec::with_capacity(1024));
    bencher.counter(ItemsCount::new(1_u32)).bench_local(|| {
        out.clear();
        black_box(&event).encode(&mut out);
        black_box(out.len())
    });
}
