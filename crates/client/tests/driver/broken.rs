//! A daemon that is broken or hostile is not asked in a busy loop.

use std::time::Duration;

use chat_proto::{
    Epoch, Error, ErrorCode, Gap, Kind, MessageId, Posted, Reset, Seq, Subscribe, TextBody,
    Timestamp,
};
use tokio::time::Instant;

use crate::fake::*;

/// Answers every `Subscribe` of the lobby for so long, as the clock of the client goes; says how many
/// came.
async fn subscribes_within(
    peer: &mut Peer,
    time: Duration,
    answers: impl AsyncFn(&mut Peer, chat_proto::RequestId, Subscribe),
) -> u32 {
    let (mut count, end) = (0, Instant::now() + time);
    while Instant::now() < end {
        let Some(frame) = peer.frame_or_pause().await else { continue };
        assert_eq!(frame.known_kind(), Some(Kind::Subscribe));
        count += 1;
        answers(peer, frame.request, frame.decode().unwrap()).await;
    }
    count
}

async fn follow_lobby(daemon: &Daemon, dir: &std::path::Path) -> (chat_client::Client, Peer) {
    let (client, mut events) = daemon.script(dir);
    // The user keeps up.
    tokio::spawn(async move { while events.next().await.is_some() {} });
    let peer = daemon.serve().await;
    let follower = client.clone();
    let from_start = Some(chat_proto::Position { epoch: EPOCH, seq: Seq(0) });
    tokio::spawn(async move { follower.follow(LOBBY.into(), from_start).await });
    (client, peer)
}

const LONG: Duration = Duration::from_secs(60);

/// So many openings without progress fit into [`LONG`]: at once, at once, then pauses that double.
const FEW: u32 = 14;

#[tokio::test]
async fn a_log_that_is_reset_for_ever_is_asked_for_ever_more_rarely() {
    let (dir, daemon) = (tempfile::tempdir().unwrap(), Daemon::new().await);
    let (_client, mut peer) = follow_lobby(&daemon, dir.path()).await;
    let count = subscribes_within(&mut peer, LONG, async |peer, id, ask| {
        let epoch = Epoch(ask.after.map_or(0, |after| after.epoch.0) + 1);
        peer.reply(id, &Reset { log: ask.log, epoch, head: Seq(u64::MAX) }).await;
    })
    .await;
    assert!((3..=FEW).contains(&count), "{count} subscriptions in a minute");
}

#[tokio::test]
async fn a_log_that_has_a_hole_each_time_is_asked_for_ever_more_rarely() {
    let (dir, daemon) = (tempfile::tempdir().unwrap(), Daemon::new().await);
    let (_client, mut peer) = follow_lobby(&daemon, dir.path()).await;
    let count = subscribes_within(&mut peer, LONG, async |peer, id, ask| {
        peer.subscribed(id, ask.log, Seq(u64::MAX), "lobby").await;
        peer.event(&Gap { log: ask.log, from: Seq(5), to: Seq(6), reason: 2 }).await;
    })
    .await;
    assert!((3..=FEW).contains(&count), "{count} subscriptions in a minute");
}

#[tokio::test]
async fn a_log_that_comes_on_is_opened_again_at_once() {
    let (dir, daemon) = (tempfile::tempdir().unwrap(), Daemon::new().await);
    let (_client, mut peer) = follow_lobby(&daemon, dir.path()).await;
    let started = Instant::now();
    for seq in 1..=20 {
        let (id, ask) = peer.subscribe().await;
        assert_eq!(ask.after.map(|after| after.seq), Some(Seq(seq - 1)));
        peer.subscribed(id, ask.log, Seq(99), "lobby").await;
        let posted = |seq| Posted {
            room: LOBBY,
            seq: Seq(seq),
            ts: Timestamp(1),
            from: ADA,
            id: MessageId([1; 16]),
            body: TextBody::say("x"),
        };
        peer.event(&posted(seq)).await;
        peer.event(&posted(seq + 2)).await;
    }
    assert!(started.elapsed() < LONG, "no pause has grown");
}

#[tokio::test]
async fn a_page_that_is_not_older_than_what_was_asked_before_breaks_the_connection() {
    let (dir, daemon) = (tempfile::tempdir().unwrap(), Daemon::new().await);
    let (client, mut events) = daemon.script(dir.path());
    let mut peer = daemon.serve().await;
    let ask = |client: chat_client::Client| {
        tokio::spawn(async move { client.history(LOBBY, Some(Seq(5)), 10).await })
    };
    let asking = ask(client.clone());
    let (id, asked): (_, chat_proto::History) = peer.expect().await;
    assert_eq!(asked.before, Seq(5));
    let repeated = chat_proto::Message {
        seq: Seq(5),
        ts: Timestamp(1),
        from: ADA,
        id: MessageId([1; 16]),
        body: TextBody::say("again"),
    };
    let page = |messages: Vec<chat_proto::Message>| chat_proto::HistoryPage {
        room: LOBBY,
        epoch: EPOCH,
        as_of: Seq(u64::MAX),
        messages: chat_proto::List::first_of(messages),
        more: true,
        gaps: chat_proto::List::default(),
    };
    peer.reply(id, &page(vec![repeated])).await;
    let refused = within(asking).await.unwrap().unwrap_err();
    assert!(refused.to_string().contains("does not fit"), "{refused}");
    let (why, _retry) = disconnected(&mut events).await;
    assert!(why.contains("does not fit"), "{why}");

    let mut peer = daemon.serve().await;
    let asking = ask(client.clone());
    let (id, _): (_, chat_proto::History) = peer.expect().await;
    peer.reply(id, &page(Vec::new())).await;
    let came = within(asking).await.unwrap().unwrap();
    assert!(!came.more, "a page that brings nothing is the last");
}

#[tokio::test]
async fn a_send_that_is_told_to_wait_for_what_is_no_send_is_not_sent_in_a_busy_loop() {
    let (dir, daemon) = (tempfile::tempdir().unwrap(), Daemon::new().await);
    let (client, _events) = daemon.script(dir.path());
    let mut peer = daemon.serve().await;
    within(client.send(LOBBY, "one")).await.unwrap();
    let (mut count, end) = (0, Instant::now() + Duration::from_secs(20));
    while Instant::now() < end {
        let Some(frame) = peer.frame_or_pause().await else { continue };
        count += 1;
        let error = Error::new(ErrorCode::Behind, "never").with_detail(0);
        peer.reply(frame.request, &error).await;
    }
    assert!((2..=25).contains(&count), "{count} sends in 20 s");
}
