//! Who may read a room no more does not follow it any longer.

use chat_proto::{ErrorCode, FrameCodec, SubscriptionEnded};

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
