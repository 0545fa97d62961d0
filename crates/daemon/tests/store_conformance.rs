//! SQLite does what every store must do, whatever a commit is to survive.

use chat_core::conformance::{Disk, run};
use chat_core::{Action, Answer, Command, Event, Pipeline, PostBody, State, Store, StoreSecret};
use chat_proto::{
    Credential, Epoch, Nickname, Nonce, PublicKey, RoomName, StreamId, TextBody, Timestamp,
};
use chatd::store::{Durability, SqliteStore};
use tempfile::TempDir;

struct Sqlite {
    dir: TempDir,
    durability: Durability,
    /// It commits in a thread of its own.
    is_beside: bool,
}

impl Disk for Sqlite {
    type Store = SqliteStore;

    fn open(&mut self) -> SqliteStore {
        let opened = SqliteStore::open(self.dir.path(), self.durability);
        let mut store = opened.expect("the store opens");
        if self.is_beside {
            store.commit_beside(|| ()).expect("there is a thread");
        }
        store
    }
}

fn fresh(durability: Durability) -> Sqlite {
    let dir = tempfile::tempdir().expect("there is room");
    Sqlite { dir, durability, is_beside: false }
}

#[test]
fn sqlite_conforms_with_full_durability() {
    run(|| fresh(Durability::Full));
}

#[test]
fn sqlite_conforms_when_only_a_kill_is_to_be_survived() {
    run(|| fresh(Durability::Process));
}

#[test]
fn sqlite_conforms_when_it_commits_in_a_thread_of_its_own() {
    run(|| Sqlite { is_beside: true, ..fresh(Durability::Full) });
}

#[test]
fn two_stores_that_are_given_the_same_commands_give_the_same_ids_and_digests() {
    let [one, same, other] = [5, 5, 6].map(events_of_a_new_store);
    assert_eq!(one.len(), 5, "an account, a room, its member twice, and a message");
    assert_eq!(one, same);
    assert_ne!(one, other, "another secret came with the first command");
}

/// What the same few commands lead to in a store that begins with this secret, and is opened again
/// behind that.
fn events_of_a_new_store(secret: u8) -> Vec<Event> {
    let mut disk = fresh(Durability::Process);
    let mut pipeline = Pipeline::open(disk.open()).expect("it can be read");
    let room = |name| RoomName::parse(name).expect("a name");
    let (epoch, secret) = (Epoch(1), StoreSecret([secret; 16]));
    let genesis = Action::Genesis { epoch, secret, lobby: room("lobby").into() };
    pipeline.begin(command(genesis)).expect("there is room");
    drop(pipeline);

    let mut store = disk.open();
    let snapshot = store.roll_back().expect("it can be read");
    let mut state = State::restore(snapshot).expect("it is in order");
    let mut events = Vec::new();
    let mut run = |action| {
        let applied = state.apply(command(action), &store).expect("it can be read");
        events.extend(applied.events);
        applied.answer.expect("it is allowed")
    };
    let (credential, name) = (Credential::Key(PublicKey([1; 32])), Nickname::parse("ada"));
    let answer = run(Action::SignIn {
        credential,
        name: name.map(|name| Box::new(name.into())),
        name_is_firm: true,
        registration: chat_core::Registration::Open,
        invitation: None,
    });
    let Answer::SignedIn(account) = answer else { panic!("she is let in: {answer:?}") };
    let answer = run(Action::Join { account, name: room("ops").into() });
    let Answer::Room(room) = answer else { panic!("it is made: {answer:?}") };
    let (nonce, body) = (Nonce { stream: StreamId([7; 16]), n: 1 }, TextBody::say("hi"));
    run(Action::Post {
        account,
        credential: credential.id(),
        nonce,
        room,
        body: PostBody::Text(body),
    });
    events
}

fn command(action: Action) -> Command {
    Command { ts: Timestamp(1), action }
}
