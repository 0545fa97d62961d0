//! Who may give which role to whom, and who owns a room whose owner goes.

use chat_proto::{ErrorCode, Role};

use super::tests::World;
use super::*;
use crate::{Content, Event, RoomChange};

const ROLES: [Role; 3] = [Role::Member, Role::Moderator, Role::Owner];

/// A room of these, the first of whom made it.
fn room_of<const N: usize>(names: [&str; N]) -> (World, RoomId, [AccountId; N]) {
    let mut world = World::new();
    let mut key = 0;
    let accounts = names.map(|name| {
        key += 1;
        world.sign_in(key, name, true).unwrap()
    });
    let room = accounts.map(|account| world.join(account, "den").unwrap())[0];
    (world, room, accounts)
}

fn give(by: AccountId, room: RoomId, account: AccountId, role: Role) -> Action {
    Action::ChangeRoom { account: by, room, change: RoomChange::Role { account, role } }
}

fn set(world: &mut World, by: AccountId, room: RoomId, account: AccountId, role: Role) {
    let given = world.run(give(by, room, account, role));
    assert_eq!(given.answer, Ok(Answer::Done), "{by} makes {account} {role}");
}

fn refusal_of(
    world: &mut World,
    by: AccountId,
    room: RoomId,
    account: AccountId,
    role: Role,
) -> ErrorCode {
    let refused = world.run(give(by, room, account, role));
    assert!(refused.events.is_empty(), "{refused:?}");
    refused.answer.expect_err("it is not allowed").code()
}

fn role_of(world: &World, room: RoomId, account: AccountId) -> Option<Role> {
    world.state.rooms[&room].role_of(account)
}

fn leave(world: &mut World, account: AccountId, room: RoomId) -> Vec<Content> {
    let left = world.run(Action::Leave { account, room });
    left.events.into_iter().map(|event| event.content).collect()
}

#[test]
fn whoever_makes_a_room_owns_it_and_others_are_members() {
    let (world, room, [ada, bob]) = room_of(["ada", "bob"]);
    assert_eq!(role_of(&world, room, ada), Some(Role::Owner));
    assert_eq!(role_of(&world, room, bob), Some(Role::Member));
    assert_eq!(role_of(&world, room, AccountId(7)), None);
}

#[test]
fn an_owner_gives_any_role_and_the_event_says_who_to_whom_and_which() {
    let (mut world, room, [ada, bob]) = room_of(["ada", "bob"]);
    for role in [Role::Moderator, Role::Owner, Role::Member] {
        let given = world.run(give(ada, room, bob, role));
        let event = Content::RoleSet { by: Some(ada), account: bob, role };
        assert_eq!(given.events.iter().map(|event| &event.content).collect::<Vec<_>>(), [&event]);
        assert_eq!(given.events[0].log, room.into());
        assert_eq!(role_of(&world, room, bob), Some(role));
        let again = world.run(give(ada, room, bob, role));
        assert_eq!((again.events, again.answer), (vec![], Ok(Answer::Done)), "nothing to change");
    }
}

/// What the rules say, in other words than those of the code.
fn is_allowed(own: Role, held: Role, role: Role) -> bool {
    match own {
        Role::Owner => true,
        // Only what they have already: nothing changes.
        Role::Moderator => (held, role) == (Role::Member, Role::Member),
        Role::Member => false,
    }
}

#[test]
fn every_role_of_the_giver_meets_every_role_that_is_held_and_every_one_that_is_given() {
    for own in ROLES {
        for held in ROLES {
            for role in ROLES {
                let (mut world, room, [ada, bob, eve]) = room_of(["ada", "bob", "eve"]);
                set(&mut world, ada, room, bob, own);
                set(&mut world, ada, room, eve, held);
                let given = world.run(give(bob, room, eve, role));
                let allowed = is_allowed(own, held, role);
                assert_eq!(given.answer.is_ok(), allowed, "{own} gives {held} {role}: {given:?}");
                let refused = given.answer.err().map(|why| why.code());
                assert!(refused.is_none_or(|code| code == ErrorCode::RoleTooLow), "{refused:?}");
                let now = if allowed { role } else { held };
                assert_eq!(role_of(&world, room, eve), Some(now));
            }
        }
    }
}

#[test]
fn everybody_can_step_down_and_nobody_up_but_the_only_owner_stays() {
    let (mut world, room, [ada, bob]) = room_of(["ada", "bob"]);
    assert_eq!(refusal_of(&mut world, bob, room, bob, Role::Moderator), ErrorCode::RoleTooLow);
    assert_eq!(refusal_of(&mut world, ada, room, ada, Role::Moderator), ErrorCode::LastOwner);
    set(&mut world, ada, room, bob, Role::Owner);
    set(&mut world, ada, room, ada, Role::Moderator);
    assert_eq!(refusal_of(&mut world, ada, room, ada, Role::Owner), ErrorCode::RoleTooLow);
    set(&mut world, ada, room, ada, Role::Member);
    assert_eq!(refusal_of(&mut world, bob, room, bob, Role::Member), ErrorCode::LastOwner);
}

