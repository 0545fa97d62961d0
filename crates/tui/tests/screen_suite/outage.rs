//! What the status says while the server is silent or away, and when it is back.

use std::time::Duration;

use chat_client::Event;
use chat_tui::screen::server::ServerId;
use chat_tui::screen::update::{Effect, Msg, ServerEffect};
use crossterm::event::KeyCode;

use crate::stage::{LOBBY, Stage, said};

#[test]
fn a_server_that_does_not_answer_is_not_called_connected() {
    let mut stage = Stage::online(80, 12);
    stage.now_ms = 10_000;
    stage.event(Event::NoAnswer(Duration::from_secs(4)));
    assert!(stage.shows("no answer for 4 s"), "{}", stage.screen());
    assert!(!stage.shows("connected"), "{}", stage.screen());
    stage.now_ms += 3_000;
    stage.feed(Msg::Tick);
    assert!(stage.shows("no answer for 7 s, F5 tries anew"), "{}", stage.screen());
    stage.press(KeyCode::F(5));
    assert!(stage.effects.contains(&Effect::Server(ServerId::FIRST, ServerEffect::Retry)));
    stage.event(Event::Answering);
    assert!(stage.shows("● connected"), "{}", stage.screen());
}

#[test]
fn a_return_is_told_in_the_place_of_the_loss() {
    let mut stage = Stage::online(80, 12);
    stage.now_ms = 1_000;
    stage.disconnect();
    assert!(stage.shows("connection lost") && stage.shows("F5: now"), "{}", stage.screen());
    stage.now_ms = 13_000;
    stage.connect();
    stage.subscribe(LOBBY, "lobby", 3);
    assert!(!stage.shows("connection lost"), "{}", stage.screen());
    assert_eq!(stage.count("back after 12 s"), 2, "in the history and the status");
    for seq in 1..=3 {
        stage.hears(said(seq, "meanwhile"));
    }
    assert_eq!(stage.count("back after 12 s, missed 3"), 2, "{}", stage.screen());
    stage.enters("I am back");
    assert_eq!(stage.count("back after 12 s, missed 3"), 1, "the status is done with it");
}

#[test]
fn one_key_or_an_enter_tries_to_connect_now() {
    let mut stage = Stage::online(80, 12);
    stage.disconnect();
    stage.effects.clear();
    stage.press(KeyCode::F(5));
    assert_eq!(stage.effects, [Effect::Server(ServerId::FIRST, ServerEffect::Retry)]);
    stage.effects.clear();
    stage.enters("is anybody there?");
    assert!(
        stage.effects.contains(&Effect::Server(ServerId::FIRST, ServerEffect::Retry)),
        "{:?}",
        stage.effects
    );
}
