//! Facts about messages on their way.

use std::path::Path;

use chat_client::{Event, Events, NoAck, OutgoingState, SendError, start};
use chat_proto::{
    AccountRenamed, Ack, Epoch, Error, ErrorCode, Join, MessageId, Nonce, RequestId, RoomId,
    RoomInfo, RoomName, Send, Seq, Timestamp,
};

use crate::fake::*;

async fn mark(events: &mut Events, nonce: Nonce) -> OutgoingState {
    event(events, |event| match event {
        Event::Outgoing(outgoing) if outgoing.nonce == nonce => Some(outgoing.state),
        _ => None,
    })
    .await
}

fn outbox_files(dir: &Path) -> usize {
    fn count(dir: &Path) -> usize {
        let Ok(entries) = std::fs::read_dir(dir) else { return 0 };
        let count_one = |path: std::path::PathBuf| if path.is_dir() { count(&path) } else { 1 };
        entries.map(|entry| count_one(entry.unwrap().path())).sum()
    }
    count(&dir.join("outbox"))
}

#[tokio::test]
async fn a_message_is_waiting_then_in_flight_then_committed() {
    let (dir, daemon) = (tempfile::tempdir().unwrap(), Daemon::new().await);
    let (client, mut events) = daemon.screen(dir.path());
    let mut peer = daemon.serve().await;
    let sent = within(client.send(LOBBY, "hello")).await.unwrap();
    assert_eq!(mark(&mut events, sent.nonce).await, OutgoingState::Waiting);
    assert_eq!(mark(&mut events, sent.nonce).await, OutgoingState::InFlight);
    let send = peer.take(5).await;
    assert_eq!((send.nonce, send.body.text.as_str()), (sent.nonce, "hello"));
    assert!(matches!(
        mark(&mut events, sent.nonce).await,
        OutgoingState::Acked { seq: Seq(5), .. }
    ));
    assert_eq!(within(sent.answer).await.unwrap().seq, Seq(5));
    client.shutdown().await;
    assert_eq!(outbox_files(dir.path()), 0);
}

#[tokio::test]
async fn an_ack_says_which_id_the_message_has() {
    let (dir, daemon) = (tempfile::tempdir().unwrap(), Daemon::new().await);
    let (client, mut events) = daemon.screen(dir.path());
    let mut peer = daemon.serve().await;
    let sent = within(client.send(LOBBY, "first sent with another key")).await.unwrap();
    let (id, send): (_, Send) = peer.expect().await;
    let (nonce, given) = (send.nonce, MessageId([9; 16]));
    let ts = Timestamp(1);
    peer.reply(id, &Ack { nonce, room: send.room, seq: Seq(5), ts, id: given }).await;
    let moved = OutgoingState::Moved { nonce, id: given };
    while mark(&mut events, sent.nonce).await != moved {}
    let acked = event(&mut events, |event| match event {
        Event::Outgoing(outgoing) => Some(outgoing),
        _ => None,
    });
    let acked = acked.await;
    assert!(matches!(acked.state, OutgoingState::Acked { seq: Seq(5), .. }), "{acked:?}");
    assert_eq!(acked.id, given);
    client.shutdown().await;
}

#[tokio::test]
async fn what_no_daemon_would_take_is_refused_at_once() {
    let (dir, daemon) = (tempfile::tempdir().unwrap(), Daemon::new().await);
    let (client, _events) = daemon.screen(dir.path());
    for (text, code) in [
        (String::new(), ErrorCode::EmptyText),
        ("x".repeat(16 * 1024 + 1), ErrorCode::TextTooLong),
        ("a\0".into(), ErrorCode::NulInText),
    ] {
        let refused = within(client.send(LOBBY, text)).await.unwrap_err();
        assert!(matches!(refused, SendError::Refused(refusal) if refusal.code == Some(code)));
    }
}

#[tokio::test]
async fn after_a_reconnect_the_unanswered_go_out_again_in_order() {
    let (dir, daemon) = (tempfile::tempdir().unwrap(), Daemon::new().await);
    let (client, mut events) = daemon.screen(dir.path());
    let mut peer = daemon.serve().await;
    let mut nonces = Vec::new();
    for text in ["a", "b", "c"] {
        nonces.push(within(client.send(LOBBY, text)).await.unwrap().nonce);
    }
    peer.take(1).await;
    for _unanswered in 0..2 {
        let _: (RequestId, Send) = peer.expect().await;
    }
    drop(peer);
    disconnected(&mut events).await;
    let mut peer = daemon.serve().await;
    for (nonce, text) in nonces[1..].iter().zip(["b", "c"]) {
        let send = peer.take(2).await;
        assert_eq!((send.nonce, send.body.text.as_str()), (*nonce, text));
    }
}

