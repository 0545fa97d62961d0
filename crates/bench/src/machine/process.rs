//! Child processes: on their core, ended with this process whatever happens to it.

use std::fs::File;
use std::io;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use rustix::process::{Pid, Signal, kill_process, set_parent_process_death_signal};

use super::cores::stay_on;

/// How long a child may take to end after it was asked to.
const PATIENCE: Duration = Duration::from_secs(12);

/// How often an outside process is looked at.
const POLL: Duration = Duration::from_millis(2);

/// A child process. Killed when it is dropped.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    log: PathBuf,
}

impl Process {
    /// Starts `program` on a core. What it says to stderr goes to a file in `folder`.
    pub(crate) fn start(
        program: &Path,
        args: &[String],
        core: usize,
        folder: &Path,
    ) -> Result<Self> {
        let log = folder.join("stderr.log");
        let stderr = File::create(&log).context("no file for what the server says")?;
        let child = Command::new(std::env::current_exe()?)
            .env_clear()
            .envs(std::env::var_os("PATH").map(|path| ("PATH", path)))
            .args(["launch", "--core", &core.to_string(), "--"])
            .arg(program)
            .args(args)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(stderr)
            .spawn()
            .with_context(|| format!("{} could not be started", program.display()))?;
        Ok(Self { child, log })
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// What it prints; once.
    pub(crate) fn stdout(&mut self) -> Option<ChildStdout> {
        self.child.stdout.take()
    }

    /// Whether it has ended by itself.
    pub(crate) fn has_ended(&mut self) -> bool {
        !matches!(self.child.try_wait(), Ok(None))
    }

    /// What it said last.
    pub(crate) fn last_words(&self) -> String {
        let said = std::fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = said.lines().rev().take(3).collect();
        lines.into_iter().rev().collect::<Vec<_>>().join(" / ")
    }

    /// SIGTERM, and waits for the end; kills what does not end in time.
    pub(crate) fn terminate(mut self) -> Result<Duration> {
        let asked = Instant::now();
        let pid = i32::try_from(self.pid()).ok().and_then(Pid::from_raw).context("a process id")?;
        kill_process(pid, Signal::TERM)?;
        while self.child.try_wait()?.is_none() {
            anyhow::ensure!(asked.elapsed() < PATIENCE, "the server did not end in time");
            std::thread::park_timeout(POLL);
        }
        Ok(asked.elapsed())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended already; nothing else can go wrong with a child of ours.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Becomes `program` on a core, to be killed with whoever started this process.
pub(crate) fn launch(core: usize, program: &Path, args: &[String]) -> io::Error {
    let prepared = stay_on(core)
        .and_then(|()| set_parent_process_death_signal(Some(Signal::KILL)).map_err(Into::into));
    match prepared {
        Ok(()) => Command::new(program).args(args).exec(),
        Err(error) => error,
    }
}
