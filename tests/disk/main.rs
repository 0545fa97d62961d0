//! Real daemons on disks that fill up and that fail. Never a false ack: whatever could not be
//! written is `Unavailable`, reading goes on, and writing resumes by itself. The same history
//! checker as everywhere has the last word.
//!
//! Each says what it found with `--show-output`, such as the time until writing resumed.
//! `SEED=n` chooses which writes fail.

#![expect(clippy::print_stdout, reason = "a test says what it measured")]

mod damaged;
mod failing;
mod faults;
mod full;
mod limited;
mod probe;
mod small_disk;

use std::io::Write;
use std::path::Path;

use anyhow::{Result, ensure};
use chat_tests::history::History;
use chat_tests::log::Log;
use chat_tests::truth;

/// What the operator is told when writing goes on.
const HEALED: &str = "the store takes writes again";

/// What the operator is told when the disk has no room.
const FULL: &str = "the disk is full";

/// What begins every line about a store that takes no writes, behind its time.
const FAULT: &str = " ERROR chatd::store::fault_log";

/// What begins every line about a WAL that cannot be moved into the database.
const UNMOVED: &str = " ERROR chatd::store::checkpoints";

/// Says that a test cannot run here: `.ci/run` looks for the line.
fn skipped(test: &str, why: &str) -> Result<()> {
    writeln!(std::io::stderr(), "skipped: {test}: {why}")?;
    Ok(())
}

/// Holds what was seen against the database.
fn nothing_is_lost_doubled_or_reordered(history: &History, database: &Path) -> Result<()> {
    let truth = truth::read(database)?;
    let events = truth::room(&truth, "lobby")?.events.len();
    println!("{events} events in the log, {} observations", history.len());
    let violations = history.check(&truth);
    ensure!(violations.is_empty(), "{} violations: {:#?}", violations.len(), &violations[..1]);
    Ok(())
}

/// Trouble is told once when it begins and once when it is over, and nothing else is told.
fn the_operator_was_told_once_a_change(log: &Log) -> Result<usize> {
    let mut told = Vec::new();
    for line in log.with("") {
        if line.contains(FAULT) {
            ensure!(told.last() != Some(&FAULT), "told twice: {line}");
            told.push(FAULT);
        } else if line.contains(HEALED) {
            ensure!(told.last() == Some(&FAULT), "it was told before: {line}");
            told.push(HEALED);
        } else if !line.contains(UNMOVED) {
            ensure!(!line.contains(" ERROR ") && !line.contains(" WARN "), "{line}");
        }
    }
    ensure!(told.last() != Some(&FAULT), "the end of the trouble was not told");
    Ok(told.len() / 2)
}
