//! The help: it is read, closed, and never eats what is typed.

use chat_proto::RoomName;
use chat_tui::screen::server::ServerId;
use chat_tui::screen::update::{Effect, Msg, ServerEffect};
use crossterm::event::KeyCode;

use crate::stage::Stage;

#[test]
fn what_is_typed_while_the_help_is_open_closes_it_and_is_typed() {
    for command in [false, true] {
        let mut stage = Stage::online(80, 24);
        if command {
            stage.enters("/help");
        } else {
            stage.press(KeyCode::F(1));
        }
        assert!(stage.shows("┌ help ─"));
        stage.enters("/join ops");
        assert!(!stage.shows("┌ help ─"));
        let joins =
            Effect::Server(ServerId::FIRST, ServerEffect::Join(RoomName::parse("ops").unwrap()));
        assert!(stage.effects.contains(&joins), "{:?}", stage.effects);
    }
}

#[test]
fn the_help_scrolls_as_far_as_it_goes_and_closes_without_a_trace() {
    let closes = [KeyCode::Esc, KeyCode::Enter, KeyCode::Char('q'), KeyCode::F(1)];
    for close in closes {
        let mut stage = Stage::online(80, 12);
        stage.press(KeyCode::F(1));
        let top = stage.screen();
        for _ in 0..200 {
            stage.press(KeyCode::Down);
        }
        stage.feed(Msg::Wheel(100));
        let end = stage.screen();
        stage.press(KeyCode::Up);
        assert_ne!(stage.screen(), end, "nothing has to be scrolled back");
        stage.press(KeyCode::Home);
        assert_eq!(stage.screen(), top);
        stage.press(close);
        assert!(!stage.shows("┌ help ─"));
        assert_eq!(stage.cursor().0, 2, "{close} typed nothing");
    }
}

#[test]
fn enter_as_it_comes_before_the_screen_is_there_sends() {
    let mut stage = Stage::online(40, 12);
    stage.types("hello");
    stage.ctrl('j');
    assert_eq!(stage.sends(), [(1, "hello".to_owned())]);
}
