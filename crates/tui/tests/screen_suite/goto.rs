//! Going somewhere: another room, the beginning of this one, a day.

use chat_client::Event;
use chat_proto::{RoomId, RoomInfo, RoomName, Seq, Timestamp};
use chat_tui::screen::server::ServerId;
use chat_tui::screen::update::{Answer, Effect, Msg, ServerEffect};
use crossterm::event::{KeyCode, KeyModifiers};

use crate::stage::{LOBBY, MINUTE_MS, MORNING_MS, Stage, log};

fn info(id: u64, name: &str, joined: bool) -> RoomInfo {
    RoomInfo {
        room: RoomId(id),
        name: name.into(),
        head: Seq(0),
        members: 5,
        online: 2,
        joined,
        ..RoomInfo::default()
    }
}

#[test]
fn the_rooms_of_the_server_are_a_list_with_a_filter_above_the_chat() {
    let mut stage = Stage::online(80, 16);
    stage.enters("/rooms");
    assert_eq!(stage.effects, [Effect::Server(ServerId::FIRST, ServerEffect::Rooms)]);
    stage.effects.clear();
    let rooms = vec![info(1, "lobby", true), info(8, "deploys", false), info(9, "ops", false)];
    stage.feed(Msg::Answer(ServerId::FIRST, Answer::Rooms(Ok(rooms))));
    assert!(stage.shows("3 rooms") && stage.shows("#lobby  2 of 5 here, you too"));
    stage.types("op");
    assert!(
        stage.shows("#ops  2 of 5 here") && !stage.shows("of 5 here, you"),
        "{}",
        stage.screen()
    );
    stage.press(KeyCode::Enter);
    assert_eq!(
        stage.effects,
        [Effect::Server(ServerId::FIRST, ServerEffect::Join(RoomName::parse("ops").unwrap()))]
    );
    assert!(!stage.shows("3 rooms") && stage.shows(" #ops "), "{}", stage.screen());
}

#[test]
fn go_to_offers_to_join_a_room_that_is_new() {
    let mut stage = Stage::online(80, 16);
    stage.ctrl('k');
    stage.types("lobby");
    assert!(!stage.shows("join #"), "{}", stage.screen());
    for _ in 0..5 {
        stage.press(KeyCode::Backspace);
    }
    stage.types("plans");
    assert!(stage.shows("join #plans"), "{}", stage.screen());
    stage.press(KeyCode::Enter);
    assert_eq!(
        stage.effects,
        [Effect::Server(ServerId::FIRST, ServerEffect::Join(RoomName::parse("plans").unwrap()))]
    );
}

#[test]
fn the_beginning_of_the_room_is_one_key_away() {
    let mut stage = Stage::online(80, 16);
    stage.subscribe(LOBBY, "lobby", 2000);
    stage.event(Event::Reset {
        room: LOBBY,
        room_name: "lobby".into(),
        epoch: chat_proto::Epoch(8),
        head: Seq(2000),
    });
    let log = log(1, 2000);
    stage.answer_pages(&log);
    assert!(stage.shows("line 2000"));
    stage.press_with(KeyModifiers::CONTROL, KeyCode::Home);
    stage.feed(Msg::Tick);
    stage.answer_pages(&log);
    assert!(stage.shows("beginning of #lobby") && stage.shows("line 1\n"), "{}", stage.screen());
    for _ in 0..400 {
        stage.press(KeyCode::PageDown);
        stage.answer_pages(&log);
    }
    assert!(stage.shows("line 2000") && !stage.shows("↓"), "{}", stage.screen());
}

#[test]
fn a_day_is_gone_to_and_the_way_from_there_has_no_hole() {
    let mut stage = Stage::online(80, 16);
    stage.subscribe(LOBBY, "lobby", 2000);
    stage.effects.clear();
    stage.enters("/goto 2026-03-05");
    // Midnight, 14 hours after the first message.
    let midnight = Timestamp(MORNING_MS + 14 * 60 * MINUTE_MS);
    let index = stage.model.server().room_of(LOBBY).unwrap();
    assert_eq!(
        stage.effects,
        [Effect::Server(ServerId::FIRST, ServerEffect::Locate(index, LOBBY, midnight))]
    );
    stage.effects.clear();
    let log = log(1, 2000);
    stage.feed(Msg::Answer(ServerId::FIRST, Answer::Located(index, Ok(Some(Seq(840))))));
    stage.answer_pages(&log);
    let screen = stage.screen();
    assert!(screen.contains("Thursday, 2026-03-05"), "{screen}");
    assert!(screen.contains("line 840\n"), "{screen}");
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..400 {
        let screen = stage.screen();
        seen.extend((840..=2000).filter(|n| screen.contains(&format!("line {n}\n"))));
        stage.press(KeyCode::PageDown);
        stage.answer_pages(&log);
    }
    let screen = stage.screen();
    seen.extend((840..=2000).filter(|n| screen.contains(&format!("line {n}\n"))));
    assert_eq!(seen.len(), 1161, "every message from that day on was seen");
}

#[test]
fn a_sentence_that_begins_with_exit_quits_only_when_it_is_entered_twice() {
    let mut stage = Stage::online(80, 12);
    stage.enters("/exit now we go");
    assert!(
        stage.effects.is_empty() && stage.shows("//exit now we go says it")
            || stage.shows("Enter again quits")
    );
    stage.types("!");
    stage.press(KeyCode::Enter);
    assert!(stage.effects.is_empty(), "the line is another one");
    stage.press(KeyCode::Enter);
    assert_eq!(stage.effects, [Effect::Quit]);
}

#[test]
fn a_name_that_was_taken_can_be_changed() {
    let mut stage = Stage::new(80, 12);
    stage.event(Event::Disconnected { why: "the name me is taken".into(), retry_in: None });
    stage.enters("/nick somebody");
    let name = chat_proto::Nickname::parse("somebody").unwrap();
    assert_eq!(stage.effects, [Effect::Server(ServerId::FIRST, ServerEffect::SignInAs(name))]);
    assert!(stage.shows("you are somebody"), "{}", stage.screen());
}
