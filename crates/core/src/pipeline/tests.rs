//! What waits for a commit, and what does not.

use chat_proto::{
    AccountId, Credential, Epoch, Kind, LogId, Nickname, Nonce, Position, PublicKey, QueryRequest,
    RequestId, RoomId, RoomName, Seq, StreamId, Subscribe, TextBody, Unsubscribe, Window,
};

mod machines;
mod moderating;
mod pacing;
mod removing;
mod revoking;
mod signing_out;

use super::test_store::{Heard, MemoryStore};
use super::*;
use crate::{
    Action, Command, Effect, Lookup, Ordered, Origin, PostBody, RULES, Request, StoreSecret,
    Unsequenced,
};

pub(super) const NOW: Timestamp = Timestamp(1_000);
/// The first ids of a store whose secret is all zeros.
pub(super) const LOBBY: RoomId = RoomId(61_552_298_336_057);
pub(super) const ADA: AccountId = AccountId(4_769_448_282_746);

/// A pipeline with Ada in the lobby, on the first connection.
pub(super) struct World {
    pub(super) pipeline: Pipeline<MemoryStore>,
    pub(super) heard: Heard,
}

impl World {
    pub(super) fn new() -> Self {
        let mut pipeline = Pipeline::open(MemoryStore::default()).unwrap();
        pipeline.begin(genesis(1)).unwrap();
        let mut world = Self { pipeline, heard: Heard::default() };
        world.run([sign_in(1, 0xAD, "ada"), join(1, "lobby")]);
        assert_eq!(world.heard.take(), kinds(1, &[Kind::SignedIn, Kind::RoomInfo]));
        world
    }

    pub(super) fn run(&mut self, inputs: impl IntoIterator<Item = Input>) {
        self.pipeline.run_alone(inputs, NOW, &mut self.heard);
    }

    /// The lobby's head.
    fn head(&self) -> Option<Seq> {
        let mut heads = self.pipeline.state()?.heads();
        heads.find(|(log, _head)| *log == LOBBY.into()).map(|(_log, head)| head)
    }

    pub(super) fn commits(&self) -> usize {
        self.pipeline.store().commits
    }

    pub(super) fn begin_slow_send(&mut self, n: u64) {
        self.pipeline.store_mut().is_slow = true;
        self.run([send(1, n)]);
        assert!(!self.pipeline.is_settled() && self.heard.replies.is_empty());
    }
}

pub(super) fn genesis(epoch: u64) -> Command {
    let lobby = RoomName::parse("lobby").unwrap();
    let (epoch, secret) = (Epoch(epoch), StoreSecret::default());
    Command { ts: NOW, action: Action::Genesis { epoch, secret, lobby: lobby.into() } }
}

pub(super) fn kinds(conn: u64, kinds: &[Kind]) -> Vec<(Conn, u16)> {
    kinds.iter().map(|kind| (Conn(conn), *kind as u16)).collect()
}

pub(super) fn command(conn: u64, action: Action) -> Input {
    let origin = Origin { conn: Conn(conn), request: RequestId(1), window: Window::Commands };
    Unsequenced::Request { origin, request: Request::Command(action) }.into_input(NOW)
}

fn credential(key: u8) -> Credential {
    Credential::Key(PublicKey([key; 32]))
}

pub(super) fn sign_in(conn: u64, key: u8, name: &str) -> Input {
    sign_in_with(conn, [key; 32], name)
}

pub(super) fn sign_in_with(conn: u64, key: [u8; 32], name: &str) -> Input {
    let (credential, name) = (Credential::Key(PublicKey(key)), Nickname::parse(name));
    let name = name.map(|name| Box::new(name.into()));
    command(
        conn,
        Action::SignIn {
            credential,
            name,
            name_is_firm: true,
            registration: crate::Registration::Open,
            invitation: None,
        },
    )
}

pub(super) fn join(conn: u64, name: &str) -> Input {
    let name = RoomName::parse(name).unwrap();
    command(conn, Action::Join { account: ADA, name: name.into() })
}

pub(super) fn leave(conn: u64, room: RoomId) -> Input {
    command(conn, Action::Leave { account: ADA, room })
}

pub(super) fn rename(conn: u64, name: &str) -> Input {
    let name = Nickname::parse(name).unwrap().into();
    command(conn, Action::Rename { account: ADA, name, is_reserved: false })
}

pub(super) fn send(conn: u64, n: u64) -> Input {
    post(conn, Nonce { stream: StreamId([7; 16]), n }, format!("say {n}"))
}

