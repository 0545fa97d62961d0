//! SIGTERM: everything that was asked is answered, everybody is told, and the port is free again.

use std::time::Duration;

use anyhow::{Context, Result};
use chat_proto::{Ack, CloseReason, Join, Kind, RoomInfo};
use chat_tests::process::Daemon;
use chat_tests::raw::{Closed, Raw, send};
use rustix::process::Signal;
use tempfile::TempDir;

#[tokio::test]
async fn a_drain_answers_what_was_asked_and_says_goodbye() -> Result<()> {
    let dir = TempDir::new()?;
    let data = dir.path().join("data");
    let daemon = Daemon::start(&data)?;
    let address = daemon.address();
    let (mut ada, _) = Raw::sign_in(address, 1, "ada").await?;
    let (mut idle, _) = Raw::sign_in(address, 2, "idle").await?;
    let lobby: RoomInfo = ada.ask(&Join { name: "lobby".to_owned() }).await?;
    for n in 1..=500 {
        ada.tell(&send(1, n, lobby.room, "on its way")).await?;
    }
    daemon.signal(Signal::TERM)?;
    let mut acked = 0;
    let close = loop {
        match ada.frame().await {
            Ok(frame) if frame.known_kind() == Some(Kind::Ack) => {
                let ack: Ack = frame.decode()?;
                acked += 1;
                assert_eq!(ack.nonce.n, acked, "acks come in order");
            }
            Ok(_) => {}
            Err(error) => break error.downcast::<Closed>()?.0,
        }
    };
    assert_eq!(close.known_reason(), Some(CloseReason::GoingAway));
    assert!(close.reconnect);
    assert_eq!(idle.closed().await?.known_reason(), Some(CloseReason::GoingAway));
    assert_eq!(daemon.wait()?.code(), Some(0));

    // What was not acked goes out again under the same nonces; the port is the same one.
    let daemon = Daemon::start_with(&data, &["--listen", &address.to_string()])?;
    assert!(daemon.addresses().contains(&address));
    let (mut ada, _) = Raw::sign_in(address, 1, "ada").await?;
    let mut last = None;
    for n in 1..=500 {
        let ack: Ack = ada.ask(&send(1, n, lobby.room, "on its way")).await?;
        assert!(
            last.is_none_or(|seq| ack.seq == chat_proto::Seq(seq + 1)),
            "{ack:?} after {last:?}"
        );
        last = Some(ack.seq.0);
    }
    Ok(())
}

#[tokio::test]
async fn a_client_that_takes_nothing_does_not_hold_up_the_end() -> Result<()> {
    let dir = TempDir::new()?;
    let daemon = Daemon::start(&dir.path().join("data"))?;
    let (mut stuck, _) = Raw::sign_in(daemon.address(), 1, "stuck").await?;
    let lobby: RoomInfo = stuck.ask(&Join { name: "lobby".to_owned() }).await?;
    let subscribe = chat_proto::Subscribe { log: lobby.room.into(), after: None };
    let _: chat_proto::Subscribed = stuck.ask(&subscribe).await?;
    let (mut loud, _) = Raw::sign_in(daemon.address(), 2, "loud").await?;
    let _: RoomInfo = loud.ask(&Join { name: "lobby".to_owned() }).await?;
    let text = "x".repeat(16_000);
    for n in 1..=1000 {
        let _: Ack = loud.ask(&send(1, n, lobby.room, &text)).await?;
    }
    let (status, took) = daemon.terminate()?;
    assert_eq!(status.code(), Some(0));
    assert!(took < Duration::from_secs(10), "it took {took:?}");
    Ok(())
}

#[tokio::test]
async fn sigkill_loses_nothing_that_was_acked_and_the_next_start_is_quick() -> Result<()> {
    let dir = TempDir::new()?;
    let data = dir.path().join("data");
    let daemon = Daemon::start(&data)?;
    let (mut ada, _) = Raw::sign_in(daemon.address(), 1, "ada").await?;
    let lobby: RoomInfo = ada.ask(&Join { name: "lobby".to_owned() }).await?;
    let ack: Ack = ada.ask(&send(1, 1, lobby.room, "kept")).await?;
    daemon.kill()?;
    let daemon = Daemon::start(&data)?;
    println!("ready again after {:?}", daemon.ready_after);
    assert!(daemon.ready_after < Duration::from_secs(2));
    let (mut ada, signed_in) = Raw::sign_in(daemon.address(), 1, "ada").await?;
    let history =
        chat_proto::History { room: lobby.room, before: chat_proto::Seq(u64::MAX), limit: 9 };
    let page: chat_proto::HistoryPage = ada.ask(&history).await?;
    let kept = page.messages.first().context("it is there")?;
    assert_eq!((kept.id, &*kept.body.text, kept.from), (ack.id, "kept", signed_in.account));
    let again: Ack = ada.ask(&send(1, 1, lobby.room, "kept")).await?;
    assert_eq!(again, ack, "the same nonce gets the first answer");
    Ok(())
}
