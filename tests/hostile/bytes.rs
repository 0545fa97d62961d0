//! Bytes that are not the protocol.

use std::time::Duration;

use anyhow::{Context, Result};
use bytes::BytesMut;
use chat_proto::limits::FRAME_BYTES_MAX;
use chat_proto::{Close, CloseReason, ErrorCode, Frame, FrameCodec, Kind, MAGIC, Ping, Pong};
use chat_tests::raw::Raw;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, interval, timeout};

use crate::TestServer;

pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// Says some bytes and closes its side; tells all that comes back until the daemon has closed.
async fn say(server: &TestServer, bytes: &[u8]) -> Result<Vec<u8>> {
    let mut stream = TcpStream::connect(server.address).await?;
    stream.write_all(bytes).await?;
    stream.shutdown().await?;
    hear(&mut stream).await
}

async fn hear(stream: &mut TcpStream) -> Result<Vec<u8>> {
    let mut heard = Vec::new();
    timeout(PATIENCE, stream.read_to_end(&mut heard)).await.context("it stays open")??;
    Ok(heard)
}

pub(crate) fn close_in(heard: &[u8]) -> Result<Close> {
    let mut bytes = BytesMut::from(heard);
    let codec = FrameCodec::default();
    let mut last = None;
    while let Some(frame) = codec.take_last_frame(&mut bytes)? {
        last = Some(frame);
    }
    let last = last.context("nothing was said")?;
    anyhow::ensure!(last.known_kind() == Some(Kind::Close), "{last:?} is no Close");
    Ok(last.decode()?)
}

fn frame(length: u32, kind: u16, version: u8, flags: u8, body: &[u8]) -> Vec<u8> {
    let mut bytes = MAGIC.to_vec();
    bytes.extend_from_slice(&length.to_le_bytes());
    bytes.extend_from_slice(&kind.to_le_bytes());
    bytes.extend_from_slice(&[version, flags, 1, 0, 0, 0]);
    bytes.extend_from_slice(body);
    bytes
}

pub(crate) fn hello(body: &[u8]) -> Vec<u8> {
    frame(u32::try_from(8 + body.len()).expect("short"), Kind::Hello as u16, 1, 0, body)
}

#[tokio::test]
async fn whatever_is_no_frame_gets_a_typed_error_and_a_close_and_nobody_else_notices() -> Result<()>
{
    let server = TestServer::start().await?;
    let (mut bystander, _) = Raw::sign_in(server.address, 1, "bystander").await?;
    let too_long = u32::try_from(FRAME_BYTES_MAX)? + 1;
    let valid = [&[1_u8, 1, 0][..], &[9; 32]].concat();
    let mut zero = hello(&valid);
    zero[MAGIC.len() + 8] = 0;
    let cases: Vec<(&str, Vec<u8>, ErrorCode)> = vec![
        ("length 0", frame(0, 1, 1, 0, &[]), ErrorCode::Malformed),
        ("length under the header", frame(7, 1, 1, 0, &[]), ErrorCode::Malformed),
        ("length over the cap", frame(too_long, 1, 1, 0, &[]), ErrorCode::FrameTooLong),
        ("length 0xFFFFFFFF", frame(u32::MAX, 1, 1, 0, &[]), ErrorCode::FrameTooLong),
        ("flags", frame(8, 1, 1, 1, &[]), ErrorCode::Malformed),
        ("truncated by the end of the stream", frame(500, 1, 1, 0, &[1]), ErrorCode::Malformed),
        ("an empty body", hello(&[]), ErrorCode::Malformed),
        ("a truncated body", hello(&valid[..valid.len() - 1]), ErrorCode::Malformed),
        ("a trailing byte", hello(&[&valid[..], &[0]].concat()), ErrorCode::Malformed),
        ("2^33 elements", hello(&[253, 0, 0, 0, 0, 2, 0, 0, 0]), ErrorCode::Malformed),
        ("2^64-1 elements", hello(&[[253].as_slice(), &[255; 8]].concat()), ErrorCode::Malformed),
        (
            "an agent of 2^33 bytes",
            hello(&[1, 1, 253, 0, 0, 0, 0, 2, 0, 0, 0]),
            ErrorCode::Malformed,
        ),
        ("a kind that is not known", frame(8, 0x7777, 1, 0, &[]), ErrorCode::UnknownKind),
        ("a version that is not known", frame(8, 1, 9, 0, &[]), ErrorCode::UnknownKind),
        (
            "no version in common",
            hello(&[&[1_u8, 77, 0][..], &[9; 32]].concat()),
            ErrorCode::VersionNotSpoken,
        ),
        ("SMTP", b"EHLO example.org\r\n".to_vec(), ErrorCode::Malformed),
        ("request id 0", zero, ErrorCode::Malformed),
    ];
    for (what, bytes, code) in cases {
        let close = close_in(&say(&server, &bytes).await?).context(what)?;
        assert_eq!(close.code, code as u16, "{what}: {close:?}");
        assert_eq!(close.known_reason(), Some(CloseReason::ProtocolError), "{what}");
        assert!(!close.reconnect && !close.message.is_empty(), "{what}: {close:?}");
        let pong: Pong = bystander.ask(&Ping { token: 5 }).await.context(what)?;
        assert_eq!(pong.token, 5);
    }
    server.stop().await;
    Ok(())
}

