//! Whatever the network says, the terminal gets no control character and no hidden one.

use chat_client::{Event, RoomChange};
use chat_proto::{Seq, Timestamp};
use chat_tui::screen::server::ServerId;
use chat_tui::screen::update::{Answer, Effect, Failure, Msg, ServerEffect};

use crate::stage::{ADA, LOBBY, MORNING_MS, Stage, said, said_in};

const HOSTILE: &str = "a\u{1b}[2J\u{9b}31m\u{7}b\u{202E}c\u{2066}d\u{200B}e\u{E0041}f\0g\rh";

fn assert_inert(stage: &Stage, what: &str) {
    let screen = stage.screen();
    let bad = screen.chars().find(|character| {
        (character.is_control() && *character != '\n')
            || matches!(character, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}'
                | '\u{200B}' | '\u{E0000}'..='\u{E007F}')
    });
    assert_eq!(bad, None, "{what}:\n{screen}");
}

#[test]
fn hostile_text_is_inert_wherever_it_comes_from() {
    for (columns, rows) in [(80, 24), (40, 12), (20, 5), (10, 3)] {
        let mut stage = Stage::online(columns, rows);
        stage.hears(said(1, HOSTILE));
        assert_inert(&stage, "a message");
        stage.hears(chat_client::Message { from_name: HOSTILE.into(), ..said(2, "x") });
        assert_inert(&stage, "a name");
        stage.hears(said_in(chat_proto::RoomId(5), HOSTILE, 3, "x"));
        assert_inert(&stage, "a room");
        stage.event(Event::Joined(RoomChange {
            room: LOBBY,
            room_name: "lobby".into(),
            seq: Seq(4),
            ts: Timestamp(MORNING_MS),
            account: ADA,
            name: HOSTILE.into(),
            live: true,
        }));
        assert_inert(&stage, "a join");
        let failure = Failure { why: HOSTILE.into(), refused: true };
        stage.feed(Msg::Answer(ServerId::FIRST, Answer::Rooms(Err(failure))));
        assert_inert(&stage, "an error");
        let failure = Failure { why: HOSTILE.into(), refused: true };
        let here = stage.model.server().current;
        stage.feed(Msg::Answer(ServerId::FIRST, Answer::Located(here, Err(failure))));
        assert_inert(&stage, "why a moment was not found");
        stage.feed(Msg::Paste(HOSTILE.into()));
        assert_inert(&stage, "a paste");
        stage.event(Event::Disconnected { why: HOSTILE.into(), retry_in: None });
        assert_inert(&stage, "a reason");
    }
}

#[test]
fn right_to_left_names_do_not_swap_with_what_stands_beside_them() {
    let mut stage = Stage::online(60, 12);
    stage.hears(chat_client::Message { from_name: "עברית".into(), ..said(1, "שלום 123") });
    let screen = stage.screen();
    assert!(screen.contains("\u{200E}עברית\u{200E}"), "{screen}");
    assert!(screen.contains("\u{200E}שלום 123\u{200E}"), "{screen}");
}

#[test]
fn no_text_breaks_the_columns() {
    let wild =
        "日本語 👨\u{200D}👩\u{200D}👧 e\u{301}\u{301}\u{301} \u{1F1E9}\u{1F1EA} ไทย한국어 नमस्ते"
            .repeat(6);
    for columns in [10, 13, 20, 33, 40, 61, 80] {
        let mut stage = Stage::online(columns, 24);
        stage.hears(said(1, &wild));
        for line in stage.screen().lines() {
            assert!(chat_tui::text::width(line) <= usize::from(columns), "{columns}: {line}");
        }
    }
}

/// Answers the pages that are asked for with one message, as of the end of all numbers.
fn answer_from_the_end_of_numbers(stage: &mut Stage, last: u64) {
    for _page in 0..20 {
        let Some(Effect::Server(_, ServerEffect::Page(room, id, request))) = stage.effects.pop()
        else {
            continue;
        };
        let message = chat_client::Message { seq: Seq(last), ..said(1, "from the end") };
        let page = chat_client::HistoryPage {
            room: id,
            epoch: chat_proto::Epoch(7),
            as_of: Seq(u64::MAX),
            messages: vec![message],
            more: true,
            gaps: Vec::new(),
        };
        stage.feed(Msg::Answer(ServerId::FIRST, Answer::Page(room, request, Ok(page))));
        stage.press(crossterm::event::KeyCode::PageDown);
        stage.screen();
    }
}

#[test]
fn a_server_that_counts_to_the_end_of_numbers_breaks_nothing() {
    for last in [u64::MAX, u64::MAX - 1, u64::MAX - 200] {
        let mut stage = Stage::online(80, 12);
        let index = stage.model.server().current;
        let located = Answer::Located(index, Ok(Some(Seq(last))));
        stage.feed(Msg::Answer(ServerId::FIRST, located));
        answer_from_the_end_of_numbers(&mut stage, last);
        stage.hears(said(1, "and on it goes"));
        stage.press(crossterm::event::KeyCode::End);
        stage.types("still here");
        assert!(stage.shows("> still here"), "{}", stage.screen());
    }
}
