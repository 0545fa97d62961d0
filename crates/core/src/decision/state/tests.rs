//! The state against a plain memory of what it decided.

#![expect(clippy::wildcard_enum_match_arm, reason = "a test that meets another variant fails")]

use chat_proto::{ErrorCode, Nickname, Nonce, RoomName, StreamId, TextBody};

use super::test_memory::Memory;
use super::*;
use crate::{Content, PostBody, Refusal};

impl Decision {
    /// Whoever answers a command without carrying it out says what carrying it out would have said.
    pub(crate) fn assert_agrees_with(&self, unchanged: Option<Answer>) {
        let Some(answer) = unchanged else { return };
        let nothing =
            Self { events: vec![], genesis: None, uses_nonce_up: false, answer: Ok(answer) };
        assert_eq!(*self, nothing);
    }
}

/// Logs that have begun, with nothing in them.
pub(super) fn blank() -> Snapshot {
    let secret = Some(StoreSecret([0x5E; 16]));
    Snapshot { epoch: Epoch(1), rules: RULES, secret, ..Snapshot::default() }
}

/// A state with its memory, and a clock that ticks once a command.
#[derive(Clone)]
pub(super) struct World {
    pub(super) state: State,
    memory: Memory,
    pub(super) now: u64,
}

impl World {
    pub(super) fn new() -> Self {
        let state = State::restore(blank()).unwrap();
        Self { state, memory: Memory::default(), now: 1000 }
    }

    pub(super) fn run(&mut self, action: Action) -> Decision {
        self.now += 1;
        let sender = match &action {
            Action::Post { account, .. } => *account,
            _ => AccountId(0),
        };
        let unchanged = self.state.answer_without_change(&action);
        let command = Command { ts: Timestamp(self.now), action };
        let applied = self.state.apply(command, &self.memory).unwrap();
        applied.assert_agrees_with(unchanged);
        self.memory.keep(sender, &applied);
        applied
    }

    /// Time passes.
    pub(super) fn pass(&mut self, ms: u64) {
        self.now += ms;
    }

    /// When the last command was.
    pub(super) fn now(&self) -> u64 {
        self.now
    }

    /// The next command is at this time, whether the clock goes on or back.
    pub(super) fn advance_to(&mut self, ts: u64) {
        self.now = ts - 1;
    }

    /// An account under a key of its own.
    pub(super) fn account(&mut self, name: &str) -> AccountId {
        let mut key = [0xEE; 32];
        key[..name.len()].copy_from_slice(name.as_bytes());
        let credential = Credential::Key(chat_proto::PublicKey(key));
        let name = Nickname::parse(name).map(|name| Box::new(name.into()));
        let (registration, invitation) = (crate::Registration::Open, None);
        let sign_in =
            Action::SignIn { credential, name, name_is_firm: true, registration, invitation };
        match self.run(sign_in).answer {
            Ok(Answer::SignedIn(account)) => account,
            other => panic!("{other:?}"),
        }
    }

    pub(super) fn sign_in(
        &mut self,
        key: u8,
        name: &str,
        firm: bool,
    ) -> Result<AccountId, Refusal> {
        let (credential, name) = (key_numbered(key), Nickname::parse(name));
        match self
            .run(Action::SignIn {
                credential,
                name: name.map(|name| Box::new(name.into())),
                name_is_firm: firm,
                registration: crate::Registration::Open,
                invitation: None,
            })
            .answer?
        {
            Answer::SignedIn(account) => Ok(account),
            other => panic!("{other:?}"),
        }
    }

    pub(super) fn join(&mut self, account: AccountId, name: &str) -> Result<RoomId, Refusal> {
        match self.run(Action::Join { account, name: room_name(name).into() }).answer? {
            Answer::Room(room) => Ok(room),
            other => panic!("{other:?}"),
        }
    }

    pub(super) fn send(
        &mut self,
        account: AccountId,
        n: u64,
        room: RoomId,
        text: &str,
    ) -> Decision {
        self.post(account, n, room, PostBody::Text(TextBody::say(text)))
    }

    pub(super) fn post(
        &mut self,
        account: AccountId,
        n: u64,
        room: RoomId,
        body: PostBody,
    ) -> Decision {
        let nonce = Nonce { stream: StreamId([7; 16]), n };
        let held = self.state.account_of.iter().find(|(_credential, of)| **of == account);
        let credential = *held.expect("an account has a credential").0;
        self.run(Action::Post { account, credential: credential.id(), nonce, room, body })
    }

    fn name_of(&self, account: AccountId) -> String {
        self.state.accounts[&account].name.to_string()
    }
}

pub(super) fn key_numbered(number: u8) -> Credential {
    Credential::Key(chat_proto::PublicKey([number; 32]))
}

