//! Rooms in which something was said are there for ever: how many an account may make. Others go with
//! their last member, and leave nothing.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use chat_proto::{
    Ack, Done, Error, ErrorCode, FindRoom, Join, Leave, Position, RoomId, RoomInfo, RoomList,
    Rooms, Seq, Subscribe, Subscribed, SubscriptionEnded,
};
use chat_tests::process::{Daemon, binary};
use chat_tests::raw::{Raw, Refused, send};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader, Lines};
use tokio::time::timeout;

/// How long what is awaited may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// What an account may make at once, and after which time one more.
const AT_ONCE: usize = 1_000;
const INTERVAL_MS: u64 = 10_000;

/// Makes a room, says something in it and leaves it.
async fn makes(raw: &mut Raw, name: String) -> Result<Option<Error>> {
    match raw.ask::<_, RoomInfo>(&Join { name }).await {
        Ok(room) => {
            // Joining again is no new room: a stream of its own for each that is.
            if room.head == Seq(2) {
                let said = send_in(&room);
                let _: Ack = raw.ask(&said).await?;
            }
            let _: Done = raw.ask(&Leave { room: room.room }).await?;
            Ok(None)
        }
        Err(error) => Ok(Some(error.downcast::<Refused>()?.0)),
    }
}

/// The first message of a room.
fn send_in(room: &RoomInfo) -> chat_proto::Send {
    let mut said = send(0, 1, room.room, "hello");
    said.nonce.stream.0[..8].copy_from_slice(&room.room.0.to_le_bytes());
    said
}

#[tokio::test]
async fn who_leaves_his_rooms_makes_no_more_of_them_than_others() -> Result<()> {
    let dir = TempDir::new()?;
    let daemon = Daemon::start_with(&dir.path().join("data"), &["--durability", "process"])?;
    let (mut ada, _) = Raw::sign_in(daemon.address(), 1, "ada").await?;
    for number in 0..AT_ONCE {
        let refused = makes(&mut ada, format!("room-{number}")).await?;
        assert!(refused.is_none(), "{number}: {refused:?}");
    }
    let mut made = AT_ONCE;
    let refused = loop {
        match makes(&mut ada, format!("room-{made}")).await? {
            Some(refused) => break refused,
            None => made += 1,
        }
    };
    assert_eq!(refused.known_code(), Some(ErrorCode::RateLimited));
    assert!(refused.retry && (1..=INTERVAL_MS).contains(&refused.detail), "{refused:?}");
    assert!(made < AT_ONCE + 20, "{made} were made");

    let again = makes(&mut ada, "room-7".to_owned()).await?;
    assert!(again.is_none(), "a room that is there may be joined: {again:?}");
    let (mut bob, _) = Raw::sign_in(daemon.address(), 2, "bob").await?;
    let other = makes(&mut bob, "another".to_owned()).await.context("others make theirs")?;
    assert!(other.is_none(), "{other:?}");
    Ok(())
}

/// Makes a room and leaves it, before anything was said.
async fn looks_in(raw: &mut Raw, name: String) -> Result<()> {
    let room: RoomInfo = raw.ask(&Join { name }).await?;
    let _: Done = raw.ask(&Leave { room: room.room }).await?;
    Ok(())
}

/// Bytes of the data directory's database, and of the daemon's memory.
fn held(daemon: &Daemon, data_dir: &Path) -> Result<(u64, usize)> {
    let status = std::fs::read_to_string(format!("/proc/{}/status", daemon.pid()))?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).context("VmRSS")?;
    let kib: usize = line.split_whitespace().nth(1).context("a number")?.parse()?;
    Ok((std::fs::metadata(data_dir.join("chatd.db"))?.len(), kib * 1024))
}

#[tokio::test]
async fn rooms_that_come_and_go_take_neither_disk_nor_memory() -> Result<()> {
    let (dir, rooms) = (TempDir::new()?, 1_000);
    let data_dir = dir.path().join("data");
    let daemon = Daemon::start_with(&data_dir, &["--durability", "process"])?;
    let (mut ada, _) = Raw::sign_in(daemon.address(), 1, "ada").await?;
    let mut after_first = None;
    for round in 0..20 {
        for number in 0..rooms {
            looks_in(&mut ada, format!("room-{round}-{number}")).await?;
        }
        if round == 0 {
            after_first = Some(held(&daemon, &data_dir)?);
        }
    }
    let (disk, memory) = held(&daemon, &data_dir)?;
    let (disk_first, memory_first) = after_first.context("a first round")?;
    // What Ada was told of it stays, in her own log: two events for each room, and their places.
    let own = 19 * rooms as u64 * 2 * 100;
    println!(
        "disk: {disk_first} bytes after one round, {disk} after 20; memory: {memory_first}, {memory}"
    );
    // The checkpoints move what is written into the file now and then.
    ensure!(disk <= disk_first + own + (8 << 20), "{disk} bytes, {disk_first} after one round");
    ensure!(memory <= memory_first + (16 << 20), "{memory} bytes, {memory_first} after one round");
    daemon.terminate()?;

    // Nothing of them is there after a start, and the next one is none of them.
    let daemon = Daemon::start_with(&data_dir, &["--durability", "process"])?;
    let (mut ada, _) = Raw::sign_in(daemon.address(), 1, "ada").await?;
    let list: RoomList = ada.ask(&Rooms { after: RoomId(0) }).await?;
    let names: Vec<_> = list.rooms.iter().map(|room| room.name.as_str()).collect();
    ensure!(names == ["lobby"] && !list.more, "{names:?}");
    Ok(())
}

