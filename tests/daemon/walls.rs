//! A room that is made private while people talk, and the conversation of two, over real sockets: nobody
//! else gets one event more, and everything is so after a restart.

use anyhow::{Context, Result, ensure};
use chat_proto::{
    AccessSet, AccountId, Ack, Body, Done, Error, ErrorCode, FindAccount, FindRoom, Frame, History,
    Invite, Join, Kind, LoggedHead, Members, OpenDirect, Ping, Pong, RoomId, RoomInfo, RoomInvited,
    RoomList, Rooms, Seq, SetAccess, SetTopic, Subscribe, Subscribed, SubscriptionEnded,
};
use chat_tests::process::Daemon;
use chat_tests::raw::{Raw, send};
use tempfile::TempDir;

/// Messages on their way when the room is made private, and behind.
const BURST: u64 = 100;

const READERS: u8 = 6;

async fn comes(daemon: &Daemon, key: u8, name: &str) -> Result<(Raw, AccountId)> {
    let (raw, signed_in) = Raw::sign_in(daemon.address(), key, name).await?;
    Ok((raw, signed_in.account))
}

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

/// Whoever has nothing to do with a room learns nothing of it.
async fn knows_nothing(raw: &mut Raw, room: RoomId) -> Result<()> {
    let rooms: RoomList = raw.ask(&Rooms { after: RoomId(0) }).await?;
    ensure!(rooms.rooms.iter().all(|info| info.room != room), "{rooms:?}");
    let members = Members { room, after: AccountId(0) };
    ensure!(refusal(raw, &members).await? == Some(ErrorCode::UnknownRoom));
    let history = History { room, before: Seq(u64::MAX), limit: 10 };
    ensure!(refusal(raw, &history).await? == Some(ErrorCode::UnknownRoom));
    let subscribe = Subscribe { log: room.into(), after: None };
    ensure!(refusal(raw, &subscribe).await? == Some(ErrorCode::NotReadable));
    // A stream is for one room.
    let stream = room.0.to_le_bytes()[0];
    ensure!(refusal(raw, &send(stream, 1, room, "in")).await? == Some(ErrorCode::UnknownRoom));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_room_that_is_made_private_while_people_talk_is_its_members_alone() -> Result<()> {
    let dir = TempDir::new()?;
    let daemon = Daemon::start_with(&dir.path().join("data"), &["--durability", "process"])?;
    let (mut ada, _) = comes(&daemon, 1, "ada").await?;
    let (mut bob, bob_id) = comes(&daemon, 2, "bob").await?;
    let den: RoomInfo = ada.ask(&Join { name: "den".to_owned() }).await?;
    let room = den.room;
    let _: Subscribed = ada.ask(&Subscribe { log: room.into(), after: None }).await?;
    let mut readers = Vec::new();
    for key in 10..10 + READERS {
        let (mut raw, _) = comes(&daemon, key, &format!("reader{key}")).await?;
        let _: Subscribed = raw.ask(&Subscribe { log: room.into(), after: None }).await?;
        readers.push(raw);
    }
    for n in 1..=BURST {
        ada.tell(&send(1, n, room, "before")).await?;
    }
    let _: Done = ada.ask(&SetAccess { room, is_private: true }).await?;
    for n in BURST + 1..=2 * BURST {
        ada.tell(&send(1, n, room, "behind")).await?;
    }
    let _: Ack = ada.ask(&send(1, 2 * BURST + 1, room, "the last")).await?;

    let mut told = heard(&mut ada).await?.into_iter();
    let access = told.find(|frame| frame.known_kind() == Some(Kind::AccessSet));
    let access: AccessSet = access.context("its members are told")?.decode()?;
    for raw in &mut readers {
        let frames = heard(raw).await?;
        let is_end = |frame: &Frame| frame.known_kind() == Some(Kind::SubscriptionEnded);
        let end = frames.iter().position(is_end).context("nobody said that it has ended")?;
        let ended: SubscriptionEnded = frames[end].decode()?;
        ensure!(ended.code == ErrorCode::NotReadable as u16, "{ended:?}");
        let behind = frames[end + 1..].iter().filter_map(|frame| place_in(frame, room)).count();
        ensure!(behind == 0, "{behind} events came behind the end");
        let last = frames[..end].iter().filter_map(|frame| place_in(frame, room)).max();
        ensure!(last < Some(access.seq), "it got {last:?}, and it is private from {}", access.seq);
        knows_nothing(raw, room).await?;
        let found = refusal(raw, &FindRoom { name: "den".to_owned() }).await?;
        ensure!(found == Some(ErrorCode::UnknownRoom), "{found:?}");
    }

    // Whoever is invited hears of it at once, in its own log.
    let _: Subscribed = bob.ask(&Subscribe { log: bob_id.into(), after: None }).await?;
    let _: Done = ada.ask(&SetTopic { room, topic: "plans".to_owned() }).await?;
    let _: Done = ada.ask(&Invite { room, account: bob_id, is_set: true }).await?;
    let invited = heard(&mut bob).await?;
    let invited = invited.iter().find(|frame| frame.known_kind() == Some(Kind::RoomInvited));
    let invited: RoomInvited = invited.context("it is told")?.decode()?;
    ensure!((invited.room, invited.name.as_str()) == (room, "den"), "{invited:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn walls_stand_after_a_kill() -> Result<()> {
    let dir = TempDir::new()?;
    let data = dir.path().join("data");
    let daemon = Daemon::start(&data)?;
    let (mut ada, ada_id) = comes(&daemon, 1, "ada").await?;
    let (mut bob, bob_id) = comes(&daemon, 2, "bob").await?;
    let den: RoomInfo = ada.ask(&Join { name: "den".to_owned() }).await?;
    let _: Done = ada.ask(&SetAccess { room: den.room, is_private: true }).await?;
    let _: Done = ada.ask(&SetTopic { room: den.room, topic: "plans".to_owned() }).await?;
    let _: Done = ada.ask(&Invite { room: den.room, account: bob_id, is_set: true }).await?;
    let found: chat_proto::AccountList = bob.ask(&FindAccount { name: "ADA".to_owned() }).await?;
    ensure!(found.accounts.iter().map(|info| info.account).eq([ada_id]), "{found:?}");
    let talk: RoomInfo = bob.ask(&OpenDirect { account: ada_id }).await?;
    ensure!((talk.name.as_str(), talk.with) == ("@ada", ada_id), "{talk:?}");
    let again: RoomInfo = ada.ask(&OpenDirect { account: bob_id }).await?;
    ensure!((again.room, again.name.as_str()) == (talk.room, "@bob"), "{again:?}");
    let _: Ack = bob.ask(&send(1, 1, talk.room, "between us")).await?;
    daemon.kill()?;
    drop((ada, bob));

    let daemon = Daemon::start(&data)?;
    let (mut ada, _) = comes(&daemon, 1, "ada").await?;
    let (mut bob, _) = comes(&daemon, 2, "bob").await?;
    let (mut eve, _) = comes(&daemon, 3, "eve").await?;
    knows_nothing(&mut eve, den.room).await?;
    knows_nothing(&mut eve, talk.room).await?;
    let seen: RoomInfo = bob.ask(&FindRoom { name: "den".to_owned() }).await?;
    ensure!((seen.topic.as_str(), seen.joined, seen.is_private) == ("plans", false, true));
    let members = Members { room: den.room, after: AccountId(0) };
    ensure!(refusal(&mut bob, &members).await? == Some(ErrorCode::NotMember), "not yet");
    let joined: RoomInfo = bob.ask(&Join { name: "den".to_owned() }).await?;
    ensure!(joined.room == den.room && joined.joined, "{joined:?}");
    let history = History { room: talk.room, before: Seq(u64::MAX), limit: 10 };
    let page: chat_proto::HistoryPage = ada.ask(&history).await?;
    ensure!(page.messages.len() == 1, "{page:?}");
    Ok(())
}
