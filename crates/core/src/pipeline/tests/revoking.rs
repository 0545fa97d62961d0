//! Who may read a room no more does not follow it any longer.

use chat_proto::{ErrorCode, FrameCodec, SubscriptionEnded, TextBody};

use super::*;

#[test]
fn who_leaves_a_room_that_only_members_see_follows_it_no_more() {
    let mut world = World::new();
    world.run([sign_in(2, 0xB0, "bob"), join(2, "lobby")]);
    let bob = world.pipeline.signed_in[&Conn(2)];
    let leave = |account| command(1, Action::Leave { account, room: LOBBY });

    // What everybody sees is followed on.
    world.run([leave(bob)]);
    assert!(world.heard.revoked.is_empty());

    world.pipeline.state.as_mut().unwrap().hide(LOBBY);
    world.run([leave(ADA)]);
    let [(log, account, frame)] = &world.heard.revoked[..] else {
        panic!("{:?}", world.heard.revoked);
    };
    assert_eq!((*log, *account), (LOBBY.into(), ADA));
    let frame = FrameCodec::default().next_frame(frame).unwrap().unwrap();
    let ended: SubscriptionEnded = frame.decode().unwrap();
    assert_eq!((ended.log, ended.code), (LOBBY.into(), ErrorCode::NotReadable as u16));
    assert!(!ended.message.is_empty());
}

/// Ada leaves the lobby, of which only its members know, and Bob speaks behind that.
fn leaves_and_bob_speaks(bob: AccountId) -> [Input; 2] {
    let (nonce, credential) = (Nonce { stream: StreamId([8; 16]), n: 1 }, credential(0xB0).id());
    let body = PostBody::Text(TextBody::say("she is gone"));
    let speak = Action::Post { account: bob, credential, nonce, room: LOBBY, body };
    [leave(1, LOBBY), command(2, speak)]
}

fn with_bob_in_a_hidden_lobby() -> (World, AccountId) {
    let mut world = World::new();
    world.run([sign_in(2, 0xB0, "bob")]);
    let bob = world.pipeline.signed_in[&Conn(2)];
    let name = RoomName::parse("lobby").unwrap().into();
    world.run([command(2, Action::Join { account: bob, name })]);
    world.pipeline.state.as_mut().unwrap().hide(LOBBY);
    world.pipeline.store_mut().hidden = vec![LOBBY];
    (world, bob)
}

#[test]
fn the_right_to_read_ends_before_what_is_committed_with_its_end_is_shown() {
    let (mut world, bob) = with_bob_in_a_hidden_lobby();
    let before = world.head();
    world.run(leaves_and_bob_speaks(bob));
    assert_eq!(world.heard.revoked.len(), 1);
    assert_eq!(world.heard.published_before, [before]);
    assert_eq!(world.heard.published.get(&LOBBY.into()).copied(), world.head());
    assert_eq!(world.head().unwrap().0, before.unwrap().0 + 2);
}

/// Whose rights have ended, since this was asked last.
fn revoked(world: &mut World) -> Vec<AccountId> {
    world.heard.revoked.drain(..).map(|(_log, account, _frame)| account).collect()
}

#[test]
fn a_leave_that_seemed_to_fail_and_was_durable_ends_the_right_to_read() {
    for was_durable in [true, false] {
        let (mut world, bob) = with_bob_in_a_hidden_lobby();
        let store = world.pipeline.store_mut();
        (store.fails, store.keeps_what_failed) = (true, was_durable);
        world.run(leaves_and_bob_speaks(bob));
        let of_ada = if was_durable { vec![ADA] } else { vec![] };
        // At once: what was read back is read on from disk.
        assert_eq!(revoked(&mut world), of_ada);
        let rewinds = world.heard.rewinds;
        world.pipeline.run_alone([], later(NOW), &mut world.heard);
        assert_eq!(world.heard.rewinds, rewinds + 1, "it is read back when it has recovered");
        assert_eq!(revoked(&mut world), of_ada, "whatever was read back before");
    }
}

/// Asks for a room from its beginning.
fn bob_follows(world: &World, room: RoomId) -> Input {
    let (account, log) = (world.pipeline.signed_in[&Conn(2)], room.into());
    let after = Some(Position { epoch: Epoch(1), seq: Seq(0) });
    let query = QueryRequest::Subscribe(Subscribe { log, after });
    let origin = Origin { conn: Conn(2), request: RequestId(1), window: Window::Queries };
    Input::Local(Local::Query { origin, account, query })
}

/// Bob, who follows the den that is Ada's and everybody's, and Ada.
fn with_a_public_den() -> (World, RoomId) {
    let mut world = World::new();
    world.run([sign_in(2, 0xB0, "bob"), join(1, "den")]);
    let state = world.pipeline.state().unwrap();
    let den = state.rooms_of(ADA).find(|room| *room != LOBBY).unwrap();
    world.run([bob_follows(&world, den)]);
    world.heard.take();
    (world, den)
}

fn hide(room: RoomId) -> Input {
    let change = crate::RoomChange::Access { is_private: true };
    command(1, Action::ChangeRoom { account: ADA, room, change })
}

#[test]
fn a_room_that_is_made_private_is_its_members_alone_before_anything_more_is_shown() {
    let (mut world, den) = with_a_public_den();
    let before = world.heard.published.get(&den.into()).copied();
    world.run([hide(den), bob_follows(&world, den)]);
    assert_eq!(world.heard.left_to, [(den.into(), vec![ADA])]);
    assert_eq!(world.heard.published_before, [before], "not one event more");
    let told = [kinds(1, &[Kind::Done]), kinds(2, &[Kind::Error])].concat();
    assert_eq!(world.heard.take(), told);
    // Made public again, nobody loses anything.
    let change = crate::RoomChange::Access { is_private: false };
    world.run([command(1, Action::ChangeRoom { account: ADA, room: den, change })]);
    assert_eq!(world.heard.left_to.len(), 1);
    world.run([bob_follows(&world, den)]);
    let told = [kinds(1, &[Kind::Done]), kinds(2, &[Kind::Subscribed])].concat();
    assert_eq!(world.heard.take(), told);
}

#[test]
fn a_room_that_may_have_been_made_private_is_its_members_alone_as_soon_as_it_is_read_back() {
    for was_durable in [true, false] {
        let (mut world, den) = with_a_public_den();
        let store = world.pipeline.store_mut();
        (store.fails, store.keeps_what_failed) = (true, was_durable);
        world.run([hide(den)]);
        let expected = if was_durable { vec![(den.into(), vec![ADA])] } else { vec![] };
        assert_eq!(world.heard.left_to, expected, "what was read back is read on from disk");
        world.pipeline.run_alone([], later(NOW), &mut world.heard);
        assert_eq!(world.heard.left_to, [&expected[..], &expected].concat());
    }
}