#[tokio::test]
async fn what_is_unanswered_survives_the_client_and_goes_out_once() {
    let (dir, daemon) = (tempfile::tempdir().unwrap(), Daemon::new().await);
    let (client, mut events) = daemon.screen(dir.path());
    let mut peer = daemon.serve().await;
    let sent = within(client.send(LOBBY, "kept")).await.unwrap();
    let (_id, first): (_, Send) = peer.expect().await;
    connected(&mut events).await;
    within(client.shutdown()).await;
    assert_eq!(within(sent.answer).await, Err(NoAck::OutcomeUnknown));
    assert_eq!(outbox_files(dir.path()), 1);

    let (client, mut events) = daemon.screen(dir.path());
    assert_eq!(mark(&mut events, first.nonce).await, OutgoingState::Waiting);
    let mut peer = daemon.serve().await;
    assert_eq!(peer.take(1).await, first);
    assert_eq!(mark(&mut events, first.nonce).await, OutgoingState::InFlight);
    assert!(matches!(mark(&mut events, first.nonce).await, OutgoingState::Acked { .. }));
    within(client.shutdown()).await;
    assert_eq!(outbox_files(dir.path()), 0);
}

#[tokio::test]
async fn what_was_typed_before_the_first_contact_goes_out_at_it() {
    let dir = tempfile::tempdir().unwrap();
    let daemon = Daemon::new().await;
    let lobby = RoomName::parse("lobby").unwrap();
    let (client, _events) = daemon.screen(dir.path());
    let sent = within(client.send(&lobby, "early")).await.unwrap();
    within(client.shutdown()).await;
    drop(daemon.accept().await);

    let (_client, _events) = daemon.screen(dir.path());
    let mut peer = daemon.serve().await;
    let (id, join): (_, Join) = peer.expect().await;
    assert_eq!(join.name, "lobby");
    peer.reply(id, &lobby_info()).await;
    let send = peer.take(1).await;
    assert_eq!((send.nonce, send.room), (sent.nonce, LOBBY));
}

#[tokio::test]
async fn two_processes_have_two_streams_and_a_dead_ones_is_adopted() {
    let (dir, daemon) = (tempfile::tempdir().unwrap(), Daemon::new().await);
    let (one, _events_one) = daemon.screen(dir.path());
    let mut peer_one = daemon.serve().await;
    let first = within(one.send(LOBBY, "one")).await.unwrap().nonce;
    let _: (_, Send) = peer_one.expect().await;

    let (two, _events_two) = daemon.screen(dir.path());
    let mut peer_two = daemon.serve().await;
    let second = within(two.send(LOBBY, "two")).await.unwrap();
    assert_ne!(first.stream, second.nonce.stream);
    assert_eq!(peer_two.take(1).await.nonce, second.nonce, "only its own");
    within(second.answer).await.unwrap();
    within(two.shutdown()).await;
    within(one.shutdown()).await;

    let (three, _events_three) = daemon.screen(dir.path());
    let third = within(three.send(LOBBY, "three")).await.unwrap().nonce;
    let mut peer_three = daemon.serve().await;
    let adopted = peer_three.take(2).await;
    assert_eq!((adopted.nonce, adopted.body.text.as_str()), (first, "one"));
    assert_eq!(peer_three.take(3).await.nonce, third, "after what was typed before");
}

#[tokio::test]
async fn a_script_leaves_nothing_behind_and_knows_what_has_left() {
    let (dir, daemon) = (tempfile::tempdir().unwrap(), Daemon::new().await);
    let (client, _events) = daemon.script(dir.path());
    let mut peer = daemon.serve().await;
    let sent = within(client.send(LOBBY, "hi")).await.unwrap();
    let _: (_, Send) = peer.expect().await;
    assert!(sent.answer.has_left());
    within(client.shutdown()).await;
    assert_eq!(within(sent.answer).await, Err(NoAck::OutcomeUnknown));
    assert_eq!(outbox_files(dir.path()), 0);
}

