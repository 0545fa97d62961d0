//! Programs: who makes them, what their tokens are for, and how they end.

#![expect(clippy::wildcard_enum_match_arm, reason = "a test that meets another variant fails")]

use chat_proto::{Nonce, RoomName, StreamId, TextBody, TokenId};

use super::super::tests::World;
use super::*;
use crate::{Action, Decision, OPERATOR, PostBody};

const NEVER: Timestamp = Timestamp(0);

fn token(byte: u8) -> Credential {
    Credential::Token(TokenId([byte; 32]))
}

fn order(by: AccountId, byte: u8, can: &str, expires: Timestamp, rooms: &[&str]) -> Action {
    let named = |room: &&str| RoomName::parse(room).unwrap().into();
    Action::CreateBot(Box::new(BotOrder {
        by,
        token: TokenId([byte; 32]),
        name: Nickname::parse(&format!("ci-{byte}")).unwrap().into(),
        is_reserved: false,
        scope: BotScope::of_words(can, expires).unwrap(),
        rooms: rooms.iter().map(named).collect(),
    }))
}

fn sign_in(world: &mut World, byte: u8) -> Result<AccountId, Refusal> {
    let name = Nickname::parse("whoever").map(|name| Box::new(name.into()));
    let action = Action::SignIn {
        credential: token(byte),
        name,
        name_is_firm: false,
        registration: crate::Registration::Open,
        invitation: None,
    };
    match world.run(action).answer? {
        Answer::SignedIn(account) => Ok(account),
        other => panic!("{other:?}"),
    }
}

fn send(world: &mut World, account: AccountId, byte: u8, n: u64, room: RoomId) -> Decision {
    let (nonce, body) = (Nonce { stream: StreamId([byte; 16]), n }, TextBody::say("done"));
    let (credential, body) = (token(byte).id(), PostBody::Text(body));
    world.run(Action::Post { account, credential, nonce, room, body })
}

/// Ada in two rooms, and a program in one of them.
fn with_bot(can: &str, expires: Timestamp) -> (World, AccountId, [RoomId; 2], AccountId) {
    let mut world = World::new();
    let ada = world.sign_in(1, "ada", true).unwrap();
    let rooms = ["ci", "ops"].map(|room| world.join(ada, room).unwrap());
    assert_eq!(world.run(order(OPERATOR, 7, can, expires, &["ci", "CI"])).answer, Ok(Answer::Done));
    let bot = sign_in(&mut world, 7).unwrap();
    (world, ada, rooms, bot)
}

#[test]
fn a_token_signs_in_to_its_own_account_and_to_none_when_it_is_none() {
    let (mut world, ada, _rooms, bot) = with_bot("send,read", NEVER);
    assert_ne!(bot, ada);
    assert_eq!(sign_in(&mut world, 7), Ok(bot));
    assert_eq!(sign_in(&mut world, 8), Err(Refusal::BadToken), "it makes no account");
    let again = world.run(order(OPERATOR, 7, "send", NEVER, &[])).answer;
    assert!(matches!(again, Err(Refusal::NameTaken { .. })), "{again:?}");
    let by_ada = world.run(order(ada, 9, "send", NEVER, &[])).answer;
    assert_eq!(by_ada, Err(Refusal::OutOfScope { what: "make tokens" }));
    let nowhere = world.run(order(OPERATOR, 9, "send", NEVER, &["nowhere"])).answer;
    assert!(matches!(nowhere, Err(Refusal::UnknownRoom { .. })), "{nowhere:?}");
}

#[test]
fn a_program_does_what_its_token_is_for_where_it_was_put_and_no_more() {
    let (mut world, _ada, [ci, ops], bot) = with_bot("send,read", NEVER);
    assert!(send(&mut world, bot, 7, 1, ci).answer.is_ok());
    let elsewhere = send(&mut world, bot, 7, 2, ops).answer;
    assert!(matches!(elsewhere, Err(Refusal::StreamBound { .. } | Refusal::UnknownRoom { .. })));
    let access = world.state.access(bot);
    assert!(access.can_read(ci.into()).is_ok() && access.knows_of(ops).is_err());
    assert_eq!(access.rooms_after(RoomId(0)).count(), 1);
    for room in ["ops", "another"] {
        let joined = world.join(bot, room);
        assert_eq!(joined, Err(Refusal::OutOfScope { what: "join rooms" }), "{room}");
    }
    let name = Nickname::parse("system-ci").unwrap().into();
    let asks = [
        Action::Rename { account: bot, name, is_reserved: false },
        Action::OpenLink { account: bot, code: chat_proto::LinkCodeHash([1; 32]) },
        Action::RevokeCredential { account: bot, credential: token(7).id() },
    ];
    for action in asks {
        let refused = world.run(action).answer;
        assert!(matches!(refused, Err(Refusal::OutOfScope { .. })), "{refused:?}");
    }
}

