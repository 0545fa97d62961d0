//! A device that was revoked is cut off before anybody sees what was committed with it, and so is one that
//! was about to be signed in.

use chat_proto::{Credential, ErrorCode, LinkCode, Nonce, PublicKey, StreamId, TextBody};

use super::*;
use crate::{DeviceLink, PostBody, Refusal, Registration};

const LAPTOP: Credential = Credential::Key(PublicKey([42; 32]));

/// Ada's laptop is linked, on connection 9.
fn with_laptop() -> World {
    let mut world = World::new();
    let code = LinkCode([1; 16]).hash();
    let link = DeviceLink { credential: LAPTOP, code, label: "laptop".to_owned() };
    world.run([command(1, Action::OpenLink { account: ADA, code })]);
    world.run([command(9, Action::LinkDevice(Box::new(link)))]);
    world.heard.take();
    world
}

fn revoke() -> Input {
    command(1, Action::RevokeCredential { account: ADA, credential: LAPTOP.id() })
}

fn post_of_laptop(n: u64) -> Input {
    let body = PostBody::Text(TextBody::say("hello"));
    let nonce = Nonce { stream: StreamId([9; 16]), n };
    let credential = LAPTOP.id();
    command(9, Action::Post { account: ADA, credential, nonce, room: LOBBY, body })
}

#[test]
fn what_a_device_has_asked_behind_its_revocation_is_refused_and_it_is_cut_off() {
    let mut world = with_laptop();
    world.run([post_of_laptop(1), revoke(), post_of_laptop(2)]);
    let refusals = std::mem::take(&mut world.heard.refusals);
    assert_eq!(refusals, [Refusal::CredentialRevoked], "what came before is posted");
    let cut = (ADA, Some(LAPTOP.id()), Some(ErrorCode::CredentialRevoked));
    let told = &world.heard.signed_out;
    assert!(told.iter().all(|(of, with, why, _replies)| (*of, *with, *why) == cut), "{told:?}");
    assert_eq!(told[0].3, 0, "before anything is answered");
}

#[test]
fn a_device_that_signs_in_with_the_commit_that_revokes_it_is_cut_off_behind_its_answer() {
    let mut world = with_laptop();
    let name = Nickname::parse("ada").map(|name| Box::new(name.into()));
    let sign_in = Action::SignIn {
        credential: LAPTOP,
        name,
        name_is_firm: false,
        registration: Registration::Open,
        invitation: None,
    };
    // A rename makes the answer to the sign-in wait for the commit.
    world.run([rename(1, "eve"), command(8, sign_in), revoke()]);
    let signed_in = world.heard.replies.iter().position(|(conn, _, _)| *conn == Conn(8));
    let last = world.heard.signed_out.last().expect("it is cut off");
    assert!(last.3 > signed_in.expect("it is answered"), "behind what signs it in");
    assert!(world.heard.refusals.is_empty(), "{:?}", world.heard.refusals);
}

#[test]
fn a_revocation_that_seemed_to_fail_and_was_durable_cuts_off_before_anything_is_read_on() {
    let mut world = with_laptop();
    let store = world.pipeline.store_mut();
    (store.fails, store.keeps_what_failed) = (true, true);
    world.run([revoke()]);
    assert_eq!(world.heard.refusals, [Refusal::Unavailable]);
    assert!(!world.heard.signed_out.is_empty(), "what was read back is read on from disk");
    world.heard.signed_out.clear();
    let later = Timestamp(NOW.0 + 10_000);
    world.pipeline.run_alone([Input::Local(Local::Tick)], later, &mut world.heard);
    assert!(!world.heard.signed_out.is_empty(), "whatever was read back before");
}
