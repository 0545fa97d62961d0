//! What a paste becomes: text, one message, many, or nothing.

use chat_tui::screen::update::Msg;
use crossterm::event::KeyCode;

use crate::stage::Stage;

fn pasted(text: &str) -> Stage {
    let mut stage = Stage::online(60, 14);
    stage.feed(Msg::Paste(text.to_owned()));
    stage
}

fn fifty() -> String {
    (1..=50).map(|nth| format!("line {nth}\r")).collect()
}

#[test]
fn a_paste_of_many_lines_is_asked_about() {
    let mut stage = pasted(&fifty());
    for choice in ["50 lines pasted", "1  one message", "2  50 messages", "3  edit", "4  cancel"] {
        assert!(stage.shows(choice), "{choice}:\n{}", stage.screen());
    }
    assert!(stage.sends().is_empty());
    stage.press(KeyCode::Enter);
    let sends = stage.sends();
    assert_eq!(sends.len(), 1);
    assert!(sends[0].1.starts_with("line 1\nline 2\n") && sends[0].1.ends_with("line 50"));
}

#[test]
fn each_line_can_be_a_message_also_one_that_looks_like_a_command() {
    let mut stage = pasted("one\n\n/quit\nthree\nfour\nfive\n");
    assert!(stage.shows("2  5 messages"), "{}", stage.screen());
    stage.types("2");
    let texts: Vec<String> = stage.sends().into_iter().map(|(_, text)| text).collect();
    assert_eq!(texts, ["one", "/quit", "three", "four", "five"]);
    assert!(stage.effects.is_empty(), "{:?}", stage.effects);
}

#[test]
fn a_paste_can_be_edited_or_dropped() {
    let mut stage = pasted(&fifty());
    stage.types("3");
    assert!(stage.sends().is_empty());
    assert!(stage.model.input.text().ends_with("line 50\n"));
    let mut stage = pasted(&fifty());
    stage.press(KeyCode::Esc);
    assert!(stage.model.input.is_empty() && stage.sends().is_empty());
    stage.press(KeyCode::Up);
    assert!(stage.model.input.text().starts_with("line 1\n"), "nothing is lost");
}

#[test]
fn a_text_that_no_message_can_have_is_refused_when_it_is_pasted() {
    let mut stage = Stage::online(100, 12);
    stage.types("before ");
    stage.feed(Msg::Paste("x".repeat(20_000)));
    assert!(stage.shows("not taken: 19 KiB pasted"), "{}", stage.screen());
    assert_eq!(stage.model.input.text(), "before ");
    stage.feed(Msg::PasteTooLong(5_700_000));
    assert!(stage.shows("not taken: 5.4 MiB pasted"), "{}", stage.screen());
}

#[test]
fn a_piece_that_makes_a_paste_too_long_does_not_take_the_pieces_before_away() {
    let mut stage = Stage::online(100, 14);
    stage.feed(Msg::Paste("a\nb\nc\nd\ne\n".to_owned()));
    stage.feed(Msg::Paste("x".repeat(20_000)));
    for shown in
        ["5 lines pasted; 19 KiB not taken", "1  one message", "2  5 messages", "4  cancel"]
    {
        assert!(stage.shows(shown), "{shown}:\n{}", stage.screen());
    }
    assert!(stage.shows("the last piece is not taken: 19 KiB pasted"), "{}", stage.screen());
    // What comes after a hole does not follow what stands before it.
    stage.feed(Msg::Paste("f\n".to_owned()));
    stage.types("1");
    let texts: Vec<String> = stage.sends().into_iter().map(|(_, text)| text).collect();
    assert_eq!(texts, ["a\nb\nc\nd\ne"]);
}

#[test]
fn enters_that_a_full_outbox_cannot_take_keep_the_lines_apart() {
    let mut stage = Stage::online(60, 12);
    for nth in 0..256 {
        stage.enters(&format!("line {nth}"));
    }
    assert_eq!(stage.sends().len(), 256);
    stage.enters("one");
    assert!(stage.shows("the outbox is full"), "{}", stage.screen());
    stage.enters("two");
    assert_eq!(stage.model.input.text(), "one\ntwo\n");
    assert!(stage.sends().is_empty());
}

#[test]
fn what_is_typed_ends_where_a_message_ends() {
    let mut stage = Stage::online(60, 12);
    stage.feed(Msg::Paste("x".repeat(16_380)));
    stage.types("12345");
    assert_eq!(stage.model.input.bytes(), 16_384);
    assert!(stage.shows("at most 16384 bytes"), "{}", stage.screen());
}
