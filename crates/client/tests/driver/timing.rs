//! Facts about waiting: on a clock that the test owns.

use std::time::Duration;

use chat_client::{Event, REQUEST_TIMEOUT, RequestError};
use chat_proto::{
    Close, CloseReason, Kind, MessageId, Ping, Pong, Position, Posted, Probe, ProbeReply, Rename,
    RequestId, Seq, Subscribe, TextBody, Timestamp, Unsubscribe,
};
use tokio::time::Instant;

use crate::fake::*;

#[tokio::test]
async fn a_daemon_is_asked_for_life_and_the_answer_is_the_latency() {
    let (dir, daemon) = (tempfile::tempdir().unwrap(), Daemon::new().await);
    let (_client, mut events) = daemon.screen(dir.path());
    let mut peer = daemon.sign_in().await;
    let (id, _) = peer.subscribe().await;
    peer.subscribed(id, ADA.into(), Seq(0), "ada").await;
    let is_latency = |event| matches!(event, Event::Latency(_)).then_some(());
    event(&mut events, is_latency).await;
    for _ping in 0..3 {
        pass(Duration::from_secs(20)).await;
        let ping = peer.any_frame().await.expect("a living client");
        let token = ping.decode::<Ping>().unwrap().token;
        peer.reply(ping.request, &Pong { token }).await;
        event(&mut events, is_latency).await;
    }
}

#[tokio::test]
async fn a_daemon_that_says_nothing_for_a_minute_is_left() {
    let (dir, daemon) = (tempfile::tempdir().unwrap(), Daemon::new().await);
    let (client, mut events) = daemon.screen(dir.path());
    let _half_open = daemon.sign_in().await;
    connected(&mut events).await;
    let since = Instant::now();
    pass(Duration::from_secs(60)).await;
    let (why, _) = disconnected(&mut events).await;
    assert!(why.contains("has not answered for a minute"), "{why}");
    assert!(since.elapsed() < Duration::from_secs(62) && !client.is_online());
    daemon.serve().await;
    connected(&mut events).await;
}

#[tokio::test]
async fn silence_is_told_within_seconds_and_a_retry_does_not_wait() {
    let (dir, daemon) = (tempfile::tempdir().unwrap(), Daemon::new().await);
    let (client, mut events) = daemon.screen(dir.path());
    let _half_open = daemon.sign_in().await;
    connected(&mut events).await;
    pass(Duration::from_secs(4)).await;
    let silence = |event| if let Event::NoAnswer(silent) = event { Some(silent) } else { None };
    let silent = event(&mut events, silence).await;
    assert!((3..6).contains(&silent.as_secs()), "{silent:?}");
    client.retry();
    let (why, _) = disconnected(&mut events).await;
    assert!(why.contains("did not answer"), "{why}");
    daemon.serve().await;
    connected(&mut events).await;
}

#[tokio::test]
async fn the_first_retry_is_under_a_second_and_the_pauses_grow() {
    let (dir, daemon) = (tempfile::tempdir().unwrap(), Daemon::new().await);
    let (_client, mut events) = daemon.screen(dir.path());
    let mut pauses = Vec::new();
    for _attempt in 0..12 {
        drop(daemon.accept().await);
        pauses.push(disconnected(&mut events).await.1.unwrap());
    }
    assert!(pauses[0] < Duration::from_secs(1), "{pauses:?}");
    assert!(pauses.iter().all(|pause| *pause <= Duration::from_secs(30)), "{pauses:?}");
    assert!(pauses.iter().any(|pause| *pause > Duration::from_secs(1)), "{pauses:?}");
}

#[tokio::test]
async fn an_attempt_that_gets_no_answer_ends_in_time() {
    let (dir, daemon) = (tempfile::tempdir().unwrap(), Daemon::new().await);
    let (_client, mut events) = daemon.screen(dir.path());
    let _silent = daemon.accept().await;
    pass(Duration::from_secs(10)).await;
    let (why, _) = disconnected(&mut events).await;
    assert!(why.contains("did not answer in 10 s"), "{why}");
}

#[tokio::test]
async fn a_request_ends_in_time_with_and_without_a_connection() {
    let (dir, daemon) = (tempfile::tempdir().unwrap(), Daemon::new().await);
    let (client, mut events) = daemon.screen(dir.path());
    let silent = daemon.accept().await;
    let asking = client.clone();
    let asked = tokio::spawn(async move { asking.ping().await });
    tokio::task::yield_now().await;
    pass(REQUEST_TIMEOUT).await;
    assert_eq!(within(asked).await.unwrap(), Err(RequestError::NotConnected));
    drop(silent);
    disconnected(&mut events).await;
    let mut peer = daemon.serve().await;
    connected(&mut events).await;
    let asked = tokio::spawn(async move { client.rooms().await });
    let _: (_, chat_proto::Rooms) = peer.expect().await;
    pass(REQUEST_TIMEOUT).await;
    assert_eq!(within(asked).await.unwrap(), Err(RequestError::TimedOut));
}

