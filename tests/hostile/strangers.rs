//! Strangers in numbers: what they may say before the sign-in, and what is left of them.

use std::time::Duration;

use anyhow::{Context, Result};
use bytes::{Bytes, BytesMut};
use chat_proto::{
    CloseReason, ErrorCode, Frame, FrameCodec, History, HistoryPage, Join, Kind, LogId, MAGIC,
    MemberList, Members, Ping, Pong, RequestId, RoomId, RoomInfo, Seq, Subscribe, Subscribed,
};
use chat_tests::raw::{Raw, Refused};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, interval, timeout};

use crate::TestServer;
use crate::bytes::{PATIENCE, close_in, hello};

#[tokio::test]
async fn every_request_between_the_handshake_and_the_sign_in_is_out_of_turn() -> Result<()> {
    let server = TestServer::start().await?;
    // The two ways to sign in.
    let comes_now = |kind: &&Kind| matches!(kind, Kind::SignIn | Kind::LinkDevice);
    for kind in Kind::ALL.iter().filter(|kind| !comes_now(kind)) {
        let mut raw = Raw::connect(server.address).await?;
        raw.greet().await?;
        let (request, body) = (RequestId(2), Bytes::new());
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
async fn a_body_that_is_announced_and_withheld_ends_with_the_time_for_the_handshake() -> Result<()>
{
    let server = TestServer::start().await?;
    let mut stream = TcpStream::connect(server.address).await?;
    let whole = hello(&[0; 40]);
    stream.write_all(&whole[..MAGIC.len() + 12]).await?;
    let mut heard = Vec::new();
    timeout(PATIENCE, stream.read_to_end(&mut heard)).await.context("it stays open")??;
    let close = close_in(&heard)?;
    assert_eq!(close.known_reason(), Some(CloseReason::HandshakeTimeout), "{close:?}");
    server.stop().await;
    Ok(())
}

#[tokio::test]
async fn a_thousand_who_say_a_byte_a_second_end_in_time_and_nobody_else_feels_them() -> Result<()> {
    const DRIBBLERS: usize = 1_000;
    // Of a hundred pings beside them, ten times what a busy machine needs.
    const PINGS_MAX: Duration = Duration::from_secs(20);
    let server = TestServer::start().await?;
    let (mut bystander, _) = Raw::sign_in(server.address, 1, "bystander").await?;
    let mut dribblers = Vec::new();
    for _ in 0..DRIBBLERS {
        dribblers.push(TcpStream::connect(server.address).await?);
    }
    let (began, mut pings) = (Instant::now(), Duration::ZERO);
    let mut seconds = interval(Duration::from_secs(1));
    // Less than a header in less than the time that there is.
    for byte in &hello(&[0; 40])[..8] {
        seconds.tick().await;
        for dribbler in &mut dribblers {
            dribbler.write_all(&[*byte]).await?;
        }
        let asked = Instant::now();
        for token in 0..12 {
            let _: Pong = bystander.ask(&Ping { token }).await?;
        }
        pings += asked.elapsed();
    }
    for dribbler in &mut dribblers {
        let mut heard = Vec::new();
        timeout(PATIENCE, dribbler.read_to_end(&mut heard)).await.context("it stays open")??;
        let close = close_in(&heard)?;
        assert_eq!(close.known_reason(), Some(CloseReason::HandshakeTimeout), "{close:?}");
    }
    println!("they ended {:?} after they came; 96 pings took {pings:?}", began.elapsed());
    assert!(pings < PINGS_MAX, "{pings:?}");
    server.stop().await;
    Ok(())
}

/// How many guesses; `CHAT_HOSTILE_GUESSES` sets another number.
fn guesses() -> usize {
    let set = std::env::var("CHAT_HOSTILE_GUESSES").ok().and_then(|text| text.parse().ok());
    set.unwrap_or(3_000)
}

#[tokio::test]
async fn ids_that_are_guessed_find_nothing() -> Result<()> {
    let server = TestServer::start().await?;
    let (mut ada, _) = Raw::sign_in(server.address, 1, "ada").await?;
    let _: RoomInfo = ada.ask(&Join { name: "den".to_owned() }).await?;
    let (mut eve, _) = Raw::sign_in(server.address, 2, "eve").await?;
    let (mut random, count) = (ChaCha8Rng::seed_from_u64(1), guesses());
    let refused = |answer: Option<anyhow::Error>| -> Result<Option<ErrorCode>> {
        Ok(answer.context("it was found")?.downcast::<Refused>()?.0.known_code())
    };
    for number in 0..count {
        let id = random.random::<u64>() >> (number % 40);
        let room = RoomId(id.max(1));
        let code = match number % 3 {
            0 => {
                let history = History { room, before: Seq(u64::MAX), limit: 1 };
                refused(eve.ask::<_, HistoryPage>(&history).await.err())?
            }
            1 => {
                let members = Members { room, after: Default::default() };
                refused(eve.ask::<_, MemberList>(&members).await.err())?
            }
            _ => {
                let subscribe = Subscribe { log: LogId(room.0), after: None };
                refused(eve.ask::<_, Subscribed>(&subscribe).await.err())?
            }
        };
        let wanted = if number % 3 == 2 { ErrorCode::NotReadable } else { ErrorCode::UnknownRoom };
        assert_eq!(code, Some(wanted), "{number}: {id}");
    }
    println!("{count} ids were guessed, and nothing was found");
    server.stop().await;
    Ok(())
}

// The memory of a process is in `/proc`.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn memory_is_as_before_after_as_many_malformed_frames_as_there_is_time_for() -> Result<()> {
    use tokio::net::UnixStream;

    const TIME: Duration = Duration::from_secs(20);
    const WARM: usize = 500;
    const GROWTH_KIB_MAX: u64 = 10 * 1024;
    let set = std::env::var("CHAT_HOSTILE_FRAMES").ok().and_then(|text| text.parse::<usize>().ok());
    let dir = tempfile::TempDir::new()?;
    let daemon = chat_tests::process::Daemon::start(&dir.path().join("data"))?;
    let resident = || -> Result<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", daemon.pid()))?;
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).context("VmRSS")?;
        Ok(line.split_whitespace().nth(1).context("a number")?.parse()?)
    };
    let mut random = ChaCha8Rng::seed_from_u64(7);
    let (mut before, mut said, began) = (0, 0, Instant::now());
    while set.map_or(began.elapsed() < TIME || said <= WARM, |frames| said <= frames.max(WARM)) {
        if said == WARM {
            before = resident()?;
        }
        let mut bytes = MAGIC.to_vec();
        let body: Vec<u8> = (0..random.random_range(0..200)).map(|_| random.random()).collect();
        let length = match random.random_range(0..4) {
            0 => random.random(),
            _ => u32::try_from(8 + body.len())?,
        };
        bytes.extend_from_slice(&length.to_le_bytes());
        bytes.extend_from_slice(&random.random_range(0_u16..0x30).to_le_bytes());
        bytes.extend_from_slice(&[random.random_range(0..3), 0, 1, 0, 0, 0]);
        bytes.extend_from_slice(&body);
        // By the Unix socket: there are not as many ports.
        let mut stream = UnixStream::connect(daemon.socket()).await?;
        stream.write_all(&bytes).await?;
        stream.shutdown().await?;
        let mut heard = Vec::new();
        // Bytes that it has not read make a reset of the end.
        let _answered_or_reset = timeout(PATIENCE, stream.read_to_end(&mut heard)).await?;
        said += 1;
    }
    let after = resident()?;
    println!("{said} malformed frames: {before} KiB resident before, {after} after");
    assert!(after <= before + GROWTH_KIB_MAX, "{before} KiB before, {after} after {said}");
    Ok(())
}
