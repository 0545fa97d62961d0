//! What the store costs by itself: CPU per message, pages per commit, reading, starting, and the
//! longest commit.
//!
//! `cargo run --release -p chatd --example store_cost -- [append|spread|read|open|stall]... [--in DIR]`

#![expect(clippy::print_stdout, reason = "figures are for whoever runs it")]

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use chat_core::{BodyDigest, Content, Event, Lookup, Record, Store};
use chat_proto::{
    AccountId, LogId, MessageId, Nickname, Nonce, PublicKey, RoomName, Seq, StreamId, TextBody,
    Timestamp,
};
use chatd::Durability;
use chatd::store::{Reader, SqliteStore};
use tempfile::TempDir;

const TEXT_BYTES: usize = 128;
const STREAMS: u64 = 10;

/// Of the 256 KiB that a cursor reads at once.
const PAGE_BYTES_MAX: usize = 256 * 1024;

/// Bytes of a page in the WAL, its header included.
const WAL_FRAME_BYTES: u64 = 4096 + 24;

fn main() -> Result<()> {
    let mut args = std::env::args().skip(1);
    let (mut what, mut dir) = (Vec::new(), std::env::temp_dir());
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--in" => dir = args.next().context("a directory")?.into(),
            // Cargo's own, of a benchmark.
            "--bench" => {}
            _ => what.push(arg),
        }
    }
    if what.is_empty() {
        what = ["append", "spread", "read", "open", "stall"].map(str::to_owned).to_vec();
    }
    for what in what {
        match what.as_str() {
            "append" => append(&dir)?,
            "spread" => spread(&dir)?,
            "read" => read(&dir)?,
            "open" => open(&dir)?,
            "stall" => stall(&dir)?,
            unknown => anyhow::bail!("there is no {unknown}"),
        }
    }
    Ok(())
}

/// Ten streams into one log.
fn append(dir: &Path) -> Result<()> {
    println!("durability  batch  us CPU/msg  of the writer  us/commit  pages/commit");
    for durability in [Durability::Process, Durability::Full] {
        for batch in [1, 16, 1024, 4096] {
            let mut talk = Talk::new(dir, durability, 1)?;
            // All streams and the tables' first pages are there.
            talk.commit(STREAMS)?;
            let before = talk.wal_bytes()?;
            talk.commit(batch)?;
            let pages = (talk.wal_bytes()? - before) / WAL_FRAME_BYTES;
            let commits = (400_000 / batch).min(20_000);
            let cost = talk.run(commits, batch)?;
            println!(
                "{:10}  {batch:5}  {:10.2}  {:13.2}  {:9.1}  {pages:12}",
                durability.as_str(),
                cost.per_message(cost.process),
                cost.per_message(cost.writer),
                cost.wall.as_secs_f64() * 1e6 / commits as f64,
            );
        }
    }
    Ok(())
}

/// As many logs as streams, so that a commit goes to many places.
fn spread(dir: &Path) -> Result<()> {
    println!("logs  batch  us CPU/msg  longest ms");
    for (logs, batch) in [(10, 1024), (1000, 1024), (1000, 1)] {
        let mut talk = Talk::new(dir, Durability::Process, logs)?;
        let cost = talk.run(204_800 / batch.max(10), batch)?;
        let longest = cost.commits.iter().max().map_or(0.0, |commit| commit.as_secs_f64() * 1e3);
        let per_message = cost.per_message(cost.process);
        println!("{logs:4}  {batch:5}  {per_message:10.2}  {longest:10.1}");
    }
    Ok(())
}

/// A log from its start, by one reader.
fn read(dir: &Path) -> Result<()> {
    for batch in [1, 1024] {
        let mut talk = Talk::new(dir, Durability::Process, 1)?;
        talk.run(1_000_000 / batch, batch)?;
        let mut reader = Reader::open(&talk.store)?;
        for cache in ["cold", "warm"] {
            let (cpu, wall) = (cpu("thread-self")?, Instant::now());
            let (mut after, mut bytes) = (Seq(0), 0);
            loop {
                let page = reader.events_after(LogId(1), after, Seq(0), PAGE_BYTES_MAX)?;
                if page.frames.is_empty() {
                    break;
                }
                (after, bytes) = (page.after, bytes + page.frames.len());
            }
            let (cpu, wall) = (self::cpu("thread-self")? - cpu, wall.elapsed());
            println!(
                "read, written by {batch}, {cache}: {:.2} us CPU/event, {:.0} events/s, {} MB",
                cpu.as_secs_f64() * 1e6 / after.0 as f64,
                after.0 as f64 / wall.as_secs_f64(),
                bytes / 1_000_000,
            );
        }
    }
    Ok(())
}

/// Starts with many events.
fn open(dir: &Path) -> Result<()> {
    let mut talk = Talk::new(dir, Durability::Process, 1)?;
    let begun = Instant::now();
    let cost = talk.run(2_441, 4096)?;
    println!("{} events in {:.1?}", cost.messages, begun.elapsed());
    talk.run(10_000, 1)?;
    let Talk { mut store, dir, .. } = talk;
    for (after, close) in [("a kill", false), ("a stop", true)] {
        match close {
            true => store.close(),
            false => drop(store),
        }
        let size = dir.path().join("chatd.db").metadata()?.len();
        let begun = Instant::now();
        store = SqliteStore::open(dir.path(), Durability::Process)?;
        let opened = begun.elapsed();
        store.recover()?;
        println!(
            "after {after}: open {opened:.1?}, ready {:.1?}, {} bytes/event",
            begun.elapsed(),
            size / (cost.messages + 10_000),
        );
    }
    Ok(())
}