#[tokio::test]
async fn a_question_that_was_out_when_the_connection_broke_is_asked_again() {
    let (dir, daemon) = (tempfile::tempdir().unwrap(), Daemon::new().await);
    let (client, mut events) = daemon.screen(dir.path());
    let mut peer = daemon.serve().await;
    let asking = tokio::spawn(async move { client.rename("eve").await });
    let _: (_, Rename) = peer.expect().await;
    drop(peer);
    disconnected(&mut events).await;
    let mut peer = daemon.sign_in().await;
    let (id, rename): (_, Rename) = peer.expect().await;
    assert_eq!(rename.name, "eve");
    peer.reply(id, &chat_proto::Done {}).await;
    within(asking).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_probe_is_answered() {
    let (dir, daemon) = (tempfile::tempdir().unwrap(), Daemon::new().await);
    let (_client, _events) = daemon.screen(dir.path());
    let mut peer = daemon.serve().await;
    peer.event(&Probe { token: 77 }).await;
    let (id, reply): (_, ProbeReply) = peer.expect().await;
    assert_eq!((id, reply.token), (RequestId(0), 77));
}

/// More events than the client takes ahead of its user.
const FLOOD: u64 = 5_000;

fn posted(seq: u64) -> Posted {
    Posted {
        room: LOBBY,
        seq: Seq(seq),
        ts: Timestamp(seq),
        from: ADA,
        id: MessageId([1; 16]),
        body: TextBody::say(seq.to_string()),
    }
}

#[tokio::test]
async fn a_user_who_sleeps_gets_acks_all_the_same_and_then_every_event_once() {
    let (dir, daemon) = (tempfile::tempdir().unwrap(), Daemon::new().await);
    let (client, mut events) = daemon.script(dir.path());
    let mut peer = daemon.serve().await;
    let follower = client.clone();
    let follow =
        tokio::spawn(async move { follower.follow(LOBBY.into(), Some(Position::default())).await });
    let (id, _) = peer.subscribe().await;
    peer.subscribed(id, LOBBY.into(), Seq(FLOOD), "lobby").await;
    within(follow).await.unwrap().unwrap();

    // Nobody reads events: the daemon's words pile up, and an ack is behind them.
    let sending = client.clone();
    let sender = tokio::spawn(async move {
        let sent = sending.send(LOBBY, "hi").await.unwrap();
        sent.answer.await.unwrap()
    });
    for seq in 1..=FLOOD {
        peer.event(&posted(seq)).await;
    }
    take_and_see_the_cursors_closed(&mut peer).await;
    assert_eq!(within(sender).await.unwrap().seq, Seq(1));

    // The user wakes up: the cursor goes on where the user is, as often as it must.
    let replaying = tokio::spawn(replay(peer));
    for seq in 1..=FLOOD {
        let message = event(&mut events, |event| match event {
            Event::Message(message) => Some(message),
            _ => None,
        })
        .await;
        assert_eq!(message.seq, Seq(seq));
    }
    within(client.shutdown()).await;
    let first_asked = within(replaying).await.unwrap();
    assert!(first_asked.is_some_and(|seq| seq.0 > 0 && seq.0 < FLOOD));
}

/// Acks the one message, until both cursors (the own log's too) are closed.
async fn take_and_see_the_cursors_closed(peer: &mut Peer) {
    let (mut acked, mut closed) = (false, 0);
    while !(acked && closed == 2) {
        let frame = peer.frame().await.expect("a living client");
        match frame.known_kind() {
            Some(Kind::Send) => {
                peer.ack(frame.request, &frame.decode().unwrap(), 1).await;
                acked = true;
            }
            Some(Kind::Unsubscribe) => {
                let _: Unsubscribe = frame.decode().unwrap();
                peer.reply(frame.request, &chat_proto::Done {}).await;
                closed += 1;
            }
            other => panic!("unexpected {other:?}"),
        }
    }
}

/// Gives the flood from wherever the client asks. Returns where it asked first.
async fn replay(mut peer: Peer) -> Option<Seq> {
    let mut first_asked = None;
    while let Some(frame) = peer.frame().await {
        if frame.known_kind() == Some(Kind::Unsubscribe) {
            peer.reply(frame.request, &chat_proto::Done {}).await;
            continue;
        }
        let ask: Subscribe = frame.decode().unwrap();
        let after = ask.after.unwrap().seq;
        peer.subscribed(frame.request, ask.log, Seq(FLOOD), "lobby").await;
        if ask.log != LOBBY.into() {
            continue;
        }
        first_asked.get_or_insert(after);
        for seq in after.0 + 1..=FLOOD {
            let event = chat_proto::Frame::of(&posted(seq), RequestId(0)).unwrap();
            if peer.raw(event).await.is_err() {
                return first_asked;
            }
        }
    }
    first_asked
}

#[tokio::test]
async fn a_close_that_says_when_to_come_again_is_kept_to_and_none_keeps_a_person_out_for_long() {
    let (dir, daemon) = (tempfile::tempdir().unwrap(), Daemon::new().await);
    let (_client, mut events) = daemon.screen(dir.path());
    let close = |wait_ms| Close::new(CloseReason::Full, "too many of you").to_wait(wait_ms);
    let (mut refused, _hello) = daemon.greeted().await;
    refused.event(&close(20_000)).await;
    let (why, pause) = disconnected(&mut events).await;
    assert!(why.contains("too many of you"), "{why}");
    assert_eq!(pause, Some(Duration::from_secs(20)), "also before the sign-in");
    let mut served = daemon.serve().await;
    connected(&mut events).await;
    served.event(&close(u64::MAX)).await;
    assert_eq!(disconnected(&mut events).await.1, Some(Duration::from_secs(300)));
}
