//! TLS at the daemon's port: what is said in it, who ends it, and what it costs.

use std::time::Duration;

use anyhow::{Context, Result};
use chat_client::{Client, Config, Event, Events, Name, Target, TlsPolicy};
use chat_proto::{
    Ack, ErrorCode, Join, Ping, Pong, Posted, RoomInfo, RoomName, Subscribe, Subscribed,
};
use chat_tests::process::{Daemon, Launch};
use chat_tests::raw::{Raw, send};
use chat_tests::tls::{EndingProxy, certificate, connect};
use rustix::process::Signal;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;
use tokio_util::either::Either;

/// Longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(60);

/// A client that speaks TLS on this machine, too.
fn client(port: u16, name: &str, dir: &TempDir) -> Result<(Client, Events)> {
    let target = Target::Tcp { host: "127.0.0.1".to_owned(), port };
    let config = Config {
        tls: TlsPolicy { always: true, ..TlsPolicy::default() },
        ..Config::headless(target, Name::firm(name), dir.path().join(name))
    };
    Ok(chat_client::start(config)?)
}

/// Why there is no connection, once the client does not try any more.
async fn why_refused(events: &mut Events) -> Result<String> {
    let refused = async {
        while let Some(event) = events.next().await {
            if let Event::Refused(refusal) = event {
                return Ok(refusal.reason);
            }
        }
        anyhow::bail!("it was not refused")
    };
    timeout(PATIENCE, refused).await?
}

#[tokio::test]
async fn what_is_said_over_tls_is_heard_by_everybody_in_whole() -> Result<()> {
    let dir = TempDir::new()?;
    let daemon = Daemon::start(&dir.path().join("data"))?;
    let (ada, mut heard_by_ada) = client(daemon.address().port(), "ada", &dir)?;
    let (mut bob, _) = Raw::connect_tls(daemon.address()).await?.introduce(2, "bob").await?;
    let (mut cyd, _) = Raw::sign_in(daemon.address(), 3, "cyd").await?;
    let lobby = RoomName::parse("lobby")?;
    let room = ada.find_room(&lobby).await?.room;
    ada.join(&lobby).await?;
    let _: Subscribed = cyd.ask(&Subscribe { log: room.into(), after: None }).await?;
    let _: RoomInfo = bob.ask(&Join { name: "lobby".to_owned() }).await?;
    let text = "é".repeat(8_000);
    for n in 1..=40 {
        let _: Ack = bob.ask(&send(2, n, room, &text)).await?;
        let posted: Posted = cyd.event().await?;
        assert_eq!(posted.body.text, text);
    }
    ada.send(room, "from ada").await?;
    let posted: Posted = cyd.event().await?;
    assert_eq!(posted.body.text, "from ada");
    let connected = async {
        loop {
            let event = heard_by_ada.next().await.context("it ended")?;
            if let Event::Connected(connected) = event {
                return anyhow::Ok(connected);
            }
            assert!(matches!(event, Event::Connecting { .. }), "{event:?}");
        }
    };
    assert!(timeout(PATIENCE, connected).await??.encrypted);
    Ok(())
}

#[tokio::test]
async fn a_proxy_that_ends_tls_is_told_of_in_a_sentence() -> Result<()> {
    let dir = TempDir::new()?;
    let daemon = Daemon::start(&dir.path().join("data"))?;
    for (encrypts, name) in [(false, "ada"), (true, "bob")] {
        let proxy = EndingProxy::start(daemon.address(), encrypts).await?;
        let (_client, mut events) = client(proxy.address.port(), name, &dir)?;
        let why = why_refused(&mut events).await?;
        assert!(why.contains("ends TLS") && why.contains("pass TCP through"), "{why}");
        let list = std::fs::read_to_string(dir.path().join(name).join("known_servers"));
        assert!(list.is_err(), "whoever could not prove it is not written down: {list:?}");
    }
    Ok(())
}

#[tokio::test]
async fn a_client_that_has_not_noticed_a_proxy_is_told_by_the_daemon() -> Result<()> {
    let dir = TempDir::new()?;
    let daemon = Daemon::start(&dir.path().join("data"))?;
    // It signs what would fit no TLS, as behind a proxy that begins it.
    let (stream, _binding) = connect(daemon.address()).await?;
    let mut raw = Raw::over(Either::Right(stream), None).await?;
    let closed = raw.sign_in_unchecked(1, "ada").await?;
    assert_eq!(closed.code, ErrorCode::ChannelMismatch as u16);
    assert!(closed.message.contains("ends TLS"), "{}", closed.message);
    // One that signs another TLS is not who it says it is.
    let (stream, _binding) = connect(daemon.address()).await?;
    let (_another, binding) = connect(daemon.address()).await?;
    let mut raw = Raw::over(Either::Right(stream), Some(binding)).await?;
    let closed = raw.sign_in_unchecked(1, "ada").await?;
    assert_eq!(closed.code, ErrorCode::BadSignature as u16);
    Ok(())
}

#[tokio::test]
async fn other_protocols_are_declined_inside_of_tls_too() -> Result<()> {
    let dir = TempDir::new()?;
    let daemon = Daemon::start(&dir.path().join("data"))?;
    for (said, begins) in [
        (&b"GET / HTTP/1.1\r\n\r\n"[..], &b"HTTP/1.1 400 "[..]),
        (b"NICK ada\r\n", b"ERROR :"),
        // TLS in TLS is none.
        (b"\x16\x03\x01\x02\0\x01\x00", b""),
    ] {
        let (mut stream, _binding) = connect(daemon.address()).await?;
        stream.write_all(said).await?;
        let mut answer = Vec::new();
        timeout(PATIENCE, stream.read_to_end(&mut answer)).await?.context("it ends in order")?;
        assert!(answer.starts_with(begins), "{}", answer.escape_ascii());
        assert!(answer.windows(8).any(|part| part == b"chat-tui"), "{}", answer.escape_ascii());
    }
    Ok(())
}

