//! What the server could not read is shown where it would stand.

use chat_proto::Seq;
use chat_tui::screen::server::ServerId;
use chat_tui::screen::update::{Answer, Effect, Msg, ServerEffect};

use crate::stage::{LOBBY, Stage, said};

#[test]
fn what_a_page_lacks_stands_at_its_place() {
    let mut stage = Stage::new(80, 24);
    stage.connect();
    stage.subscribe(LOBBY, "lobby", 10);
    let Some(Effect::Server(ServerId::FIRST, ServerEffect::Page(room, _id, request))) =
        stage.effects.pop()
    else {
        panic!("the newest page is asked for");
    };
    let page = chat_client::HistoryPage {
        room: LOBBY,
        epoch: chat_proto::Epoch(7),
        as_of: Seq(10),
        messages: vec![said(2, "before the gap"), said(10, "behind the gap")],
        more: false,
        gaps: vec![chat_proto::Gap { log: LOBBY.into(), from: Seq(3), to: Seq(9), reason: 2 }],
    };
    stage.feed(Msg::Answer(ServerId::FIRST, Answer::Page(room, request, Ok(page))));
    let screen = stage.screen();
    let row = |words: &str| screen.lines().position(|line| line.contains(words)).expect(words);
    assert!(row("before the gap") < row("events 3 to 9 cannot be read"));
    assert!(row("events 3 to 9 cannot be read") < row("behind the gap"));
}

#[test]
fn what_was_taken_away_one_by_one_is_one_line() {
    let mut stage = Stage::online(80, 12);
    let gone = |from, to| chat_client::Event::Gap {
        room: LOBBY,
        room_name: "lobby".into(),
        from: Seq(from),
        to: Seq(to),
        reason: Some(chat_proto::GapReason::Deleted),
    };
    (3..=9).for_each(|seq| stage.event(gone(seq, seq)));
    assert!(stage.shows("events 3 to 9 are not kept"), "{}", stage.screen());
    assert_eq!(stage.count("are not kept"), 1, "{}", stage.screen());
    stage.hears(said(10, "between"));
    stage.event(gone(11, 11));
    assert_eq!(stage.count("are not kept"), 2, "{}", stage.screen());
}