#[test]
fn whoever_is_not_in_the_room_gives_and_gets_nothing() {
    let (mut world, room, [ada, bob, eve]) = room_of(["ada", "bob", "eve"]);
    set(&mut world, ada, room, eve, Role::Owner);
    leave(&mut world, eve, room);
    assert_eq!(refusal_of(&mut world, eve, room, bob, Role::Member), ErrorCode::NotMember);
    assert_eq!(refusal_of(&mut world, eve, room, eve, Role::Member), ErrorCode::NotMember);
    assert_eq!(refusal_of(&mut world, ada, room, eve, Role::Moderator), ErrorCode::NoSuchMember);
    assert_eq!(
        refusal_of(&mut world, ada, room, AccountId(7), Role::Owner),
        ErrorCode::NoSuchMember
    );
    world.join(eve, "den").unwrap();
    assert_eq!(role_of(&world, room, eve), Some(Role::Member), "a role goes with the membership");
    let nowhere = refusal_of(&mut world, ada, RoomId(7), bob, Role::Member);
    assert_eq!(nowhere, ErrorCode::UnknownRoom);
}

#[test]
fn when_the_last_owner_goes_the_oldest_moderator_owns_the_room() {
    let (mut world, room, [ada, bob, eve, ida]) = room_of(["ada", "bob", "eve", "ida"]);
    for moderator in [ida, bob, eve] {
        set(&mut world, ada, room, moderator, Role::Moderator);
    }
    // Whoever becomes one again is the youngest.
    set(&mut world, ada, room, ida, Role::Member);
    set(&mut world, ada, room, ida, Role::Moderator);
    let left = leave(&mut world, ada, room);
    let heir = Content::RoleSet { by: None, account: bob, role: Role::Owner };
    assert_eq!(left, [Content::Left { account: ada }, heir, Content::RoomLeft { room }]);
    // It is the same after a start: the order is part of what is stored.
    let after_start = State::restore(world.state.snapshot()).unwrap();
    assert_eq!(after_start, world.state);
    world.state = after_start;
    let left = leave(&mut world, bob, room);
    assert!(left.contains(&Content::RoleSet { by: None, account: eve, role: Role::Owner }));
    assert_eq!(role_of(&world, room, eve), Some(Role::Owner));
}

#[test]
fn while_another_owner_stays_nobody_inherits_and_without_moderators_somebody_does() {
    let (mut world, room, [ada, bob, eve]) = room_of(["ada", "bob", "eve"]);
    set(&mut world, ada, room, bob, Role::Owner);
    let left = leave(&mut world, ada, room);
    assert_eq!(left, [Content::Left { account: ada }, Content::RoomLeft { room }]);
    let left = leave(&mut world, bob, room);
    assert!(left.contains(&Content::RoleSet { by: None, account: eve, role: Role::Owner }));
    // The last of all leaves it to nobody; whoever comes then finds no owner.
    world.send(eve, 1, room, "so long").answer.unwrap();
    leave(&mut world, eve, room);
    assert!(world.state.rooms[&room].roles.is_empty());
    world.join(ada, "den").unwrap();
    assert_eq!(role_of(&world, room, ada), Some(Role::Owner), "nothing strands a room");
}

#[test]
fn a_room_of_the_daemon_has_no_owner_and_gets_none() {
    let mut world = World::new();
    let ada = world.sign_in(1, "ada", true).unwrap();
    let bob = world.sign_in(2, "bob", true).unwrap();
    let room = RoomId(9);
    let name = chat_proto::RoomName::parse("lobby").unwrap().into();
    let content = Content::RoomCreated { by: None, name };
    world.state.evolve(&Event { log: room.into(), seq: Seq(1), ts: Timestamp(1), content });
    world.join(ada, "lobby").unwrap();
    world.join(bob, "lobby").unwrap();
    assert_eq!(role_of(&world, room, ada), Some(Role::Member));
    assert_eq!(refusal_of(&mut world, ada, room, bob, Role::Moderator), ErrorCode::RoleTooLow);
    let left = leave(&mut world, ada, room);
    assert_eq!(left, [Content::Left { account: ada }, Content::RoomLeft { room }]);
}

#[test]
fn a_moderator_acts_on_those_below_and_owners_on_each_other() {
    let (mut world, room, [ada, bob, eve, ida]) = room_of(["ada", "bob", "eve", "ida"]);
    set(&mut world, ada, room, bob, Role::Moderator);
    set(&mut world, ada, room, eve, Role::Moderator);
    let stranger = AccountId(7);
    let may = |world: &World, by, target| {
        let asked = world.state.access(by).can_moderate(room, target);
        asked.map(|_room| ()).map_err(|why| why.code())
    };
    for (by, target, allowed) in [
        (ada, bob, true),
        (ada, stranger, true),
        (bob, ida, true),
        (bob, stranger, true),
        (bob, eve, false),
        (bob, ada, false),
        (bob, bob, false),
        (ada, ada, false),
        (ida, stranger, false),
    ] {
        let expected = if allowed { Ok(()) } else { Err(ErrorCode::RoleTooLow) };
        assert_eq!(may(&world, by, target), expected, "{by} acts on {target}");
    }
    set(&mut world, ada, room, ida, Role::Owner);
    assert_eq!((may(&world, ada, ida), may(&world, ida, ada)), (Ok(()), Ok(())));
    leave(&mut world, bob, room);
    assert_eq!(may(&world, bob, stranger), Err(ErrorCode::NotMember));
}
