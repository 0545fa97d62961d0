//! Sends that are refused for good: nothing of them is stored.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use chat_proto::{
    Ack, Delete, Edit, Error, ErrorCode, EventSeq, Join, Kind, Nonce, RoomId, RoomInfo, Send,
    StreamId, TextBody,
};
use chat_tests::process::Daemon;
use chat_tests::raw::{Raw, Refused, send};
use rusqlite::{Connection, OpenFlags, types::Value};
use tempfile::TempDir;
use tokio::time::{Instant, sleep};

/// Refused sends, each half of them.
const SENDS: u32 = 100_000;

/// Sends before their answers are read.
const WINDOW: u32 = 500;

/// Streams of an account that may end in a refusal.
const STREAMS_MAX: usize = 1_024;

const NOWHERE: RoomId = RoomId(1 << 40);

/// What it may take at most, in bytes: some thousand streams are remembered.
const MEMORY_MAX: u64 = 16 * 1024 * 1024;

/// A send in a stream of its own.
fn lone(number: u32) -> Send {
    let mut stream = [7; 16];
    stream[..4].copy_from_slice(&number.to_le_bytes());
    let nonce = Nonce { stream: StreamId(stream), n: 1 };
    Send { nonce, room: NOWHERE, body: TextBody::say("to whom?") }
}

/// Sends them all; tells how many were refused for good, and how many had to wait.
async fn send_all(raw: &mut Raw, sends: impl Fn(u32) -> Send) -> Result<(usize, usize)> {
    let (mut refused, mut limited) = (0, 0);
    for first in (0..SENDS).step_by(WINDOW as usize) {
        for number in first..first + WINDOW {
            raw.tell(&sends(number)).await?;
        }
        for _number in first..first + WINDOW {
            let frame = raw.frame().await?;
            ensure!(frame.known_kind() == Some(Kind::Error), "{:?}", frame.known_kind());
            let error: Error = frame.decode()?;
            match error.known_code() {
                Some(ErrorCode::UnknownRoom) => refused += 1,
                Some(ErrorCode::RateLimited) if error.retry && error.detail > 0 => limited += 1,
                _ => anyhow::bail!("{error:?}"),
            }
        }
    }
    Ok((refused, limited))
}

/// Every row of every table, once the index knows all events: it follows them a second later.
async fn rows(data_dir: &Path) -> Result<Vec<(String, Vec<Vec<Value>>)>> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY;
    let file = Connection::open_with_flags(data_dir.join("chatd.db"), flags)?;
    let began = Instant::now();
    while file.query_row("SELECT count(*) FROM unindexed", [], |row| row.get::<_, i64>(0))? > 0 {
        ensure!(began.elapsed() < Duration::from_secs(20), "the index does not follow");
        sleep(Duration::from_millis(50)).await;
    }
    let mut tables =
        file.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")?;
    let names: Vec<String> = tables.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    let mut all = Vec::new();
    for name in names {
        let mut table = file.prepare(&format!("SELECT * FROM {name}"))?;
        let columns = table.column_count();
        let read = |row: &rusqlite::Row<'_>| (0..columns).map(|at| row.get(at)).collect();
        let rows = table.query_map([], read)?.collect::<Result<_, _>>()?;
        all.push((name, rows));
    }
    Ok(all)
}

/// Bytes of memory that a process has.
fn resident_bytes(pid: u32) -> Result<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.trim().strip_suffix(" kB")).context("it says none")?;
    Ok(kib.trim().parse::<u64>()? * 1024)
}

