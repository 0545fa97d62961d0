//! Peers that mean harm to TLS at the daemon's port: they stall, cut, and reset it at any byte, do not read,
//! and answer in its place.

use std::time::Duration;

use anyhow::{Context, Result};
use chat_client::{Config, Event, Name, Target, TlsPolicy};
use chat_proto::{Ack, Close, CloseReason, Join, Ping, Pong, RequestId, RoomInfo, encode_frame};
use chat_proto::{Subscribe, Subscribed};
use chat_tests::process::Daemon;
use chat_tests::raw::{Raw, send};
use chat_tests::tls;
use rustls::ClientConnection;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, timeout};

use crate::TestServer;
use crate::bytes::PATIENCE;

/// The first bytes of a client of TLS.
fn client_hello() -> Result<Vec<u8>> {
    let config = std::sync::Arc::new(tls::client());
    let mut connection = ClientConnection::new(config, "chatd".try_into()?)?;
    let mut bytes = Vec::new();
    connection.write_tls(&mut bytes)?;
    Ok(bytes)
}

async fn barrier(bystander: &mut Raw) -> Result<()> {
    let pong: Pong = bystander.ask(&Ping { token: 7 }).await?;
    anyhow::ensure!(pong.token == 7, "another answer");
    Ok(())
}

#[tokio::test]
async fn a_handshake_that_stalls_ends_as_soon_as_any_other() -> Result<()> {
    let server = TestServer::start().await?;
    let hello = client_hello()?;
    let began = Instant::now();
    let mut stalled = Vec::new();
    for cut in [1, 3, 5, 9, hello.len() / 2, hello.len() - 1, hello.len()] {
        let mut stream = TcpStream::connect(server.address).await?;
        stream.write_all(&hello[..cut]).await?;
        stalled.push(stream);
    }
    // It has shaken hands, and says nothing.
    let (mut silent, _binding) = tls::connect(server.address).await?;
    for stream in &mut stalled {
        let mut answer = Vec::new();
        timeout(PATIENCE, stream.read_to_end(&mut answer)).await.context("it is let go")??;
    }
    let mut told = Vec::new();
    timeout(PATIENCE, silent.read_to_end(&mut told)).await.context("it is let go")??;
    let took = began.elapsed();
    assert!(took >= Duration::from_secs(8) && took < Duration::from_secs(40), "{took:?}");
    let close = chat_proto::FrameCodec::default().take_frame(&mut told[..].into())?;
    let close: Close = close.context("it is told why")?.decode()?;
    assert_eq!(close.known_reason(), Some(CloseReason::HandshakeTimeout));
    server.stop().await;
    Ok(())
}

