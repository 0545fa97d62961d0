//! Whoever is removed or banned reads nothing of the room any more, from before anything behind that is
//! shown.

use chat_proto::{ErrorCode, FrameCodec, Role, SubscriptionEnded, TextBody};

use super::*;
use crate::{Moderation, Refusal, RoomChange, SanctionKind};

/// Ada's own room, in which Bob is a member, and whether others know of it.
fn den(is_public: bool) -> (World, RoomId, AccountId) {
    let mut world = World::new();
    world.run([sign_in(2, 0xB0, "bob"), join(1, "den")]);
    let bob = world.pipeline.signed_in[&Conn(2)];
    let name = RoomName::parse("den").unwrap().into();
    world.run([command(2, Action::Join { account: bob, name })]);
    let state = world.pipeline.state.as_mut().unwrap();
    let den = state.rooms_of(bob).find(|room| *room != LOBBY).unwrap();
    if !is_public {
        state.hide(den);
    }
    world.heard.take();
    (world, den, bob)
}

fn moderate(room: RoomId, asked: Moderation) -> Input {
    command(1, Action::Moderate { account: ADA, room, asked })
}

fn kick(room: RoomId, account: AccountId) -> Input {
    moderate(room, Moderation::Kick { account, reason: "spam".to_owned() })
}

fn ban(room: RoomId, account: AccountId, until: u64) -> Input {
    let (kind, until) = (SanctionKind::Ban, Timestamp(until));
    moderate(room, Moderation::Sanction { kind, account, until, reason: "spam".to_owned() })
}

/// What somebody who follows a room is told at its end.
fn ended(world: &World) -> Vec<(AccountId, u16, String)> {
    let revoked = world.heard.revoked.iter().map(|(log, account, frame)| {
        let frame = FrameCodec::default().next_frame(frame).unwrap().unwrap();
        let ended: SubscriptionEnded = frame.decode().unwrap();
        assert_eq!(ended.log, *log);
        (*account, ended.code, ended.message)
    });
    revoked.collect()
}

#[test]
fn whoever_is_removed_from_a_room_of_members_follows_it_no_more() {
    for (is_public, number) in [(true, 0), (false, 1)] {
        let (mut world, den, bob) = den(is_public);
        world.run([kick(den, bob)]);
        assert_eq!(world.heard.take(), kinds(1, &[Kind::Done]));
        let told = ended(&world);
        assert_eq!(told.len(), number, "what everybody reads is followed on");
        for (account, code, _message) in told {
            assert_eq!((account, code), (bob, ErrorCode::NotReadable as u16));
        }
    }
}

#[test]
fn whoever_is_banned_follows_the_room_no_more_member_or_not_and_is_told_why() {
    for is_member in [true, false] {
        let (mut world, den, bob) = den(true);
        if !is_member {
            world.run([command(2, Action::Leave { account: bob, room: den })]);
            world.heard.take();
        }
        let before = world.heard.published.get(&den.into()).copied();
        let (nonce, credential) =
            (Nonce { stream: StreamId([8; 16]), n: 1 }, credential(0xAD).id());
        let body = PostBody::Text(TextBody::say("he is gone"));
        let speak = Action::Post { account: ADA, credential, nonce, room: den, body };
        world.run([ban(den, bob, 0), command(1, speak)]);
        let told = ended(&world);
        assert_eq!(told.len(), 1);
        assert_eq!((told[0].0, told[0].1), (bob, ErrorCode::Banned as u16));
        assert!(told[0].2.contains("#den") && told[0].2.contains("spam"), "{}", told[0].2);
        assert_eq!(world.heard.published_before, [before], "before anything behind it is shown");
        let online = world.pipeline.presence.online(den);
        assert_eq!(online, 1, "one who was no member is not counted off");
    }
}

#[test]
fn a_ban_that_is_over_lets_read_again_without_another_command() {
    let (mut world, den, bob) = den(true);
    world.run([ban(den, bob, NOW.0 + 500)]);
    world.heard.take();
    let asks = |world: &mut World, now: u64| {
        let query = QueryRequest::Subscribe(Subscribe { log: den.into(), after: None });
        let origin = Origin { conn: Conn(2), request: RequestId(9), window: Window::Queries };
        let asked = Input::Local(Local::Query { origin, account: bob, query });
        world.pipeline.run_alone([asked], Timestamp(now), &mut world.heard);
        world.heard.take()
    };
    assert_eq!(asks(&mut world, NOW.0 + 499), kinds(2, &[Kind::Error]));
    assert_eq!(asks(&mut world, NOW.0 + 500), kinds(2, &[Kind::Subscribed]));
}

#[test]
fn a_ban_that_seemed_to_fail_and_was_durable_ends_the_right_to_read() {
    for was_durable in [true, false] {
        let (mut world, den, bob) = den(true);
        let store = world.pipeline.store_mut();
        (store.fails, store.keeps_what_failed) = (true, was_durable);
        world.run([ban(den, bob, 0)]);
        let told = usize::from(was_durable);
        assert_eq!(world.heard.revoked.len(), told, "what was read back is read on from disk");
        world.pipeline.run_alone([], later(NOW), &mut world.heard);
        assert_eq!(world.heard.revoked.len(), 2 * told, "whatever was read back before");
    }
}

#[test]
fn a_wait_in_a_slow_room_uses_no_nonce_up_and_what_is_behind_waits_for_it() {
    let (mut world, den, bob) = den(true);
    let say = |n: u64, at: u64| {
        let nonce = Nonce { stream: StreamId([8; 16]), n };
        let body = PostBody::Text(TextBody::say("hello"));
        let credential = credential(0xB0).id();
        let action = Action::Post { account: bob, credential, nonce, room: den, body };
        let origin = Origin { conn: Conn(2), request: RequestId(1), window: Window::Commands };
        let command = Command { ts: Timestamp(at), action };
        Input::Ordered(Ordered { origin: Some(origin), command })
    };
    world.run([moderate(den, Moderation::Slow { seconds: 30 })]);
    world.heard.take();
    world.run([say(1, 2_000), say(2, 2_500), say(3, 2_600)]);
    assert_eq!(world.heard.take(), kinds(2, &[Kind::Ack, Kind::Error, Kind::Error]));
    let waits = Refusal::SlowMode { room: "den".to_owned(), wait_ms: 29_500 };
    assert_eq!(world.heard.refusals, [waits, Refusal::Behind { awaited: 2 }]);
    assert!(world.heard.refusals.iter().all(|why| why.code().may_be_retried()));
    world.run([say(2, 31_999)]);
    assert_eq!(world.heard.take(), kinds(2, &[Kind::Error]));
    world.run([say(2, 32_000), say(3, 62_000), say(1, 62_001)]);
    assert_eq!(world.heard.take(), kinds(2, &[Kind::Ack, Kind::Ack, Kind::Ack]));
    // Who keeps order there does not wait.
    let change = RoomChange::Role { account: bob, role: Role::Moderator };
    world.run([command(1, Action::ChangeRoom { account: ADA, room: den, change })]);
    world.heard.take();
    world.run([say(4, 62_002), say(5, 62_003)]);
    assert_eq!(world.heard.take(), kinds(2, &[Kind::Ack, Kind::Ack]));
}
