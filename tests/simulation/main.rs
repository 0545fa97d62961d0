//! The simulator: many short lives of a chat server, each made by one number.
//!
//! See `README.md` beside this file.

mod chance;
mod client;
mod coverage;
mod data;
mod disk;
mod env;
mod fanout;
mod frames;
mod network;
mod order;
mod peer;
mod plan;
mod rights;
mod runner;
mod schedule;
mod seen;
mod server;
mod store;
mod trace;
mod world;

use coverage::{Situation, Tally};
use runner::run_all;
use world::{Outcome, run};

/// Runs of `cargo test`: in about a minute, with optimisation.
const SEEDS: u64 = if cfg!(debug_assertions) { 100 } else { SEEDS_FOR_EVERYTHING };

/// Runs in which everything that can happen must have happened.
const SEEDS_FOR_EVERYTHING: u64 = 2_000;

/// Lines of the trace that are shown when a replayed seed fails.
const TRACE_LINES_SHOWN: usize = 400;

/// How to run this suite.
const REPLAY: &str = "cargo test --release -p chat-tests --test simulation";

#[test]
fn every_seed_keeps_the_promises() {
    if let Some(seed) = number_of("SEED") {
        return replay(seed);
    }
    let first = number_of("FIRST_SEED").unwrap_or(0);
    let seeds = number_of("SEEDS").unwrap_or(SEEDS);
    let tally = run_all(first, seeds)
        .unwrap_or_else(|broken| panic!("{broken}\nreplay it: SEED={} {REPLAY}", broken.seed));
    say(&report(seeds, &tally));
    // A few seeds cannot be expected to bring up everything.
    if seeds >= SEEDS_FOR_EVERYTHING {
        let missing = tally.missing();
        assert!(missing.is_empty(), "never came up in {seeds} runs: {missing:?}");
    }
}

#[test]
fn the_same_seed_makes_the_same_run() {
    for seed in 0..10 {
        let (first, second) = (run(seed, true), run(seed, true));
        assert_eq!(first.trace, second.trace, "seed {seed}");
        assert_eq!(first.fingerprint, second.fingerprint, "seed {seed}");
        assert_eq!(first.steps, second.steps, "seed {seed}");
    }
}

/// Runs one seed, and shows what happened when it breaks a promise.
fn replay(seed: u64) {
    let Outcome { violations, trace, steps, .. } = run(seed, true);
    if let Some(path) = std::env::var_os("TRACE") {
        std::fs::write(path, trace.join("\n")).expect("the trace can be written");
    }
    if !violations.is_empty() {
        let hidden = trace.len().saturating_sub(TRACE_LINES_SHOWN);
        say(&format!("({hidden} lines before; TRACE=FILE writes them all)"));
        trace[hidden..].iter().for_each(|line| say(line));
    }
    assert!(violations.is_empty(), "seed {seed} breaks:\n{}", violations.join("\n"));
    say(&format!("seed {seed} keeps the promises, in {steps} steps"));
}

fn report(seeds: u64, tally: &Tally) -> String {
    let lines = Situation::ALL.iter().map(|situation| {
        format!("{:>8} of {seeds} runs: {situation:?}", tally.runs_with(*situation))
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn number_of(variable: &str) -> Option<u64> {
    let value = std::env::var(variable).ok()?;
    Some(value.parse().unwrap_or_else(|_| panic!("{variable} is a number, not {value:?}")))
}

#[expect(clippy::print_stderr, reason = "a long run says how far it is")]
fn say(words: &str) {
    eprintln!("{words}");
}
