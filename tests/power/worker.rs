//! Writes a store as the committing thread of a daemon does, and says on its standard output what
//! it would acknowledge: `acked N` when the messages up to the `N`th may never be lost again.
//!
//! `power-worker DATA_DIR MESSAGES READER END`: `READER` is `none`, `idle` (a connection that keeps
//! the WAL's index), or `busy` (it also keeps pages from being moved); `END` is `close` or `die`.

use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use chat_core::{BodyDigest, Content, Event, Genesis, RULES, Record, Snapshot, Store, StoreSecret};
use chat_proto::{
    AccountId, Epoch, LogId, MessageId, Nickname, Nonce, PublicKey, RoomName, Seq, StreamId,
    TextBody, Timestamp,
};
use chatd::store::{Durability, SqliteStore};
use rusqlite::{Connection, OpenFlags};

const ROOM: LogId = LogId(1);
const ADA: AccountId = AccountId(2);

/// Messages of a commit, and the bytes of each: a few pages of the WAL.
const BATCH: u64 = 3;
const TEXT_BYTES: usize = 6_000;

/// How long the WAL is made beforehand: some of the commits are behind it.
const WAL_BYTES: u64 = 128 * 1024;

/// After so many commits the worker waits until the WAL was moved beside it.
const COMMITS_BETWEEN_MOVES: u64 = 9;

/// Longer than a store that may move its WAL leaves it where it is.
const MOVED_WITHIN: Duration = Duration::from_millis(5_500);

/// A store that does not heal in so many tries is left, as is one that heals and fails again so
/// often: syncs may fail in step with it.
const TRIES_MAX: usize = 20;

fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [dir, messages, reader, end] = &args[..] else { bail!("four arguments") };
    let dir = Path::new(dir);
    let mut store = SqliteStore::open(dir, Durability::Full)?;
    let snapshot = recover(&mut store, None)?;
    store.lay_out_wal(WAL_BYTES);
    store.commit_beside(|| ())?;
    let mut head = posted(&snapshot);
    let last = head + messages.parse::<u64>()?;
    let mut reader = Reader::open(dir, reader)?;
    let mut commits = 0;
    while head < last {
        let is_first = snapshot.rooms.is_empty() && commits == 0;
        head = commit(&mut store, head, is_first, &mut reader)?;
        writeln!(std::io::stdout(), "acked {head}")?;
        commits += 1;
        if commits % COMMITS_BETWEEN_MOVES == 0 {
            wait_until_moved(&mut store, dir, &mut reader)?;
            reader.turn()?;
        }
    }
    if end == "close" {
        store.close();
        return Ok(());
    }
    // Nothing is put in order, as when it is killed.
    rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL)?;
    Ok(())
}

/// Commits the next messages, until they or more are there; tells how many there are.
fn commit(store: &mut SqliteStore, head: u64, is_first: bool, reader: &mut Reader) -> Result<u64> {
    let mut is_missing = is_first;
    for _ in 0..TRIES_MAX {
        let now = match try_commit(store, head, is_missing) {
            Ok(()) => head + BATCH,
            Err(_outcome_unknown) => {
                // What cannot be read back now is read back when it heals.
                drop(store.roll_back());
                let snapshot = recover(store, Some(reader))?;
                is_missing = snapshot.rooms.is_empty();
                posted(&snapshot)
            }
        };
        if now > head {
            return Ok(now);
        }
    }
    bail!("the store does not get on")
}

