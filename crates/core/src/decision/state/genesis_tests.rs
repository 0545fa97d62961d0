//! What the beginning brings: all that is drawn at random comes with it.

use chat_proto::{Nickname, Nonce, RoomName, StreamId, TextBody};

use super::test_memory::Memory;
use super::tests::{blank, key_numbered};
use super::*;
use crate::{Genesis, PostBody};

fn genesis(epoch: u64, secret: u8) -> Action {
    let lobby = RoomName::parse("lobby").unwrap();
    Action::Genesis { epoch: Epoch(epoch), secret: StoreSecret([secret; 16]), lobby: lobby.into() }
}

/// What logs come to that begin with this, and in which Ada then says something.
fn run(mut state: State, genesis: Action) -> (State, Vec<Decision>) {
    let mut memory = Memory::default();
    let mut all = Vec::new();
    let mut apply = |state: &mut State, action| {
        let applied = state.apply(Command { ts: Timestamp(7), action }, &memory).unwrap();
        memory.keep(AccountId(0), &applied);
        all.push(applied.clone());
        applied.answer.unwrap()
    };
    apply(&mut state, genesis);
    let (credential, name) = (key_numbered(1), Nickname::parse("ada"));
    let ada = apply(
        &mut state,
        Action::SignIn {
            credential,
            name: name.map(|name| Box::new(name.into())),
            name_is_firm: true,
            registration: crate::Registration::Open,
            invitation: None,
        },
    );
    let Answer::SignedIn(account) = ada else { panic!("she is let in: {ada:?}") };
    let name = RoomName::parse("ops").unwrap();
    let ops = apply(&mut state, Action::Join { account, name: name.into() });
    let Answer::Room(room) = ops else { panic!("it is made: {ops:?}") };
    let (nonce, body) = (Nonce { stream: StreamId([7; 16]), n: 1 }, TextBody::say("hi"));
    let body = PostBody::Text(body);
    apply(&mut state, Action::Post { account, credential: credential.id(), nonce, room, body });
    (state, all)
}

fn new_state() -> State {
    State::restore(Snapshot::default()).unwrap()
}

#[test]
fn ids_and_digests_follow_from_the_commands_alone() {
    let (_state, one) = run(new_state(), genesis(1, 5));
    let (_state, same) = run(new_state(), genesis(1, 5));
    assert_eq!(one, same);
    let (_state, other) = run(new_state(), genesis(1, 6));
    assert_ne!(one[1].answer, other[1].answer, "another secret gives other ids");
}

#[test]
fn another_life_keeps_the_secret_of_the_first() {
    let mut snapshot = blank();
    snapshot.epoch = Epoch(0);
    let secret = snapshot.secret.unwrap();
    let (state, applied) = run(State::restore(snapshot).unwrap(), genesis(9, 6));
    let begun = Genesis { epoch: Epoch(9), rules: RULES, secret };
    assert_eq!(applied[0].genesis, Some(begun));
    assert_eq!(state.secret, Some(secret));
}

#[test]
fn logs_that_have_begun_without_a_secret_are_not_carried_on() {
    let begun = [Snapshot { epoch: Epoch(0), ..blank() }, Snapshot { rules: 0, ..blank() }];
    for snapshot in begun {
        let refused = State::restore(Snapshot { secret: None, ..snapshot }).unwrap_err();
        let said = refused.to_string();
        assert!(said.contains("secret") && said.contains("backup"), "{said}");
    }
}

#[test]
fn what_other_rules_have_made_is_not_carried_on() {
    let refused = State::restore(Snapshot { rules: RULES + 1, ..blank() }).unwrap_err();
    assert!(refused.to_string().ends_with("Use a newer version"), "{refused}");
    let refused = State::restore(Snapshot { rules: RULES - 1, ..blank() }).unwrap_err();
    assert!(refused.to_string().contains("unreleased"), "{refused}");
}
