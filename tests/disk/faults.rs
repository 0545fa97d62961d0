//! System calls that are made to fail, by strace, of the threads that write the database.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result};
use chat_tests::process::Daemon;

/// The names of the threads that write: the two that commit, and the one that moves the WAL.
const WRITING_THREADS: [&str; 3] = ["chatd-commit", "chatd-write", "chatd-ckpt"];

/// Calls that fail, until this is dropped.
#[derive(Debug)]
pub(crate) struct Faults {
    strace: Child,
}

/// Why nothing can be made to fail here.
pub(crate) type WhyNot = String;

impl Faults {
    /// Makes calls on some of the store's files fail: `fault` is a rule for `strace -e inject=`.
    pub(crate) fn inject(
        daemon: &Daemon,
        files: &[PathBuf],
        fault: &str,
    ) -> Result<Result<Self, WhyNot>> {
        let calls = fault.split(':').next().context("calls")?;
        let mut strace = Command::new("strace");
        strace.args(["-o", "/dev/null"]);
        for thread in WRITING_THREADS {
            strace.arg("-p").arg(thread_id(daemon, thread)?.to_string());
        }
        for file in files {
            strace.arg("-P").arg(file);
        }
        strace.arg("-e").arg(format!("trace={calls}")).arg("-e").arg(format!("inject={fault}"));
        let spawned = strace.stdin(Stdio::null()).stderr(Stdio::piped()).spawn();
        let mut strace = match spawned {
            Ok(strace) => strace,
            Err(error) => return Ok(Err(format!("strace cannot be run ({error})"))),
        };
        let stderr = strace.stderr.take().context("stderr is a pipe")?;
        let mut said = BufReader::new(stderr).lines();
        let (mut heard, mut attached) = (String::new(), 0);
        for line in said.by_ref() {
            heard = line?;
            attached += usize::from(heard.ends_with(" attached"));
            if attached == WRITING_THREADS.len() {
                // What it says later must be read: a full pipe would stop it.
                std::thread::spawn(move || said.for_each(drop));
                return Ok(Ok(Self { strace }));
            }
        }
        strace.wait()?;
        Ok(Err(format!("strace cannot attach: {heard}")))
    }
}

impl Drop for Faults {
    fn drop(&mut self) {
        let pid = i32::try_from(self.strace.id()).ok().and_then(rustix::process::Pid::from_raw);
        // It lets go of the threads when it is asked to end; it is gone only if they are.
        let asked = pid.map(|pid| rustix::process::kill_process(pid, rustix::process::Signal::INT));
        if asked == Some(Ok(())) {
            drop(self.strace.wait());
        }
    }
}

fn thread_id(daemon: &Daemon, thread: &str) -> Result<u32> {
    for task in std::fs::read_dir(format!("/proc/{}/task", daemon.pid()))? {
        let task = task?;
        let mut name = String::new();
        BufReader::new(File::open(task.path().join("comm"))?).read_line(&mut name)?;
        if name.trim() == thread {
            return task.file_name().to_string_lossy().parse().context("a thread id");
        }
    }
    anyhow::bail!("there is no thread {thread}")
}
