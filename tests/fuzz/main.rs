//! Bytes without end at everything that reads what a stranger has sent.
//!
//! Each input is a known one that was changed a little, and follows from a number.
//! `CHAT_FUZZ_SECONDS=600 cargo test --workspace --test fuzz` goes on for so long with each target,
//! `CHAT_FUZZ_SEED=N` begins with that number, `CHAT_FUZZ_TARGET=names` tries that one alone. An input that fails is printed in hexadecimal, to be put
//! into `corpus/TARGET.hex`, which is replayed always.

mod mutation;
mod targets;

use std::fmt::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use data_encoding::HEXLOWER_PERMISSIVE;
use mutation::Mutator;
use targets::Target;

/// Inputs of each target in `cargo test`.
const INPUTS: u64 = 3_000;

/// Why what must hold of an input does not, if it does not.
fn fault(target: &Target, input: &[u8]) -> Option<String> {
    match catch_unwind(AssertUnwindSafe(|| (target.check)(input))) {
        Ok(held) => held.err(),
        Err(_panicked) => Some("it panics".to_owned()),
    }
}

#[track_caller]
fn check(target: &Target, what: &str, input: &[u8]) {
    if let Some(why) = fault(target, input) {
        let shortest = shortened(target, input);
        let why_short = fault(target, &shortest).unwrap_or_default();
        panic!(
            "{}, {what}: {why}\n{}\nshortened: {why_short}\n{}",
            target.name,
            hex(input),
            hex(&shortest)
        );
    }
}

/// The input without every part that its fault does not need.
fn shortened(target: &Target, input: &[u8]) -> Vec<u8> {
    let mut kept = input.to_vec();
    let mut part = kept.len() / 2;
    while part > 0 {
        let mut at = 0;
        while at < kept.len() {
            let end = (at + part).min(kept.len());
            let without = [&kept[..at], &kept[end..]].concat();
            match fault(target, &without) {
                Some(_why) => kept = without,
                None => at = end,
            }
        }
        part /= 2;
    }
    kept
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("memory takes it");
        text
    })
}

fn number(variable: &str) -> Option<u64> {
    let value = std::env::var(variable).ok()?;
    Some(value.parse().unwrap_or_else(|_| panic!("{variable} is a number, not {value:?}")))
}

fn corpus(target: &Target) -> Vec<Vec<u8>> {
    let lines = target.corpus.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    let bytes = |line: &str| HEXLOWER_PERMISSIVE.decode(line.trim().as_bytes());
    lines.map(|line| bytes(line).expect("a line of the corpus is hexadecimal")).collect()
}

#[test]
fn what_failed_once_and_what_is_valid_holds() {
    for target in targets::all() {
        for (line, input) in (1..).zip(corpus(&target)) {
            check(&target, &format!("line {line} of its corpus"), &input);
        }
        for (nth, input) in target.valid.iter().enumerate() {
            check(&target, &format!("valid input {nth}"), input);
        }
    }
}

#[test]
fn whatever_comes_is_taken_or_refused() {
    let first = number("CHAT_FUZZ_SEED").unwrap_or(1);
    let seconds = number("CHAT_FUZZ_SECONDS").map(Duration::from_secs);
    let wanted = std::env::var("CHAT_FUZZ_TARGET").ok();
    let is_wanted = |target: &Target| wanted.as_ref().is_none_or(|name| name == target.name);
    for target in targets::all().into_iter().filter(is_wanted) {
        let known = [target.valid.clone(), corpus(&target)].concat();
        let until = seconds.map(|seconds| Instant::now() + seconds);
        let goes_on = |inputs: u64| until.map_or(inputs < INPUTS, |until| Instant::now() < until);
        let (mut inputs, mut taken) = (0, 0);
        while goes_on(inputs) {
            let seed = first + inputs;
            let input = Mutator::new(seed).input(&known);
            check(&target, &format!("CHAT_FUZZ_SEED={seed}"), &input);
            taken += u64::from((target.is_taken)(&input));
            inputs += 1;
        }
        println!("{}: {inputs} inputs from {first} on, {taken} of them taken", target.name);
        // Inputs that are all refused at the door would try nothing behind it.
        assert!(seconds.is_some() || taken >= inputs / 100, "{}: {taken} taken", target.name);
        assert!(seconds.is_some() || taken < inputs, "{}: nothing is refused", target.name);
    }
}
