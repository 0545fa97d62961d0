//! A server on a free port, and processes that talk to it.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use chatd::config::RegistrationSetting;
use chatd::store::OpenError;
use chatd::{Durability, Server, StartError};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::time::timeout;

/// How long anything may take.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// A server, and a place for everybody's data.
pub(crate) struct Stage {
    dir: TempDir,
    server: Option<Server>,
    pub(crate) address: SocketAddr,
}

/// How a process ended, and what it said.
pub(crate) struct Ended {
    pub(crate) status: ExitStatus,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// A process that is still running.
pub(crate) struct Running {
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: Option<Lines<BufReader<ChildStdout>>>,
}

impl Stage {
    pub(crate) async fn new() -> Self {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let server = start(dir.path(), "127.0.0.1:0".to_owned(), RegistrationSetting::Auto).await;
        let address = server.addresses()[0];
        Self { dir, server: Some(server), address }
    }

    pub(crate) async fn stop_server(&mut self) {
        if let Some(server) = self.server.take() {
            server.shutdown().await;
        }
    }

    /// Starts it again, at the same address and with the same data.
    pub(crate) async fn start_server(&mut self) {
        self.start_server_with(RegistrationSetting::Auto).await;
    }

    /// The same, and lets new people in so.
    pub(crate) async fn start_server_with(&mut self, registration: RegistrationSetting) {
        let started = start(self.dir.path(), self.address.to_string(), registration);
        self.server = Some(started.await);
    }

    pub(crate) fn path(&self) -> &Path {
        self.dir.path()
    }

    /// `chat-tui` in an empty environment, for the server of this stage.
    pub(crate) fn command(&self, name: &str, args: &[&str]) -> Command {
        let mut command = bare_command(self.path(), args);
        command.env("CHAT_SERVER", self.address.to_string()).env("CHAT_NAME", name);
        command
    }

    /// Runs `chat-tui --no-tui ARGS` to its end, with nothing on stdin.
    pub(crate) async fn run(&self, name: &str, args: &[&str]) -> Ended {
        self.run_with(name, args, b"").await
    }

    pub(crate) async fn run_with(&self, name: &str, args: &[&str], stdin: &[u8]) -> Ended {
        finish(self.command(name, &headless(args)), stdin).await
    }

    pub(crate) fn spawn(&self, name: &str, args: &[&str]) -> Running {
        Running::new(self.command(name, &headless(args)))
    }

    /// The texts of a room, in order.
    pub(crate) async fn texts(&self, room: &str) -> Vec<String> {
        let ended = self.run("reader", &["tail", "-r", room, "--since", "seq:1", "--json"]).await;
        ended.succeeded();
        ended.objects().iter().map(|object| text(object).to_owned()).collect()
    }
}

pub(crate) fn text(object: &Value) -> &str {
    object["text"].as_str().unwrap_or_else(|| panic!("no text in {object}"))
}

pub(crate) fn headless<'a>(args: &[&'a str]) -> Vec<&'a str> {
    std::iter::once("--no-tui").chain(args.iter().copied()).collect()
}

pub(crate) fn bare_command(home: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_chat-tui"));
    command.args(args).env_clear().env("HOME", home).env("TZ", "UTC");
    command.env("CHAT_DATA_DIR", home.join("client")).kill_on_drop(true);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

pub(crate) async fn finish(mut command: Command, stdin: &[u8]) -> Ended {
    let mut child = command.spawn().expect("chat-tui starts");
    let mut pipe = child.stdin.take().expect("stdin is a pipe");
    let writing = async move {
        // A process that ends before it has read everything is what some tests are about.
        pipe.write_all(stdin).await.ok();
    };
    let ending = async { tokio::join!(writing, child.wait_with_output()).1 };
    let output = timeout(PATIENCE, ending).await.expect("it ends in time").expect("it ends");
    Ended {
        status: output.status,
        stdout: String::from_utf8(output.stdout).expect("stdout is UTF-8"),
        stderr: String::from_utf8(output.stderr).expect("stderr is UTF-8"),
    }
}

impl Ended {
    pub(crate) fn code(&self) -> i32 {
        self.status.code().unwrap_or(-1)
    }

    pub(crate) fn succeeded(&self) {
        self.ended_with(0);
    }

    pub(crate) fn ended_with(&self, code: i32) {
        assert_eq!(self.code(), code, "stdout: {}\nstderr: {}", self.stdout, self.stderr);
    }

    pub(crate) fn objects(&self) -> Vec<Value> {
        self.stdout.lines().map(object).collect()
    }
}

pub(crate) fn object(line: &str) -> Value {
    serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))
}