#[tokio::test]
async fn refused_sends_of_an_account_in_no_room_leave_every_row_as_it_was() -> Result<()> {
    let dir = TempDir::new()?;
    let data_dir = dir.path().join("data");
    let daemon = Daemon::start_with(&data_dir, &["--requests-per-second=1000000000"])?;
    let (mut raw, _) = Raw::sign_in(daemon.address(), 1, "nobody").await?;
    let one_stream = |number| {
        let nonce = Nonce { stream: StreamId([8; 16]), n: u64::from(number) + 1 };
        Send { nonce, ..lone(0) }
    };
    let before = rows(&data_dir).await?;
    let held = if cfg!(target_os = "linux") { resident_bytes(daemon.pid())? } else { 0 };
    let all = SENDS as usize;
    assert_eq!(send_all(&mut raw, one_stream).await?, (all, 0), "one stream is one");
    let lone_streams = send_all(&mut raw, lone).await?;
    assert_eq!(lone_streams, (STREAMS_MAX - 1, all - STREAMS_MAX + 1), "others wait");
    if cfg!(target_os = "linux") {
        let more = resident_bytes(daemon.pid())?.saturating_sub(held);
        assert!(more < MEMORY_MAX, "{more} bytes more");
    }
    assert_eq!(rows(&data_dir).await?, before);

    let room: RoomInfo = raw.ask(&Join { name: "den".to_owned() }).await?;
    let _: Ack = raw.ask(&send(9, 1, room.room, "a member does not wait")).await?;
    Ok(())
}

async fn code<R: chat_proto::Body>(answer: impl Future<Output = Result<R>>) -> Result<ErrorCode> {
    let refused = answer.await.err().context("it was not refused")?.downcast::<Refused>()?.0;
    refused.known_code().context("it is known")
}

#[tokio::test]
async fn what_was_refused_is_not_posted_by_a_copy_that_comes_when_its_sender_is_a_member()
-> Result<()> {
    let dir = TempDir::new()?;
    let daemon = Daemon::start(&dir.path().join("data"))?;
    let (mut older, _) = Raw::sign_in(daemon.address(), 1, "ada").await?;
    let den = || Join { name: "den".to_owned() };
    let RoomInfo { room, .. } = older.ask(&den()).await?;
    let (mut other, _) = Raw::sign_in(daemon.address(), 2, "eve").await?;
    let _: RoomInfo = other.ask(&den()).await?;
    let _: chat_proto::Done = older.ask(&chat_proto::Leave { room }).await?;
    let (mut newer, _) = Raw::sign_in(daemon.address(), 1, "ada").await?;
    assert_eq!(code::<Ack>(newer.ask(&send(9, 1, room, "one"))).await?, ErrorCode::NotMember);
    let _: RoomInfo = newer.ask(&den()).await?;
    let copy = code::<Ack>(older.ask(&send(9, 1, room, "one"))).await?;
    assert_eq!(copy, ErrorCode::RefusedBefore);
    let _: Ack = newer.ask(&send(9, 2, room, "two")).await?;
    let copy = code::<Ack>(older.ask(&send(9, 1, room, "one"))).await?;
    assert_eq!(copy, ErrorCode::RefusedBefore, "now the store knows");
    Ok(())
}

#[tokio::test]
async fn what_only_has_its_place_yet_is_refused_as_such_and_the_connection_lives() -> Result<()> {
    let dir = TempDir::new()?;
    let daemon = Daemon::start(&dir.path().join("data"))?;
    let (mut raw, _) = Raw::sign_in(daemon.address(), 1, "ada").await?;
    let RoomInfo { room, head, .. } = raw.ask(&Join { name: "den".to_owned() }).await?;
    let nonce = |n| Nonce { stream: StreamId([7; 16]), n };
    let code = |answer: Result<Ack>| -> Result<Option<ErrorCode>> {
        let refused = answer.err().context("it was not refused")?;
        Ok(refused.downcast::<Refused>()?.0.known_code())
    };
    let edit = Edit { nonce: nonce(1), room, of: head, text: "better".to_owned() };
    assert_eq!(code(raw.ask(&edit).await)?, Some(ErrorCode::Unsupported));
    let delete = Delete { nonce: nonce(2), room, of: head };
    assert_eq!(code(raw.ask(&delete).await)?, Some(ErrorCode::Unsupported));
    let body = TextBody { reply_to: EventSeq::new(head.next()), ..TextBody::say("to what?") };
    let answer = raw.ask(&Send { nonce: nonce(3), room, body }).await;
    assert_eq!(code(answer)?, Some(ErrorCode::UnknownEvent));
    let body = TextBody { reply_to: EventSeq::new(head), ..TextBody::say("welcome") };
    let _: Ack = raw.ask(&Send { nonce: nonce(4), room, body }).await?;
    Ok(())
}
