//! What the operator of a real process is told about the files of its store.

use std::fs::{self, Permissions};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, ChildStderr, Command, Stdio};
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::Duration;

use tempfile::TempDir;

/// How long anything may take at the most.
const PATIENCE: Duration = Duration::from_secs(30);

/// Lines that wait for the test to read them.
const LINES_MAX: usize = 1024;

/// A user that owns nothing (Debian's and most others' `nobody`).
const NOBODY: u32 = 65_534;

fn command(data: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_chatd"));
    command.env_clear().args(["--listen", "127.0.0.1:0", "--socket", "none", "--data-dir"]);
    command.arg(data).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// A daemon that is ready, and the lines of its log. Killed when it is dropped.
struct Daemon {
    child: Child,
    log: Receiver<String>,
}

impl Daemon {
    fn start(command: &mut Command) -> Self {
        let mut child = command.spawn().expect("the program is there");
        let log = lines(child.stderr.take().expect("it is piped"));
        let mut first = String::new();
        let stdout = child.stdout.take().expect("it is piped");
        BufReader::new(stdout).read_line(&mut first).expect("it is text");
        assert!(first.ends_with(", ready\n"), "{first}");
        Self { child, log }
    }

    /// The next line with these words.
    fn says(&self, words: &str) -> String {
        loop {
            let line = self.log.recv_timeout(PATIENCE).expect("it says so in time");
            if line.contains(words) {
                return line;
            }
        }
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn lines(stderr: ChildStderr) -> Receiver<String> {
    let (tell, told) = sync_channel(LINES_MAX);
    std::thread::spawn(move || {
        let lines = BufReader::new(stderr).lines();
        lines.map_while(Result::ok).all(|line| tell.send(line).is_ok());
    });
    told
}

fn place() -> (TempDir, std::path::PathBuf) {
    let parent = tempfile::tempdir().expect("there is room");
    let data = parent.path().join("data");
    (parent, data)
}

/// What a daemon says that does not start.
fn refusal(command: &mut Command) -> String {
    let output = command.output().expect("the program is there");
    assert_eq!(output.status.code(), Some(1));
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn a_store_that_is_lost_is_told_and_begins_anew_only_when_wanted() {
    let (_parent, data) = place();
    drop(Daemon::start(&mut command(&data)));
    fs::remove_file(data.join("chatd.db")).expect("it is ours");
    let said = refusal(&mut command(&data));
    assert!(said.contains("witness (it saw 1 events)"), "{said}");
    assert!(said.contains("chatd.db-wal") && said.contains("--new-store"), "{said}");
    Daemon::start(command(&data).arg("--new-store")).says("a new store begins");
    Daemon::start(&mut command(&data));
}

/// Does this to the store of a daemon that is dead.
fn alter(data: &Path, sql: &str) {
    let file = rusqlite::Connection::open(data.join("chatd.db")).expect("it is there");
    file.execute_batch(sql).expect("it takes writes");
}

#[test]
fn a_store_of_an_unreleased_version_is_refused_with_advice_that_helps() {
    let (parent, data) = place();
    drop(Daemon::start(&mut command(&data)));
    alter(&data, "DROP TABLE secrets; PRAGMA user_version = 1;");
    for flags in [&[][..], &["--new-store"]] {
        let said = refusal(command(&data).args(flags));
        assert!(
            said.contains("earlier, unreleased version") && said.contains("--new-store"),
            "{said}"
        );
    }
    for name in ["chatd.db", "chatd.db-wal", "chatd.db-shm"] {
        let from = data.join(name);
        if from.exists() {
            fs::rename(from, parent.path().join(name)).expect("it is ours");
        }
    }
    Daemon::start(command(&data).arg("--new-store")).says("a new store begins");
}

#[test]
fn a_store_of_newer_rules_is_no_trouble_of_the_disk() {
    let (_parent, data) = place();
    drop(Daemon::start(&mut command(&data)));
    alter(&data, "UPDATE meta SET value = value + 1 WHERE key = 'rules'");
    let said = refusal(&mut command(&data));
    assert!(said.trim_end().ends_with("Use a newer version"), "{said}");
    alter(&data, "UPDATE meta SET value = value - 1 WHERE key = 'rules'; DELETE FROM secrets");
    let said = refusal(&mut command(&data));
    assert!(said.contains("lacks the secret") && !said.contains("disk"), "{said}");
}

#[test]
fn files_that_are_moved_away_and_back_are_told_once_each_and_served_again() {
    let (parent, data) = place();
    let daemon = Daemon::start(&mut command(&data));
    let away = parent.path().join("away");
    for _ in 0..2 {
        fs::rename(&data, &away).expect("it is ours");
        let line = daemon.says(" ERROR ");
        assert!(line.contains("a file of the store is not in its place"), "{line}");
        assert!(line.contains(&*data.to_string_lossy()) && line.contains("put it back"), "{line}");
        fs::rename(&away, &data).expect("it is ours");
        let line = daemon.log.recv_timeout(PATIENCE).expect("it heals in time");
        assert!(line.contains("the store takes writes again"), "told once: {line}");
    }
}

#[test]
fn a_wrong_owner_or_mode_is_named_with_the_command_that_helps() {
    let (parent, data) = place();
    drop(Daemon::start(&mut command(&data)));
    let file = data.join("chatd.db");
    let is_root = rustix::process::geteuid().is_root();
    let said = match is_root {
        // Root is kept from nothing: somebody else tries, with a program that everybody can run.
        true => {
            let program = parent.path().join("chatd");
            fs::copy(env!("CARGO_BIN_EXE_chatd"), &program).expect("there is room");
            for path in [parent.path(), &data, &program] {
                fs::set_permissions(path, Permissions::from_mode(0o755)).expect("it is ours");
            }
            std::os::unix::fs::chown(&data, Some(NOBODY), None).expect("root may");
            std::os::unix::fs::chown(data.join("lock"), Some(NOBODY), None).expect("root may");
            std::os::unix::fs::chown(data.join("witness"), Some(NOBODY), None).expect("root may");
            let mut command = Command::new(&program);
            command.env_clear().args(["--listen", "none", "--socket", "none", "--data-dir"]);
            refusal(command.arg(&data).uid(NOBODY).gid(NOBODY))
        }
        false => {
            fs::set_permissions(&file, Permissions::from_mode(0o000)).expect("it is ours");
            refusal(&mut command(&data))
        }
    };
    let file = file.display();
    let command = match is_root {
        true => format!("chown {NOBODY} {file}"),
        false => format!("chmod u+rw {file}"),
    };
    assert!(said.contains(&format!("the file {file} cannot be used")), "{said}");
    assert!(said.contains(&command), "{said}");
    writeln!(std::io::stdout(), "{said}").expect("it is read");
}
