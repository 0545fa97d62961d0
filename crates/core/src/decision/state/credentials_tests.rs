//! Devices of accounts: who is linked by which code, and what a device that was revoked can still do.

use chat_proto::{LinkCode, RoomId};

use super::super::tests::{World, key_numbered};
use super::*;
use crate::{Action, Decision, PostBody};

const MINUTE_MS: u64 = 60_000;

fn hash(code: u8) -> LinkCodeHash {
    LinkCode([code; 16]).hash()
}

fn open(world: &mut World, account: AccountId, code: u8) -> Result<Answer, Refusal> {
    world.run(Action::OpenLink { account, code: hash(code) }).answer
}

fn link(world: &mut World, key: u8, code: u8) -> Result<Answer, Refusal> {
    let (credential, label) = (key_numbered(key), format!("device {key}"));
    let link = DeviceLink { credential, code: hash(code), label };
    world.run(Action::LinkDevice(Box::new(link))).answer
}

fn revoke(world: &mut World, account: AccountId, key: u8) -> Decision {
    let credential = key_numbered(key).id();
    world.run(Action::RevokeCredential { account, credential })
}

/// Ada with two devices, under the keys 1 and 2.
fn with_two_devices() -> (World, AccountId) {
    let mut world = World::new();
    let ada = world.sign_in(1, "ada", true).unwrap();
    open(&mut world, ada, 1).unwrap();
    assert_eq!(link(&mut world, 2, 1), Ok(Answer::SignedIn(ada)));
    (world, ada)
}

fn post(world: &mut World, account: AccountId, key: u8, n: u64, room: RoomId) -> Decision {
    let nonce = chat_proto::Nonce { stream: chat_proto::StreamId([key; 16]), n };
    let body = PostBody::Text(chat_proto::TextBody::say("hello"));
    let credential = key_numbered(key).id();
    world.run(Action::Post { account, credential, nonce, room, body })
}

#[test]
fn a_device_is_linked_with_a_code_and_signs_in_to_the_same_account() {
    let (mut world, ada) = with_two_devices();
    assert_eq!(world.sign_in(2, "somebody", true), Ok(ada));
    let held = &world.state.access(ada).own_account().unwrap().credentials;
    let labels: Vec<_> = held.iter().map(|held| held.label.as_str()).collect();
    assert_eq!(labels, ["", "device 2"]);
    // It was not told, and asks again.
    assert_eq!(link(&mut world, 2, 1), Ok(Answer::SignedIn(ada)));
}

#[test]
fn a_device_that_is_revoked_does_not_come_back_with_a_code_that_it_opened() {
    let (mut world, ada) = with_two_devices();
    open(&mut world, ada, 9).unwrap();
    revoke(&mut world, ada, 2).answer.unwrap();
    let after_start = State::restore(world.state.snapshot()).unwrap();
    assert_eq!(after_start, world.state);
    for key in [2, 7] {
        assert_eq!(link(&mut world, key, 9), Err(Refusal::BadLinkCode), "with the key {key}");
    }
    open(&mut world, ada, 10).unwrap();
    assert_eq!(link(&mut world, 7, 10), Ok(Answer::SignedIn(ada)), "another code is good");
}

#[test]
fn a_used_an_expired_a_replaced_and_a_guessed_code_get_one_answer() {
    let (mut world, ada) = with_two_devices();
    let used = link(&mut world, 3, 1);
    open(&mut world, ada, 2).unwrap();
    open(&mut world, ada, 3).unwrap();
    let replaced = link(&mut world, 3, 2);
    world.pass(10 * MINUTE_MS);
    let expired = link(&mut world, 3, 3);
    let guessed = link(&mut world, 3, 99);
    for answer in [used, replaced, expired, guessed] {
        assert_eq!(answer, Err(Refusal::BadLinkCode));
    }
    open(&mut world, ada, 4).unwrap();
    world.pass(10 * MINUTE_MS - 10);
    assert_eq!(link(&mut world, 3, 4), Ok(Answer::SignedIn(ada)), "it is good for ten minutes");
}

#[test]
fn a_key_of_another_account_is_not_linked_and_a_code_of_another_not_opened() {
    let (mut world, ada) = with_two_devices();
    let bob = world.sign_in(7, "bob", true).unwrap();
    open(&mut world, ada, 2).unwrap();
    assert_eq!(link(&mut world, 7, 2), Err(Refusal::CredentialInUse));
    assert_eq!(link(&mut world, 1, 2), Err(Refusal::CredentialInUse), "nor an own one twice");
    assert_eq!(open(&mut world, bob, 2), Err(Refusal::BadLinkCode));
    assert_eq!(link(&mut world, 3, 2), Ok(Answer::SignedIn(ada)), "the code is as good as before");
}

