//! A room that is gone is nobody's to follow, and its maker may make another one.

use chat_proto::limits::ROOMS_PER_ACCOUNT_MAX;
use chat_proto::{ErrorCode, FrameCodec, SubscriptionEnded};

use super::*;

/// The room that Ada is in beside the lobby.
fn den(world: &World) -> RoomId {
    let state = world.pipeline.state().unwrap();
    state.rooms_of(ADA).find(|room| *room != LOBBY).expect("she has joined it")
}

fn in_the_den() -> (World, RoomId) {
    let mut world = World::new();
    world.run([join(1, "den")]);
    world.heard.take();
    let den = den(&world);
    (world, den)
}

/// When a store that failed is tried again.
fn recover(world: &mut World) {
    world.pipeline.run_alone([], Timestamp(NOW.0 + 1_000), &mut world.heard);
    assert!(world.pipeline.takes_commands());
}

#[test]
fn whoever_follows_a_room_that_is_gone_or_waits_for_it_is_told() {
    let (mut world, den) = in_the_den();
    world.run([sign_in(2, 0xB0, "bob"), subscribe_to(2, den.into(), 50)]);
    assert_eq!(world.heard.take(), kinds(2, &[Kind::SignedIn]), "one waits for what is to come");
    world.run([leave(1, den)]);
    assert!(world.heard.revoked.is_empty(), "{:?}", world.heard.revoked);
    let [(log, frame)] = &world.heard.removed[..] else { panic!("{:?}", world.heard.removed) };
    assert_eq!(*log, den.into());
    let frame = FrameCodec::default().next_frame(frame).unwrap().unwrap();
    let ended: SubscriptionEnded = frame.decode().unwrap();
    assert_eq!((ended.log, ended.code), (den.into(), ErrorCode::NotReadable as u16));
    world.pipeline.settle_alone(NOW, &mut world.heard);
    let told = [kinds(1, &[Kind::Done]), kinds(2, &[Kind::Error])].concat();
    assert_eq!(world.heard.take(), told);
    world.run([subscribe_to(2, den.into(), 0)]);
    assert_eq!(world.heard.take(), kinds(2, &[Kind::Error]), "as of a room that was never there");
}

#[test]
fn a_room_that_is_left_and_joined_again_in_one_commit_is_another() {
    let (mut world, den) = in_the_den();
    let commits = world.commits();
    world.run([leave(1, den), join(1, "den"), leave(1, LOBBY)]);
    assert_eq!(world.commits(), commits + 1);
    let told = [Kind::Done, Kind::RoomInfo, Kind::Done];
    assert_eq!(world.heard.take(), kinds(1, &told));
    assert_ne!(self::den(&world), den);
    assert_eq!(world.heard.removed.len(), 1);
    assert!(world.pipeline.state().unwrap().has_room(LOBBY), "it is the daemon's");
}

#[test]
fn a_removal_that_failed_is_told_of_only_if_it_was_durable_after_all() {
    for is_durable in [false, true] {
        let (mut world, den) = in_the_den();
        let store = world.pipeline.store_mut();
        (store.fails, store.keeps_what_failed) = (true, is_durable);
        world.run([leave(1, den)]);
        assert_eq!(world.heard.take(), kinds(1, &[Kind::Error]));
        assert!(world.heard.removed.is_empty(), "nobody is told of what is not durable");
        recover(&mut world);
        assert_eq!(world.pipeline.state().unwrap().has_room(den), !is_durable);
        assert_eq!(world.heard.removed.len(), usize::from(is_durable));
    }
}

#[test]
fn whoever_leaves_a_room_that_goes_may_make_another_and_one_that_stays_counts() {
    let mut world = World::new();
    let make = |world: &mut World, number: usize| {
        world.run([join(1, &format!("room-{number}"))]);
        world.heard.take() == kinds(1, &[Kind::RoomInfo])
    };
    for number in 0..3 * ROOMS_PER_ACCOUNT_MAX {
        assert!(make(&mut world, number), "room {number}");
        let room = den(&world);
        world.run([leave(1, room)]);
        assert_eq!(world.heard.take(), kinds(1, &[Kind::Done]));
    }
    for number in 0..ROOMS_PER_ACCOUNT_MAX - 1 {
        assert!(make(&mut world, number), "room {number}");
    }
    // She is in the lobby, too: one more that is hers already is what she may.
    let room = den(&world);
    world.run([leave(1, LOBBY)]);
    world.heard.take();
    assert!(make(&mut world, ROOMS_PER_ACCOUNT_MAX));
    assert!(!make(&mut world, ROOMS_PER_ACCOUNT_MAX + 1));
    world.run([leave(1, room)]);
    world.heard.take();
    assert!(make(&mut world, ROOMS_PER_ACCOUNT_MAX + 1), "one has gone");
}
