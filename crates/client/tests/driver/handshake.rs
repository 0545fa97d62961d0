//! Facts about connecting and signing in.

use chat_client::{Event, Fingerprint, RequestError, start};
use chat_proto::{Close, CloseReason, Error, ErrorCode, RequestId, SignIn};
use tokio::io::AsyncWriteExt;

use crate::fake::*;

/// Why the client stopped trying.
async fn refusal(events: &mut chat_client::Events) -> chat_client::Refusal {
    let refusal = event(events, |event| match event {
        Event::Refused(refusal) => Some(refusal),
        Event::Connected(_) => panic!("connected"),
        _ => None,
    })
    .await;
    let last = within(events.next()).await;
    assert!(matches!(last, Some(Event::Disconnected { retry_in: None, .. })));
    refusal
}

#[tokio::test]
async fn a_client_signs_in_with_its_name_and_key() {
    let (dir, daemon) = (tempfile::tempdir().unwrap(), Daemon::new().await);
    let (client, mut events) = daemon.screen(dir.path());
    let peer = daemon.serve().await;
    assert_eq!(peer.name, "ada");
    let connected = connected(&mut events).await;
    assert_eq!((connected.account, connected.epoch), (ADA, EPOCH));
    assert_eq!(connected.server_key, daemon.public_key());
    assert!(connected.first_contact && !connected.encrypted && client.is_online());
    client.shutdown().await;
    assert!(within(events.next()).await.is_none_or(|event| matches!(event, Event::Latency(_))));
}

#[tokio::test]
async fn a_daemon_that_cannot_prove_its_identity_is_refused() {
    let (dir, daemon) = (tempfile::tempdir().unwrap(), Daemon::new().await);
    let (_client, mut events) = daemon.screen(dir.path());
    let (mut peer, hello) = daemon.greeted().await;
    let mut welcome = daemon.welcome(&hello);
    welcome.challenge[0] ^= 1;
    peer.reply(RequestId(1), &welcome).await;
    assert!(refusal(&mut events).await.reason.contains("could not prove"));
    assert!(peer.frame().await.is_none(), "no sign-in was sent");
}

#[tokio::test]
async fn a_daemon_with_another_identity_than_before_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let daemon = Daemon::new().await;
    let (client, mut events) = daemon.screen(dir.path());
    daemon.serve().await;
    connected(&mut events).await;
    client.shutdown().await;

    let impostor = daemon.with_key(43);
    let (client, mut events) = impostor.screen(dir.path());
    let (mut peer, hello) = impostor.greeted().await;
    peer.reply(RequestId(1), &impostor.welcome(&hello)).await;
    let refusal = refusal(&mut events).await;
    assert!(refusal.reason.contains("is not the one that was there before"), "{refusal}");
    assert!(peer.frame().await.is_none(), "no sign-in was sent");
    let answer = within(client.ping()).await;
    assert_eq!(answer, Err(RequestError::Refused(refusal)));
}

#[tokio::test]
async fn the_fingerprint_of_a_join_line_is_held_to() {
    let (dir, daemon) = (tempfile::tempdir().unwrap(), Daemon::new().await);
    let mut config = daemon.screen_config(dir.path());
    config.fingerprint = Some(Fingerprint([1; 32]));
    let (_client, mut events) = start(config).unwrap();
    let (mut peer, hello) = daemon.greeted().await;
    peer.reply(RequestId(1), &daemon.welcome(&hello)).await;
    assert!(refusal(&mut events).await.reason.contains("is not the one that was asked for"));
}

#[tokio::test]
async fn a_server_that_the_join_line_vouches_for_is_no_first_contact() {
    let (dir, daemon) = (tempfile::tempdir().unwrap(), Daemon::new().await);
    let mut config = daemon.screen_config(dir.path());
    config.fingerprint = Some(Fingerprint::of(&daemon.public_key()));
    let (_client, mut events) = start(config).unwrap();
    let _peer = daemon.serve().await;
    assert!(!connected(&mut events).await.first_contact);
}

#[tokio::test]
async fn a_sign_in_that_is_refused_is_not_tried_again() {
    let (dir, daemon) = (tempfile::tempdir().unwrap(), Daemon::new().await);
    let (_client, mut events) = daemon.screen(dir.path());
    let (mut peer, hello) = daemon.greeted().await;
    peer.reply(RequestId(1), &daemon.welcome(&hello)).await;
    let (id, sign_in): (_, SignIn) = peer.expect().await;
    assert!(sign_in.name_is_firm);
    peer.reply(id, &Error::new(ErrorCode::NameTaken, "ada is somebody else")).await;
    let refusal = refusal(&mut events).await;
    assert_eq!(refusal.code, Some(ErrorCode::NameTaken));
    assert_eq!(refusal.reason, "ada is somebody else");
}

#[tokio::test]
async fn a_close_says_whether_to_come_back() {
    let (dir, daemon) = (tempfile::tempdir().unwrap(), Daemon::new().await);
    let (_client, mut events) = daemon.screen(dir.path());
    let mut peer = daemon.serve().await;
    peer.event(&Close::new(CloseReason::GoingAway, "back soon")).await;
    let (why, retry_in) = disconnected(&mut events).await;
    assert_eq!(why, "back soon");
    assert!(retry_in.is_some());
    let mut peer = daemon.serve().await;
    connected(&mut events).await;
    peer.event(&Close::new(CloseReason::ProtocolError, "no")).await;
    assert_eq!(refusal(&mut events).await.reason, "no");
}

#[tokio::test]
async fn something_else_at_the_port_is_said_and_tried_again() {
    let (dir, daemon) = (tempfile::tempdir().unwrap(), Daemon::new().await);
    let (_client, mut events) = daemon.screen(dir.path());
    let mut socket = daemon.accept().await;
    socket.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.unwrap();
    let (why, _) = disconnected(&mut events).await;
    assert!(why.contains("is no chatd"), "{why}");
    daemon.serve().await;
    connected(&mut events).await;
}

#[tokio::test]
async fn a_frame_of_four_gibibytes_ends_the_connection_before_it_comes() {
    let (dir, daemon) = (tempfile::tempdir().unwrap(), Daemon::new().await);
    let (_client, mut events) = daemon.screen(dir.path());
    let mut peer = daemon.serve().await;
    connected(&mut events).await;
    peer.bytes(&u32::MAX.to_le_bytes()).await;
    let (why, retry_in) = disconnected(&mut events).await;
    assert!(why.contains("4294967295 bytes is over the limit"), "{why}");
    assert!(retry_in.is_some(), "it comes back");
    daemon.serve().await;
    connected(&mut events).await;
}

#[tokio::test]
async fn nobody_listens_is_said_in_one_sentence() {
    let dir = tempfile::tempdir().unwrap();
    let config = Daemon::new().await.screen_config(dir.path());
    let (client, mut events) = start(config).unwrap();
    let (why, _) = disconnected(&mut events).await;
    assert!(why.contains("nobody listens there"), "{why}");
    within(client.shutdown()).await;
}

#[tokio::test]
async fn a_socket_that_is_not_there_is_said_in_one_sentence() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("no.sock");
    let target = chat_client::Target::Unix(path);
    let name = chat_client::Name::firm("ada");
    let config = chat_client::Config::screen(target, name, dir.path().into());
    let (_client, mut events) = start(config).unwrap();
    let (why, _) = disconnected(&mut events).await;
    assert!(why.contains("there is no such socket"), "{why}");
}
