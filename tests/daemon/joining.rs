//! Many who join one room at once: what it costs those who are there.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use bytes::BytesMut;
use chat_proto::{
    Ack, Frame, FrameCodec, Join, Joined, Kind, MemberList, Members, Posted, RoomId, RoomInfo,
    Subscribe, Subscribed,
};
use chat_tests::process::Daemon;
use chat_tests::raw::{Raw, send};
use tempfile::TempDir;
use tokio::io::AsyncReadExt;
use tokio::time::timeout;

const PATIENCE: Duration = Duration::from_secs(60);

const FOLLOWERS: usize = 80;

/// One after the other, so that each is a commit of its own.
const NEWCOMERS: u8 = 150;

/// The keys below are the followers'.
const FIRST_KEY: u8 = 10;

async fn follows(raw: &mut Raw, room: RoomId) -> Result<()> {
    let subscribe = Subscribe { log: room.into(), after: None };
    let _: Subscribed = raw.ask(&subscribe).await?;
    Ok(())
}

/// What a follower was told, and in how many portions.
#[derive(Default)]
struct Told {
    frames: Vec<Frame>,
    portions: usize,
}

/// Reads until somebody has said something.
async fn hear(mut raw: Raw) -> Result<Told> {
    let (mut told, mut unread) = (Told::default(), BytesMut::with_capacity(1024 * 1024));
    let codec = FrameCodec::default();
    let is_posted = |frame: &Frame| frame.known_kind() == Some(Kind::Posted);
    while !told.frames.last().is_some_and(is_posted) {
        let read = timeout(PATIENCE, raw.socket().read_buf(&mut unread)).await;
        ensure!(read.context("nothing comes")?? > 0, "the connection is gone");
        told.portions += 1;
        while let Some(frame) = codec.take_frame(&mut unread)? {
            told.frames.push(frame);
        }
    }
    Ok(told)
}

#[tokio::test(flavor = "multi_thread")]
async fn many_who_come_at_once_are_told_together_and_in_their_order() -> Result<()> {
    let dir = TempDir::new()?;
    let daemon = Daemon::start(&dir.path().join("data"))?;
    let (mut ada, _) = Raw::sign_in(daemon.address(), 1, "ada").await?;
    let lobby: RoomInfo = ada.ask(&Join { name: "lobby".to_owned() }).await?;
    let room = lobby.room;
    let mut crowd = Vec::new();
    for index in 0..FOLLOWERS {
        let key = 2 + u8::try_from(index % 4)?;
        let (mut raw, _) = Raw::sign_in(daemon.address(), key, &format!("f{key}")).await?;
        follows(&mut raw, room).await?;
        crowd.push(raw);
    }
    let mut newcomers = Vec::new();
    for key in FIRST_KEY..FIRST_KEY + NEWCOMERS {
        newcomers.push(Raw::sign_in(daemon.address(), key, &format!("n{key}")).await?.0);
    }
    let watcher = crowd.pop().context("there is a crowd")?;
    let watching = tokio::spawn(hear(watcher));
    let started = Instant::now();
    for raw in &mut newcomers {
        let _: RoomInfo = raw.ask(&Join { name: "lobby".to_owned() }).await?;
    }
    let _: Ack = ada.ask(&send(1, 1, room, "all are here")).await?;
    let seconds = usize::try_from(started.elapsed().as_secs())?;
    let told = watching.await??;

    let joined = told.frames.iter().filter(|frame| frame.known_kind() == Some(Kind::Joined));
    let joined: Vec<Joined> = joined.map(|frame| frame.decode()).collect::<Result<_, _>>()?;
    assert_eq!(joined.len(), usize::from(NEWCOMERS));
    assert!(joined.is_sorted_by(|one, next| one.seq.next() == next.seq));
    let said: Posted = told.frames.last().context("something was said")?.decode()?;
    assert_eq!(joined.last().map(|last| last.seq.next()), Some(said.seq));
    // The first, what each second brings (and how many are there), and what is said.
    let portions_max = 4 + 2 * seconds;
    assert!(told.portions <= portions_max, "{} portions in {seconds} s", told.portions);

    let page: MemberList = ada.ask(&Members { room, after: chat_proto::AccountId(0) }).await?;
    assert_eq!(page.members.len(), 1 + usize::from(NEWCOMERS));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn who_comes_into_a_room_of_many_is_told_though_nobody_speaks() -> Result<()> {
    let dir = TempDir::new()?;
    let daemon = Daemon::start(&dir.path().join("data"))?;
    let (mut ada, _) = Raw::sign_in(daemon.address(), 1, "ada").await?;
    let lobby: RoomInfo = ada.ask(&Join { name: "lobby".to_owned() }).await?;
    let mut crowd = Vec::new();
    for index in 0..FOLLOWERS {
        let key = 2 + u8::try_from(index % 4)?;
        let (mut raw, _) = Raw::sign_in(daemon.address(), key, &format!("f{key}")).await?;
        follows(&mut raw, lobby.room).await?;
        crowd.push(raw);
    }
    for key in FIRST_KEY..FIRST_KEY + 5 {
        let (mut raw, _) = Raw::sign_in(daemon.address(), key, &format!("n{key}")).await?;
        let _: RoomInfo = raw.ask(&Join { name: "lobby".to_owned() }).await?;
        crowd.push(raw);
    }
    for follower in &mut crowd[..FOLLOWERS] {
        for _ in 0..5 {
            let _: Joined = follower.event().await?;
        }
    }
    Ok(())
}