fn room_name(name: &str) -> RoomName {
    RoomName::parse(name).unwrap()
}

fn nick(name: &str) -> Nickname {
    Nickname::parse(name).unwrap()
}

pub(super) fn contents(applied: &Decision) -> Vec<&Content> {
    applied.events.iter().map(|event| &event.content).collect()
}

#[test]
fn the_first_key_to_claim_a_name_has_it() {
    let mut world = World::new();
    let ada = world.sign_in(1, "ada", true).unwrap();
    assert_eq!(world.sign_in(1, "somebody", true), Ok(ada), "a known key keeps its account");
    let taken = world.sign_in(2, "ADA", true).unwrap_err();
    assert_eq!(taken.code(), ErrorCode::NameTaken);
    assert!(taken.to_string().contains("ada"), "{taken}");
    let second = world.sign_in(2, "ada", false).unwrap();
    let third = world.sign_in(3, "ada", false).unwrap();
    assert_eq!((world.name_of(second), world.name_of(third)), ("ada-2".into(), "ada-3".into()));
    assert_eq!(world.sign_in(4, "a b", false).unwrap_err().code(), ErrorCode::BadName);
}

#[test]
fn nobody_is_called_as_the_program_calls_itself() {
    let mut world = World::new();
    let refused = world.sign_in(1, "ѕystem", true).unwrap_err();
    assert_eq!(refused.code(), ErrorCode::BadName);
    let renamed = world.sign_in(1, "admin", false).unwrap();
    assert_eq!(world.name_of(renamed), "admin-2");
    let rename = Action::Rename { account: renamed, name: nick("You").into(), is_reserved: true };
    assert_eq!(world.run(rename).answer.unwrap_err().code(), ErrorCode::BadName);
}

#[test]
fn a_crowd_that_wishes_for_one_name_gets_as_many() {
    let mut world = World::new();
    let crowd: Vec<_> = (1..=250).map(|key| world.sign_in(key, "ada", false).unwrap()).collect();
    let names: std::collections::BTreeSet<_> =
        crowd.iter().map(|account| world.name_of(*account)).collect();
    assert_eq!(names.len(), crowd.len());
    let number = |account: &AccountId| -> u64 {
        let name = world.name_of(*account);
        name.strip_prefix("ada-").map_or(1, |number| number.parse().unwrap())
    };
    let numbers: Vec<u64> = crowd.iter().map(number).collect();
    assert!(numbers[..99].iter().copied().eq(1..100), "{numbers:?}");
    // Behind the small numbers nobody looks through all that are taken, and none tells how many.
    let rising = numbers[99..].windows(2).filter(|pair| pair[0] < pair[1]).count();
    assert!((30..120).contains(&rising), "{numbers:?}");
}

#[test]
fn a_long_name_is_cut_where_its_number_needs_room() {
    let mut world = World::new();
    let longest = "x".repeat(32);
    world.sign_in(1, &longest, true).unwrap();
    let second = world.sign_in(2, &longest, false).unwrap();
    assert_eq!(world.name_of(second), format!("{}-2", "x".repeat(24)));
    let wide = "\u{1F1}".repeat(32);
    world.sign_in(3, &wide, true).unwrap();
    let second = world.sign_in(4, &wide, false).unwrap();
    assert!(world.name_of(second).len() <= 128);
}

#[test]
fn a_room_is_there_once_somebody_joins_it_and_joining_again_changes_nothing() {
    let mut world = World::new();
    let ada = world.sign_in(1, "ada", true).unwrap();
    let applied = world.run(Action::Join { account: ada, name: room_name("Ops").into() });
    let Ok(Answer::Room(room)) = applied.answer else { panic!("{applied:?}") };
    let expected = [
        Content::RoomCreated { by: Some(ada), name: RoomName::parse("Ops").unwrap().into() },
        Content::Joined { account: ada },
        Content::RoomJoined { room },
    ];
    assert_eq!(contents(&applied), expected.iter().collect::<Vec<_>>());
    let logs: Vec<_> = applied.events.iter().map(|event| (event.log.0, event.seq.0)).collect();
    assert_eq!(logs, [(room.0, 1), (room.0, 2), (ada.0, 2)]);
    let again = world.run(Action::Join { account: ada, name: room_name("oPS").into() });
    assert_eq!((again.answer, again.events.len()), (Ok(Answer::Room(room)), 0));
    assert_eq!(world.join(ada, "0ps").unwrap_err().code(), ErrorCode::NameTaken);
}