#[tokio::test]
async fn an_explicit_id_gives_the_same_nonces_again() {
    let dir = tempfile::tempdir().unwrap();
    let daemon = Daemon::new().await;
    let mut config = daemon.script_config(dir.path());
    config.outbox = chat_client::OutboxKind::Headless {
        explicit_id: Some("build-812".into()),
        renewable: false,
    };
    let mut seen = Vec::new();
    for _run in 0..2 {
        let (client, _events) = start(config.clone()).unwrap();
        let mut peer = daemon.serve().await;
        let sent = within(client.send(LOBBY, "hi")).await.unwrap();
        seen.push((sent.nonce, sent.id));
        peer.take(1).await;
        within(sent.answer).await.unwrap();
    }
    assert_eq!(seen[0], seen[1]);
}

#[tokio::test]
async fn a_refusal_for_good_is_told_and_the_next_message_goes_on() {
    let (dir, daemon) = (tempfile::tempdir().unwrap(), Daemon::new().await);
    let (client, mut events) = daemon.screen(dir.path());
    let mut peer = daemon.serve().await;
    let bad = within(client.send(RoomId(99), "bad")).await.unwrap();
    let good = within(client.send(LOBBY, "good")).await.unwrap();
    let (id, _): (_, Send) = peer.expect().await;
    peer.reply(id, &Error::new(ErrorCode::NotMember, "you are not in there")).await;
    assert_eq!(peer.take(1).await.nonce, good.nonce);
    let Err(NoAck::Refused(refusal)) = within(bad.answer).await else { panic!("acked") };
    assert_eq!(refusal.reason, "you are not in there");
    assert!(within(good.answer).await.is_ok());
    let refused = |state| matches!(state, OutgoingState::Refused(_));
    let mut marks = Vec::new();
    for _mark in 0..3 {
        marks.push(mark(&mut events, bad.nonce).await);
    }
    assert!(refused(marks.pop().unwrap()));
}

#[tokio::test]
async fn a_daemon_that_cannot_write_gets_the_same_nonce_again() {
    let (dir, daemon) = (tempfile::tempdir().unwrap(), Daemon::new().await);
    let (client, _events) = daemon.screen(dir.path());
    let mut peer = daemon.serve().await;
    let one = within(client.send(LOBBY, "one")).await.unwrap();
    let two = within(client.send(LOBBY, "two")).await.unwrap();
    let (id, _): (_, Send) = peer.expect().await;
    peer.reply(id, &Error::new(ErrorCode::Unavailable, "disk full")).await;
    let (id, _): (_, Send) = peer.expect().await;
    peer.reply(id, &Error::new(ErrorCode::Behind, "one is missing").with_detail(1)).await;
    assert_eq!(peer.take(1).await.nonce, one.nonce);
    assert_eq!(peer.take(2).await.nonce, two.nonce);
}

#[tokio::test]
async fn a_daemon_that_was_restored_gets_a_fresh_stream_and_the_file_follows() {
    let dir = tempfile::tempdir().unwrap();
    let mut daemon = Daemon::new().await;
    let (client, mut events) = daemon.screen(dir.path());
    let mut peer = daemon.serve().await;
    within(client.send(LOBBY, "one")).await.unwrap();
    peer.take(1).await;
    let two = within(client.send(LOBBY, "two")).await.unwrap();
    let _: (_, Send) = peer.expect().await;
    drop(peer);
    disconnected(&mut events).await;

    daemon.epoch = Epoch(8);
    let mut peer = daemon.serve().await;
    let (id, again): (_, Send) = peer.expect().await;
    assert_eq!(again.nonce, two.nonce);
    peer.reply(id, &Error::new(ErrorCode::Behind, "one is missing").with_detail(1)).await;
    let (_id, fresh): (_, Send) = peer.expect().await;
    assert_ne!(fresh.nonce.stream, two.nonce.stream);
    assert_eq!((fresh.nonce.n, fresh.body.text.as_str()), (1, "two"));
    let moved = event(&mut events, |event| match event {
        Event::Outgoing(outgoing) if outgoing.nonce == two.nonce => match outgoing.state {
            OutgoingState::Moved { nonce, .. } => Some(nonce),
            _ => None,
        },
        _ => None,
    })
    .await;
    assert_eq!(moved, fresh.nonce);
    within(client.shutdown()).await;

    let (_client, _events) = daemon.screen(dir.path());
    let mut peer = daemon.serve().await;
    assert_eq!(peer.take(1).await.nonce, fresh.nonce, "the file has the fresh one only");
}

