//! A scheme: which syncs of a worker fail, who reads meanwhile, and how it ends.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result};
use rand::{Rng, RngExt};
use tempfile::TempDir;

use crate::disk::DIR;
use crate::trace::{CALLS, Op, parse};

/// The first sync of a thread that fails is one of so many.
const FIRST_MAX: u32 = 24;

/// The second comes so many later at most.
const STEP_MAX: u32 = 9;

/// Messages of each life: one move of the WAL, or two.
const MESSAGES: u64 = 48;

/// Messages of the first life, in which nothing fails: there is a store then.
const MESSAGES_BEFORE: u64 = 3;

/// The same failures in every run, before those by chance, and nobody who keeps the WAL's index:
/// healing fails, and later a commit.
const ALWAYS: [&str; 4] = ["3+5", "4+5", "5+7", "4..12+8"];

/// See the module.
#[derive(Debug)]
pub(crate) struct Scheme {
    lives: Vec<Life>,
}

/// A process on the store, up to its end. The next one finds what it left in the system's cache.
#[derive(Debug)]
struct Life {
    messages: u64,
    /// Which syncs of each thread fail, as strace has it.
    failing: Option<String>,
    reader: &'static str,
    end: &'static str,
}

/// What all lives have done.
pub(crate) struct Traced {
    pub(crate) ops: Vec<Op>,
}

impl Scheme {
    pub(crate) fn choose(number: u64, chance: &mut impl Rng) -> Self {
        let always = usize::try_from(number).ok().and_then(|number| ALWAYS.get(number));
        let mut begun = Life::choose(None, chance);
        (begun.messages, begun.reader, begun.end) = (MESSAGES_BEFORE, "none", "die");
        let mut life = Life::choose(Some(failing(chance)), chance);
        if let Some(always) = always {
            (life.failing, life.reader) = (Some((*always).to_owned()), "none");
        }
        let mut lives = vec![begun, life];
        if chance.random_bool(0.5) {
            let failing = chance.random_bool(0.5).then(|| failing(chance));
            lives.push(Life::choose(failing, chance));
        }
        Self { lives }
    }

    /// Lives all lives, one after the other, on one store.
    pub(crate) fn run(&self) -> Result<Traced> {
        let dir = TempDir::new_in(fast_place())?;
        let mut ops = Vec::new();
        for life in &self.lives {
            let trace = life.run(dir.path())?;
            ops.extend(parse(&trace)?);
        }
        Ok(Traced { ops })
    }
}

/// One sync, two of them, or every so many-th from one on.
fn failing(chance: &mut impl Rng) -> String {
    let first = chance.random_range(1..=FIRST_MAX);
    let step = chance.random_range(1..=STEP_MAX);
    match chance.random_range(0..3) {
        0 => format!("{first}"),
        1 => format!("{first}..{}+{step}", first + step),
        _ => format!("{first}+{step}"),
    }
}

impl Life {
    fn choose(failing: Option<String>, chance: &mut impl Rng) -> Self {
        let reader = ["none", "idle", "busy"][chance.random_range(0..3)];
        let end = ["close", "die"][chance.random_range(0..2)];
        Self { messages: MESSAGES, failing, reader, end }
    }

    fn run(&self, dir: &Path) -> Result<String> {
        let out = dir.join("trace");
        let mut strace = Command::new("strace");
        strace.args(["-f", "-y", "-s", "1000000", "-e", &format!("trace={CALLS}"), "-o"]).arg(&out);
        if let Some(failing) = &self.failing {
            strace.args(["-e", &format!("inject=fsync,fdatasync:error=EIO:when={failing}")]);
        }
        strace.arg(env!("CARGO_BIN_EXE_power-worker")).arg(dir.join(DIR));
        strace.args([&self.messages.to_string(), self.reader, self.end]);
        // A worker whose disk never heals, or does not let it start, ends with an error.
        strace.stdout(Stdio::null()).stderr(Stdio::null()).status().context("strace")?;
        // The name of the database has escapes in it nowhere.
        std::fs::read_to_string(&out).context("the trace")
    }
}

/// Why nothing can be traced here.
pub(crate) fn why_not() -> Option<String> {
    let mut strace = Command::new("strace");
    strace.args(["-f", "-o", "/dev/null", "-e", "inject=fsync:error=EIO:when=1..2+1", "true"]);
    match strace.stderr(Stdio::piped()).output() {
        Ok(output) if output.status.success() => None,
        Ok(output) => Some(format!("strace: {}", String::from_utf8_lossy(&output.stderr).trim())),
        Err(error) => Some(format!("strace cannot be run ({error})")),
    }
}

/// Where files cost no disk, if there is such a place: nothing here is about the real one.
pub(crate) fn fast_place() -> PathBuf {
    let memory = PathBuf::from("/dev/shm");
    if memory.is_dir() { memory } else { std::env::temp_dir() }
}
