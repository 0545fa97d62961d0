//! A store with a lobby, and messages for it.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use chat_core::{BodyDigest, Content, Event, Genesis, RULES, Record, Store, StoreSecret};
use chat_proto::{
    AccountId, Epoch, LogId, MessageId, Nickname, Nonce, PublicKey, RoomName, Seq, StreamId,
    TextBody, Timestamp,
};
use chatd::store::{Durability, SqliteStore};

/// The lobby's log.
pub(crate) const LOBBY: LogId = LogId(1);

/// Whoever says everything.
pub(crate) const ADA: AccountId = AccountId(2);

/// Ada's outbox.
pub(crate) const STREAM: StreamId = StreamId([0x5E; 16]);

/// The store of a directory, ready for writes; its logs begin where they have no epoch, as a daemon
/// would have it.
pub(crate) fn open(dir: &Path, durability: Durability) -> SqliteStore {
    static EPOCHS: AtomicU64 = AtomicU64::new(1);
    let mut store = SqliteStore::open(dir, durability).expect("the store opens");
    store.recover().expect("the store takes writes");
    if store.epoch() == Epoch(0) {
        let epoch = Epoch(EPOCHS.fetch_add(1, Ordering::Relaxed));
        let genesis = Genesis { epoch, rules: RULES, secret: StoreSecret([0x5E; 16]) };
        store.append(Record::Genesis(genesis)).expect("there is room");
        store.commit().expect("there is room");
        assert_eq!(store.epoch(), epoch);
    }
    store
}

/// A new store, with the lobby's first event and Ada's account.
pub(crate) fn seeded(dir: &Path, durability: Durability) -> SqliteStore {
    let mut store = open(dir, durability);
    let name = RoomName::parse("lobby").expect("a name");
    put(&mut store, &event(LOBBY, 1, Content::RoomCreated { by: None, name: name.into() }));
    let name = Nickname::parse("ada").expect("a name");
    let credential = PublicKey([0xAD; 32]).into();
    put(
        &mut store,
        &event(ADA.into(), 1, Content::AccountCreated { credential, name: name.into() }),
    );
    store.commit().expect("there is room");
    store
}

/// Puts an event into the open transaction.
pub(crate) fn put(store: &mut SqliteStore, event: &Event) {
    store.append(Record::Event(event)).expect("there is room");
}

/// Commits messages under these seqs.
pub(crate) fn post(store: &mut SqliteStore, seqs: impl IntoIterator<Item = u64>) {
    for seq in seqs {
        put(store, &message(seq, &format!("text {seq}")));
    }
    store.commit().expect("there is room");
}

/// The lobby's message with this seq; the first can have 2.
pub(crate) fn message(seq: u64, text: &str) -> Event {
    let nonce = Nonce { stream: STREAM, n: seq - 1 };
    let mut id = [0; 16];
    id[..8].copy_from_slice(&seq.to_le_bytes());
    let id = MessageId(id);
    let (digest, body) = (BodyDigest(seq + (1 << 46)), TextBody::say(text));
    event(LOBBY, seq, Content::Posted { from: ADA, id, nonce, digest, body })
}

/// An event with a time that follows from its seq.
pub(crate) fn event(log: LogId, seq: u64, content: Content) -> Event {
    Event { log, seq: Seq(seq), ts: Timestamp(1_790_000_000_000 + seq), content }
}
