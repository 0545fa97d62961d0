//! What is open above the room: the uppermost layer has the keys, and none loses what is in it.

use chat_proto::{RoomId, RoomInfo, RoomName, Seq};
use chat_tui::screen::server::ServerId;
use chat_tui::screen::update::{Answer, Effect, Msg, ServerEffect};
use crossterm::event::KeyCode;

use crate::stage::{Stage, log};

fn rooms_come(stage: &mut Stage) {
    let name = "deploys".to_owned();
    let room = RoomInfo {
        room: RoomId(8),
        name,
        head: Seq(0),
        members: 5,
        online: 2,
        joined: false,
        ..RoomInfo::default()
    };
    stage.feed(Msg::Answer(ServerId::FIRST, Answer::Rooms(Ok(vec![room]))));
}

/// A paste is asked about, and the rooms that were asked for before come above the question.
fn rooms_above_a_paste() -> Stage {
    let mut stage = Stage::online(80, 16);
    stage.enters("/rooms");
    stage.effects.clear();
    stage.feed(Msg::Paste("one\ntwo\nthree\nfour\nfive\n".into()));
    rooms_come(&mut stage);
    assert!(stage.shows("1 room"), "{}", stage.screen());
    stage
}

#[test]
fn a_layer_that_comes_by_itself_leaves_the_one_below_where_it_is() {
    let mut stage = rooms_above_a_paste();
    assert!(stage.model.typed().sent.iter().any(|text| text.starts_with("one\ntwo")));
    stage.press(KeyCode::Esc);
    assert!(stage.shows("5 lines pasted") && !stage.shows("1 room"), "{}", stage.screen());
    stage.types("2");
    assert_eq!(stage.sends().len(), 5);
    assert!(stage.model.layers.is_empty());
}

#[test]
fn the_uppermost_layer_has_the_keys() {
    let mut stage = rooms_above_a_paste();
    stage.types("dep");
    stage.press(KeyCode::Enter);
    assert_eq!(
        stage.effects,
        [Effect::Server(ServerId::FIRST, ServerEffect::Join(RoomName::parse("deploys").unwrap()))]
    );
    assert!(stage.shows("5 lines pasted"), "the question waits:\n{}", stage.screen());
}

#[test]
fn a_list_that_comes_twice_is_open_once() {
    let mut stage = Stage::online(80, 16);
    rooms_come(&mut stage);
    rooms_come(&mut stage);
    stage.press(KeyCode::Esc);
    assert!(stage.model.layers.is_empty());
}

#[test]
fn the_wheel_moves_what_is_below_a_layer_that_does_not_scroll() {
    let mut stage = Stage::online(80, 16);
    for message in log(1, 50) {
        stage.hears(message);
    }
    stage.ctrl('k');
    stage.feed(Msg::Wheel(-9));
    assert!(stage.shows("go to…") && stage.shows("below, End"), "{}", stage.screen());
}