#[test]
fn one_that_only_sends_reads_nothing_and_one_that_only_reads_sends_nothing() {
    let (mut world, _ada, [ci, _ops], bot) = with_bot("send", NEVER);
    assert!(send(&mut world, bot, 7, 1, ci).answer.is_ok());
    assert!(world.state.access(bot).can_read(ci.into()).is_err());
    assert!(world.state.access(bot).can_read(bot.into()).is_ok(), "but its own log");
    let (mut world, _ada, [ci, _ops], bot) = with_bot("read", NEVER);
    let refused = send(&mut world, bot, 7, 1, ci).answer;
    assert_eq!(refused, Err(Refusal::OutOfScope { what: "send" }));
    assert!(world.state.access(bot).can_read(ci.into()).is_ok());
}

#[test]
fn a_token_ends_and_a_revoked_one_is_told_alike() {
    let (mut world, _ada, [ci, _ops], bot) = with_bot("send", Timestamp(100_000));
    world.pass(200_000);
    assert_eq!(send(&mut world, bot, 7, 1, ci).answer, Err(Refusal::BadToken));
    assert_eq!(sign_in(&mut world, 7), Err(Refusal::BadToken));
    assert_eq!(world.state.expired_bots(Timestamp(100_000)).collect::<Vec<_>>(), [bot]);
    assert_eq!(world.state.expired_bots(Timestamp(99_999)).count(), 0);

    let (mut world, ada, [ci, _ops], bot) = with_bot("send", NEVER);
    let name = || Nickname::parse("ci-7").unwrap().into();
    let by_ada = world.run(Action::RevokeToken { by: ada, name: name() }).answer;
    assert!(matches!(by_ada, Err(Refusal::OutOfScope { .. })), "{by_ada:?}");
    let of_ada = Nickname::parse("ada").unwrap().into();
    let of_ada = world.run(Action::RevokeToken { by: OPERATOR, name: of_ada }).answer;
    assert!(matches!(of_ada, Err(Refusal::UnknownBot { .. })), "{of_ada:?}");
    let revoked = world.run(Action::RevokeToken { by: OPERATOR, name: name() });
    assert_eq!(revoked.answer, Ok(Answer::Done));
    assert_eq!(sign_in(&mut world, 7), Err(Refusal::BadToken));
    assert_eq!(send(&mut world, bot, 7, 1, ci).answer, Err(Refusal::CredentialRevoked));
}

#[test]
fn programs_are_restored_as_they_were() {
    let (world, ..) = with_bot("send,read", Timestamp(9_000_000));
    assert_eq!(State::restore(world.state.snapshot()).unwrap(), world.state);
}

#[test]
fn a_program_owns_no_room_and_keeps_no_order() {
    let (mut world, ada, [ci, _ops], bot) = with_bot("send,read", NEVER);
    let eve = world.sign_in(9, "eve", true).unwrap();
    let give = |role| Action::ChangeRoom {
        account: ada,
        room: ci,
        change: crate::RoomChange::Role { account: bot, role },
    };
    for role in [chat_proto::Role::Moderator, chat_proto::Role::Owner] {
        let refused = world.run(give(role)).answer;
        assert!(matches!(refused, Err(Refusal::OutOfScope { .. })), "{refused:?}");
    }
    // Nobody else is left: it is the next person's.
    world.send(ada, 1, ci, "so long").answer.unwrap();
    world.run(Action::Leave { account: ada, room: ci }).answer.unwrap();
    assert_eq!(world.state.rooms[&ci].owners().next(), None);
    let name = world.state.rooms[&ci].name.to_string();
    world.join(eve, &name).unwrap();
    assert!(world.state.rooms[&ci].owners().eq([eve]));
}
