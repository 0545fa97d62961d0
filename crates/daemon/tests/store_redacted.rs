//! A message whose text was taken away: it is not told any more, and its nonce is still its own.

use std::path::Path;

use chat_core::{
    Action, Answer, Command, Decision, HistoryRead, PostBody, Record, Refusal, State, Store,
    StoreSecret,
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

/// A store in which Ada has said "one" and "two", and then the text of "one" was taken away.
fn redacted(dir: &Path) -> (AccountId, RoomId, Answer) {
    let (mut store, mut state) = open(dir);
    let (secret, lobby) = (StoreSecret([5; 16]), RoomName::parse("lobby").expect("a name"));
    run(&mut store, &mut state, Action::Genesis { epoch: Epoch(1), secret, lobby: lobby.into() });
    let name = Nickname::parse("ada");
    let sign_in = Action::SignIn {
        credential: KEY,
        name: name.map(|name| Box::new(name.into())),
        name_is_firm: true,
        registration: chat_core::Registration::Open,
        invitation: None,
    };
    let Ok(Answer::SignedIn(account)) = run(&mut store, &mut state, sign_in).answer else {
        panic!("she is let in");
    };
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
