//! Taking another name: what it costs, how often it may be done, and who hears of it.

use anyhow::{Context, Result, ensure};
use chat_proto::{
    AccountId, AccountList, Accounts, Error, ErrorCode, FindRoom, Join, Kind, List, Ping, Pong,
    Rename, Renamed, RoomInfo, Subscribe,
};
use chat_tests::process::Daemon;
use chat_tests::raw::Raw;
use tempfile::TempDir;

const ROOMS: usize = 50;
const CONNECTIONS: usize = 10;
const RENAMES_EACH: usize = 20;

/// What may follow each other at once (5), and one or two that come back while a loaded machine is
/// at it.
const RENAMES_MAX: usize = 10;

#[tokio::test]
async fn a_rename_is_told_once_logged_in_no_room_and_paced_over_all_connections() -> Result<()> {
    let dir = TempDir::new()?;
    let daemon = Daemon::start_with(&dir.path().join("data"), &["--durability", "process"])?;
    let (mut ada, me) = Raw::sign_in(daemon.address(), 1, "ada").await?;
    let (mut bob, _) = Raw::sign_in(daemon.address(), 2, "bob").await?;
    let mut heads = Vec::new();
    for number in 0..ROOMS {
        let joined: RoomInfo = ada.ask(&Join { name: format!("room-{number}") }).await?;
        let _: chat_proto::Subscribed =
            bob.ask(&Subscribe { log: joined.room.into(), after: None }).await?;
        heads.push(joined.head);
    }
    let renames = flood(&daemon).await?;
    ensure!((5..=RENAMES_MAX).contains(&renames), "{renames} of all renames were carried out");

    // What bob is answered now comes behind all that he was told.
    let names = account_name(&mut bob, me.account).await?;
    let is_rename = |frame: &&chat_proto::Frame| frame.known_kind() == Some(Kind::Renamed);
    let told: Vec<Renamed> = bob
        .events
        .iter()
        .filter(is_rename)
        .map(chat_proto::Frame::decode)
        .collect::<Result<_, _>>()?;
    ensure!((1..=renames).contains(&told.len()), "{} for {renames} renames", told.len());
    ensure!(told.last().context("one at least")?.name == names, "the last is the one in force");
    for (number, head) in heads.into_iter().enumerate() {
        let room: RoomInfo = bob.ask(&FindRoom { name: format!("room-{number}") }).await?;
        ensure!(room.head == head, "a rename is no event of a room");
    }
    Ok(())
}

/// One account renames itself over many connections as fast as it can; tells how often it worked.
async fn flood(daemon: &Daemon) -> Result<usize> {
    let mut flooding = tokio::task::JoinSet::new();
    for connection in 0..CONNECTIONS {
        let (mut ada, _) = Raw::sign_in(daemon.address(), 1, "ada").await?;
        flooding.spawn(async move {
            for n in 0..RENAMES_EACH {
                ada.tell(&Rename { name: format!("ada-{connection}-{n}") }).await?;
            }
            let mut done = 0;
            for _ in 0..RENAMES_EACH {
                let frame = ada.frame().await?;
                if frame.known_kind() == Some(Kind::Done) {
                    done += 1;
                    continue;
                }
                let error: Error = frame.decode()?;
                ensure!(error.known_code() == Some(ErrorCode::RateLimited), "{error:?}");
                ensure!(error.retry && (1..=10_000).contains(&error.detail), "{error:?}");
            }
            anyhow::Ok(done)
        });
    }
    let mut done = 0;
    while let Some(each) = flooding.join_next().await {
        done += each??;
    }
    Ok(done)
}

#[tokio::test]
async fn who_was_away_finds_the_current_name_and_who_shares_no_room_is_told_nothing() -> Result<()>
{
    let dir = TempDir::new()?;
    let daemon = Daemon::start_with(&dir.path().join("data"), &["--durability", "process"])?;
    let (mut ada, me) = Raw::sign_in(daemon.address(), 1, "ada").await?;
    let (mut stranger, _) = Raw::sign_in(daemon.address(), 3, "eve").await?;
    let den: RoomInfo = ada.ask(&Join { name: "den".to_owned() }).await?;
    let other: RoomInfo = stranger.ask(&Join { name: "other".to_owned() }).await?;
    let log = other.room.into();
    let _: chat_proto::Subscribed = stranger.ask(&Subscribe { log, after: None }).await?;
    let _: chat_proto::Done = ada.ask(&Rename { name: "lovelace".to_owned() }).await?;
    let _: Pong = stranger.ask(&Ping { token: 1 }).await?;
    ensure!(!stranger.events.iter().any(|frame| frame.known_kind() == Some(Kind::Renamed)));

    let (mut bob, _) = Raw::sign_in(daemon.address(), 2, "bob").await?;
    let log = den.room.into();
    let found: chat_proto::Subscribed = bob.ask(&Subscribe { log, after: None }).await?;
    ensure!(found.members.iter().any(|member| member.name == "lovelace"), "{found:?}");
    ensure!(account_name(&mut bob, me.account).await? == "lovelace");
    Ok(())
}

async fn account_name(raw: &mut Raw, account: AccountId) -> Result<String> {
    let found: AccountList = raw.ask(&Accounts { ids: List::first_of([account]) }).await?;
    Ok(found.accounts.first().context("the account is there")?.name.clone())
}