pub(super) fn post(conn: u64, nonce: Nonce, text: String) -> Input {
    let (credential, body) = (credential(0xAD).id(), PostBody::Text(TextBody::say(text)));
    command(conn, Action::Post { account: ADA, credential, nonce, room: LOBBY, body })
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
        world.run([Input::Local(Local::Gone(Conn(conn)))]);
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
    world.pipeline.settle(NOW, &mut world.heard).unwrap();
    assert_eq!(world.heard.take(), kinds(1, &[Kind::Ack, Kind::Ack]));
}

#[test]
fn what_tells_of_a_room_waits_for_its_messages() {
    let mut world = World::new();
    world.begin_slow_send(1);
    world.run([join(1, "lobby")]);
    assert_eq!(world.heard.take(), kinds(1, &[Kind::Ack, Kind::RoomInfo]));
    assert_eq!(world.heard.published.get(&LOBBY.into()), Some(&Seq(3)));
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

#[test]
fn what_a_failed_commit_has_left_is_not_answered_as_done_before_the_store_has_recovered() {
    let mut world = World::new();
    world.pipeline.store_mut().keeps_what_failed = true;
    let changes = || [leave(1, LOBBY), join(1, "ops"), rename(1, "zoe")];
    let errors = kinds(1, &[Kind::Error; 3]);
    world.pipeline.store_mut().fails = true;
    world.run(changes());
    assert_eq!(world.heard.take(), errors);
    assert_eq!(world.head(), Some(Seq(3)), "the state that was read back has it");
    world.run(changes());
    assert_eq!(world.heard.take(), errors, "nobody knows whether it is durable");
    world.run([sign_in(2, 0xAD, "zoe")]);
    assert_eq!(world.heard.take(), kinds(2, &[Kind::SignedIn]), "reads go on");
    let records = world.pipeline.store().records();
    world.pipeline.run_alone(changes(), later(NOW), &mut world.heard);
    assert_eq!(world.heard.take(), kinds(1, &[Kind::Done, Kind::RoomInfo, Kind::Done]));
    assert_eq!(world.pipeline.store().records(), records, "and now it is");
}

#[test]
fn an_account_whose_making_failed_is_told_to_nobody_before_the_store_has_recovered() {
    let mut world = World::new();
    world.pipeline.store_mut().keeps_what_failed = true;
    world.pipeline.store_mut().fails = true;
    world.run([sign_in(3, 0xB0, "bob")]);
    let refused = world.heard.take();
    assert_ne!(refused, kinds(3, &[Kind::SignedIn]));
    world.run([sign_in(3, 0xB0, "bob")]);
    assert_eq!(world.heard.take(), refused, "nobody knows whether it is durable");
    world.pipeline.run_alone([sign_in(3, 0xB0, "bob")], later(NOW), &mut world.heard);
    assert_eq!(world.heard.take(), kinds(3, &[Kind::SignedIn]), "and now it is");
}

#[test]
fn whoever_had_no_part_in_a_failed_commit_joins_again_and_reads_on() {
    let mut world = World::new();
    world.run([sign_in(3, 0xB0, "bob")]);
    let Some((_conn, _kind, Effect::SignedIn(bob))) = world.heard.replies.pop() else { panic!() };
    let bob_joins = |name: &str| {
        let name = RoomName::parse(name).unwrap();
        command(3, Action::Join { account: bob, name: name.into() })
    };
    world.run([bob_joins("lobby")]);
    assert_eq!(world.heard.take(), kinds(3, &[Kind::RoomInfo]));
    world.pipeline.store_mut().fails = true;
    world.run([join(1, "ops")]);
    assert_eq!(world.heard.take(), kinds(1, &[Kind::Error]));
    world.run([bob_joins("lobby"), join(1, "lobby"), bob_joins("new")]);
    let told = [kinds(3, &[Kind::RoomInfo]), kinds(1, &[Kind::Error]), kinds(3, &[Kind::Error])];
    assert_eq!(world.heard.take(), told.concat());
    world.run([sign_in(4, 0xB0, "bob"), sign_in(5, 0xAD, "ada")]);
    let known = [kinds(4, &[Kind::SignedIn]), kinds(5, &[Kind::SignedIn])];
    assert_eq!(world.heard.take(), known.concat(), "both were there before");
}

#[test]
fn behind_a_commit_that_failed_the_caller_has_the_rest() {
    let mut world = World::new();
    world.pipeline.store_mut().fails = true;
    world.pipeline = world.pipeline.with_commits_of(1);
    let mut inputs = [send(1, 1), send(1, 2), send(1, 3)].into_iter();
    let failed = world.pipeline.run(&mut inputs, NOW, &mut world.heard).unwrap_err();
    assert_eq!(
        failed.cause().to_string(),
        "the store failed while it committed: it was told to fail"
    );
    assert!(world.heard.replies.is_empty(), "a replica may go back: nobody was told anything");
    assert_eq!(world.head(), Some(Seq(2)));
    assert_eq!(inputs.len(), 2, "what was not taken is still there");
    world.pipeline.give_up(failed, &mut world.heard);
    assert_eq!(world.heard.take(), kinds(1, &[Kind::Error]));
}

#[test]
fn nobody_is_answered_for_a_command_of_another_node() {
    let mut world = World::new();
    let Input::Ordered(ordered) = send(1, 1) else { panic!("a send is ordered") };
    let command = Command { ts: Timestamp(77), ..ordered.command };
    world.run([Input::Ordered(Ordered { origin: None, command })]);
    assert!(world.heard.take().is_empty());
    assert_eq!(world.heard.published.get(&LOBBY.into()), Some(&Seq(3)));
    let stamped = world.pipeline.store().newest_ts(LOBBY.into()).unwrap();
    assert_eq!(stamped, NOW, "the order stamps, and no log goes back");
}

fn query(conn: u64, query: QueryRequest) -> Input {
    let origin = Origin { conn: Conn(conn), request: RequestId(2), window: Window::Queries };
    Input::Local(Local::Query { origin, account: ADA, query })
}

fn subscribe_to(conn: u64, log: LogId, seq: u64) -> Input {
    let after = Some(Position { epoch: Epoch(1), seq: Seq(seq) });
    query(conn, QueryRequest::Subscribe(Subscribe { log, after }))
}

fn subscribe(conn: u64, seq: u64) -> Input {
    subscribe_to(conn, LOBBY.into(), seq)
}

fn unsubscribe(conn: u64) -> Input {
    query(conn, QueryRequest::Unsubscribe(Unsubscribe { log: LOBBY.into() }))
}

pub(super) const TICK: Input = Input::Local(Local::Tick);

#[test]
fn who_is_ahead_waits_until_the_log_has_come_so_far() {
    let mut world = World::new();
    world.run([subscribe(1, 4), send(1, 1)]);
    assert_eq!(world.heard.take(), kinds(1, &[Kind::Ack]), "the log is at 3");
    world.run([send(1, 2)]);
    world.run([]);
    assert_eq!(world.heard.released, 2, "whoever is answered is woken");
    let told: Vec<_> = world.heard.replies.drain(..).collect();
    let open = Effect::Open { log: LOBBY.into(), after: Seq(4), head: Seq(4) };
    assert_eq!(told[1], (Conn(1), Kind::Subscribed as u16, open));
}

#[test]
fn who_is_ahead_is_not_told_of_what_is_not_durable() {
    let mut world = World::new();
    world.run([subscribe(1, 3)]);
    world.begin_slow_send(1);
    world.run([send(1, 2)]);
    world.pipeline.settle(NOW, &mut world.heard).unwrap();
    world.run([]);
    let told: Vec<_> = world.heard.replies.drain(..).collect();
    let open = Effect::Open { log: LOBBY.into(), after: Seq(3), head: Seq(4) };
    assert_eq!(told.last().unwrap().2, open);
    assert_eq!(world.heard.published.get(&LOBBY.into()), Some(&Seq(4)), "and it was published");
}

#[test]
fn whoever_settles_also_answers_those_whom_the_last_commit_has_reached() {
    let mut world = World::new();
    world.run([subscribe(1, 3), subscribe(2, 4), subscribe(3, 5), subscribe(4, 6)]);
    world.begin_slow_send(1);
    // Behind the one that is under way, they are open.
    world.run([send(1, 2), send(1, 3)]);
    assert_eq!(world.heard.take(), []);
    world.pipeline.settle_alone(NOW, &mut world.heard);
    assert!(world.pipeline.is_settled());
    assert_eq!(world.heard.released, 6, "whoever is answered is woken");
    let mut told = world.heard.replies.drain(..).map(|(conn, _kind, effect)| (conn, effect));
    let opened: Vec<_> = told.by_ref().filter(|(_conn, effect)| *effect != Effect::None).collect();
    let open = |after| Effect::Open { log: LOBBY.into(), after: Seq(after), head: Seq(5) };
    assert_eq!(opened, [(Conn(1), open(3)), (Conn(2), open(4)), (Conn(3), open(5))]);
    drop(told);
    assert!(!world.pipeline.ahead.is_empty(), "one is still ahead");
    world.pipeline.store_mut().is_slow = false;
    world.run([send(1, 4)]);
    let told = kinds(1, &[Kind::Ack]).into_iter().chain(kinds(4, &[Kind::Subscribed]));
    assert_eq!(world.heard.take(), told.collect::<Vec<_>>(), "nobody waits for another input");
}

#[test]
fn who_is_ahead_and_does_not_want_the_log_any_more_waits_no_longer() {
    let mut world = World::new();
    world.run([subscribe(1, 3), subscribe(2, 3)]);
    world.run([unsubscribe(1)]);
    assert_eq!(world.heard.released, 2);
    assert_eq!(world.heard.take(), kinds(1, &[Kind::Error, Kind::Done]), "each has an answer");
    // Within one batch, and while what it waits for is under way.
    world.run([subscribe(1, 3), unsubscribe(1)]);
    assert_eq!(world.heard.take(), kinds(1, &[Kind::Error, Kind::Done]));
    world.run([subscribe(1, 3)]);
    world.begin_slow_send(1);
    world.run([unsubscribe(1)]);
    let effects = world.heard.replies.drain(..).filter(|(conn, ..)| *conn == Conn(1));
    let effects: Vec<_> = effects.map(|(_conn, _kind, effect)| effect).collect();
    let shut = Effect::Shut { log: LOBBY.into() };
    assert_eq!(effects, [Effect::None, Effect::None, shut], "nothing opens behind it");
    assert!(world.pipeline.ahead.is_empty(), "the other connection was reached");
}

#[test]
fn who_asks_for_a_log_anew_waits_once() {
    let mut world = World::new();
    world.run([subscribe(1, 9)]);
    world.run([subscribe(1, 3)]);
    assert_eq!(world.heard.take(), kinds(1, &[Kind::Error]), "the first is over");
    world.run([send(1, 1)]);
    assert_eq!(world.heard.take(), kinds(1, &[Kind::Ack, Kind::Subscribed]));
    assert!(world.pipeline.ahead.is_empty());
    world.run([subscribe(1, 9), subscribe(1, 3)]);
    assert_eq!(world.heard.take(), kinds(1, &[Kind::Error, Kind::Subscribed]));
}

#[test]
fn who_is_ahead_for_too_long_is_told_to_ask_again() {
    let mut world = World::new();
    world.run([join(1, "ops")]);
    let rooms = world.pipeline.state().unwrap().rooms_of(ADA);
    let ops = LogId::from(rooms.into_iter().find(|room| *room != LOBBY).unwrap());
    world.heard.take();
    world.run([subscribe(1, 9), subscribe_to(1, ADA.into(), 9), subscribe_to(1, ops, 9)]);
    assert_eq!(world.heard.take(), kinds(1, &[Kind::Error]), "two may wait");
    world.run([TICK, TICK, TICK]);
    assert_eq!(world.heard.take(), []);
    world.run([TICK]);
    assert_eq!(world.heard.released, 2);
    assert_eq!(world.heard.take(), kinds(1, &[Kind::Error, Kind::Error]));
    world.run([subscribe(1, 9), Input::Local(Local::Gone(Conn(1)))]);
    assert!(world.pipeline.ahead.is_empty(), "who is gone waits for nothing");
}

#[test]
fn opening_writes_nothing_and_logs_begin_once() {
    let mut pipeline = Pipeline::open(MemoryStore::default()).unwrap();
    assert_eq!((pipeline.has_begun(), pipeline.store().commits), (false, 0));
    pipeline.store_mut().fails = true;
    pipeline.begin(genesis(6)).unwrap_err();
    assert!(!pipeline.has_begun(), "it is not durable");
    let later = Command { ts: Timestamp(NOW.0 + 1_000), ..genesis(7) };
    pipeline.begin(later).unwrap();
    let state = pipeline.state().unwrap();
    assert_eq!((state.epoch(), state.rules()), (Epoch(7), RULES));
    assert_eq!(state.heads().collect::<Vec<_>>(), [(LOBBY.into(), Seq(1))]);
    let commits = pipeline.store().commits;
    let mut pipeline = Pipeline::open(pipeline.into_store()).unwrap();
    pipeline.begin(genesis(8)).unwrap();
    assert_eq!((pipeline.state().unwrap().epoch(), pipeline.store().commits), (Epoch(7), commits));
}