#[tokio::test]
async fn who_follows_a_room_that_goes_is_told_and_never_sees_the_next_of_its_name() -> Result<()> {
    let dir = TempDir::new()?;
    let data_dir = dir.path().join("data");
    let mut daemon = Daemon::start(&data_dir)?;
    let (mut ada, _) = Raw::sign_in(daemon.address(), 1, "ada").await?;
    let (mut bob, signed_in) = Raw::sign_in(daemon.address(), 2, "bob").await?;
    let den: RoomInfo = ada.ask(&Join { name: "den".to_owned() }).await?;
    let followed = Subscribe { log: den.room.into(), after: None };
    let _: Subscribed = bob.ask(&followed).await?;
    let _: Done = ada.ask(&Leave { room: den.room }).await?;
    let ended: SubscriptionEnded = bob.event().await?;
    ensure!(ended.log == den.room.into() && ended.code == ErrorCode::NotReadable as u16);

    let (mut given, old) = (vec![den.room], Position { epoch: signed_in.epoch, seq: Seq(2) });
    for start in ["now", "after a start", "after a kill"] {
        if start != "now" {
            match start {
                "after a kill" => daemon.kill()?,
                _ => drop(daemon.terminate()?),
            }
            daemon = Daemon::start(&data_dir)?;
            ada = Raw::sign_in(daemon.address(), 1, "ada").await?.0;
            bob = Raw::sign_in(daemon.address(), 2, "bob").await?.0;
        }
        let find = FindRoom { name: "den".to_owned() };
        let found = code_of(bob.ask::<_, RoomInfo>(&find).await);
        ensure!(found == Some(ErrorCode::UnknownRoom), "{start}: {found:?}");
        let anew: RoomInfo = ada.ask(&Join { name: "den".to_owned() }).await?;
        ensure!(!given.contains(&anew.room) && anew.head == Seq(2), "{start}: {anew:?}");
        given.push(anew.room);
        let follow = Subscribe { log: den.room.into(), after: Some(old) };
        let followed = code_of(bob.ask::<_, Subscribed>(&follow).await);
        ensure!(followed == Some(ErrorCode::NotReadable), "{start}: {followed:?}");
        let _: Done = ada.ask(&Leave { room: anew.room }).await?;
    }
    Ok(())
}

fn code_of<T>(answer: Result<T>) -> Option<ErrorCode> {
    answer.err()?.downcast::<Refused>().ok()?.0.known_code()
}

/// The next line that has these words.
async fn line_with(
    lines: &mut Lines<BufReader<impl AsyncRead + Unpin>>,
    words: &str,
) -> Result<()> {
    let found = async {
        while let Some(line) = lines.next_line().await? {
            if line.contains(words) {
                return Ok(());
            }
        }
        anyhow::bail!("it has ended without a line with {words:?}")
    };
    timeout(PATIENCE, found).await.with_context(|| format!("no line with {words:?}"))?
}

#[tokio::test]
async fn tail_waits_for_another_room_of_the_name_when_the_one_that_it_follows_goes() -> Result<()> {
    let dir = TempDir::new()?;
    let daemon = Daemon::start(&dir.path().join("data"))?;
    let (mut ada, _) = Raw::sign_in(daemon.address(), 1, "ada").await?;
    let den: RoomInfo = ada.ask(&Join { name: "den".to_owned() }).await?;
    let there: RoomInfo = ada.ask(&Join { name: "there".to_owned() }).await?;
    let _: Ack = ada.ask(&send_in(&there)).await?;
    let args = "--no-tui tail -f -r den -r there --since seq:1 --count 1".split(' ');
    let mut tail = tokio::process::Command::new(binary("chat-tui")?)
        .args(args)
        .env_clear()
        .env("HOME", dir.path())
        .env("CHAT_SERVER", daemon.address().to_string())
        .env("CHAT_NAME", "bob")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    let mut said = BufReader::new(tail.stdout.take().context("stdout")?).lines();
    let mut told = BufReader::new(tail.stderr.take().context("stderr")?).lines();
    // The second room is followed behind the first; of what was said before, nothing is counted.
    line_with(&mut said, "hello").await?;
    let _: Done = ada.ask(&Leave { room: den.room }).await?;
    line_with(&mut told, "#den is gone; waiting for another room of that name").await?;
    let anew: RoomInfo = ada.ask(&Join { name: "den".to_owned() }).await?;
    let _: Ack = ada.ask(&send_in(&anew)).await?;
    line_with(&mut said, "hello").await?;
    let ended = timeout(PATIENCE, tail.wait()).await.context("it has what it wants")??;
    ensure!(ended.success(), "{ended}");
    Ok(())
}
