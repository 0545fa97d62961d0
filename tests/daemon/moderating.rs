//! Whoever is banned while others talk gets not one event more, over real sockets, and reads nothing of the
//! room by any way.

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};
use chat_proto::{
    AccountId, Ack, Ban, Banned, Body, Done, Error, ErrorCode, FindRoom, Frame, Gap, GapReason,
    History, HistoryPage, Join, Kind, LoggedHead, Members, MessagesRemoved, Ping, Pong, Position,
    Posted, RemoveMessages, RoomId, RoomInfo, Seq, Subscribe, Subscribed, SubscriptionEnded,
    Timestamp,
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

#[tokio::test(flavor = "multi_thread")]
async fn what_a_moderator_takes_away_is_nowhere_also_after_a_kill() -> Result<()> {
    let dir = TempDir::new()?;
    let data = dir.path().join("data");
    let daemon = Daemon::start(&data)?;
    let (mut ada, _, room) = comes(&daemon, 1, "ada").await?;
    let (mut eve, eve_id, _) = comes(&daemon, 2, "eve").await?;
    for n in 1..=BURST {
        eve.tell(&send(1, n, room, "buy now")).await?;
        ada.tell(&send(2, n, room, "please stop")).await?;
    }
    let last: Ack = eve.ask(&send(1, BURST + 1, room, "buy now")).await?;
    let removal = RemoveMessages { room, account: eve_id, seconds: 0 };
    ensure!(refusal(&mut eve, &removal).await? == Some(ErrorCode::RoleTooLow));
    let _: Done = ada.ask(&removal).await?;
    let told = heard(&mut ada).await?;
    let told = told.iter().find(|frame| frame.known_kind() == Some(Kind::MessagesRemoved));
    let told: MessagesRemoved = told.context("everybody is told")?.decode()?;
    ensure!((told.account, told.since) == (eve_id, Timestamp(0)), "{told:?}");
    nobody_reads_of_it(&daemon, 3, room, last.seq).await?;
    daemon.kill()?;
    let daemon = Daemon::start(&data)?;
    nobody_reads_of_it(&daemon, 4, room, last.seq).await
}

/// Neither a page nor a cursor from the beginning brings a word of it; what others said is there.
async fn nobody_reads_of_it(daemon: &Daemon, key: u8, room: RoomId, to: Seq) -> Result<()> {
    let (mut raw, _) = Raw::sign_in(daemon.address(), key, &format!("reader{key}")).await?;
    let history = History { room, before: Seq(u64::MAX), limit: 256 };
    let page: HistoryPage = raw.ask(&history).await?;
    let texts: Vec<&str> = page.messages.iter().map(|said| &*said.body.text).collect();
    ensure!(texts == ["please stop"].repeat(BURST as usize), "{texts:?}");
    let epoch = page.epoch;
    let after = Some(Position { epoch, seq: Seq(0) });
    let _: Subscribed = raw.ask(&Subscribe { log: room.into(), after }).await?;
    let mut gone = 0;
    let mut seen = Seq(0);
    while seen < to {
        let frame = match raw.events.is_empty() {
            true => raw.frame().await?,
            false => raw.events.remove(0),
        };
        match frame.known_kind() {
            Some(Kind::Gap) => {
                let gap: Gap = frame.decode()?;
                ensure!(gap.reason == GapReason::Deleted as u16, "{gap:?}");
                gone += gap.to.0 - gap.from.0 + 1;
                seen = gap.to;
            }
            Some(Kind::Posted) => {
                let said: Posted = frame.decode()?;
                ensure!(said.body.text == "please stop", "{said:?}");
                seen = said.seq;
            }
            _ => seen = place_in(&frame, room).unwrap_or(seen),
        }
    }
    ensure!(gone == BURST + 1, "{gone}");
    Ok(())
}