#[test]
fn only_members_speak_and_leaving_ends_it() {
    let mut world = World::new();
    let ada = world.sign_in(1, "ada", true).unwrap();
    let eve = world.sign_in(2, "eve", true).unwrap();
    let room = world.join(ada, "ops").unwrap();
    let refused = world.send(eve, 1, room, "hello");
    assert_eq!(refused.answer.unwrap_err().code(), ErrorCode::NotMember);
    assert!(refused.events.is_empty());
    world.join(eve, "ops").unwrap();
    let hello = PostBody::Text(TextBody::say("hello")).after_refused(1);
    assert!(world.post(eve, 2, room, hello).answer.is_ok());
    assert_eq!(world.run(Action::Leave { account: eve, room }).events.len(), 2);
    assert_eq!(world.run(Action::Leave { account: eve, room }).events.len(), 0);
    let refused = world.send(eve, 3, room, "hello again");
    assert_eq!(refused.answer.unwrap_err().code(), ErrorCode::NotMember);
}

#[test]
fn another_name_is_one_event_however_many_rooms_the_account_is_in() {
    let mut world = World::new();
    let ada = world.sign_in(1, "ada", true).unwrap();
    world.sign_in(2, "eve", true).unwrap();
    for room in ["ops", "dev"] {
        world.join(ada, room).unwrap();
    }
    let rename =
        |name: &str| Action::Rename { account: ada, name: nick(name).into(), is_reserved: false };
    assert_eq!(world.run(rename("\u{435}ve")).answer.unwrap_err().code(), ErrorCode::NameTaken);
    let applied = world.run(rename("Ada"));
    assert_eq!(applied.answer, Ok(Answer::Done));
    let logs: Vec<_> = applied.events.iter().map(|event| event.log).collect();
    assert_eq!(logs, [ada.into()]);
    assert!(world.run(rename("Ada")).events.is_empty());
    world.run(rename("zoe"));
    assert!(world.sign_in(3, "ada", true).is_ok(), "the old name is free");
}

#[test]
fn two_names_that_collide_are_not_restored() {
    let account = |id: u64, name: &str| AccountRow::new(AccountId(id), nick(name).into(), Seq(1));
    let accounts = vec![account(1, "paypal"), account(2, "p\u{430}ypal")];
    let refused = State::restore(Snapshot { accounts, ..Snapshot::default() }).unwrap_err();
    let said = refused.to_string();
    assert!(said.contains("\"paypal\"") && said.contains("\"p\u{430}ypal\""), "{said}");

    let room = |id: u64, name: &str| RoomRow::new(RoomId(id), room_name(name).into(), Seq(1));
    let rooms = vec![room(1, "ops"), room(2, "0PS")];
    let refused = State::restore(Snapshot { rooms, ..Snapshot::default() }).unwrap_err();
    let said = refused.to_string();
    assert!(said.contains("\"ops\"") && said.contains("\"0PS\""), "{said}");
}

#[test]
fn a_clock_that_was_ahead_holds_up_the_logs_that_it_stamped_and_no_other() {
    let mut world = World::new();
    let ada = world.sign_in(1, "ada", true).unwrap();
    let join = |name: &str| Action::Join { account: ada, name: room_name(name).into() };
    world.run(join("before"));
    let then = world.now;
    world.now = 1_000_000;
    world.run(join("ahead"));
    world.now = then;
    let times_of = |applied: &Decision, log: LogId| -> Vec<u64> {
        applied.events.iter().filter(|event| event.log == log).map(|event| event.ts.0).collect()
    };
    // In its own log she joined a room while the clock was ahead.
    let applied = world.run(join("after"));
    assert_eq!(times_of(&applied, ada.into()), [1_000_001]);
    let room = applied.events.iter().find(|event| event.log != ada.into()).unwrap();
    assert_eq!(times_of(&applied, room.log), [world.now; 2], "the new room has the right time");

    // Whoever restores the state from the store knows the same.
    world.state.floors.clear();
    let bob = world.sign_in(2, "bob", true).unwrap();
    let ahead = Action::Join { account: bob, name: room_name("ahead").into() };
    let applied = world.run(ahead);
    assert_eq!(times_of(&applied, bob.into()).last(), Some(&world.now));
    let held = applied.events.iter().find(|event| event.log != bob.into()).unwrap();
    assert_eq!(held.ts, Timestamp(1_000_001), "no log goes back");

    // The clock has caught up.
    world.now = 2_000_000;
    let before = Action::Join { account: bob, name: room_name("before").into() };
    assert!(world.run(before).events.iter().all(|event| event.ts.0 == world.now));
    let latest = world.now;
    world.now = 3_000_000;
    assert!(world.run(Action::Leave { account: bob, room: RoomId(77) }).events.is_empty());
    assert_eq!(world.state.last_ts().0, latest, "a command without an event is none");
}
