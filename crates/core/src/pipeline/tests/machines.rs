//! Who is connected to another machine is online here, too.

use super::*;
use crate::{PresenceReport, SubmitterId};

const OTHER: SubmitterId = SubmitterId(7);

fn report(report: PresenceReport) -> Input {
    Input::Local(Local::Presence { machine: OTHER, report })
}

/// Bob has an account, and is gone again.
fn with_bob() -> (World, AccountId) {
    let mut world = World::new();
    world.run([sign_in(3, 0xB0, "bob")]);
    let Some((_conn, _kind, Effect::SignedIn(bob))) = world.heard.replies.pop() else { panic!() };
    world.run([Input::Local(Local::Gone(Conn(3)))]);
    (world, bob)
}

fn joins(account: AccountId) -> Input {
    let name = RoomName::parse("lobby").unwrap();
    let command = Command { ts: NOW, action: Action::Join { account, name: name.into() } };
    Input::Ordered(Ordered { origin: None, command })
}

#[test]
fn who_is_online_elsewhere_counts_once_also_while_the_membership_is_committed() {
    let (mut world, bob) = with_bob();
    let online = |world: &World| world.pipeline.presence.online(LOBBY);
    assert_eq!(online(&world), 1, "Ada");
    world.run([joins(bob), report(PresenceReport::Whole(vec![bob])), TICK]);
    assert_eq!(online(&world), 2);
    assert_eq!(world.heard.announced.get(&LOBBY.into()), Some(&1), "once a second");
    world.run([report(PresenceReport::Whole(vec![bob, ADA]))]);
    assert_eq!(online(&world), 2, "Ada is here, too");
    world.run([report(PresenceReport::Lost)]);
    assert_eq!(online(&world), 1);
}

#[test]
fn a_machine_that_says_nothing_any_more_is_lost() {
    let (mut world, bob) = with_bob();
    world.run([joins(bob), report(PresenceReport::Whole(vec![bob]))]);
    world.run((0..15).map(|_| TICK));
    assert_eq!(world.pipeline.presence.online(LOBBY), 2);
    world.run([TICK, TICK]);
    assert_eq!(world.pipeline.presence.online(LOBBY), 1);
    // It is back.
    let came = PresenceReport::Changes { came: vec![bob], went: Vec::new() };
    world.run([report(came)]);
    assert_eq!(world.pipeline.presence.online(LOBBY), 2);
}

#[test]
fn a_commit_that_failed_leaves_whoever_is_online_elsewhere_counted_right() {
    let (mut world, bob) = with_bob();
    world.pipeline.store_mut().fails = true;
    world.run([joins(bob), report(PresenceReport::Whole(vec![bob]))]);
    assert_eq!(world.pipeline.presence.online(LOBBY), 1, "he is no member");
    world.pipeline.run_alone([joins(bob)], later(NOW), &mut world.heard);
    assert_eq!(world.pipeline.presence.online(LOBBY), 2);
}