#[tokio::test]
async fn who_closes_one_half_of_tls_hears_the_rest_and_the_end() -> Result<()> {
    let dir = TempDir::new()?;
    let daemon = Daemon::start(&dir.path().join("data"))?;
    let (mut raw, _) = Raw::connect_tls(daemon.address()).await?.introduce(1, "ada").await?;
    for token in 0..100 {
        raw.tell(&Ping { token }).await?;
    }
    raw.socket().shutdown().await?;
    for token in 0..100 {
        let pong: Pong = raw.frame().await?.decode()?;
        assert_eq!(pong.token, token);
    }
    let mut rest = Vec::new();
    timeout(PATIENCE, raw.socket().read_to_end(&mut rest))
        .await?
        .context("it says that it ends")?;
    assert_eq!(rest, b"");
    Ok(())
}

/// A configuration file with a certificate of the tests.
fn with_certificate(dir: &TempDir, name: &str) -> Result<std::path::PathBuf> {
    let file = dir.path().join("chatd.toml");
    let (certificate, key) = certificate(name);
    let text =
        format!("tls-certificate = '{}'\ntls-key = '{}'\n", certificate.display(), key.display());
    std::fs::write(&file, text)?;
    Ok(file)
}

/// The certificate that is shown.
async fn shown(daemon: &Daemon) -> Result<Vec<u8>> {
    let (stream, _binding) = connect(daemon.address()).await?;
    let chain = stream.get_ref().1.peer_certificates().context("one is shown")?;
    Ok(chain.first().context("one is shown")?.to_vec())
}

#[tokio::test]
async fn a_certificate_that_is_changed_drops_nobody() -> Result<()> {
    const AGAIN: &str = "the settings have been read again";
    let dir = TempDir::new()?;
    let file = with_certificate(&dir, "host")?;
    let flags = ["--config", file.to_str().context("a path of letters")?];
    let daemon = Daemon::start_with(&dir.path().join("data"), &flags)?;
    let first = shown(&daemon).await?;
    let (mut loud, _) = Raw::connect_tls(daemon.address()).await?.introduce(1, "loud").await?;
    let (mut reader, _) = Raw::connect_tls(daemon.address()).await?.introduce(2, "reader").await?;
    let lobby: RoomInfo = loud.ask(&Join { name: "lobby".to_owned() }).await?;
    let _: Subscribed = reader.ask(&Subscribe { log: lobby.room.into(), after: None }).await?;
    let talking = tokio::spawn(async move {
        for n in 1..=600 {
            let _: Ack = loud.ask(&send(1, n, lobby.room, &n.to_string())).await?;
        }
        anyhow::Ok(loud)
    });
    for n in 1..=600 {
        if n == 100 {
            with_certificate(&dir, "other")?;
            daemon.signal(Signal::HUP)?;
        }
        let posted: Posted = reader.event().await?;
        assert_eq!(posted.body.text, n.to_string());
    }
    let mut loud = talking.await??;
    daemon.log().wait_for(AGAIN, 1).await?;
    let changed = async {
        while shown(&daemon).await? == first {
            // Each reactor takes it with its next pass.
            tokio::task::yield_now().await;
        }
        anyhow::Ok(())
    };
    timeout(PATIENCE, changed).await.context("the new one is shown")??;
    let second = shown(&daemon).await?;

    // One that is of no use changes nothing, and is told.
    std::fs::write(&file, "tls-certificate = '/nowhere'\ntls-key = '/nowhere'\n")?;
    daemon.signal(Signal::HUP)?;
    daemon.log().wait_for("the certificate is of no use", 1).await?;
    daemon.log().wait_for(AGAIN, 2).await?;
    assert_eq!(shown(&daemon).await?, second);
    for raw in [&mut loud, &mut reader] {
        let pong: Pong = raw.ask(&Ping { token: 3 }).await?;
        assert_eq!(pong.token, 3);
    }
    Ok(())
}

#[tokio::test]
async fn a_certificate_that_is_no_use_at_the_start_is_told_with_its_file() -> Result<()> {
    let dir = TempDir::new()?;
    let (host, _key) = certificate("host");
    let (_other, key) = certificate("other");
    let flags = ["--tls-certificate", host.to_str().context("letters")?, "--tls-key"];
    let launch = Launch::new(&dir.path().join("data")).flags(&flags);
    let told = |more: &[&str]| -> Result<String> {
        let ended = launch.clone().flags(more).command()?.output()?;
        anyhow::ensure!(!ended.status.success(), "it has started");
        Ok(String::from_utf8(ended.stderr)?)
    };
    let of_another = told(&[key.to_str().context("letters")?])?;
    assert!(of_another.contains("other.key") && of_another.contains("--tls-key"), "{of_another}");
    let half = Launch::new(&dir.path().join("data")).flags(&flags[..2]).command()?.output()?;
    let half = String::from_utf8(half.stderr)?;
    assert!(half.contains("--tls-certificate and --tls-key go together"), "{half}");
    Ok(())
}
