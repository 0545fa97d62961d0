//! A message whose text was taken away: it is not told any more, and its nonce is still its own.

use std::path::Path;

use chat_core::{
    Action, Answer, Command, Decision, HistoryRead, Moderation, PostBody, Record, Refusal, State,
    Store, StoreSecret,
};
use chat_proto::{
    AccountId, Credential, Epoch, FrameCodec, Gap, GapReason, Kind, Nickname, Nonce, PublicKey,
    RoomId, RoomName, Seq, StreamId, TextBody, Timestamp,
};
use chatd::store::{Durability, Reader, SqliteStore};
use rusqlite::Connection;

const KEY: Credential = Credential::Key(PublicKey([1; 32]));

fn open(dir: &Path) -> (SqliteStore, State) {
    let mut store = SqliteStore::open(dir, Durability::Process).expect("the store opens");
    let snapshot = store.recover().expect("the store takes writes");
    (store, State::restore(snapshot).expect("it is in order"))
}

fn run(store: &mut SqliteStore, state: &mut State, action: Action) -> Decision {
    let applied = state.apply(Command { ts: Timestamp(1), action }, store).expect("it can be read");
    if let Some(genesis) = applied.genesis {
        store.append(Record::Genesis(genesis)).expect("there is room");
    }
    for event in &applied.events {
        store.append(Record::Event(event)).expect("there is room");
    }
    store.commit().expect("there is room");
    applied
}

fn say(account: AccountId, room: RoomId, n: u64, text: &str) -> Action {
    let nonce = Nonce { stream: StreamId([7; 16]), n };
    let body = PostBody::Text(TextBody::say(text));
    Action::Post { account, credential: KEY.id(), nonce, room, body }
}

fn comes(store: &mut SqliteStore, state: &mut State, key: u8, name: &str) -> AccountId {
    let sign_in = Action::SignIn {
        credential: Credential::Key(PublicKey([key; 32])),
        name: Nickname::parse(name).map(|name| Box::new(name.into())),
        name_is_firm: true,
        registration: chat_core::Registration::Open,
        invitation: None,
    };
    match run(store, state, sign_in).answer {
        Ok(Answer::SignedIn(account)) => account,
        refused => panic!("{refused:?}"),
    }
}

/// A store in which Ada has said "one" and "two", and then the text of "one" was taken away.
fn redacted(dir: &Path) -> (AccountId, RoomId, Answer) {
    let (mut store, mut state) = open(dir);
    let (secret, lobby) = (StoreSecret([5; 16]), RoomName::parse("lobby").expect("a name"));
    run(&mut store, &mut state, Action::Genesis { epoch: Epoch(1), secret, lobby: lobby.into() });
    let account = comes(&mut store, &mut state, 1, "ada");
    let join = Action::Join { account, name: RoomName::parse("ops").expect("a name").into() };
    let Ok(Answer::Room(room)) = run(&mut store, &mut state, join).answer else {
        panic!("she is let in");
    };
    let first = run(&mut store, &mut state, say(account, room, 1, "one")).answer;
    run(&mut store, &mut state, say(account, room, 2, "two"));
    store.close();
    let file = Connection::open(dir.join("chatd.db")).expect("it is a database");
    let redacted = file.execute("UPDATE events SET text = NULL WHERE text = 'one'", []);
    assert_eq!(redacted.expect("it takes writes"), 1);
    (account, room, first.expect("it is posted"))
}

#[test]
fn a_repetition_of_a_message_whose_text_is_gone_gets_its_ack_again() {
    let dir = tempfile::tempdir().expect("there is room");
    let (account, room, first) = redacted(dir.path());
    let (mut store, mut state) = open(dir.path());
    let again = run(&mut store, &mut state, say(account, room, 1, "one"));
    assert_eq!((again.answer, again.events.len()), (Ok(first), 0));
    let reused = run(&mut store, &mut state, say(account, room, 1, "another"));
    assert_eq!(reused.answer, Err(Refusal::NonceReused));
}

