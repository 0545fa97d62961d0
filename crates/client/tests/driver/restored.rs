//! After a restore of the daemon each line of a script is sent, or refused with the true reason.

use std::time::Duration;

use chat_client::{Client, Event, Events, NoAck, OutboxKind, Sent, start};
use chat_proto::{Epoch, Error, ErrorCode, RequestId, RoomJoined, RoomLeft, Send, Seq, Timestamp};

use crate::fake::*;
use crate::following::{following, message, posted};

fn script(daemon: &Daemon, dir: &std::path::Path, renewable: bool) -> (Client, Events) {
    let mut config = daemon.script_config(dir);
    config.outbox = OutboxKind::Headless { explicit_id: Some("bot".into()), renewable };
    start(config).unwrap()
}

async fn say(client: &Client, text: &str) -> Sent {
    within(client.send(LOBBY, text)).await.unwrap()
}

/// Four lines are sent; one is refused. Then the daemon comes back without the last three.
async fn restored(daemon: &mut Daemon, client: &Client, events: &mut Events) -> Peer {
    let mut peer = daemon.serve().await;
    for n in 1..=4 {
        let sent = say(client, "line").await;
        let (id, send): (_, Send) = peer.expect().await;
        match n {
            3 => peer.reply(id, &Error::new(ErrorCode::NotMember, "not here")).await,
            _ => peer.ack(id, &send, n).await,
        }
        assert_eq!(within(sent.answer).await.is_ok(), n != 3);
    }
    drop(peer);
    disconnected(events).await;
    daemon.epoch = Epoch(EPOCH.0 + 1);
    daemon.serve().await
}

/// The next line comes, and the daemon awaits the second.
async fn behind(peer: &mut Peer) -> Send {
    let (id, send): (RequestId, Send) = peer.expect().await;
    peer.reply(id, &Error::new(ErrorCode::Behind, "2 is missing").with_detail(2)).await;
    send
}

async fn forgotten(events: &mut Events) -> u64 {
    event(events, |event| match event {
        Event::Forgotten { messages } => Some(messages),
        _ => None,
    })
    .await
}

#[tokio::test]
async fn lines_under_an_id_that_was_made_up_go_on_and_what_is_gone_is_counted() {
    let (dir, mut daemon) = (tempfile::tempdir().unwrap(), Daemon::new().await);
    let (client, mut events) = script(&daemon, dir.path(), true);
    let mut peer = restored(&mut daemon, &client, &mut events).await;
    let five = say(&client, "five").await;
    let first_try = behind(&mut peer).await;
    let again = peer.take(2).await;
    assert_ne!(again.nonce.stream, first_try.nonce.stream);
    assert_eq!((again.nonce.n, again.body.text.as_str()), (1, "five"));
    assert!(within(five.answer).await.is_ok());
    assert_eq!(forgotten(&mut events).await, 2, "the second and the fourth; the third was refused");
    let six = say(&client, "six").await;
    assert_eq!(peer.take(3).await.nonce.n, 2);
    assert!(within(six.answer).await.is_ok());
}

#[tokio::test]
async fn lines_under_a_given_id_are_all_refused_with_the_true_reason() {
    let (dir, mut daemon) = (tempfile::tempdir().unwrap(), Daemon::new().await);
    let (client, mut events) = script(&daemon, dir.path(), false);
    let mut peer = restored(&mut daemon, &client, &mut events).await;
    for _line in 0..3 {
        let sent = say(&client, "late").await;
        behind(&mut peer).await;
        let Err(NoAck::Refused(refusal)) = within(sent.answer).await else { panic!("acked") };
        assert!(refusal.reason.contains("restored from a backup"), "{}", refusal.reason);
        assert_eq!(refusal.code, None, "it is no refusal of the daemon's");
    }
    assert_eq!(forgotten(&mut events).await, 2);
}

#[tokio::test]
async fn a_script_follows_what_it_asked_for_though_its_membership_is_gone() {
    let (dir, daemon) = (tempfile::tempdir().unwrap(), Daemon::new().await);
    let (_client, mut events, mut peer) = following(&daemon, dir.path(), 0).await;
    let (account, room, ts) = (ADA, LOBBY, Timestamp(1));
    peer.event(&RoomJoined { account, seq: Seq(2), ts, room }).await;
    peer.event(&RoomLeft { account, seq: Seq(3), ts, room }).await;
    let left = event(&mut events, |event| match event {
        Event::Membership { joined: false, .. } => Some(()),
        _ => None,
    });
    left.await;
    peer.event(&posted(1, "still heard")).await;
    assert_eq!(message(&mut events).await.text, "still heard");
    let asked = peer.frame_or_pause().await;
    assert!(asked.is_none(), "{asked:?}");
}

#[tokio::test]
async fn a_daemon_that_has_every_stream_in_another_room_is_asked_again_after_pauses() {
    let (dir, daemon) = (tempfile::tempdir().unwrap(), Daemon::new().await);
    let (client, _events) = script(&daemon, dir.path(), true);
    let mut peer = daemon.serve().await;
    let sent = say(&client, "line").await;
    let mut streams = Vec::new();
    let mut last_refused = tokio::time::Instant::now();
    for round in 0..4 {
        let (id, send): (_, Send) = loop {
            if let Some(frame) = peer.frame_or_pause().await {
                break (frame.request, frame.decode().unwrap());
            }
        };
        let pause = last_refused.elapsed();
        assert!(round < 2 || pause >= Duration::from_millis(900), "{round}: {pause:?}");
        streams.push(send.nonce.stream);
        last_refused = tokio::time::Instant::now();
        match round {
            3 => peer.ack(id, &send, 1).await,
            _ => peer.reply(id, &Error::new(ErrorCode::StreamBound, "no").with_detail(77)).await,
        }
    }
    assert!(within(sent.answer).await.is_ok());
    assert_ne!(streams[0], streams[1], "it may be as the daemon says");
    assert_eq!([streams[1]; 2], streams[2..], "nobody has used this one");
}