/// The longest of many commits.
fn stall(dir: &Path) -> Result<()> {
    for durability in [Durability::Process, Durability::Full] {
        let mut talk = Talk::new(dir, durability, 1)?;
        let mut cost = talk.run(2_000, 512)?;
        cost.commits.sort_unstable();
        let at = |share: usize| cost.commits[(cost.commits.len() - 1) * share / 1000];
        println!(
            "stall, {durability}, 512 a commit: p50 {:.2?}, p99 {:.2?}, p99.9 {:.2?}, max {:.2?}, \
             {:.0} msg/s, WAL {} KiB",
            at(500),
            at(990),
            at(999),
            at(1000),
            cost.messages as f64 / cost.wall.as_secs_f64(),
            talk.wal_bytes()? / 1024,
        );
    }
    Ok(())
}

/// A store, and people who talk in it.
struct Talk {
    store: SqliteStore,
    logs: Vec<Seq>,
    sent: Vec<u64>,
    next: u64,
    dir: TempDir,
}

/// What it cost.
#[derive(Default)]
struct Cost {
    messages: u64,
    wall: Duration,
    writer: Duration,
    process: Duration,
    commits: Vec<Duration>,
}

impl Cost {
    fn per_message(&self, time: Duration) -> f64 {
        time.as_secs_f64() * 1e6 / self.messages as f64
    }
}

impl Talk {
    fn new(dir: &Path, durability: Durability, logs: u64) -> Result<Self> {
        let dir = tempfile::tempdir_in(dir)?;
        let mut store = SqliteStore::open(dir.path(), durability)?;
        store.recover()?;
        let mut put = |log, content| {
            store.append(Record::Event(&Event { log, seq: Seq(1), ts: Timestamp(1), content }))
        };
        for log in 1..=logs {
            let name = RoomName::parse(&format!("room{log}"))?;
            put(LogId(log), Content::RoomCreated { by: None, name: name.into() })?;
        }
        let name = Nickname::parse("ada")?;
        put(
            LogId(logs + 1),
            Content::AccountCreated { credential: PublicKey([1; 32]).into(), name: name.into() },
        )?;
        store.commit()?;
        let streams = STREAMS.max(logs);
        let (logs, sent) = (vec![Seq(1); logs as usize], vec![0; streams as usize]);
        Ok(Self { store, logs, sent, next: 0, dir })
    }

    fn commit(&mut self, batch: u64) -> Result<()> {
        let events: Vec<_> = (0..batch).map(|_| self.message()).collect();
        self.put(&events)
    }

    fn put(&mut self, events: &[Event]) -> Result<()> {
        for event in events {
            if let Content::Posted { from, nonce, .. } = &event.content {
                // As the state does.
                assert_eq!(self.store.high_water(*from, nonce.stream)? + 1, nonce.n);
            }
            self.store.append(Record::Event(event))?;
        }
        Ok(self.store.commit()?)
    }

    fn run(&mut self, commits: u64, batch: u64) -> Result<Cost> {
        let mut cost = Cost::default();
        let (mut left, at_once) = (commits, (4096 / batch).max(1));
        while left > 0 {
            let events: Vec<_> = (0..at_once.min(left) * batch).map(|_| self.message()).collect();
            left -= at_once.min(left);
            let (writer, process) = (cpu("thread-self")?, cpu("self")?);
            let begun = Instant::now();
            for events in events.chunks(batch as usize) {
                let begun = Instant::now();
                self.put(events)?;
                cost.commits.push(begun.elapsed());
            }
            cost.wall += begun.elapsed();
            cost.writer += cpu("thread-self")? - writer;
            cost.process += cpu("self")? - process;
            cost.messages += events.len() as u64;
        }
        Ok(cost)
    }

    fn message(&mut self) -> Event {
        let at = usize::try_from(self.next).expect("memory is smaller");
        let (log, stream) = (at % self.logs.len(), at % self.sent.len());
        self.next += 1;
        self.logs[log] = self.logs[log].next();
        self.sent[stream] += 1;
        let mut id = [7; 16];
        id[..8].copy_from_slice(&self.next.to_le_bytes());
        let nonce = Nonce {
            stream: StreamId(((stream as u128 + 1) * 0x1234_5678_9abc_def1).to_le_bytes()),
            n: self.sent[stream],
        };
        let from = AccountId(self.logs.len() as u64 + 1);
        let (digest, body) = (
            BodyDigest(self.next.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 17),
            TextBody::say("x".repeat(TEXT_BYTES)),
        );
        Event {
            log: LogId(log as u64 + 1),
            seq: self.logs[log],
            ts: Timestamp(1_790_000_000_000 + self.next / 300),
            content: Content::Posted { from, id: MessageId(id), nonce, digest, body },
        }
    }

    fn wal_bytes(&self) -> Result<u64> {
        Ok(self.dir.path().join("chatd.db-wal").metadata()?.len())
    }
}

/// The CPU time of a thread, or of all that now live.
fn cpu(of: &str) -> Result<Duration> {
    let ran = |path: &Path| -> Result<u64> {
        let text = std::fs::read_to_string(path.join("schedstat"))?;
        Ok(text.split(' ').next().context("a number")?.parse()?)
    };
    if of == "thread-self" {
        return Ok(Duration::from_nanos(ran(Path::new("/proc/thread-self"))?));
    }
    let mut sum = 0;
    for task in std::fs::read_dir("/proc/self/task")? {
        sum += ran(&task?.path())?;
    }
    Ok(Duration::from_nanos(sum))
}
