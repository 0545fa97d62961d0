//! What the screen says stays below everything until it was seen, and then has its place in time.

use chat_client::{Connected, Event};
use chat_proto::{Epoch, PublicKey, SessionId};
use chat_tui::screen::update::Msg;
use crossterm::event::{KeyCode, KeyModifiers};

use crate::stage::{DEV, LOBBY, ME, Stage, log, said};

/// In a room of a thousand messages, with a join line from the start, under another name than the
/// wished one, at a server that was not known.
fn in_a_busy_room(columns: u16, rows: u16) -> Stage {
    let mut stage = Stage::new(columns, rows);
    stage.feed(Msg::Tell("join by chat://server:5018".into(), false));
    stage.feed(Msg::Tell("config.toml, line 3: no such setting".into(), true));
    stage.event(Event::Connected(Connected {
        account: ME,
        name: "me-2".into(),
        server_key: PublicKey([9; 32]),
        epoch: Epoch(7),
        session: SessionId(1),
        address: "server:5018".into(),
        encrypted: false,
        first_contact: true,
    }));
    stage.subscribe(LOBBY, "lobby", 1000);
    stage.answer_pages(&log(1, 1000));
    stage
}

fn shows_all(stage: &Stage) -> bool {
    let screen = stage.screen();
    ["join by", "config.toml", "you are me-2 here", "first contact"]
        .iter()
        .all(|words| screen.contains(words))
}

/// The rows of the screen that have these words, each of them once.
#[track_caller]
fn rows(stage: &Stage, words: &[&str]) -> Vec<usize> {
    let screen = stage.screen();
    let row = |words: &&str| {
        let rows: Vec<_> =
            screen.lines().enumerate().filter(|(_, line)| line.contains(words)).collect();
        assert_eq!(rows.len(), 1, "{words:?}:\n{screen}");
        rows[0].0
    };
    words.iter().map(row).collect()
}

#[test]
fn notices_outlast_the_page_and_three_hundred_messages() {
    for (columns, height) in [(80, 24), (40, 15)] {
        let mut stage = in_a_busy_room(columns, height);
        assert!(shows_all(&stage), "{}", stage.screen());
        for message in log(1001, 1300) {
            stage.hears(message);
        }
        assert!(shows_all(&stage), "{}", stage.screen());
        stage.now_ms = 1999;
        stage.types("h");
        assert!(shows_all(&stage), "no time to read them was there:\n{}", stage.screen());
        stage.now_ms = 2000;
        stage.types("i");
        assert_eq!(stage.count("join by"), 0, "{}", stage.screen());
        assert!(stage.shows("line 1300"), "{}", stage.screen());
    }
}

#[test]
fn what_was_seen_stands_where_it_was_said() {
    let mut stage = in_a_busy_room(80, 24);
    for message in log(1001, 1005) {
        stage.hears(message);
    }
    let below = rows(&stage, &["line 1005", "join by", "no such setting"]);
    assert!(below.is_sorted(), "{}", stage.screen());
    stage.now_ms = 5000;
    stage.types("x");
    let words = ["line 1000", "join by", "no such setting", "you are me-2 here", "line 1001"];
    let placed = rows(&stage, &words);
    assert!(placed.is_sorted(), "{}", stage.screen());
    // Far away, and the log between is not loaded any more.
    for message in log(1006, 6000) {
        stage.hears(message);
    }
    let all = log(1, 6000);
    for _page in 0..400 {
        if stage.shows("join by") {
            break;
        }
        stage.press(KeyCode::PageUp);
        stage.answer_pages(&all);
    }
    stage.press_with(KeyModifiers::SHIFT, KeyCode::Up);
    stage.press_with(KeyModifiers::SHIFT, KeyCode::Up);
    let placed = rows(&stage, &words);
    assert!(placed.is_sorted(), "{}", stage.screen());
}

#[test]
fn what_comes_and_goes_with_pages_is_not_lost_by_going_far() {
    let mut stage = in_a_busy_room(80, 24);
    stage.now_ms = 5000;
    stage.press_with(KeyModifiers::CONTROL, KeyCode::Home);
    stage.answer_pages(&log(1, 1000));
    assert!(stage.shows("beginning of #lobby"), "{}", stage.screen());
    assert_eq!(stage.count("join by"), 0, "{}", stage.screen());
    stage.press_with(KeyModifiers::CONTROL, KeyCode::End);
    stage.answer_pages(&log(1, 1000));
    assert!(rows(&stage, &["line 1000", "join by", "you are me-2 here"]).is_sorted());
}

#[test]
fn nobody_sees_behind_a_window_in_another_room_or_without_the_focus() {
    let mut stage = in_a_busy_room(80, 24);
    stage.subscribe(DEV, "dev", 0);
    let rest = |stage: &mut Stage, first: &dyn Fn(&mut Stage), then: &dyn Fn(&mut Stage)| {
        first(stage);
        stage.now_ms += 60_000;
        then(stage);
        for message in log(stage.now_ms / 100, stage.now_ms / 100 + 50) {
            stage.hears(message);
        }
        assert!(shows_all(stage), "{}", stage.screen());
    };
    let focus = |focused| move |stage: &mut Stage| stage.feed(Msg::Focus(focused));
    let press = |code| move |stage: &mut Stage| stage.press(code);
    rest(&mut stage, &focus(false), &|stage| {
        stage.feed(Msg::Focus(true));
        stage.types("x");
    });
    rest(&mut stage, &press(KeyCode::F(1)), &press(KeyCode::Esc));
    rest(&mut stage, &press(KeyCode::Tab), &press(KeyCode::Tab));
}

#[test]
fn more_notices_than_rows_are_seen_one_screen_after_the_other() {
    let mut stage = Stage::online(80, 8);
    for nth in 1..=12 {
        stage.feed(Msg::Tell(format!("warning {nth}."), true));
    }
    let mut seen = std::collections::BTreeSet::new();
    for _key in 0..12 {
        for message in log(1 + seen.len() as u64 * 100, 100 + seen.len() as u64 * 100) {
            stage.hears(message);
        }
        seen.extend((1..=12).filter(|nth| stage.shows(&format!("warning {nth}."))));
        stage.now_ms += 2000;
        stage.types("x");
    }
    assert_eq!(seen.len(), 12, "{}", stage.screen());
    assert!(!stage.shows("warning"), "{}", stage.screen());
}

#[test]
fn scrolled_up_nothing_moves_when_a_notice_comes_or_is_seen() {
    let mut stage = in_a_busy_room(80, 24);
    stage.press(KeyCode::PageUp);
    let reads = |stage: &Stage| stage.screen().lines().take(20).map(str::to_owned).collect();
    let before: Vec<String> = reads(&stage);
    stage.feed(Msg::Tell("something happened".into(), true));
    stage.hears(said(1001, "news"));
    stage.now_ms = 60_000;
    stage.types("x");
    let after: Vec<String> = reads(&stage);
    assert_eq!(before, after);
    stage.press_with(KeyModifiers::CONTROL, KeyCode::End);
    assert!(shows_all(&stage) && stage.shows("something happened"), "{}", stage.screen());
}
