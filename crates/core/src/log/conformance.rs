//! What every [`Store`] must do, as facts that can be run on any of them.
//!
//! The daemon runs them on SQLite, the simulator on its failing disk, so that what the one proves
//! holds for the other.

mod credentials;
mod order;
mod rooms;
mod sanctions;
mod sends;
mod server;

use chat_proto::{
    AccountId, Credential, Epoch, LogId, MessageId, Nickname, Nonce, PublicKey, RoomId, RoomName,
    Seq, StreamId, TextBody, Timestamp,
};

use crate::{
    AccountRow, BodyDigest, Content, CredentialRow, Event, Genesis, Lookup, Named, PastSend,
    PostBody, Record, RoomRow, Store, StoreSecret,
};

/// Something that a store lies on.
pub trait Disk {
    /// The store under test.
    type Store: Store;

    /// Opens the store that lies here, as after a kill: the store opened before was dropped
    /// without a word.
    fn open(&mut self) -> Self::Store;
}

/// Runs every fact on a fresh disk each.
///
/// # Panics
/// When one does not hold.
pub fn run<D: Disk>(fresh: impl Fn() -> D) {
    for (name, fact) in facts::<D>() {
        fact(&mut fresh(), name);
    }
}

type Fact<D> = (&'static str, fn(&mut D, &str));

fn facts<D: Disk>() -> [Fact<D>; 23] {
    [
        ("a new store is empty, and has no epoch", a_new_store_is_empty),
        ("logs begin with a commit", logs_begin_with_a_commit),
        ("the open transaction is seen by lookups", the_open_transaction_is_seen),
        ("what was rolled back was never there", what_was_rolled_back_was_never_there),
        ("recovery abandons the open transaction", recovery_abandons_the_open_transaction),
        ("a commit survives a kill", a_commit_survives_a_kill),
        ("what was not committed does not survive", what_was_not_committed_does_not_survive),
        ("the next records go beside a commit", the_next_records_go_beside_a_commit),
        ("the state follows the events", the_state_follows_the_events),
        ("every send is remembered, and what was not posted", sends::every_send_is_remembered),
        ("streams of two accounts are apart", sends::streams_of_two_accounts_are_apart),
        ("a stream keeps the room of its first send", sends::a_stream_keeps_its_room),
        ("a clock that was ahead is remembered", a_clock_that_was_ahead_is_remembered),
        ("each commit says how far in the order it is", order::each_commit_says_how_far_it_is),
        ("credentials follow the events", credentials::credentials_follow_the_events),
        ("a room that is gone leaves nothing", rooms::a_room_that_is_gone_leaves_nothing),
        ("a room stays once something was said", rooms::a_room_stays_once_something_was_said),
        ("roles follow the events", rooms::roles_follow_the_events_in_their_order),
        ("what is set of a room", rooms::what_is_set_of_a_room_follows_the_events),
        ("whom the logs tell of", rooms::whom_the_logs_tell_of_follows_the_events),
        ("the server has a log and invitations", server::the_server_has_a_log_and_invitations),
        ("bans, mutes and waits follow", sanctions::sanctions_follow_the_events),
        ("a commit of nothing changes nothing", a_commit_of_nothing_changes_nothing),
    ]
}

fn a_new_store_is_empty<D: Disk>(disk: &mut D, fact: &str) {
    let mut store = disk.open();
    let snapshot = store.recover().expect(fact);
    assert_eq!((snapshot.epoch, snapshot.rules), (Epoch(0), 0), "{fact}");
    assert_eq!(snapshot.secret, None, "{fact}");
    assert_eq!(snapshot.last_ts, Timestamp(0), "{fact}");
    assert!(snapshot.accounts.is_empty() && snapshot.rooms.is_empty(), "{fact}");
    assert!(snapshot.members.is_empty(), "{fact}");
    assert_eq!(store.high_water(ADA, STREAM).expect(fact), 0, "{fact}");
    assert_eq!(store.past_send(ADA, nonce(1)).expect(fact), None, "{fact}");
}

fn logs_begin_with_a_commit<D: Disk>(disk: &mut D, fact: &str) {
    let mut store = disk.open();
    let genesis = Genesis { epoch: Epoch(6), rules: 2, secret: StoreSecret([6; 16]) };
    store.append(Record::Genesis(genesis)).expect(fact);
    let snapshot = store.roll_back().expect(fact);
    assert_eq!((snapshot.epoch, snapshot.secret), (Epoch(0), None), "{fact}");
    let genesis = Genesis { epoch: Epoch(7), rules: 3, secret: SECRET };
    store.append(Record::Genesis(genesis)).expect(fact);
    store.commit().expect(fact);
    let snapshot = store.roll_back().expect(fact);
    assert_eq!((snapshot.epoch, snapshot.rules), (Epoch(7), 3), "{fact}");
    assert_eq!(snapshot.secret, Some(SECRET), "{fact}");
    let lobby = Content::RoomCreated { by: None, name: named_room("lobby") };
    append(&mut store, fact, &event(LOBBY, 1, lobby));
    store.commit().expect(fact);
    drop(store);

    let snapshot = disk.open().recover().expect(fact);
    assert_eq!((snapshot.epoch, snapshot.rules), (Epoch(7), 3), "{fact}");
    assert_eq!(snapshot.secret, Some(SECRET), "{fact}");
}

fn the_open_transaction_is_seen<D: Disk>(disk: &mut D, fact: &str) {
    let mut store = settled(disk, fact);
    append(&mut store, fact, &posted(4, 1, "one"));
    assert_eq!(store.high_water(ADA, STREAM).expect(fact), 1, "{fact}");
    assert_eq!(store.past_send(ADA, nonce(1)).expect(fact), Some(past(4, 1, "one")), "{fact}");
    append(&mut store, fact, &posted(5, 3, "three"));
    assert_eq!(store.high_water(ADA, STREAM).expect(fact), 3, "{fact}");
    assert_eq!(store.past_send(ADA, nonce(2)).expect(fact), None, "{fact}: it was refused");
    assert_eq!(store.past_send(ADA, nonce(3)).expect(fact), Some(past(5, 3, "three")), "{fact}");
}

fn what_was_rolled_back_was_never_there<D: Disk>(disk: &mut D, fact: &str) {
    let mut store = settled(disk, fact);
    let before = store.recover().expect(fact);
    append(&mut store, fact, &posted(4, 1, "one"));
    append(&mut store, fact, &posted(5, 3, "three"));
    append(&mut store, fact, &event(LOBBY, 6, Content::Left { account: ADA }));
    assert_eq!(store.roll_back().expect(fact), before, "{fact}");
    assert_eq!(store.high_water(ADA, STREAM).expect(fact), 0, "{fact}");
    assert_eq!(store.past_send(ADA, nonce(1)).expect(fact), None, "{fact}");
    assert_eq!(store.past_send(ADA, nonce(3)).expect(fact), None, "{fact}");
    append(&mut store, fact, &posted(4, 1, "another"));
    store.commit().expect(fact);
    assert_eq!(store.past_send(ADA, nonce(1)).expect(fact), Some(past(4, 1, "another")), "{fact}");
}

fn recovery_abandons_the_open_transaction<D: Disk>(disk: &mut D, fact: &str) {
    let mut store = settled(disk, fact);
    let before = store.recover().expect(fact);
    append(&mut store, fact, &posted(4, 1, "one"));
    assert_eq!(store.recover().expect(fact), before, "{fact}");
    assert_eq!(store.high_water(ADA, STREAM).expect(fact), 0, "{fact}");
    append(&mut store, fact, &posted(4, 1, "one"));
    store.commit().expect(fact);
    assert_eq!(store.recover().expect(fact).rooms[0].head, Seq(4), "{fact}");
}

fn a_commit_survives_a_kill<D: Disk>(disk: &mut D, fact: &str) {
    let mut store = settled(disk, fact);
    append(&mut store, fact, &posted(4, 1, "one"));
    append(&mut store, fact, &posted(5, 3, "three"));
    store.commit().expect(fact);
    let before = store.roll_back().expect(fact);
    drop(store);

    let mut store = disk.open();
    let after = store.recover().expect(fact);
    assert!(after == before, "{fact}: also the epoch and the secret");
    assert_eq!(store.high_water(ADA, STREAM).expect(fact), 3, "{fact}");
    assert_eq!(store.past_send(ADA, nonce(1)).expect(fact), Some(past(4, 1, "one")), "{fact}");
    assert_eq!(store.past_send(ADA, nonce(2)).expect(fact), None, "{fact}");
    assert_eq!(store.past_send(ADA, nonce(3)).expect(fact), Some(past(5, 3, "three")), "{fact}");
}

fn the_next_records_go_beside_a_commit<D: Disk>(disk: &mut D, fact: &str) {
    let mut store = settled(disk, fact);
    append(&mut store, fact, &posted(4, 1, "one"));
    store.commit().expect(fact);
    // Large, so that it is worth while.
    let large = "x".repeat(3_000);
    for n in 2..=11 {
        append(&mut store, fact, &posted(n + 3, n, &large));
    }
    store.begin_commit().expect(fact);
    append(&mut store, fact, &posted(15, 12, "twelve"));
    append(&mut store, fact, &posted(16, 14, "fourteen"));
    for n in 2..=11 {
        let found = store.past_send(ADA, nonce(n)).expect(fact);
        assert_eq!(found, Some(past(n + 3, n, &large)), "{fact}: {n}");
    }
    assert_eq!(store.high_water(ADA, STREAM).expect(fact), 14, "{fact}");
    assert_eq!(store.newest_ts(LOBBY).expect(fact), Timestamp(1_016), "{fact}");
    store.finish_commit().expect(fact);
    assert!(store.poll_commit().is_none(), "{fact}: it is told once");
    assert_eq!(store.past_send(ADA, nonce(11)).expect(fact), Some(past(14, 11, &large)), "{fact}");
    store.begin_commit().expect(fact);
    store.finish_commit().expect(fact);
    append(&mut store, fact, &posted(17, 15, "fifteen"));
    drop(store);

    let mut store = disk.open();
    assert_eq!(store.recover().expect(fact).rooms[0].head, Seq(16), "{fact}");
    assert_eq!(store.high_water(ADA, STREAM).expect(fact), 14, "{fact}");
    assert_eq!(
        store.past_send(ADA, nonce(12)).expect(fact),
        Some(past(15, 12, "twelve")),
        "{fact}"
    );
    assert_eq!(store.past_send(ADA, nonce(13)).expect(fact), None, "{fact}");
}

fn what_was_not_committed_does_not_survive<D: Disk>(disk: &mut D, fact: &str) {
    let mut store = settled(disk, fact);
    let before = store.roll_back().expect(fact);
    append(&mut store, fact, &posted(4, 1, "one"));
    drop(store);

    let mut store = disk.open();
    assert_eq!(store.recover().expect(fact), before, "{fact}");
    assert_eq!(store.high_water(ADA, STREAM).expect(fact), 0, "{fact}");
}

fn the_state_follows_the_events<D: Disk>(disk: &mut D, fact: &str) {
    let mut store = settled(disk, fact);
    append(
        &mut store,
        fact,
        &event(BOB, 3, Content::AccountRenamed { by: BOB, name: named("rob") }),
    );
    append(&mut store, fact, &event(LOBBY, 4, Content::Left { account: ADA }));
    let mut left = event(ADA, 3, Content::RoomLeft { room: RoomId(LOBBY.0) });
    left.ts = Timestamp(9_000);
    append(&mut store, fact, &left);
    store.commit().expect(fact);
    drop(store);

    let snapshot = disk.open().recover().expect(fact);
    assert_eq!(snapshot.last_ts, Timestamp(9_000), "{fact}");
    let account =
        |id, name, head| AccountRow { is_known: true, ..AccountRow::new(id, named(name), head) };
    let mut accounts = snapshot.accounts;
    accounts.sort_by_key(|account| account.id);
    let expected = [account(ADA, "ada", Seq(3)), account(BOB, "rob", Seq(3))];
    assert_eq!(accounts, expected, "{fact}");
    let mut credentials = snapshot.credentials;
    credentials.sort();
    let first = |account, key| CredentialRow::first(account, key, Timestamp(1_001));
    assert_eq!(credentials, [first(ADA, ADA_KEY), first(BOB, BOB_KEY)], "{fact}");
    let lobby = RoomRow::new(RoomId(LOBBY.0), named_room("lobby"), Seq(4));
    let lobby = RoomRow { is_permanent: true, ..lobby };
    assert_eq!(snapshot.rooms, [lobby], "{fact}");
    assert_eq!(snapshot.members, [(RoomId(LOBBY.0), BOB)], "{fact}");
}

fn a_clock_that_was_ahead_is_remembered<D: Disk>(disk: &mut D, fact: &str) {
    let mut store = settled(disk, fact);
    let at = |mut event: Event, ts| {
        event.ts = Timestamp(ts);
        event
    };
    append(&mut store, fact, &at(posted(4, 1, "ahead"), 9_000));
    assert_eq!(store.newest_ts(LOBBY).expect(fact), Timestamp(9_000), "{fact}");
    store.commit().expect(fact);
    let renamed = |name| Content::AccountRenamed { by: BOB, name: named(name) };
    append(&mut store, fact, &at(event(BOB, 3, renamed("rob")), 2_000));
    store.commit().expect(fact);
    append(&mut store, fact, &at(event(BOB, 4, renamed("rab")), 2_001));
    assert_eq!(store.newest_ts(BOB.into()).expect(fact), Timestamp(2_001), "{fact}");
    store.roll_back().expect(fact);
    drop(store);

    let mut store = disk.open();
    assert_eq!(store.recover().expect(fact).last_ts, Timestamp(9_000), "{fact}");
    assert_eq!(store.newest_ts(LOBBY).expect(fact), Timestamp(9_000), "{fact}");
    assert_eq!(store.newest_ts(BOB.into()).expect(fact), Timestamp(2_000), "{fact}");
    assert_eq!(store.newest_ts(LogId(12_345)).expect(fact), Timestamp(0), "{fact}");
    // The clock has caught up, and is behind once more.
    append(&mut store, fact, &at(event(BOB, 4, renamed("rub")), 9_500));
    store.commit().expect(fact);
    append(&mut store, fact, &at(posted(5, 2, "behind"), 9_400));
    store.commit().expect(fact);
    drop(store);
    assert_eq!(disk.open().recover().expect(fact).last_ts, Timestamp(9_500), "{fact}");
}

fn a_commit_of_nothing_changes_nothing<D: Disk>(disk: &mut D, fact: &str) {
    let mut store = settled(disk, fact);
    let before = store.roll_back().expect(fact);
    store.commit().expect(fact);
    store.commit().expect(fact);
    assert_eq!(store.roll_back().expect(fact), before, "{fact}");
}

const LOBBY: LogId = LogId(1);
const ADA: AccountId = AccountId(2);
const BOB: AccountId = AccountId(3);
const ADA_KEY: Credential = Credential::Key(PublicKey([0xAD; 32]));
const BOB_KEY: Credential = Credential::Key(PublicKey([0xB0; 32]));
const STREAM: StreamId = StreamId([0x5E; 16]);
const SECRET: StoreSecret = StoreSecret([0x5E; 16]);

/// A store in which Ada and Bob are members of the lobby, whose head is 3.
fn settled<D: Disk>(disk: &mut D, fact: &str) -> D::Store {
    let mut store = disk.open();
    store.recover().expect(fact);
    let events = [
        event(LOBBY, 1, Content::RoomCreated { by: None, name: named_room("lobby") }),
        event(ADA, 1, Content::AccountCreated { credential: ADA_KEY, name: named("ada") }),
        event(LOBBY, 2, Content::Joined { account: ADA }),
        event(ADA, 2, Content::RoomJoined { room: RoomId(LOBBY.0) }),
        event(BOB, 1, Content::AccountCreated { credential: BOB_KEY, name: named("bob") }),
        event(LOBBY, 3, Content::Joined { account: BOB }),
        event(BOB, 2, Content::RoomJoined { room: RoomId(LOBBY.0) }),
    ];
    let genesis = Genesis { epoch: Epoch(7), rules: 1, secret: SECRET };
    store.append(Record::Genesis(genesis)).expect(fact);
    events.iter().for_each(|event| append(&mut store, fact, event));
    store.commit().expect(fact);
    store
}

fn append(store: &mut impl Store, fact: &str, event: &Event) {
    store.append(Record::Event(event)).expect(fact);
}

fn event(log: impl Into<LogId>, seq: u64, content: Content) -> Event {
    Event { log: log.into(), seq: Seq(seq), ts: Timestamp(1_000 + seq), content }
}

fn posted(seq: u64, n: u64, text: &str) -> Event {
    let (id, nonce, body) = (message_id(n), nonce(n), TextBody::say(text));
    event(LOBBY, seq, Content::Posted { from: ADA, id, nonce, digest: digest(text), body })
}

fn digest(text: &str) -> BodyDigest {
    let body = PostBody::Text(TextBody::say(text));
    BodyDigest::of(SECRET, RoomId(LOBBY.0), &body)
}

fn past(seq: u64, n: u64, text: &str) -> PastSend {
    let (room, digest) = (RoomId(LOBBY.0), digest(text));
    let (seq, ts) = (Seq(seq), Timestamp(1_000 + seq));
    PastSend::Posted { room, seq, ts, id: message_id(n), digest }
}

fn nonce(n: u64) -> Nonce {
    Nonce { stream: STREAM, n }
}

fn message_id(n: u64) -> MessageId {
    let mut id = [0x1D; 16];
    id[..8].copy_from_slice(&n.to_le_bytes());
    MessageId(id)
}

fn nickname(name: &str) -> Nickname {
    Nickname::parse(name).expect("the suite's names are names")
}

fn room_name(name: &str) -> RoomName {
    RoomName::parse(name).expect("the suite's names are names")
}

fn named(name: &str) -> Named<Nickname> {
    nickname(name).into()
}

fn named_room(name: &str) -> Named<RoomName> {
    room_name(name).into()
}
