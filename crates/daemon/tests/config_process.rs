//! The program as a process: what it says when it is ready, what it says when it cannot run, and
//! how it ends.

use std::io::{BufRead, BufReader, Read};
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

/// How long anything may take at the most.
const PATIENCE: Duration = Duration::from_secs(20);

struct Daemon {
    child: Child,
    stdout: BufReader<ChildStdout>,
    /// The lines of the ready block, without the first.
    ready: Vec<String>,
}

fn dir() -> TempDir {
    tempfile::tempdir().expect("there is room")
}

fn command(data: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_chatd"));
    command.env_clear().args(["--listen", "127.0.0.1:0", "--data-dir"]).arg(data);
    command
}

impl Daemon {
    /// Starts a daemon, and waits until it says that it is ready.
    fn start(command: &mut Command) -> Self {
        let command = command.stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().expect("the program is there");
        let mut stdout = BufReader::new(child.stdout.take().expect("it is piped"));
        let mut line = || {
            let mut line = String::new();
            stdout.read_line(&mut line).expect("it is text");
            line.trim_end().to_owned()
        };
        let first = line();
        assert_eq!(first, format!("chatd {}, ready", env!("CARGO_PKG_VERSION")));
        let ready = (0..4).map(|_| line()).collect();
        Self { child, stdout, ready }
    }

    /// What the block says behind a label.
    fn told(&self, label: &str) -> &str {
        let line = self.ready.iter().find_map(|line| line.trim_start().strip_prefix(label));
        line.expect("the label is there").trim()
    }

    /// Ends the daemon by a signal; it prints nothing more.
    fn end(mut self, signal: Signal) -> ExitStatus {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        kill_process(pid.expect("it is a process"), signal).expect("it runs");
        let mut rest = String::new();
        self.stdout.read_to_string(&mut rest).expect("it is text");
        assert_eq!(rest, "");
        self.child.wait().expect("it ends")
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // It has ended already unless the test failed.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

#[test]
fn a_daemon_says_where_it_is_and_ends_in_order() {
    for signal in [Signal::TERM, Signal::INT] {
        let home = dir();
        let data = home.path().join("data");
        let daemon = Daemon::start(&mut command(&data));
        let socket = data.join("chatd.sock");
        let socket = socket.to_string_lossy();
        assert_eq!(daemon.told("on this machine"), format!("chat-tui {socket}"));
        assert_eq!(daemon.told("from elsewhere"), "chatd --listen 0.0.0.0");
        assert!(daemon.told("identity").starts_with("SHA256:"));
        let places = daemon.told("listening at");
        let (address, path) = places.split_once(", ").expect("there are two");
        assert_eq!(path, socket);
        assert!(!address.ends_with(":0"), "{address}");
        std::net::TcpStream::connect(address).expect("it listens");
        std::os::unix::net::UnixStream::connect(path).expect("it listens");

        assert_eq!(daemon.end(signal).code(), Some(0));
        assert!(!data.join("chatd.sock").exists());
        assert!(!data.join("chatd.db-wal").exists(), "the store was closed in order");
    }
}

#[test]
fn the_identity_outlives_a_kill() {
    let data = dir();
    let mut first = Daemon::start(command(data.path()).args(["--socket", "none"]));
    let identity = first.told("identity").to_owned();
    first.child.kill().expect("it runs");
    drop(first);
    let second = Daemon::start(command(data.path()).args(["--socket", "none"]));
    assert_eq!(second.told("identity"), identity);
    assert!(second.told("on this machine").starts_with("chat-tui 127.0.0.1:"));
    assert_eq!(second.end(Signal::TERM).code(), Some(0));
}

#[test]
fn a_daemon_that_cannot_run_says_why_in_a_sentence() {
    let data = dir();
    let running = Daemon::start(command(data.path()).args(["--socket", "none"]));
    let second = command(data.path()).output().expect("the program is there");
    let said = String::from_utf8_lossy(&second.stderr);
    assert_eq!(second.status.code(), Some(1), "{said}");
    assert!(second.stdout.is_empty());
    let pid = running.child.id();
    assert!(said.contains(&format!("in use by another chatd, process {pid}")), "{said}");

    let taken = running.told("listening at");
    let elsewhere = dir();
    let third =
        command(elsewhere.path()).args(["--listen", taken]).output().expect("the program is there");
    let said = String::from_utf8_lossy(&third.stderr);
    assert_eq!(third.status.code(), Some(1), "{said}");
    assert!(said.contains(taken), "{said}");
    assert_eq!(running.end(Signal::TERM).code(), Some(0));
}

#[test]
fn the_service_manager_is_told() {
    let data = dir();
    let path = data.path().join("notify");
    let manager = UnixDatagram::bind(&path).expect("there is room");
    manager.set_read_timeout(Some(PATIENCE)).expect("it is long enough");
    let told = || {
        let mut state = [0; 64];
        let bytes = manager.recv(&mut state).expect("it is told in time");
        String::from_utf8_lossy(&state[..bytes]).into_owned()
    };
    let mut command = command(data.path());
    let daemon = Daemon::start(command.args(["--socket", "none"]).env("NOTIFY_SOCKET", &path));
    assert_eq!(told(), "READY=1");
    assert_eq!(daemon.end(Signal::TERM).code(), Some(0));
    assert_eq!(told(), "STOPPING=1");
}