#[test]
fn a_message_whose_text_is_gone_is_told_as_a_gap() {
    let dir = tempfile::tempdir().expect("there is room");
    let (_account, room, first) = redacted(dir.path());
    let Answer::Posted { seq, .. } = first else { panic!("{first:?}") };
    let (store, state) = open(dir.path());
    let mut reader = Reader::open(&store).expect("it can be read");
    let head = state.heads().find(|(log, _head)| *log == room.into()).expect("it is there").1;
    let before = Seq(seq.0 - 1);
    let page = reader.events_after(room.into(), before, head, 64 * 1024).expect("it can be read");
    let mut bytes = &page.frames[..];
    let mut next = || FrameCodec::default().split_frame(&mut bytes).expect("a frame");
    let gap: Gap = next().expect("there are two").decode().expect("the first is a gap");
    let deleted = GapReason::Deleted as u16;
    assert_eq!((gap.from, gap.to, gap.reason), (seq, seq, deleted));
    assert_eq!(next().expect("there are two").known_kind(), Some(Kind::Posted));

    let (epoch, as_of) = (state.epoch(), head);
    let read = HistoryRead { room, epoch, before: Seq(u64::MAX), limit: 10, as_of };
    let page = reader.history(&read).expect("it can be read");
    let texts: Vec<&str> = page.messages.iter().map(|message| &*message.body.text).collect();
    assert_eq!((texts, page.gaps.len()), (vec!["two"], 0));
}

#[test]
fn what_somebody_has_said_in_a_room_goes_in_one_step_and_nothing_else() {
    const MESSAGES: u64 = 10_000;
    let dir = tempfile::tempdir().expect("there is room");
    let (mut store, mut state) = open(dir.path());
    let (secret, lobby) = (StoreSecret([5; 16]), RoomName::parse("lobby").expect("a name"));
    run(&mut store, &mut state, Action::Genesis { epoch: Epoch(1), secret, lobby: lobby.into() });
    let ada = comes(&mut store, &mut state, 1, "ada");
    let eve = comes(&mut store, &mut state, 2, "eve");
    let rooms = ["den", "ops"].map(|name| {
        let name = || RoomName::parse(name).expect("a name").into();
        run(&mut store, &mut state, Action::Join { account: ada, name: name() });
        let joined = Action::Join { account: eve, name: name() };
        let Ok(Answer::Room(room)) = run(&mut store, &mut state, joined).answer else {
            panic!("she is let in")
        };
        room
    });
    let [den, ops] = rooms;
    // Half of it is in the tables of the index; the clock goes on with the messages.
    let say_at = |store: &mut SqliteStore, state: &mut State, stream: u8, n, room, account| {
        let nonce = Nonce { stream: StreamId([stream; 16]), n };
        let body = PostBody::Text(TextBody::say("spam"));
        let action = Action::Post { account, credential: KEY.id(), nonce, room, body };
        let decided = state.apply(Command { ts: Timestamp(n), action }, store).expect("it is read");
        for event in &decided.events {
            store.append(Record::Event(event)).expect("there is room");
        }
        if n % 500 == 0 {
            store.commit().expect("there is room");
        }
        decided.answer.expect("it is posted")
    };
    let mut first = None;
    for n in 1..=MESSAGES {
        let posted = say_at(&mut store, &mut state, 2, n, den, eve);
        first.get_or_insert(posted);
        say_at(&mut store, &mut state, 1, n, den, ada);
        say_at(&mut store, &mut state, 3, n, ops, eve);
        if n == MESSAGES / 2 {
            store.commit().expect("there is room");
            store.close();
            (store, state) = open(dir.path());
        }
    }
    store.commit().expect("there is room");
    let texts = |account: AccountId, room: RoomId| {
        let file = Connection::open(dir.path().join("chatd.db")).expect("it is a database");
        let sql = "SELECT count(*) FROM events WHERE text IS NOT NULL AND account = ? AND log = ?";
        let numbers = [account.0, room.0].map(u64::cast_signed);
        file.query_row(sql, numbers, |row| row.get::<_, i64>(0)).expect("it is there")
    };
    let everything = MESSAGES.cast_signed();
    assert_eq!([texts(eve, den), texts(ada, den), texts(eve, ops)], [everything; 3]);
    let mut remove = |seconds: u32, ts: u64| {
        let asked = Moderation::RemoveMessages { account: eve, seconds };
        let action = Action::Moderate { account: ada, room: den, asked };
        let decided = state.apply(Command { ts: Timestamp(ts), action }, &store).expect("read");
        assert_eq!(decided.events.len(), 1, "{decided:?}");
        let begun = std::time::Instant::now();
        store.append(Record::Event(&decided.events[0])).expect("there is room");
        store.commit().expect("there is room");
        begun.elapsed()
    };
    // The last second of ten: the clock is a message a millisecond.
    remove(1, MESSAGES);
    assert_eq!(texts(eve, den), everything - 1_001);
    let took = remove(0, MESSAGES);
    println!("{MESSAGES} messages were taken away in {took:?}");
    assert!(took.as_secs() < 10, "{took:?}");
    assert_eq!([texts(eve, den), texts(ada, den), texts(eve, ops)], [0, everything, everything]);
    let again = say_at(&mut store, &mut state, 2, 1, den, eve);
    assert_eq!(Some(again), first, "what was posted is posted");
}