// A process's descriptors and memory are in `/proc`.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn tls_that_is_reset_at_any_byte_leaves_no_descriptor_and_no_memory_behind() -> Result<()> {
    /// What the daemon may open meanwhile for itself.
    const OWN_MAX: usize = 8;
    /// Far more than one connection needs, far less than all that were begun would.
    const GROWTH_MAX: usize = 8 << 20;

    let dir = TempDir::new()?;
    let daemon = Daemon::start(dir.path())?;
    let (mut bystander, _) = Raw::sign_in(daemon.address(), 1, "bystander").await?;
    let directory = format!("/proc/{}/fd", daemon.pid());
    let open = || std::fs::read_dir(&directory).map(Iterator::count);
    let hello = client_hello()?;
    let (mut before, mut memory) = (0, 0);
    // What the first ones have taken is kept for those that follow.
    for round in 0..3 {
        for cut in 0..=hello.len() {
            let mut stream = TcpStream::connect(daemon.address()).await?;
            stream.write_all(&hello[..cut]).await?;
            if cut % 16 == 0 {
                barrier(&mut bystander).await?;
            }
            // Closed like this, it is reset.
            rustix::net::sockopt::set_socket_linger(&stream, Some(Duration::ZERO))?;
        }
        for _ in 0..50 {
            let (stream, _binding) = tls::connect(daemon.address()).await?;
            rustix::net::sockopt::set_socket_linger(stream.get_ref().0, Some(Duration::ZERO))?;
        }
        barrier(&mut bystander).await?;
        if round == 0 {
            (before, memory) = (open()?, crate::bytes::resident_bytes(daemon.pid())?);
        }
    }
    let left = async {
        while open()? > before.min(64) + OWN_MAX {
            // Polling an outside process, not synchronising with it.
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        std::io::Result::Ok(())
    };
    timeout(PATIENCE, left).await.context("descriptors stay open")??;
    let grown = crate::bytes::resident_bytes(daemon.pid())?.saturating_sub(memory);
    assert!(grown < GROWTH_MAX, "the daemon grew by {} KiB", grown >> 10);
    barrier(&mut bystander).await
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_hundred_readers_over_tls_that_take_nothing_cost_little_and_are_not_felt() -> Result<()> {
    const READERS: usize = 100;
    const MESSAGES: u64 = 800;

    let dir = TempDir::new()?;
    let daemon = Daemon::start_with(&dir.path().join("data"), &["--durability", "process"])?;
    let (mut loud, _) = Raw::sign_in(daemon.address(), 1, "loud").await?;
    let lobby: RoomInfo = loud.ask(&Join { name: "lobby".to_owned() }).await?;
    let mut asleep = Vec::new();
    for number in 0..READERS {
        let raw = Raw::connect_tls(daemon.address()).await?;
        let key = 10 + u8::try_from(number)?;
        let (mut raw, _) = raw.introduce(key, &format!("reader-{number}")).await?;
        let _: Subscribed = raw.ask(&Subscribe { log: lobby.room.into(), after: None }).await?;
        asleep.push(raw);
    }
    let before = crate::bytes::resident_bytes(daemon.pid())?;
    let text = "x".repeat(16_000);
    for n in 1..=MESSAGES {
        let _: Ack = loud.ask(&send(1, n, lobby.room, &text)).await?;
    }
    let grown = crate::bytes::resident_bytes(daemon.pid())?.saturating_sub(before);
    // The room's tail, and for each reader less than twice what may be pending.
    let most = (16 << 20) + (READERS * 2 * 80) * 1024 + (16 << 20);
    assert!(grown < most, "the daemon grew by {} MiB", grown >> 20);
    // Each gets all of it when it wakes.
    for raw in asleep.iter_mut().take(3) {
        for n in 1..=MESSAGES {
            let posted: chat_proto::Posted = raw.event().await?;
            anyhow::ensure!(posted.body.text.len() == text.len(), "message {n}");
        }
    }
    Ok(())
}

/// What a client that wants TLS says of a server that answers so.
async fn why(answer: Vec<u8>) -> Result<String> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let port = listener.local_addr()?.port();
    let answering = tokio::spawn(async move {
        while let Ok((mut socket, _from)) = listener.accept().await {
            let answer = answer.clone();
            tokio::spawn(async move {
                socket.write_all(&answer).await?;
                let mut heard = Vec::new();
                socket.read_to_end(&mut heard).await
            });
        }
    });
    let dir = TempDir::new()?;
    let target = Target::Tcp { host: "127.0.0.1".to_owned(), port };
    let config = Config {
        tls: TlsPolicy { always: true, ..TlsPolicy::default() },
        ..Config::headless(target, Name::firm("ada"), dir.path().to_owned())
    };
    let (_client, mut events) = chat_client::start(config)?;
    let told = async {
        loop {
            if let Event::Disconnected { why, .. } = events.next().await.context("it ended")? {
                return anyhow::Ok(why);
            }
        }
    };
    let told = timeout(PATIENCE, told).await.context("it is told")?;
    answering.abort();
    told
}

#[tokio::test]
async fn a_client_that_wants_tls_says_so_of_a_server_that_has_none() -> Result<()> {
    let close = Close::new(CloseReason::Full, "as many connections as it may have; come back");
    let mut full = Vec::new();
    encode_frame(&close, RequestId(0), &mut full)?;
    for (answer, sentence) in [
        (full, "as many connections as it may have"),
        (b"220 mail.example ESMTP\r\n".to_vec(), "does not speak TLS"),
        (b"SSH-2.0-OpenSSH_9.9\r\n".to_vec(), "does not speak TLS"),
        // A fatal alert: protocol_version.
        (vec![0x15, 3, 3, 0, 2, 2, 70], "no encrypted connection"),
    ] {
        let told = why(answer.clone()).await?;
        assert!(told.contains(sentence), "{}: {told}", answer.escape_ascii());
    }
    Ok(())
}