#[tokio::test]
async fn every_request_before_the_handshake_is_out_of_turn() -> Result<()> {
    let server = TestServer::start().await?;
    for kind in Kind::ALL.iter().filter(|kind| **kind != Kind::Hello) {
        let mut raw = Raw::connect(server.address).await?;
        let body = bytes::Bytes::new();
        let request = chat_proto::RequestId(1);
        let frame = Frame { kind: *kind as u16, version: 1, request, body };
        let mut bytes = BytesMut::new();
        FrameCodec::default().put_frame(&frame, &mut bytes)?;
        raw.socket().write_all(&bytes).await?;
        let close = raw.closed().await.with_context(|| format!("{kind:?}"))?;
        assert_eq!(close.code, ErrorCode::OutOfTurn as u16, "{kind:?}: {close:?}");
    }
    server.stop().await;
    Ok(())
}

#[tokio::test]
async fn a_request_longer_than_its_kind_needs_is_refused_before_its_body_comes() -> Result<()> {
    let server = TestServer::start().await?;
    let (mut bystander, _) = Raw::sign_in(server.address, 1, "bystander").await?;
    for (key, kind) in (2..).zip([Kind::Join, Kind::Rename, Kind::FindRoom, Kind::Send]) {
        let (mut raw, _) = Raw::sign_in(server.address, key, &format!("guest-{key}")).await?;
        let header = frame(u32::try_from(FRAME_BYTES_MAX)?, kind as u16, 1, 0, &[]);
        raw.socket().write_all(&header[MAGIC.len()..]).await?;
        let close = raw.closed().await.with_context(|| format!("{kind:?}"))?;
        assert_eq!(close.code, ErrorCode::FrameTooLong as u16, "{kind:?}: {close:?}");
        let pong: Pong = bystander.ask(&Ping { token: 6 }).await?;
        assert_eq!(pong.token, 6);
    }
    server.stop().await;
    Ok(())
}

#[tokio::test]
async fn who_speaks_another_protocol_is_answered_in_its_own_words() -> Result<()> {
    let server = TestServer::start().await?;
    for said in ["NICK ada\r\nUSER ada 0 * :ada\r\n", "cap ls\r\n"] {
        let heard = String::from_utf8(say(&server, said.as_bytes()).await?)?;
        assert!(heard.starts_with("ERROR :") && heard.contains("chat-tui"), "{heard}");
        assert!(heard.ends_with("\r\n") && heard.lines().count() == 1, "{heard}");
    }
    let heard = String::from_utf8(say(&server, b"SSH-2.0-OpenSSH_9.2\r\n").await?)?;
    assert!(!heard.starts_with("SSH-") && heard.contains("chat-tui"), "{heard}");
    // A hello of TLS without anything in it.
    let heard = say(&server, b"\x16\x03\x01\x00\x04\x01\x00\x00\x00").await?;
    assert!(matches!(heard[..], [21, 3, _, 0, 2, 2, _]), "a fatal alert: {heard:?}");
    for said in ["GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"] {
        let heard = String::from_utf8(say(&server, said.as_bytes()).await?)?;
        assert!(heard.starts_with("HTTP/1.1 400 ") && heard.contains("chat-tui"), "{heard}");
    }
    server.stop().await;
    Ok(())
}

#[tokio::test]
async fn one_byte_a_second_ends_with_the_time_for_the_handshake() -> Result<()> {
    let server = TestServer::start().await?;
    let mut stream = TcpStream::connect(server.address).await?;
    let started = Instant::now();
    let mut seconds = interval(Duration::from_secs(1));
    let slow = hello(&[0; 40]);
    let (mut from, mut to) = stream.split();
    let drip = async {
        for byte in slow {
            seconds.tick().await;
            if to.write_all(&[byte]).await.is_err() {
                break;
            }
        }
    };
    let mut heard = Vec::new();
    tokio::select! {
        () = drip => {}
        read = from.read_to_end(&mut heard) => { read?; }
    }
    let close = close_in(&heard)?;
    assert_eq!(close.known_reason(), Some(CloseReason::HandshakeTimeout), "{close:?}");
    assert!(started.elapsed() < PATIENCE, "it took {:?}", started.elapsed());
    server.stop().await;
    Ok(())
}

/// Resident memory of a process, from the system.
#[cfg(target_os = "linux")]
pub(crate) fn resident_bytes(pid: u32) -> Result<usize> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).context("VmRSS")?;
    let kilobytes: usize = line.split_whitespace().nth(1).context("a number")?.parse()?;
    Ok(kilobytes * 1024)
}