#[tokio::test]
async fn a_room_that_cannot_be_had_refuses_the_message_and_nothing_else() {
    let (dir, daemon) = (tempfile::tempdir().unwrap(), Daemon::new().await);
    let (client, _events) = daemon.screen(dir.path());
    let mut peer = daemon.serve().await;
    let secret = RoomName::parse("secret").unwrap();
    let bad = within(client.send(&secret, "psst")).await.unwrap();
    let (id, _): (_, Join) = peer.expect().await;
    peer.reply(id, &Error::new(ErrorCode::TooManyRooms, "leave one first")).await;
    let Err(NoAck::Refused(refusal)) = within(bad.answer).await else { panic!("acked") };
    assert_eq!(refusal.reason, "leave one first");
    let again = within(client.send(&secret, "psst")).await.unwrap();
    let (id, _): (_, Join) = peer.expect().await;
    peer.reply(id, &lobby_info()).await;
    let send = peer.take(1).await;
    assert_eq!((send.nonce, send.nonce.n), (again.nonce, 1));
    assert_ne!(again.nonce.stream, bad.nonce.stream, "its first place is used by nothing");
}

#[tokio::test]
async fn a_message_that_cannot_be_written_down_is_not_sent() {
    let (dir, daemon) = (tempfile::tempdir().unwrap(), Daemon::new().await);
    let (client, _events) = daemon.screen(dir.path());
    let mut peer = daemon.serve().await;
    let in_the_way = dir.path().join("outbox");
    std::fs::write(&in_the_way, "").unwrap();
    let refused = within(client.send(LOBBY, "lost")).await;
    assert!(matches!(refused, Err(SendError::Outbox(_))), "{refused:?}");
    std::fs::remove_file(&in_the_way).unwrap();
    let sent = within(client.send(LOBBY, "kept")).await.unwrap();
    let send = peer.take(1).await;
    assert_eq!((send.nonce, send.body.text.as_str()), (sent.nonce, "kept"));
    assert_eq!(send.nonce.n, 1, "the refused one has used no number");
}

#[tokio::test]
async fn a_daemon_that_does_not_read_is_read_all_the_same() {
    let (dir, daemon) = (tempfile::tempdir().unwrap(), Daemon::new().await);
    let (client, mut events) = daemon.script(dir.path());
    let mut peer = daemon.serve().await;
    // More than both sockets hold: the client has bytes to write all the time from now on.
    let sender = tokio::spawn(async move {
        for _message in 0..1000 {
            client.send(LOBBY, "x".repeat(16 * 1024)).await.unwrap();
        }
        client
    });
    connected(&mut events).await;
    for seq in 1..=2 {
        let (ts, name) = (Timestamp(1), format!("ada-{seq}"));
        peer.event(&AccountRenamed { account: ADA, seq: Seq(seq), ts, by: ADA, name }).await;
    }
    event(&mut events, |event| matches!(event, Event::OwnName { .. }).then_some(())).await;
    for n in 1..=1000 {
        assert_eq!(peer.take(n).await.nonce.n, n);
    }
    within(sender).await.unwrap();
}

#[tokio::test]
async fn a_full_outbox_makes_senders_wait_and_loses_nothing() {
    let (dir, daemon) = (tempfile::tempdir().unwrap(), Daemon::new().await);
    let (client, _events) = daemon.script(dir.path());
    let mut peer = daemon.serve().await;
    let sender = tokio::spawn(async move {
        for n in 1..=5000 {
            client.send(LOBBY, n.to_string()).await.unwrap();
        }
        client
    });
    for n in 1..=5000 {
        assert_eq!(peer.take(n).await.body.text, n.to_string());
    }
    within(sender).await.unwrap();
}

fn lobby_info() -> RoomInfo {
    RoomInfo {
        room: LOBBY,
        name: "lobby".into(),
        head: Seq(3),
        members: 1,
        online: 1,
        joined: true,
        ..RoomInfo::default()
    }
}