fn try_commit(store: &mut SqliteStore, head: u64, is_first: bool) -> Result<()> {
    let event = |log, seq, content| Event { log, seq: Seq(seq), ts: Timestamp(1), content };
    if store.epoch() == Epoch(0) {
        let secret = StoreSecret([1; 16]);
        store.append(Record::Genesis(Genesis { epoch: Epoch(1), rules: RULES, secret }))?;
    }
    if is_first {
        let name = RoomName::parse("lobby")?;
        let room = event(ROOM, 1, Content::RoomCreated { by: None, name: name.into() });
        let (credential, name) = (PublicKey([1; 32]).into(), Nickname::parse("ada")?);
        let account =
            event(ADA.into(), 1, Content::AccountCreated { credential, name: name.into() });
        store.append(Record::Event(&room))?;
        store.append(Record::Event(&account))?;
    }
    for n in head + 1..=head + BATCH {
        let mut text = n.to_string();
        text.extend(std::iter::repeat_n('x', TEXT_BYTES));
        let nonce = Nonce { stream: StreamId([7; 16]), n };
        let (id, digest, body) = (MessageId([9; 16]), BodyDigest(n), TextBody::say(text));
        let post = Content::Posted { from: ADA, id, nonce, digest, body };
        store.append(Record::Event(&event(ROOM, n + 1, post)))?;
    }
    // One by the thread that commits beside the caller, and one here.
    if head.is_multiple_of(2) {
        store.begin_commit()?;
        return Ok(store.finish_commit()?);
    }
    Ok(store.commit()?)
}

/// As the pipeline does each half second. A reader is in the way the first time only: each time
/// costs seconds.
fn recover(store: &mut SqliteStore, mut reader: Option<&mut Reader>) -> Result<Snapshot> {
    for _ in 0..TRIES_MAX {
        let recovered = store.recover();
        reader.as_deref_mut().map(Reader::leave).transpose()?;
        if let Ok(snapshot) = recovered {
            return Ok(snapshot);
        }
    }
    bail!("the store does not heal")
}

/// Messages in the lobby: it also has the event that made it.
fn posted(snapshot: &Snapshot) -> u64 {
    snapshot.rooms.first().map_or(0, |room| room.head.0 - 1)
}

/// As ticks do in a daemon where nobody speaks.
fn wait_until_moved(store: &mut SqliteStore, dir: &Path, reader: &mut Reader) -> Result<()> {
    let moved = || dir.join("chatd.db").metadata()?.modified();
    let (before, began) = (moved()?, Instant::now());
    while moved()? == before && began.elapsed() < MOVED_WITHIN {
        if store.commit().is_err() {
            drop(store.roll_back());
            recover(store, Some(reader))?;
        }
        // Polling the other thread's work on the disk.
        std::thread::park_timeout(Duration::from_millis(20));
    }
    Ok(())
}

/// Somebody who looks at the database.
struct Reader {
    connection: Option<Connection>,
    is_busy: bool,
}

impl Reader {
    fn open(dir: &Path, kind: &str) -> Result<Self> {
        let open = || -> rusqlite::Result<Connection> {
            let flags = OpenFlags::SQLITE_OPEN_READ_ONLY;
            let connection = Connection::open_with_flags(dir.join("chatd.db"), flags)?;
            connection.query_row("SELECT count(*) FROM meta", (), |row| row.get::<_, i64>(0))?;
            Ok(connection)
        };
        let connection = if kind == "none" { None } else { Some(open()?) };
        let mut reader = Self { connection, is_busy: kind == "busy" };
        reader.turn()?;
        Ok(reader)
    }

    /// Ends the look at the moment before, and begins one at the moment now.
    fn turn(&mut self) -> Result<()> {
        self.end_look()?;
        if let Some(connection) = self.connection.as_ref().filter(|_| self.is_busy) {
            connection.execute_batch("BEGIN; SELECT count(*) FROM meta")?;
        }
        Ok(())
    }

    /// Looks no more.
    fn leave(&mut self) -> Result<()> {
        self.is_busy = false;
        self.end_look()
    }

    fn end_look(&mut self) -> Result<()> {
        match self.connection.as_ref().filter(|connection| !connection.is_autocommit()) {
            Some(connection) => Ok(connection.execute_batch("COMMIT")?),
            None => Ok(()),
        }
    }
}
