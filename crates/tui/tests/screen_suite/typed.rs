//! What is typed and not sent is lost by nothing that a person does.

use chat_tui::screen::typed::Typed;
use crossterm::event::KeyCode;

use crate::stage::Stage;

#[test]
fn drafts_of_all_rooms_come_back_in_another_screen() {
    let mut stage = Stage::online(60, 12);
    stage.types("for the lobby");
    stage.ctrl('u');
    stage.enters("/join dev");
    stage.types("for dev");
    let typed = stage.model.typed();
    let mut again = Stage::new(60, 12);
    again.model.restore_typed(typed);
    assert!(again.shows("#dev"), "a room with a draft is listed:\n{}", again.screen());
    again.press(KeyCode::BackTab);
    assert!(again.shows("> for dev"), "{}", again.screen());
}

#[test]
fn a_line_put_aside_for_a_recalled_one_is_kept() {
    let mut stage = Stage::online(60, 12);
    stage.enters("sent");
    stage.types("half");
    stage.press(KeyCode::Up);
    let of_lobby = |typed: &Typed| typed.drafts.get("lobby").cloned();
    assert_eq!(of_lobby(&stage.model.typed()).as_deref(), Some("half"), "it is only looked at");
    stage.types("!");
    let typed = stage.model.typed();
    assert_eq!(of_lobby(&typed).as_deref(), Some("sent!"));
    assert_eq!(typed.sent.back().map(String::as_str), Some("half"));
    stage.press(KeyCode::Enter);
    stage.press(KeyCode::Up);
    stage.press(KeyCode::Up);
    assert!(stage.shows("> half"), "{}", stage.screen());
}

#[test]
fn a_sent_line_is_no_draft_any_more() {
    let mut stage = Stage::online(60, 12);
    stage.enters("hello");
    let typed = stage.model.typed();
    assert!(typed.drafts.is_empty());
    assert_eq!(typed.sent, ["hello"], "until the outbox has it, Up brings it back");
}
