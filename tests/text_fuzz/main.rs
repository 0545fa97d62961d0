//! Hostile text without end, shown on every way that there is: nothing of it acts.
//!
//! Each text follows from a number. `CHAT_FUZZ_SECONDS=600 cargo test --workspace --test text_fuzz`
//! goes on for so long from a number that is told; `CHAT_FUZZ_SEED=N` begins there. A text that
//! fails is printed as JSON, to be put into `corpus.jsonl`, which is replayed always.

mod generator;
mod logged;
mod oracle;
mod screen;

use std::time::{Duration, Instant};

use chat_client::sanitize::json_string;
use generator::Generator;
use screen::Screen;

/// Texts of `cargo test`.
const TEXTS: u64 = 400;

/// Characters that are tried at once, one by one between others: so many fit on the larger screen.
const CHARACTERS_OF_A_FRAME: usize = 12 * 6;

/// Texts that failed once, or stand for what is known to be tried; each a JSON string.
const CORPUS: &str = include_str!("corpus.jsonl");

fn corpus() -> Vec<String> {
    let texts = CORPUS.lines().map(|line| serde_json::from_str(line).expect("a JSON string"));
    texts.collect()
}

/// What must hold of a text on all ways.
fn hold(text: &str, screen: &mut Screen) -> Result<(), String> {
    oracle::is_inert(text)?;
    logged::is_one_line(text)?;
    screen.shows(text)
}

/// Why it does not hold of a text, if it does not.
fn fault(text: &str, screen: &mut Screen) -> Option<String> {
    let held = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| hold(text, screen)));
    match held {
        Ok(held) => held.err(),
        Err(_panicked) => Some("it panics".to_owned()),
    }
}

#[track_caller]
fn check(what: &str, text: &str, screen: &mut Screen) {
    if let Some(why) = fault(text, screen) {
        // Most faults need no earlier text on the screen.
        let shortest = shortened(text);
        let shortest_why = fault(&shortest, &mut Screen::default()).unwrap_or_default();
        let (text, shortest) = (json_string(text), json_string(&shortest));
        panic!("{what}: {why}\n{text}\nshortened: {shortest_why}\n{shortest}");
    }
}

/// The text without every part that its fault does not need.
fn shortened(text: &str) -> String {
    let mut kept: Vec<char> = text.chars().collect();
    let mut part = kept.len() / 2;
    while part > 0 {
        let mut at = 0;
        while at < kept.len() {
            let end = (at + part).min(kept.len());
            let without: Vec<char> = [&kept[..at], &kept[end..]].concat();
            let text: String = without.iter().collect();
            match fault(&text, &mut Screen::default()) {
                Some(_why) => kept = without,
                None => at = end,
            }
        }
        part /= 2;
    }
    kept.into_iter().collect()
}

fn number(variable: &str) -> Option<u64> {
    let value = std::env::var(variable).ok()?;
    Some(value.parse().unwrap_or_else(|_| panic!("{variable} is a number, not {value:?}")))
}

#[test]
fn known_hostile_texts_are_inert_on_every_way() {
    let mut screen = Screen::default();
    for (line, text) in (1..).zip(corpus()) {
        check(&format!("line {line} of the corpus"), &text, &mut screen);
    }
}

/// Blocks whose characters are all alike: one of each is enough.
fn is_alike(character: char) -> bool {
    matches!(character,
        '\u{3401}'..='\u{4DBE}' | '\u{4E01}'..='\u{9FFE}' | '\u{AC02}'..='\u{D7A1}'
        | '\u{E001}'..='\u{F8FE}' | '\u{12001}'..='\u{123FE}' | '\u{13001}'..='\u{1342E}'
        | '\u{17001}'..='\u{18CD4}' | '\u{1B001}'..='\u{1B2FA}' | '\u{20001}'..='\u{3FFFD}'
        | '\u{40000}'..='\u{DFFFF}' | '\u{F0001}'..)
}

#[test]
fn every_character_stays_in_its_place_between_others() {
    let mut screen = Screen::default();
    let all: Vec<char> = ('\0'..=char::MAX).filter(|c| !is_alike(*c)).collect();
    for row in all.chunks(CHARACTERS_OF_A_FRAME) {
        let lines = row.chunks(CHARACTERS_OF_A_FRAME / 12);
        let said = |c: &char| format!("x{c}y{c}\u{1F3FD}z{c}\u{93F}\"");
        let text: Vec<String> = lines.map(|line| line.iter().map(said).collect()).collect();
        if let Err(why) = screen.shows(&text.join("\n")) {
            let alone = |c: &&char| Screen::default().shows(&said(c)).is_err();
            let codes = row.iter().filter(alone).map(|c| format!("{:x}", *c as u32));
            panic!("{why}: {}", codes.collect::<Vec<_>>().join(" "));
        }
    }
}

#[test]
fn generated_hostile_texts_are_inert_on_every_way() {
    let corpus = corpus();
    let first = number("CHAT_FUZZ_SEED").unwrap_or(1);
    let until = number("CHAT_FUZZ_SECONDS").map(|s| Instant::now() + Duration::from_secs(s));
    let (mut screen, mut bytes) = (Screen::default(), 0);
    let goes_on = |texts: u64| until.map_or(texts < TEXTS, |until| Instant::now() < until);
    let mut texts = 0;
    while goes_on(texts) {
        let seed = first + texts;
        let text = Generator::new(seed, &corpus).text();
        bytes += text.len();
        check(&format!("CHAT_FUZZ_SEED={seed}"), &text, &mut screen);
        texts += 1;
    }
    println!("{texts} texts from {first} on, {bytes} bytes");
    assert!(bytes > 0 || until.is_some());
}
