//! Whoever is banned while others talk gets not one event more, over real sockets, and reads nothing of the
//! room by any way.

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};
use chat_proto::{
    AccountId, Ack, Ban, Banned, Body, Done, Error, ErrorCode, FindRoom, Frame, History, Join,
    Kind, LoggedHead, Members, Ping, Pong, RoomId, RoomInfo, Seq, Subscribe, Subscribed,
    SubscriptionEnded, Timestamp,
};
use chat_tests::process::Daemon;
use chat_tests::raw::{Raw, send};
use tempfile::TempDir;

const MEMBERS: u8 = 6;

/// Messages between two bans, all on their way at once.
const BURST: u64 = 100;

/// The keys below are the owner's and the speaker's.
const FIRST_KEY: u8 = 10;

async fn comes(daemon: &Daemon, key: u8, name: &str) -> Result<(Raw, AccountId, RoomId)> {
    let (mut raw, signed_in) = Raw::sign_in(daemon.address(), key, name).await?;
    let den: RoomInfo = raw.ask(&Join { name: "den".to_owned() }).await?;
    let _: Subscribed = raw.ask(&Subscribe { log: den.room.into(), after: None }).await?;
    Ok((raw, signed_in.account, den.room))
}

/// Everything that has come of the room, until whatever was on its way is here.
async fn heard(raw: &mut Raw) -> Result<Vec<Frame>> {
    let _: Pong = raw.ask(&Ping { token: 7 }).await?;
    Ok(std::mem::take(&mut raw.events).into_iter().collect())
}

fn place_in(frame: &Frame, room: RoomId) -> Option<Seq> {
    let head = LoggedHead::of(frame).ok().filter(|_head| Kind::is_logged(frame.kind))?;
    (head.log == room.into()).then_some(head.seq)
}

async fn refusal<B: Body>(raw: &mut Raw, asked: &B) -> Result<Option<ErrorCode>> {
    Ok(raw.ask::<B, Error>(asked).await?.known_code())
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_banned_while_others_talk_gets_not_one_event_more() -> Result<()> {
    let dir = TempDir::new()?;
    let daemon = Daemon::start_with(&dir.path().join("data"), &["--durability", "process"])?;
    let (mut ada, _, room) = comes(&daemon, 1, "ada").await?;
    let (mut eve, _, _) = comes(&daemon, 2, "eve").await?;
    let mut members = Vec::new();
    for key in FIRST_KEY..FIRST_KEY + MEMBERS {
        let (raw, account, _) = comes(&daemon, key, &format!("member{key}")).await?;
        members.push((raw, account));
    }
    let mut n = 0;
    for (_raw, account) in &members {
        for _message in 0..BURST {
            n += 1;
            eve.tell(&send(1, n, room, &format!("message {n}"))).await?;
        }
        let (until, reason) = (Timestamp(0), "spam".to_owned());
        let _: Done = ada.ask(&Ban { room, account: *account, until, reason }).await?;
    }
    let _: Ack = eve.ask(&send(1, n + 1, room, "the last")).await?;

    let mut banned_at = BTreeMap::new();
    for frame in heard(&mut ada).await? {
        if frame.known_kind() == Some(Kind::Banned) {
            let banned: Banned = frame.decode()?;
            banned_at.insert(banned.account, banned.seq);
        }
    }
    for (raw, account) in &mut members {
        let frames = heard(raw).await?;
        let is_end = |frame: &Frame| frame.known_kind() == Some(Kind::SubscriptionEnded);
        let end = frames.iter().position(is_end).context("nobody said that it has ended")?;
        let ended: SubscriptionEnded = frames[end].decode()?;
        ensure!(ended.code == ErrorCode::Banned as u16, "{ended:?}");
        let behind = frames[end + 1..].iter().filter_map(|frame| place_in(frame, room)).count();
        ensure!(behind == 0, "{behind} events came behind the end");
        let last = frames[..end].iter().filter_map(|frame| place_in(frame, room)).max();
        let ban = *banned_at.get(account).context("its ban is in the log")?;
        ensure!(last < Some(ban), "it got {last:?}, and was banned with {ban}");
    }

    let (raw, _account) = &mut members[0];
    let banned = Some(ErrorCode::Banned);
    let before = Seq(u64::MAX);
    assert_eq!(refusal(raw, &Subscribe { log: room.into(), after: None }).await?, banned);
    assert_eq!(refusal(raw, &History { room, before, limit: 10 }).await?, banned);
    assert_eq!(refusal(raw, &Members { room, after: AccountId(0) }).await?, banned);
    assert_eq!(refusal(raw, &FindRoom { name: "den".to_owned() }).await?, banned);
    assert_eq!(refusal(raw, &Join { name: "den".to_owned() }).await?, banned);
    assert_eq!(refusal(raw, &send(9, 1, room, "let me in")).await?, banned);
    Ok(())
}
