//! A page of the database that was damaged while the daemon was down, seen through the programs:
//! who reads is told what is missing, gets everything else, and hears what is said live.

use std::collections::HashSet;
use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, ensure};
use chat_tests::process::{Daemon, binary, wait_for_end};
use rusqlite::Connection;
use tempfile::TempDir;

/// Lines in the room.
const LINES: usize = 4_000;

/// A page holds fewer messages than this.
const PAGE_LINES_MAX: usize = 200;

/// Bytes of a page of the database.
const PAGE: u64 = 4096;

/// What a leaf of a table begins with (<https://www.sqlite.org/fileformat.html>).
const LEAF: u8 = 0x0D;

/// Bytes that are damaged, and how far they are apart.
const DAMAGED: u64 = 40;
const APART: u64 = 97;

/// Somebody with a terminal and a shell.
struct Person {
    socket: PathBuf,
    files: PathBuf,
}

impl Person {
    fn runs(&self, arguments: &[&str]) -> Result<Command> {
        let mut command = Command::new(binary("chat-tui")?);
        command.env_clear().env("USER", "ada").args(["--no-tui", "--server"]).arg(&self.socket);
        command.arg("--data-dir").arg(&self.files).args(arguments);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        Ok(command)
    }

    fn says_many_lines(&self) -> Result<()> {
        let mut program = self.runs(&["-r", "base"])?.stdin(Stdio::piped()).spawn()?;
        let mut stdin = program.stdin.take().context("it is a pipe")?;
        for n in 1..=LINES {
            writeln!(stdin, "message number {n} with some text")?;
        }
        drop(stdin);
        ensure!(wait_for_end(&mut program)?.success(), "every line was sent");
        Ok(())
    }
}

/// A program that ends with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// Damages a page in the middle of the events; few bytes, so that ids, lengths and texts are hit.
fn damage(database: &Path) -> Result<()> {
    let connection = Connection::open(database)?;
    let sql = "SELECT rootpage FROM sqlite_schema WHERE name = 'events'";
    let root: i64 = connection.query_row(sql, [], |row| row.get(0))?;
    let root = u64::try_from(root)?;
    drop(connection);
    let file = File::options().read(true).write(true).open(database)?;
    let pages = file.metadata()?.len() / PAGE;
    let is_leaf = |page: &u64| {
        let mut kind = [0];
        *page + 1 != root && file.read_exact_at(&mut kind, page * PAGE).is_ok() && kind == [LEAF]
    };
    let page = (pages / 2..pages).find(is_leaf).context("there is a leaf")?;
    for nth in 0..DAMAGED {
        let at = page * PAGE + nth * APART % PAGE;
        let mut byte = [0];
        file.read_exact_at(&mut byte, at)?;
        file.write_all_at(&[byte[0] ^ 0xFF], at)?;
    }
    Ok(())
}

/// A number of a line of the log.
fn number_of(line: &str, field: &str) -> Option<usize> {
    let (_before, value) = line.split_once(field)?;
    value.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

#[tokio::test(flavor = "multi_thread")]
async fn who_reads_over_a_damaged_page_gets_the_rest_and_what_is_said_live() -> Result<()> {
    let dir = TempDir::new()?;
    let data = dir.path().join("data");
    let daemon = Daemon::start_with(&data, &["--durability", "process"])?;
    let ada = Person { socket: daemon.socket().to_owned(), files: dir.path().join("ada") };
    ada.says_many_lines()?;
    daemon.terminate()?;
    damage(&data.join("chatd.db"))?;

    let daemon = Daemon::start_with(&data, &["--durability", "process"])?;
    let read = ada.runs(&["tail", "-r", "base", "--since", "seq:1"])?.output()?;
    let told = String::from_utf8_lossy(&read.stderr);
    let came = String::from_utf8_lossy(&read.stdout).lines().count();
    ensure!(read.status.success(), "{:?}: {told}", read.status);
    ensure!((LINES - PAGE_LINES_MAX..LINES).contains(&came), "{came} lines, {told}");
    ensure!(told.contains("cannot be read"), "the reader is told: {told}");
    // Nobody deletes anything, though a damaged id looks like it.
    ensure!(!told.contains("any more"), "{told}");

    let follows = ["tail", "-r", "base", "-f", "--since", "seq:1", "--timeout", "60s"];
    let mut follower = Running(ada.runs(&follows)?.spawn()?);
    let mut lines = BufReader::new(follower.0.stdout.take().context("it is a pipe")?).lines();
    let mut followed = 0;
    while followed < came {
        lines.next().context("the follower goes on behind the damage")??;
        followed += 1;
    }
    ensure!(ada.runs(&["send", "-r", "base", "live"])?.status()?.success(), "it is sent");
    let live = lines.next().context("the follower hears what is said")??;
    ensure!(live.ends_with("live"), "{live}");
    drop(follower);

    // Two have read over it. Each damaged place is told with its room and its seqs, once.
    daemon.log().wait_for("events cannot be read", 1).await?;
    let told = daemon.log().with("events cannot be read");
    let mut places: Vec<_> = told.iter().filter_map(|line| line.split_once("room=")).collect();
    ensure!(
        places.len() == told.len() && told.iter().all(|line| line.contains("#base")),
        "{told:?}"
    );
    places.sort_unstable_by_key(|(_time, place)| *place);
    places.dedup_by_key(|(_time, place)| *place);
    ensure!(places.len() == told.len(), "each is told once: {told:?}");
    let seqs = |line: &&str| Some((number_of(line, "from=")?, number_of(line, "to=")?));
    let parts: Option<Vec<(usize, usize)>> = told.iter().map(|line| seqs(&line.as_str())).collect();
    let unread: HashSet<usize> =
        parts.context("each has its seqs")?.into_iter().flat_map(|(from, to)| from..=to).collect();
    ensure!(unread.len() == LINES - came, "{} of {} told: {told:?}", unread.len(), LINES - came);
    Ok(())
}
