//! Rooms that go with their last member, and those that stay.

use chat_proto::{ErrorCode, Role, RoomName};

use super::test_memory::Memory;
use super::tests::{World, key_numbered};
use super::*;
use crate::{Content, Named};

fn leave(world: &mut World, account: AccountId, room: RoomId) -> Vec<Content> {
    let left = world.run(Action::Leave { account, room });
    assert_eq!(left.answer, Ok(Answer::Done));
    left.events.into_iter().map(|event| event.content).collect()
}

fn is_there(world: &World, room: RoomId) -> bool {
    world.state.rooms.contains_key(&room)
}

/// A start: the state becomes what a store says of it.
fn restored(state: &State) -> State {
    State::restore(state.snapshot()).unwrap()
}

#[test]
fn a_room_goes_with_its_last_member_when_nothing_was_ever_said() {
    let mut world = World::new();
    let [ada, bob] = [(1, "ada"), (2, "bob")].map(|(key, name)| world.sign_in(key, name, true));
    let (ada, bob) = (ada.unwrap(), bob.unwrap());
    let den = world.join(ada, "den").unwrap();
    assert_eq!(world.join(bob, "DEN"), Ok(den));
    let left = leave(&mut world, ada, den);
    let owned = Content::RoleSet { by: None, account: bob, role: Role::Owner };
    assert_eq!(left, [Content::Left { account: ada }, owned, Content::RoomLeft { room: den }]);
    assert!(is_there(&world, den), "somebody is in it");
    let left = leave(&mut world, bob, den);
    let gone = Content::RoomRemoved {};
    let expected = [Content::Left { account: bob }, gone, Content::RoomLeft { room: den }];
    assert_eq!(left, expected, "the newest event is none of the room's");
    assert!(!is_there(&world, den) && world.state.rooms.is_empty());
    assert!(world.state.room_names.holder(&Named::from(room_name("den")).keys).is_none());
    assert!(world.state.heads().all(|(log, _head)| log != den.into()));

    let again = world.run(Action::Leave { account: bob, room: den });
    assert_eq!(again.answer.unwrap_err().code(), ErrorCode::UnknownRoom);
    let refused = world.send(bob, 1, den, "hello?");
    assert_eq!(refused.answer.unwrap_err().code(), ErrorCode::UnknownRoom);
    let anew = world.join(ada, "dEn").unwrap();
    assert_ne!(anew, den, "it is another room");
    assert_eq!(world.state.rooms[&anew].head, Seq(2));
}

#[test]
fn a_room_in_which_something_was_said_stays_also_after_a_start() {
    let mut world = World::new();
    let ada = world.sign_in(1, "ada", true).unwrap();
    let den = world.join(ada, "den").unwrap();
    world.send(ada, 1, den, "hello").answer.unwrap();
    let after_start = restored(&world.state);
    assert_eq!(after_start, world.state);
    world.state = after_start;
    leave(&mut world, ada, den);
    assert!(is_there(&world, den));
    assert_eq!(world.join(ada, "den"), Ok(den));
}

#[test]
fn what_was_refused_was_not_said() {
    let mut world = World::new();
    let ada = world.sign_in(1, "ada", true).unwrap();
    let den = world.join(ada, "den").unwrap();
    world.send(ada, 1, den, "").answer.unwrap_err();
    leave(&mut world, ada, den);
    assert!(!is_there(&world, den));
}

#[test]
fn the_room_of_the_daemon_stays() {
    let mut state = State::restore(Snapshot::default()).unwrap();
    let memory = Memory::default();
    let (secret, lobby) = (StoreSecret([1; 16]), room_name("lobby"));
    let mut now = 1;
    let mut run = |state: &mut State, action| {
        now += 1;
        state.apply(Command { ts: Timestamp(now), action }, &memory).unwrap().answer.unwrap()
    };
    run(&mut state, Action::Genesis { epoch: Epoch(7), secret, lobby: lobby.clone().into() });
    let credential = key_numbered(1);
    let name = Ok(Box::new(chat_proto::Nickname::parse("ada").unwrap().into()));
    let signed_in = run(
        &mut state,
        Action::SignIn {
            credential,
            name,
            name_is_firm: false,
            registration: crate::Registration::Open,
            invitation: None,
        },
    );
    let Answer::SignedIn(account) = signed_in else { panic!("{signed_in:?}") };
    let joined = run(&mut state, Action::Join { account, name: lobby.into() });
    let Answer::Room(room) = joined else { panic!("{joined:?}") };
    let mut state = restored(&state);
    run(&mut state, Action::Leave { account, room });
    assert!(state.rooms.contains_key(&room));
}

#[test]
fn no_id_is_given_twice_also_when_the_room_with_the_newest_is_gone() {
    let mut world = World::new();
    let ada = world.sign_in(1, "ada", true).unwrap();
    let mut given = vec![ada.0];
    for turn in 0..20 {
        let room = world.join(ada, "den").unwrap();
        assert!(!given.contains(&room.0), "{room} was given before");
        given.push(room.0);
        leave(&mut world, ada, room);
        if turn % 2 == 0 {
            let after_start = restored(&world.state);
            assert_eq!(after_start, world.state);
            world.state = after_start;
        }
    }
}

#[test]
fn a_room_with_a_long_log_stays() {
    let mut world = World::new();
    let ada = world.sign_in(1, "ada", true).unwrap();
    let bob = world.sign_in(2, "bob", true).unwrap();
    let den = world.join(ada, "den").unwrap();
    while world.state.rooms[&den].head.0 <= 1_000 {
        world.join(bob, "den").unwrap();
        leave(&mut world, bob, den);
    }
    leave(&mut world, ada, den);
    assert!(is_there(&world, den), "too much would be deleted with one commit");
    assert_eq!(world.join(bob, "den"), Ok(den));
}

#[test]
fn rooms_that_come_and_go_take_no_memory() {
    let mut world = World::new();
    let ada = world.sign_in(1, "ada", true).unwrap();
    // A clock that is behind: floors are kept.
    let ahead = Command { ts: Timestamp(1 << 40), action: rename(ada, "ida") };
    world.state.apply(ahead, &Memory::default()).unwrap();
    for turn in 0..500 {
        let room = world.join(ada, &format!("room-{}", turn % 7)).unwrap();
        leave(&mut world, ada, room);
    }
    let State { rooms, floors, accounts, .. } = &world.state;
    assert!(rooms.is_empty() && floors.len() <= 1 && accounts[&ada].rooms.len() == 0);
    let names = [0, 3, 6].map(|turn| room_name(&format!("room-{turn}")));
    let is_free = |name: RoomName| world.state.room_names.holder(&Named::from(name).keys).is_none();
    assert!(names.into_iter().all(is_free));
}

fn rename(account: AccountId, name: &str) -> Action {
    let name = chat_proto::Nickname::parse(name).unwrap().into();
    Action::Rename { account, name, is_reserved: false }
}

fn room_name(name: &str) -> RoomName {
    RoomName::parse(name).unwrap()
}
