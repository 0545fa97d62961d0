//! Real daemons as child processes: started, killed, stopped; never left behind.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use chat_client::Target;

use crate::log::Log;

/// How long a child may take for anything before the test gives up.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// How a daemon is started.
#[derive(Clone, Debug)]
pub struct Launch {
    data_dir: PathBuf,
    socket: PathBuf,
    flags: Vec<String>,
    within: Vec<String>,
}

impl Launch {
    /// On a data directory, at a free port and at a Unix socket beside the directory.
    #[must_use]
    pub fn new(data_dir: &Path) -> Self {
        let socket = data_dir.with_extension("sock");
        Self { data_dir: data_dir.to_owned(), socket, flags: Vec::new(), within: Vec::new() }
    }

    /// With more flags.
    #[must_use]
    pub fn flags(mut self, flags: &[&str]) -> Self {
        self.flags.extend(flags.iter().map(|flag| (*flag).to_owned()));
        self
    }

    /// At a Unix socket somewhere else.
    #[must_use]
    pub fn socket(mut self, socket: &Path) -> Self {
        socket.clone_into(&mut self.socket);
        self
    }

    /// Where its Unix socket is.
    #[must_use]
    pub fn socket_path(&self) -> &Path {
        &self.socket
    }

    /// Through a program that becomes the one that its last arguments name.
    #[must_use]
    pub fn within(mut self, program: Vec<String>) -> Self {
        self.within = program;
        self
    }

    /// The command, for whoever wants to see it fail.
    ///
    /// # Errors
    /// When `chatd` cannot be built.
    pub fn command(&self) -> Result<Command> {
        let chatd = binary("chatd")?;
        let mut command = match self.within.split_first() {
            None => Command::new(chatd),
            Some((program, arguments)) => {
                let mut command = Command::new(program);
                command.args(arguments).arg(chatd);
                command
            }
        };
        // A program that is named without a path is looked for in PATH.
        let path = std::env::var_os("PATH").unwrap_or_default();
        command.env_clear().env("PATH", path);
        command.args(["--listen", "127.0.0.1:0", "--socket"]).arg(&self.socket);
        command.arg("--data-dir").arg(&self.data_dir).args(&self.flags);
        Ok(command)
    }

    /// Starts it.
    ///
    /// # Errors
    /// When it does not say that it is ready.
    pub fn start(&self) -> Result<Daemon> {
        let started = Instant::now();
        let mut command = self.command()?;
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().context("chatd could not be started")?;
        let log = Log::of(child.stderr.take().context("stderr is a pipe")?);
        let stdout = child.stdout.take().context("stdout is a pipe")?;
        let mut lines = BufReader::new(stdout).lines();
        let mut said = Vec::new();
        let wanted = 1 + self.flags.iter().filter(|flag| **flag == "--listen").count();
        let mut addresses = Vec::new();
        while addresses.len() < wanted {
            let Some(line) = lines.next().transpose()? else {
                bail!("chatd ended before it was ready: {:?}, {said:?}", child.wait()?);
            };
            addresses.extend(addresses_in(&line));
            addresses.dedup();
            said.push(line);
        }
        // What it says later goes nowhere, but must be read: a full pipe would stop it.
        std::thread::spawn(move || lines.for_each(drop));
        let socket = self.socket.clone();
        Ok(Daemon { child, socket, addresses, log, ready_after: started.elapsed() })
    }
}

/// A running `chatd`. Killed when it is dropped.
#[derive(Debug)]
pub struct Daemon {
    child: Child,
    socket: PathBuf,
    addresses: Vec<SocketAddr>,
    log: Log,
    /// From the start of the process until it said that it is ready.
    pub ready_after: Duration,
}

impl Daemon {
    /// Starts a daemon on a data directory, at a free port and at a Unix socket beside it.
    ///
    /// # Errors
    /// When it does not say that it is ready.
    pub fn start(data_dir: &Path) -> Result<Self> {
        Launch::new(data_dir).start()
    }

