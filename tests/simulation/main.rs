//! The simulator: many short lives of a chat server, each made by one number.
//!
//! See `README.md` beside this file.

mod chance;
mod client;
mod coverage;
mod disk;
mod env;
mod frames;
mod network;
mod peer;
mod plan;
mod platter;
mod schedule;
mod seen;
mod server;
mod switchboard;
mod trace;
mod world;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use coverage::{Situation, Tally};
use world::{Outcome, run};

/// Runs of `cargo test`: in about a minute, with optimisation.
const SEEDS: u64 = if cfg!(debug_assertions) { 200 } else { 2_000 };

/// Lines of the trace that are shown when a replayed seed fails.
const TRACE_LINES_SHOWN: usize = 400;

const REPLAY: &str = "cargo test --release -p chat-tests --test simulation";

#[test]
fn every_seed_keeps_the_promises() {
    if let Some(seed) = number_of("SEED") {
        return replay(seed);
    }
    let first = number_of("FIRST_SEED").unwrap_or(0);
    let seeds = number_of("SEEDS").unwrap_or(SEEDS);
    let tally = run_all(first, seeds);
    say(&report(seeds, &tally));
    // A few seeds cannot be expected to bring up everything.
    if seeds >= SEEDS {
        let missing = tally.missing();
        assert!(missing.is_empty(), "never came up in {seeds} runs: {missing:?}");
    }
}

#[test]
fn the_same_seed_makes_the_same_run() {
    for seed in 0..20 {
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

/// Runs `seeds` seeds on all cores; stops at the first that breaks a promise.
fn run_all(first: u64, seeds: u64) -> Tally {
    let next = AtomicU64::new(first);
    let has_failed = AtomicBool::new(false);
    let failure = Mutex::new(None);
    let tally = Mutex::new(Tally::default());
    let threads = std::thread::available_parallelism().map_or(2, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                let mut own = Tally::default();
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= first + seeds || has_failed.load(Ordering::Relaxed) {
                        break;
                    }
                    match catch_unwind(AssertUnwindSafe(|| run(seed, false))) {
                        Ok(outcome) if outcome.violations.is_empty() => {
                            own.add(&outcome.situations)
                        }
                        Ok(outcome) => fail(seed, &outcome.violations.join("\n"), &failure),
                        Err(_) => fail(seed, "it panicked, see above", &failure),
                    }
                    has_failed.store(failure.lock().unwrap().is_some(), Ordering::Relaxed);
                }
                tally.lock().unwrap().merge(&own);
            });
        }
        scope.spawn(|| show_progress(first, seeds, &next, &has_failed));
    });
    let failure = failure.into_inner().unwrap();
    if let Some((seed, why)) = failure {
        panic!("seed {seed} breaks:\n{why}\nreplay it: SEED={seed} {REPLAY}");
    }
    tally.into_inner().unwrap()
}

/// The smallest failing seed is the one that is told.
fn fail(seed: u64, why: &str, failure: &Mutex<Option<(u64, String)>>) {
    let mut failure = failure.lock().unwrap();
    if failure.as_ref().is_none_or(|(known, _)| seed < *known) {
        *failure = Some((seed, why.to_owned()));
    }
}

/// Says every few seconds how far a long series of runs has come.
fn show_progress(first: u64, seeds: u64, next: &AtomicU64, has_failed: &AtomicBool) {
    let started = Instant::now();
    let mut told = Instant::now();
    loop {
        let done = next.load(Ordering::Relaxed).saturating_sub(first);
        if done >= seeds || has_failed.load(Ordering::Relaxed) {
            return;
        }
        if told.elapsed() > Duration::from_secs(10) {
            told = Instant::now();
            let per_second = done as f64 / started.elapsed().as_secs_f64();
            say(&format!("{done} of {seeds} seeds, {per_second:.0} a second"));
        }
        std::thread::park_timeout(Duration::from_millis(50));
    }
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
