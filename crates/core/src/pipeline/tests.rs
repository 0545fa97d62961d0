//! What waits for a commit, and what does not.

use chat_proto::{
    AccountId, Credential, Kind, Nickname, Nonce, PublicKey, RequestId, RoomId, StreamId, Window,
};

use super::test_store::{Heard, MemoryStore};
use super::*;

const NOW: Timestamp = Timestamp(1_000);
const LOBBY: RoomId = RoomId(1);
const ADA: AccountId = AccountId(2);

/// A pipeline with Ada in the lobby, on the first connection.
struct World {
    pipeline: Pipeline<MemoryStore>,
    heard: Heard,
}

impl World {
    fn new() -> Self {
        let lobby = RoomName::parse("lobby").unwrap();
        let pipeline = Pipeline::open(MemoryStore::default(), lobby, NOW).unwrap();
        let mut world = Self { pipeline, heard: Heard::default() };
        world.run([sign_in(1, 0xAD, "ada"), join(1, "lobby")]);
        assert_eq!(world.heard.take(), kinds(1, &[Kind::SignedIn, Kind::RoomInfo]));
        world
    }

    fn run(&mut self, inputs: impl IntoIterator<Item = Input>) {
        self.pipeline.run(inputs, NOW, &mut self.heard);
    }

    fn commits(&self) -> usize {
        self.pipeline.store().commits
    }

    fn begin_slow_send(&mut self, n: u64) {
        self.pipeline.store_mut().is_slow = true;
        self.run([send(1, n)]);
        assert!(!self.pipeline.is_settled() && self.heard.replies.is_empty());
    }
}

fn kinds(conn: u64, kinds: &[Kind]) -> Vec<(Conn, u16)> {
    kinds.iter().map(|kind| (Conn(conn), *kind as u16)).collect()
}

fn command(conn: u64, action: Action) -> Input {
    let origin = Origin { conn: Conn(conn), request: RequestId(1), window: Window::Commands };
    Input::Request { origin, request: Request::Command(action) }
}

fn credential(key: u8) -> Credential {
    Credential::Key(PublicKey([key; 32]))
}

fn sign_in(conn: u64, key: u8, name: &str) -> Input {
    let (credential, name) = (credential(key), Nickname::parse(name));
    command(conn, Action::SignIn { credential, name, name_is_firm: true })
}

fn join(conn: u64, name: &str) -> Input {
    let name = RoomName::parse(name).unwrap();
    command(conn, Action::Join { account: ADA, name })
}

fn rename(conn: u64, name: &str) -> Input {
    command(conn, Action::Rename { account: ADA, name: Nickname::parse(name).unwrap() })
}

fn send(conn: u64, n: u64) -> Input {
    let nonce = Nonce { stream: StreamId([7; 16]), n };
    let (credential, text) = (credential(0xAD), format!("say {n}"));
    command(conn, Action::Send { account: ADA, credential, nonce, room: LOBBY, text })
}

#[test]
fn who_comes_back_costs_no_commit() {
    let mut world = World::new();
    let (commits, records) = (world.commits(), world.pipeline.store().records());
    for conn in 2..=100 {
        world.run([sign_in(conn, 0xAD, "whoever")]);
        world.run([join(conn, "LOBBY"), rename(conn, "ada")]);
        let expected = kinds(conn, &[Kind::SignedIn, Kind::RoomInfo, Kind::Done]);
        assert_eq!(world.heard.released, 3, "everybody is woken");
        assert_eq!(world.heard.take(), expected);
        world.run([Input::Gone(Conn(conn))]);
    }
    assert_eq!((world.commits(), world.pipeline.store().records()), (commits, records));
}

#[test]
fn who_comes_back_does_not_wait_for_messages_under_way() {
    let mut world = World::new();
    world.begin_slow_send(1);
    world.run([sign_in(2, 0xAD, "ada"), send(1, 2)]);
    assert_eq!(world.heard.released, 1);
    assert_eq!(world.heard.take(), kinds(2, &[Kind::SignedIn]));
    assert!(!world.pipeline.is_settled(), "the commit is still under way");
    world.pipeline.settle(NOW, &mut world.heard);
    assert_eq!(world.heard.take(), kinds(1, &[Kind::Ack, Kind::Ack]));
}

#[test]
fn what_tells_of_a_room_waits_for_its_messages() {
    let mut world = World::new();
    world.begin_slow_send(1);
    world.run([join(1, "lobby")]);
    assert_eq!(world.heard.take(), kinds(1, &[Kind::Ack, Kind::RoomInfo]));
    assert_eq!(world.heard.published.get(&LOBBY.into()), Some(&chat_proto::Seq(3)));
}

#[test]
fn a_new_account_is_told_of_when_it_is_durable() {
    let mut world = World::new();
    let commits = world.commits();
    world.pipeline.store_mut().fails = true;
    // The second sign-in finds the account that the first one makes, and that nobody ever hears of.
    world.run([sign_in(2, 0xB0, "bob"), sign_in(3, 0xB0, "bob")]);
    let both = [(Conn(2), Kind::Close as u16), (Conn(3), Kind::Close as u16)];
    assert_eq!((world.commits(), world.heard.take()), (commits + 1, both.to_vec()));
}
