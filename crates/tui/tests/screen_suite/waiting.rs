//! What waits and what was refused stands at its time, and the keys that a refusal names work.

use chat_client::{OutgoingState, Refusal};
use chat_proto::{Seq, Timestamp};
use crossterm::event::{KeyCode, KeyModifiers};

use crate::stage::{LOBBY, MINUTE_MS, MORNING_MS, Stage, log, own, said};

fn acked(seq: u64) -> OutgoingState {
    let ts = Timestamp(MORNING_MS + seq * MINUTE_MS);
    OutgoingState::Acked { room: LOBBY, seq: Seq(seq), ts }
}

fn refused(reason: &str) -> OutgoingState {
    OutgoingState::Refused(Refusal { code: None, reason: reason.into() })
}

/// Asserts that the screen shows each of these words once, in this order.
#[track_caller]
fn assert_order(stage: &Stage, words: &[&str]) {
    let screen = stage.screen();
    let at: Vec<_> = words
        .iter()
        .map(|words| {
            assert_eq!(screen.matches(words).count(), 1, "{words:?}:\n{screen}");
            screen.find(words)
        })
        .collect();
    assert!(at.is_sorted(), "{words:?}:\n{screen}");
}

#[test]
fn what_others_say_later_is_below_what_waits_until_its_ack() {
    let mut stage = Stage::online(60, 14);
    stage.hears(said(1, "first"));
    stage.enters("mine");
    stage.outgoing(1, "mine", OutgoingState::Waiting);
    stage.hears(said(2, "later"));
    stage.hears(said(3, "latest"));
    assert_order(&stage, &["first", "mine ⏳", "later", "latest"]);
    stage.outgoing(1, "mine", acked(4));
    stage.hears(own(4, 1, "mine"));
    assert_order(&stage, &["first", "later", "latest", "mine ✓"]);
}

#[test]
fn what_was_typed_without_a_connection_stands_between_what_was_missed() {
    let mut stage = Stage::online(60, 16);
    stage.hears(said(1, "before"));
    stage.now_ms = 2 * MINUTE_MS - 1;
    stage.disconnect();
    stage.now_ms = 5 * MINUTE_MS;
    for (n, text) in [(1, "mine one"), (2, "mine two")] {
        stage.enters(text);
        stage.outgoing(n, text, OutgoingState::Waiting);
    }
    stage.now_ms = 9 * MINUTE_MS;
    stage.connect();
    stage.subscribe(LOBBY, "lobby", 8);
    for seq in 2..=8 {
        stage.hears(said(seq, &format!("missed {seq}.")));
    }
    let words =
        ["before", "--      back after", "missed 2.", "missed 4.", "mine one ⏳", "mine two ⏳"];
    assert_order(&stage, &[&words[..], &["missed 6.", "missed 8."]].concat());
    stage.outgoing(1, "mine one", acked(9));
    stage.outgoing(2, "mine two", acked(10));
    assert_order(&stage, &["missed 4.", "missed 8.", "mine one ✓", "mine two ✓"]);
}

#[test]
fn a_refused_message_stays_at_its_time_and_names_the_keys_that_work_for_it() {
    let mut stage = Stage::online(100, 20);
    for (n, text) in [(1, "refused one"), (2, "refused two")] {
        stage.enters(text);
        stage.outgoing(n, text, OutgoingState::Waiting);
        stage.outgoing(n, text, refused("no room for it"));
        stage.hears(said(n, &format!("behind {n}")));
    }
    stage.sends();
    assert_order(&stage, &["refused one", "behind 1", "refused two", "behind 2"]);
    let hint = "✗ no room for it (Alt-r sends it again, Alt-x drops it)";
    let screen = stage.screen();
    assert_eq!(screen.matches(hint).count(), 2, "{screen}");
    stage.alt('x');
    assert_order(&stage, &["refused one", "✗ no room", "behind 1", "behind 2"]);
    stage.alt('r');
    assert_eq!(stage.sends(), [(3, "refused one".to_owned())]);
    assert_order(&stage, &["behind 1", "behind 2", "refused one …"]);
}

#[test]
fn the_keys_mean_the_refused_message_that_is_visible() {
    let mut stage = Stage::online(60, 10);
    stage.outgoing(1, "far above", OutgoingState::Waiting);
    stage.outgoing(1, "far above", refused("no"));
    (1..=30).for_each(|seq| stage.hears(said(seq, "between")));
    stage.outgoing(2, "far below", OutgoingState::Waiting);
    stage.outgoing(2, "far below", refused("no"));
    stage.press_with(KeyModifiers::CONTROL, KeyCode::Home);
    assert!(stage.shows("far above") && !stage.shows("far below"), "{}", stage.screen());
    stage.alt('x');
    assert!(!stage.shows("far above"), "{}", stage.screen());
    stage.press(KeyCode::End);
    assert!(stage.shows("far below"), "{}", stage.screen());
}

#[test]
fn what_waits_is_not_lost_however_many_messages_come_and_pages_go() {
    let mut stage = Stage::online(100, 12);
    stage.hears(said(1, "first"));
    for (n, text) in [(7001, "waits"), (7002, "is refused")] {
        stage.enters(text);
        stage.outgoing(n, text, OutgoingState::Waiting);
    }
    let all = log(1, 6000);
    all[1..].iter().for_each(|message| stage.hears(message.clone()));
    stage.outgoing(7002, "is refused", refused("no"));
    assert_eq!(stage.model.room().history.waiting(), 1);
    stage.disconnect();
    assert!(stage.shows("⏳ 1 waiting"), "{}", stage.screen());
    stage.connect();
    stage.subscribe(LOBBY, "lobby", 6000);
    stage.press_with(KeyModifiers::CONTROL, KeyCode::Home);
    stage.answer_pages(&all);
    assert_order(&stage, &["line 1\n", "waits ⏳", "is refused", "✗ no", "line 2\n"]);
    stage.press_with(KeyModifiers::CONTROL, KeyCode::End);
    stage.answer_pages(&all);
    stage.outgoing(7001, "waits", acked(6001));
    assert_order(&stage, &["line 6000", "waits ✓"]);
}

#[test]
fn scrolled_up_nothing_moves_when_what_waits_is_committed() {
    let mut stage = Stage::online(60, 12);
    for message in log(1, 100) {
        stage.hears(message);
    }
    stage.outgoing(1, "mine", OutgoingState::Waiting);
    for message in log(101, 140) {
        stage.hears(message);
    }
    for pages in [2, 4, 6] {
        for _page in 0..pages {
            stage.press(KeyCode::PageUp);
        }
        let reads = |stage: &Stage| stage.screen().lines().take(10).map(str::to_owned).collect();
        let before: Vec<String> = reads(&stage);
        if before.iter().any(|line| line.contains("mine")) {
            continue;
        }
        stage.outgoing(1, "mine", acked(140 + pages));
        let after: Vec<String> = reads(&stage);
        assert_eq!(before, after);
        stage.outgoing(1, "mine", OutgoingState::Waiting);
        stage.press(KeyCode::End);
    }
}