#[test]
fn a_revoked_device_signs_in_no_more_and_nothing_of_it_is_carried_out() {
    let (mut world, ada) = with_two_devices();
    let room = world.join(ada, "ops").unwrap();
    assert!(post(&mut world, ada, 2, 1, room).answer.is_ok());
    assert!(revoke(&mut world, ada, 2).answer.is_ok());
    let refused = Err(Refusal::CredentialRevoked);
    for n in [1, 2] {
        let decision = post(&mut world, ada, 2, n, room);
        assert_eq!((decision.answer, decision.events.len()), (refused.clone(), 0), "send {n}");
    }
    let credential = key_numbered(2).id();
    let asks = [
        Action::OpenLink { account: ada, code: hash(9) },
        Action::RevokeCredential { account: ada, credential: key_numbered(1).id() },
        Action::Leave { account: ada, room },
    ];
    for action in asks {
        let action = Box::new(action);
        let decision = world.run(Action::Authenticated { credential, action });
        assert_eq!((decision.answer, decision.events.len()), (refused.clone(), 0));
    }
    assert_eq!(world.sign_in(2, "ada-2", true), Err(Refusal::CredentialRevoked));
    assert_eq!(world.sign_in(1, "ada", true), Ok(ada));
    assert!(post(&mut world, ada, 1, 1, room).answer.is_ok(), "the other one goes on");
    assert_eq!(revoke(&mut world, ada, 2).events, [], "it is gone already");
}

#[test]
fn what_a_device_asks_that_was_not_revoked_is_carried_out() {
    let (mut world, ada) = with_two_devices();
    let room = world.join(ada, "ops").unwrap();
    let (credential, action) = (key_numbered(2).id(), Action::Leave { account: ada, room });
    let decision = world.run(Action::Authenticated { credential, action: Box::new(action) });
    assert_eq!(decision.answer, Ok(Answer::Done));
    assert!(!decision.events.is_empty());
}

#[test]
fn a_revoked_key_comes_back_with_a_code_of_its_own_account_alone() {
    let (mut world, ada) = with_two_devices();
    let bob = world.sign_in(7, "bob", true).unwrap();
    revoke(&mut world, ada, 2).answer.unwrap();
    open(&mut world, bob, 5).unwrap();
    assert_eq!(link(&mut world, 2, 5), Err(Refusal::CredentialRevoked));
    open(&mut world, ada, 6).unwrap();
    assert_eq!(link(&mut world, 2, 6), Ok(Answer::SignedIn(ada)));
    assert_eq!(world.sign_in(2, "ada", true), Ok(ada));
}

#[test]
fn the_last_device_stays_and_nobody_revokes_that_of_another() {
    let (mut world, ada) = with_two_devices();
    let bob = world.sign_in(7, "bob", true).unwrap();
    assert_eq!(revoke(&mut world, bob, 7).answer, Err(Refusal::LastCredential));
    assert_eq!(revoke(&mut world, bob, 2).answer, Err(Refusal::UnknownCredential));
    revoke(&mut world, ada, 1).answer.unwrap();
    assert_eq!(revoke(&mut world, ada, 2).answer, Err(Refusal::LastCredential));
    assert_eq!(revoke(&mut world, bob, 1).answer, Err(Refusal::UnknownCredential));
}

#[test]
fn an_account_has_at_most_so_many_devices() {
    let mut world = World::new();
    let ada = world.sign_in(1, "ada", true).unwrap();
    for key in 2..=CREDENTIALS_PER_ACCOUNT_MAX as u8 {
        open(&mut world, ada, key).unwrap();
        link(&mut world, key, key).unwrap();
    }
    assert_eq!(open(&mut world, ada, 200), Err(Refusal::TooManyCredentials));
}

#[test]
fn devices_and_codes_are_restored_as_they_were() {
    let (mut world, ada) = with_two_devices();
    open(&mut world, ada, 2).unwrap();
    link(&mut world, 3, 2).unwrap();
    revoke(&mut world, ada, 1).answer.unwrap();
    open(&mut world, ada, 3).unwrap();
    let restored = State::restore(world.state.snapshot()).unwrap();
    assert_eq!(restored, world.state);
}
