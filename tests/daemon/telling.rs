//! What an operator can learn from the log about those who connect.

use anyhow::{Context, Result};
use chat_proto::{Ack, Join, RoomId, RoomInfo};
use chat_tests::process::Daemon;
use chat_tests::raw::{Raw, send};
use rustix::process::Signal;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const REFUSED: &str = "peers were refused";

#[tokio::test]
async fn debug_tells_of_a_connection_from_its_beginning_to_its_end() -> Result<()> {
    let dir = TempDir::new()?;
    let daemon = Daemon::start_with(&dir.path().join("data"), &["--log", "debug"])?;
    let log = daemon.log().clone();
    let (mut ada, signed_in) = Raw::sign_in(daemon.address(), 1, "ada").await?;
    let lobby: RoomInfo = ada.ask(&Join { name: "lobby".to_owned() }).await?;
    let _: Ack = ada.ask(&send(1, 1, lobby.room, "nobody logs this")).await?;
    let refused: Result<Ack> = ada.ask(&send(2, 1, RoomId(u64::MAX), "nor this")).await;
    assert!(refused.is_err());
    drop(ada);
    for (what, where_it_is) in [
        ("connected", "peer=\"127.0.0.1:"),
        ("signed in", "account="),
        ("answered", "kind=RoomInfo"),
        ("answered", "kind=Ack"),
        ("refused", "code=Some("),
        ("closed", "reason=\"HungUp\""),
    ] {
        log.wait_for(where_it_is, 1).await?;
        assert!(log.with(where_it_is).iter().any(|line| line.contains(what)), "{what}");
    }
    let session = format!("account={}", signed_in.account.0);
    let ack = log.with("kind=Ack").pop().context("it is there")?;
    assert!(ack.contains("conn{conn_id=") && ack.contains("session{session_id="), "{ack}");
    assert!(ack.contains(&session), "{ack}");
    let by_socket = Raw::connect_unix(daemon.socket()).await?;
    log.wait_for(&format!("process {} of user", std::process::id()), 1).await?;
    drop(by_socket);
    daemon.signal(Signal::TERM)?;
    daemon.wait()?;
    log.ended().await?;
    for text in ["nobody logs this", "nor this"] {
        assert!(log.with(text).is_empty(), "{text}");
    }
    Ok(())
}

#[tokio::test]
async fn a_session_has_the_number_that_its_client_was_told_and_that_tells_nothing() -> Result<()> {
    let dir = TempDir::new()?;
    let daemon = Daemon::start_with(&dir.path().join("data"), &["--log", "debug"])?;
    let mut sessions = Vec::new();
    for key in 1..=3 {
        let (mut raw, _) = Raw::sign_in(daemon.address(), key, &format!("guest-{key}")).await?;
        let session = raw.session.context("it was greeted")?;
        let _: RoomInfo = raw.ask(&Join { name: "lobby".to_owned() }).await?;
        daemon.log().wait_for(&format!("session{{session_id={}", session.0), 1).await?;
        assert_eq!(daemon.log().with(&format!("conn_id={} ", session.0)), [""; 0]);
        sessions.push(session.0);
    }
    // The numbers of connections that come one after the other rise by far less than this.
    let apart = sessions.windows(2).map(|two| two[0].abs_diff(two[1])).max();
    assert!(apart > Some(1 << 40), "{sessions:?}");
    Ok(())
}

#[tokio::test]
async fn who_was_refused_is_counted_and_told_in_one_line() -> Result<()> {
    const STRANGERS: usize = 300;
    let dir = TempDir::new()?;
    let daemon = Daemon::start(&dir.path().join("data"))?;
    let log = daemon.log().clone();
    for _ in 0..STRANGERS {
        let mut stranger = TcpStream::connect(daemon.address()).await?;
        stranger.write_all(b"\x80\x2E\x01 garbage").await?;
        let mut farewell = Vec::new();
        // The end is seen, in order or not.
        stranger.read_to_end(&mut farewell).await.ok();
    }
    let (mut ada, _) = Raw::sign_in(daemon.address(), 1, "ada").await?;
    let refused: Result<Ack> = ada.ask(&send(2, 1, RoomId(u64::MAX), "x")).await;
    assert!(refused.is_err());
    daemon.signal(Signal::TERM)?;
    daemon.wait()?;
    log.ended().await?;
    let told = log.with(REFUSED);
    let sum_of = |field: &str| -> usize {
        let words = told.iter().flat_map(|line| line.split_whitespace());
        words.filter_map(|word| word.strip_prefix(field)?.parse::<usize>().ok()).sum()
    };
    assert_eq!((sum_of("strangers="), sum_of("requests=")), (STRANGERS, 1), "{told:?}");
    assert!(told.len() <= 2, "one line a minute: {told:?}");
    Ok(())
}

#[tokio::test]
async fn nothing_is_told_when_nobody_was_refused() -> Result<()> {
    let dir = TempDir::new()?;
    let daemon = Daemon::start(&dir.path().join("data"))?;
    let log = daemon.log().clone();
    let (mut ada, _) = Raw::sign_in(daemon.address(), 1, "ada").await?;
    let _: RoomInfo = ada.ask(&Join { name: "lobby".to_owned() }).await?;
    daemon.signal(Signal::TERM)?;
    daemon.wait()?;
    log.ended().await?;
    assert!(log.with(REFUSED).is_empty());
    Ok(())
}
