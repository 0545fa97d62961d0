//! A message of thousands of lines does not push everything else away.

use chat_client::OutgoingState;
use chat_proto::{Seq, Timestamp};
use crossterm::event::KeyCode;

use crate::stage::{LOBBY, MORNING_MS, Stage, said};

#[test]
fn a_message_of_thousands_of_lines_is_folded_until_it_is_asked_for() {
    let mut stage = Stage::online(80, 24);
    let text: Vec<String> = (1..=8000).map(|n| format!("row {n}")).collect();
    stage.hears(said(1, "before"));
    stage.hears(said(2, &text.join("\n")));
    stage.hears(said(3, "after"));
    assert!(stage.shows("row 20\n"), "{}", stage.screen());
    assert!(stage.shows("… 7980 more, Enter shows"), "{}", stage.screen());
    assert!(stage.shows("after") && !stage.shows("row 21"), "{}", stage.screen());
    stage.press(KeyCode::Enter);
    assert!(stage.shows("row 21") && !stage.shows("Enter shows"), "{}", stage.screen());
    stage.press(KeyCode::End);
    assert!(stage.shows("row 8000") && stage.shows("after"), "{}", stage.screen());
    stage.press(KeyCode::Enter);
    assert!(stage.shows("… 7980 more") && stage.shows("after"), "{}", stage.screen());
}

#[test]
fn an_own_folded_message_shows_its_mark_and_a_refused_one_its_reason() {
    let mut stage = Stage::online(80, 40);
    let text: Vec<String> = (1..=100).map(|n| format!("row {n}")).collect();
    let text = text.join("\n");
    stage.outgoing(1, &text, OutgoingState::Waiting);
    assert!(stage.shows("… 80 more, Enter shows ⏳"), "{}", stage.screen());
    let ts = Timestamp(MORNING_MS);
    stage.outgoing(1, &text, OutgoingState::Acked { room: LOBBY, seq: Seq(1), ts });
    assert!(stage.shows("… 80 more, Enter shows ✓"), "{}", stage.screen());
    stage.outgoing(2, &text, OutgoingState::Waiting);
    let refusal = chat_client::Refusal { code: None, reason: "too long".into() };
    stage.outgoing(2, &text, OutgoingState::Refused(refusal));
    let screen = stage.screen();
    assert!(screen.contains("✗ too long") && screen.contains("… 80 more"), "{screen}");
}

#[test]
fn what_is_typed_is_sent_and_folds_nothing() {
    let mut stage = Stage::online(80, 24);
    stage.hears(said(1, &"row\n".repeat(100)));
    stage.enters("hello");
    assert_eq!(stage.sends().len(), 1);
    assert!(stage.shows("… 81 more, Enter shows"), "{}", stage.screen());
}