    /// The same with more flags.
    ///
    /// # Errors
    /// When it does not say that it is ready.
    pub fn start_with(data_dir: &Path, flags: &[&str]) -> Result<Self> {
        Launch::new(data_dir).flags(flags).start()
    }

    /// What it has said to its operator.
    #[must_use]
    pub fn log(&self) -> &Log {
        &self.log
    }

    /// Its Unix socket, the same after each restart on the same data directory.
    #[must_use]
    pub fn socket(&self) -> &Path {
        &self.socket
    }

    /// Its first TCP address.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.addresses[0]
    }

    /// Its TCP addresses.
    #[must_use]
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// How a client reaches it by its Unix socket.
    #[must_use]
    pub fn target(&self) -> Target {
        Target::Unix(self.socket.clone())
    }

    /// The number of its process.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// SIGKILL, and waits for the end.
    ///
    /// # Errors
    /// When the process cannot be killed.
    pub fn kill(mut self) -> Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// Sends a signal.
    ///
    /// # Errors
    /// When there is no such process.
    pub fn signal(&self, signal: rustix::process::Signal) -> Result<()> {
        let pid = i32::try_from(self.pid()).ok().and_then(rustix::process::Pid::from_raw);
        rustix::process::kill_process(pid.context("a process id")?, signal)?;
        Ok(())
    }

    /// SIGTERM, and waits for the end; tells how it ended, and after how long.
    ///
    /// # Errors
    /// When it does not end in time.
    pub fn terminate(self) -> Result<(ExitStatus, Duration)> {
        let asked = Instant::now();
        self.signal(rustix::process::Signal::TERM)?;
        Ok((self.wait()?, asked.elapsed()))
    }

    /// Waits for the end that was asked for.
    ///
    /// # Errors
    /// When it does not end in time.
    pub fn wait(mut self) -> Result<ExitStatus> {
        wait_for_end(&mut self.child)
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // It may have ended already; nothing else can go wrong with a child of ours.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Waits for a child, at most [`PATIENCE`].
///
/// # Errors
/// When it does not end in time; it is killed then.
pub fn wait_for_end(child: &mut Child) -> Result<ExitStatus> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(status);
        }
        if Instant::now() > deadline {
            child.kill()?;
            bail!("process {} did not end in {PATIENCE:?}", child.id());
        }
        // Polling an outside process, not synchronising with it.
        std::thread::park_timeout(Duration::from_millis(2));
    }
}

/// A program of this workspace, built as this test was.
///
/// # Errors
/// When it cannot be built.
pub fn binary(name: &str) -> Result<PathBuf> {
    static BUILT: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    let folder = BUILT.get_or_init(|| build_all().map_err(|error| format!("{error:#}")));
    match folder {
        Ok(folder) => Ok(folder.join(name)),
        Err(error) => bail!("the programs could not be built: {error}"),
    }
}

/// `cargo test -p chat-tests` alone does not build the programs of other packages.
fn build_all() -> Result<PathBuf> {
    let test = std::env::current_exe()?;
    let folder = test.ancestors().nth(2).context("the folder of the profile")?.to_owned();
    let mut build = Command::new(env!("CARGO"));
    build.args(["build", "--quiet", "--workspace", "--bins", "--target-dir"]);
    build.arg(folder.parent().context("the target folder")?);
    build.current_dir(env!("CARGO_MANIFEST_DIR"));
    if folder.ends_with("release") {
        build.arg("--release");
    }
    let status = build.status()?;
    anyhow::ensure!(status.success(), "cargo build ended with {status}");
    Ok(folder)
}

fn addresses_in(line: &str) -> impl Iterator<Item = SocketAddr> + '_ {
    line.split_whitespace()
        .filter_map(|word| word.trim_matches([',', ';', '(', ')']).parse::<SocketAddr>().ok())
        .filter(|address| address.ip().is_loopback() && address.port() != 0)
}
