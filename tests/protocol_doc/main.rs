//! `docs/PROTOCOL.md` says what the code does: every kind, number, field and limit is in it, and
//! its worked conversation is what the code writes.

mod conversation;
mod fields;

use std::collections::HashMap;

use chat_proto::{CloseReason, ErrorCode, Kind, limits};

const PROTOCOL: &str = include_str!("../../docs/PROTOCOL.md");

/// The text from a heading to the next one of its level.
fn section(heading: &str) -> &'static str {
    let start = PROTOCOL.find(heading).unwrap_or_else(|| panic!("no heading {heading:?}"));
    let level = heading.split(' ').next().expect("a heading begins with #");
    let rest = &PROTOCOL[start + heading.len()..];
    let end = rest.find(&format!("\n{level} ")).unwrap_or(rest.len());
    &rest[..end]
}

#[test]
fn every_kind_has_a_heading_with_its_number() {
    for kind in Kind::ALL {
        let heading = format!("\n#### 0x{:04X} {kind:?}\n", *kind as u16);
        assert!(PROTOCOL.contains(&heading), "missing: {heading}");
    }
    let headings = PROTOCOL.lines().filter(|line| line.starts_with("#### 0x")).count();
    assert_eq!(headings, Kind::ALL.len(), "there are headings of kinds that do not exist");
}

#[test]
fn every_error_code_has_a_row_with_its_number() {
    let errors = section("## Errors");
    for code in ErrorCode::ALL {
        let retry = if code.may_be_retried() { "yes" } else { "no" };
        let row = format!("\n| {} | {code:?} | {retry} | ", *code as u16);
        assert!(errors.contains(&row), "missing: {row}");
    }
    assert_eq!(numbered_rows(errors), ErrorCode::ALL.len());
}

#[test]
fn every_close_reason_has_a_row_with_its_number() {
    let reasons = section("## Close reasons");
    for reason in CloseReason::ALL {
        let reconnect = if reason.may_reconnect() { "yes" } else { "no" };
        let row = format!("\n| {} | {reason:?} | {reconnect} | ", *reason as u16);
        assert!(reasons.contains(&row), "missing: {row}");
    }
    assert_eq!(numbered_rows(reasons), CloseReason::ALL.len());
}

fn numbered_rows(section: &str) -> usize {
    let is_numbered = |line: &&str| {
        line.strip_prefix("| ").is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
    };
    section.lines().filter(is_numbered).count()
}

#[test]
fn every_limit_is_told() {
    let table = section("## Limits");
    let rows = [
        ("a frame, after its length field", limits::FRAME_BYTES_MAX),
        ("a message's text", limits::TEXT_BYTES_MAX),
        ("a room name or nickname", limits::NAME_GRAPHEMES_MAX),
        ("`agent` of `Hello`", limits::AGENT_BYTES_MAX),
        ("versions in `Hello`", limits::VERSIONS_MAX),
        ("ids in `Accounts`", limits::PAGE_ITEMS_MAX),
        ("members that `Subscribed` brings", limits::SUBSCRIBED_MEMBERS_MAX),
        ("messages in a page of history", limits::HISTORY_MESSAGES_MAX),
        ("commands in flight on a connection", limits::COMMANDS_IN_FLIGHT_MAX),
        ("queries in flight on a connection", limits::QUERIES_IN_FLIGHT_MAX),
        ("subscriptions of a connection", limits::SUBSCRIPTIONS_MAX),
        ("rooms that an account is a member of", limits::ROOMS_PER_ACCOUNT_MAX),
    ];
    for (what, most) in rows {
        let row = format!("{what} | {}", with_thousands(most));
        assert!(table.contains(&row), "missing: {row}");
    }
}

#[test]
fn the_longest_body_of_every_request_is_told() {
    let told: HashMap<&str, &str> = section("## Limits")
        .lines()
        .filter(|row| row.starts_with("| `"))
        .filter_map(|row| row.trim_matches(['|', ' ']).split_once(" | "))
        .flat_map(|(kinds, most)| kinds.split(", ").map(move |kind| (kind, most)))
        .collect();
    for kind in Kind::ALL {
        let most = kind.request_bytes_max().map(|most| format!("{} bytes", with_thousands(most)));
        assert_eq!(told.get(&*format!("`{kind:?}`")).copied(), most.as_deref(), "{kind:?}");
    }
}

/// 65536 as "65,536".
fn with_thousands(number: usize) -> String {
    match number {
        0..1000 => number.to_string(),
        _ => format!("{},{:03}", with_thousands(number / 1000), number % 1000),
    }
}
