//! Small cases that somebody can run by hand, as scripts: each starts the programs as a person would,
//! prints what it expects, and ends with 0 when that came true. Here they run with an empty home.
//!
//! By hand: `CHATD=target/debug/chatd CHAT=target/debug/chat-tui bash tests/cases/unlinked-store.sh`
//! in an empty directory.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use chat_tests::process::binary;
use rustix::process::{Pid, Signal, kill_process_group};
use tempfile::TempDir;

/// How long a case may take; the longest take some seconds.
const CASE_MAX: Duration = Duration::from_secs(150);

/// The exit status of a case that cannot run here; its last line says why.
const SKIPPED: i32 = 77;

macro_rules! cases {
    ($($name:ident: $script:literal,)*) => {
        const SCRIPTS: &[&str] = &[$($script),*];

        $(
            #[test]
            fn $name() -> Result<()> {
                run(stringify!($name), $script)
            }
        )*
    };
}

cases! {
    a_clock_that_is_ahead_is_told_and_other_rooms_have_the_time: "clock-ahead.sh",
    a_wrong_line_of_the_configuration_posts_nothing_anywhere: "config-wrong-room.sh",
    a_damaged_page_is_told_and_read_around: "damaged-page.sh",
    a_log_on_a_full_disk_ends_nothing: "log-on-full-disk.sh",
    a_build_whose_output_is_piped_away_comes_to_its_end: "pipe-from-make.sh",
    what_leaves_the_machine_is_encrypted_and_nothing_else_is_taken: "other-machine.sh",
    a_silent_address_costs_a_moment: "silent-address.sh",
    a_store_that_is_missing_is_not_replaced: "store-missing.sh",
    a_store_that_is_removed_acknowledges_nothing: "unlinked-store.sh",
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("cases")
}

/// Runs a script to its end, in a directory and a home of its own.
fn run(test: &str, script: &str) -> Result<()> {
    let dir = TempDir::new()?;
    let home = dir.path().join("home");
    fs::create_dir(&home)?;
    let said = dir.path().join("said");
    let output = File::create(&said)?;
    let mut command = Command::new("bash");
    command.arg(folder().join(script)).current_dir(&home).stdin(Stdio::null());
    command.stdout(output.try_clone()?).stderr(output);
    command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
    command.env("HOME", &home).env("USER", "ada").env("TMPDIR", &home);
    command.env("CHATD", binary("chatd")?).env("CHAT", binary("chat-tui")?);
    let mut child = command.process_group(0).spawn().context("bash runs")?;
    let group = i32::try_from(child.id()).ok().and_then(Pid::from_raw).context("a process id")?;
    let deadline = Instant::now() + CASE_MAX;
    let status = loop {
        match child.try_wait()? {
            Some(status) => break Some(status),
            None if Instant::now() > deadline => break None,
            // Polling an outside process, not synchronising with it.
            None => std::thread::park_timeout(Duration::from_millis(5)),
        }
    };
    // What it has started ends with it; mostly nothing is left.
    let _nobody_is_left = kill_process_group(group, Signal::KILL);
    let said = fs::read_to_string(said).unwrap_or_default();
    let Some(status) = status else {
        child.wait()?;
        bail!("{script} did not end in {CASE_MAX:?}:\n{said}");
    };
    if status.code() == Some(SKIPPED) {
        let why = said.lines().last().and_then(|line| line.strip_prefix("skipped: "));
        let why = why.context("a case that is skipped says why")?;
        writeln!(std::io::stderr(), "skipped: {test}: {why}")?;
        return Ok(());
    }
    ensure!(status.success(), "{script} ended with {status}:\n{said}");
    ensure!(said.starts_with("expects: "), "{script} does not say what it expects:\n{said}");
    Ok(())
}

#[test]
fn every_script_is_run() -> Result<()> {
    let mut there = BTreeSet::new();
    for entry in fs::read_dir(folder())? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if name.ends_with(".sh") && name != "common.sh" {
            there.insert(name);
        }
    }
    let run: BTreeSet<String> = SCRIPTS.iter().map(|script| (*script).to_owned()).collect();
    assert_eq!(there, run);
    Ok(())
}