impl Running {
    pub(crate) fn new(mut command: Command) -> Self {
        let mut child = command.spawn().expect("chat-tui starts");
        let stdin = child.stdin.take();
        let stdout = child.stdout.take().map(|stdout| BufReader::new(stdout).lines());
        Self { child, stdin, stdout }
    }

    pub(crate) async fn say(&mut self, text: &str) {
        let stdin = self.stdin.as_mut().expect("stdin is open");
        stdin.write_all(text.as_bytes()).await.expect("it reads");
    }

    pub(crate) fn close_stdin(&mut self) {
        self.stdin = None;
    }

    pub(crate) fn close_stdout(&mut self) {
        self.stdout = None;
    }

    /// The next line of stdout.
    pub(crate) async fn line(&mut self) -> String {
        let lines = self.stdout.as_mut().expect("stdout is open");
        let line = timeout(PATIENCE, lines.next_line()).await.expect("a line comes in time");
        line.expect("stdout is read").expect("a line comes before the end")
    }

    pub(crate) async fn object(&mut self) -> Value {
        object(&self.line().await)
    }

    pub(crate) fn signal(&self, signal: Signal) {
        let id = self.child.id().and_then(|id| i32::try_from(id).ok());
        let id = id.and_then(Pid::from_raw).expect("it runs");
        kill_process(id, signal).expect("it is ours");
    }

    /// Waits for the end, and reads nothing.
    pub(crate) async fn code(&mut self) -> i32 {
        let ended = timeout(PATIENCE, self.child.wait()).await.expect("it ends in time");
        ended.expect("it ends").code().unwrap_or(-1)
    }

    /// Closes stdin, and waits for the end.
    pub(crate) async fn end(mut self) -> Ended {
        self.close_stdin();
        self.end_with_open_stdin().await
    }

    /// Waits for the end.
    pub(crate) async fn end_with_open_stdin(mut self) -> Ended {
        let rest = async {
            let mut stdout = String::new();
            if let Some(lines) = self.stdout.take() {
                lines.into_inner().read_to_string(&mut stdout).await.expect("stdout is read");
            }
            let mut stderr = String::new();
            if let Some(mut pipe) = self.child.stderr.take() {
                pipe.read_to_string(&mut stderr).await.expect("stderr is read");
            }
            let status = self.child.wait().await.expect("it ends");
            Ended { status, stdout, stderr }
        };
        timeout(PATIENCE, rest).await.expect("it ends in time")
    }
}

async fn start(dir: &Path, listen: String, registration: RegistrationSetting) -> Server {
    let config = chatd::Config {
        listen: vec![listen],
        socket: None,
        data_dir: dir.join("server"),
        durability: Durability::Process,
        registration,
        ..chatd::Config::default()
    };
    let starting = async {
        loop {
            match Server::start(config.clone()).await {
                Ok(server) => return server,
                Err(error) if is_held_by_a_child(&error) => tokio::task::yield_now().await,
                Err(error) => panic!("the server does not start: {error}"),
            }
        }
    };
    timeout(PATIENCE, starting).await.expect("the server starts in time")
}

/// Other tests of this process start children. Each has the locks and sockets of the whole process
/// for a moment, between its making and the loading of its program.
fn is_held_by_a_child(error: &StartError) -> bool {
    matches!(error, StartError::Open(OpenError::InUse { .. }))
        || matches!(error, StartError::Listen { cause, .. } if cause.kind() == ErrorKind::AddrInUse)
}
