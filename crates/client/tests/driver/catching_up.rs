//! Facts about the end of what was there when a room was followed.

use chat_client::{Event, Events};
use chat_proto::{
    Epoch, ErrorCode, Frame, Gap, Joined, LogId, Position, Probe, ProbeReply, RequestId, Reset,
    Seq, SubscriptionEnded, Timestamp,
};

use crate::fake::*;
use crate::following::{following, message, posted, with_bob};

/// An event of a kind that this version does not know.
fn unknown(seq: u64) -> Frame {
    let joined = Joined { room: LOBBY, seq: Seq(seq), ts: Timestamp(seq), account: ADA };
    Frame { kind: 0x03F0, ..Frame::of(&joined, RequestId(0)).unwrap() }
}

/// What is told of the room: its messages, gaps and resets by their seqs, and where it is caught up.
async fn told(events: &mut Events) -> String {
    event(events, |event| match event {
        Event::Message(message) => Some(format!("message {}", message.seq)),
        Event::Gap { to, .. } => Some(format!("gap {to}")),
        Event::Reset { head, .. } => Some(format!("reset {head}")),
        Event::CaughtUp { room, head } => Some(format!("caught up {room} {head}")),
        _ => None,
    })
    .await
}

#[tokio::test]
async fn a_room_is_caught_up_behind_its_head_whatever_that_is_and_once() {
    let daemon = Daemon::new().await;
    for last in ["message", "gap", "unknown"] {
        let dir = tempfile::tempdir().unwrap();
        let (_client, mut events, mut peer) = following(&daemon, dir.path(), 3).await;
        peer.event(&posted(1, "a")).await;
        peer.event(&posted(2, "b")).await;
        match last {
            "message" => peer.event(&posted(3, "c")).await,
            "gap" => {
                let gap = Gap { log: LOBBY.into(), from: Seq(3), to: Seq(3), reason: 1 };
                peer.event(&gap).await;
            }
            _ => peer.raw(unknown(3)).await.unwrap(),
        }
        peer.event(&posted(4, "d")).await;
        assert_eq!(told(&mut events).await, "message 1", "{last}");
        assert_eq!(told(&mut events).await, "message 2", "{last}");
        if last != "unknown" {
            assert_eq!(told(&mut events).await, format!("{last} 3"));
        }
        assert_eq!(told(&mut events).await, "caught up 1 3", "{last}");
        assert_eq!(told(&mut events).await, "message 4", "{last}");
    }
}

#[tokio::test]
async fn an_empty_history_is_over_at_once_and_another_life_has_an_end_of_its_own() {
    let (dir, daemon) = (tempfile::tempdir().unwrap(), Daemon::new().await);
    let (_client, mut events, peer) = following(&daemon, dir.path(), 0).await;
    assert_eq!(told(&mut events).await, "caught up 1 0");
    drop(peer);
    disconnected(&mut events).await;
    let mut peer = daemon.sign_in().await;
    for _ in 0..2 {
        let (id, asked) = peer.subscribe().await;
        if asked.log == LogId::from(LOBBY) {
            let reset = Reset { log: LOBBY.into(), epoch: Epoch(8), head: Seq(2) };
            peer.reply(id, &reset).await;
        } else {
            peer.subscribed(id, asked.log, Seq(1), "ada").await;
        }
    }
    let (id, again) = peer.subscribe().await;
    assert_eq!(again.after, Some(Position { epoch: Epoch(8), seq: Seq(0) }));
    peer.reply(id, &with_bob(Epoch(8), 2)).await;
    peer.event(&posted(1, "a")).await;
    peer.event(&posted(2, "b")).await;
    for expected in ["reset 2", "message 1", "message 2", "caught up 1 2"] {
        assert_eq!(told(&mut events).await, expected);
    }
}

#[tokio::test]
async fn what_may_not_be_read_any_more_is_not_followed_until_it_is_asked_for_again() {
    let (dir, daemon) = (tempfile::tempdir().unwrap(), Daemon::new().await);
    let (client, mut events, mut peer) = following(&daemon, dir.path(), 0).await;
    peer.event(&posted(1, "before")).await;
    assert_eq!(message(&mut events).await.seq, Seq(1));
    let code = ErrorCode::NotReadable as u16;
    let message_to_peer = "not yours".to_owned();
    peer.event(&SubscriptionEnded { log: LOBBY.into(), code, message: message_to_peer }).await;
    peer.event(&posted(2, "not for you")).await;
    peer.event(&Probe { token: 5 }).await;
    let (_, ProbeReply { token }) = peer.expect().await;
    assert_eq!(token, 5, "it has heard all before");

    let ended = event(&mut events, |event| match event {
        Event::Ended { room, room_name } => Some((room, room_name)),
        _ => None,
    });
    assert_eq!(ended.await, (LOBBY, "lobby".to_owned()));

    let after = Position { epoch: EPOCH, seq: Seq(2) };
    let follower = client.clone();
    let following = tokio::spawn(async move { follower.follow(LOBBY.into(), Some(after)).await });
    let (id, ask) = peer.subscribe().await;
    assert_eq!((ask.log, ask.after), (LOBBY.into(), Some(after)));
    peer.reply(id, &with_bob(EPOCH, 2)).await;
    within(following).await.unwrap().unwrap();
    peer.event(&posted(3, "again")).await;
    assert_eq!(message(&mut events).await.seq, Seq(3));
}
