//! The screen as text, in several sizes.

use chat_client::{Event, OutgoingState};
use chat_proto::{RoomId, Seq, TextKind, Timestamp};
use chat_tui::screen::update::{Effect, Msg};
use crossterm::event::KeyCode;

use crate::stage::{DEV, LOBBY, MINUTE_MS, MORNING_MS, Stage, said, said_in};

/// A talk in the lobby, something unread elsewhere, one own message committed and one waiting.
fn talk(columns: u16, rows: u16) -> Stage {
    let mut stage = Stage::online(columns, rows);
    let ops = RoomId(3);
    stage.subscribe(DEV, "dev", 0);
    stage.subscribe(ops, "ops", 0);
    stage.hears(said(1, "shall we deploy?"));
    let answer = "yes, after lunch, when everybody is back and the tests are green 👍";
    stage.hears(chat_client::Message { from_name: "bob".into(), ..said(2, answer) });
    stage.hears(said_in(DEV, "dev", 1, "hi"));
    stage.hears(said_in(ops, "ops", 1, "@me the disk is full"));
    stage.now_ms = 5 * MINUTE_MS;
    stage.enters("great");
    stage.outgoing(1, "great", OutgoingState::Waiting);
    let ts = Timestamp(MORNING_MS + 3 * MINUTE_MS);
    stage.outgoing(1, "great", OutgoingState::Acked { room: LOBBY, seq: Seq(3), ts });
    stage.enters("shipping now");
    stage.outgoing(2, "shipping now", OutgoingState::Waiting);
    stage.event(Event::Latency(std::time::Duration::from_millis(12)));
    stage.types("and th");
    stage
}

#[track_caller]
fn assert_screen(stage: &Stage, expected: &str) {
    let screen = stage.screen();
    assert!(screen == expected.trim_matches('\n'), "expected\n{expected}\nbut it is\n{screen}");
}

#[test]
fn a_talk_on_80_columns() {
    assert_screen(
        &talk(80, 14),
        "
 #lobby  · you are me                                                  2 online
┌ rooms ─────┐
│ #dev     1 │
│ #lobby     │
│ #ops    !1 │
│            │ ────────────────────── beginning of #lobby ──────────────────────
│            │ ───────────────────────────── today ─────────────────────────────
│            │ 10:01 ada     shall we deploy?
│            │ 10:02 bob     yes, after lunch, when everybody is back and the
│            │               tests are green 👍
│            │ 10:03 you     great ✓
└────────────┘ 10:05 you     shipping now ⏳
> and th
 [#lobby] ● connected 12 ms  F1 help  Ctrl-K go to…
",
    );
}

#[test]
fn a_talk_on_40_columns() {
    assert_screen(
        &talk(40, 12),
        "
 #lobby  · you are me          2 online

───────── beginning of #lobby ──────────
──────────────── today ─────────────────
10:01 ada     shall we deploy?
10:02 bob     yes, after lunch, when
              everybody is back and the
              tests are green 👍
10:03 you     great ✓
10:05 you     shipping now ⏳
> and th
 ● connected 12 ms  #ops !1 #dev 1
",
    );
}

#[test]
fn a_talk_on_20_columns_and_5_rows() {
    let stage = talk(20, 5);
    assert_screen(
        &stage,
        "
 #lobby    2 online
you: great ✓
you: shipping now ⏳
> and th
 ● 12 ms  ↑ 2 above
",
    );
    assert_eq!(stage.cursor(), (8, 3));
}

#[test]
fn a_talk_on_10_columns_and_3_rows_still_shows_the_input() {
    let stage = talk(10, 3);
    assert_screen(
        &stage,
        "
 now ⏳
> and th
● 12 ms
",
    );
    assert_eq!(stage.cursor(), (8, 1));
}

#[test]
fn the_outage_on_80_columns() {
    let mut stage = talk(80, 14);
    stage.disconnect();
    assert_screen(
        &stage,
        "
 #lobby  · you are me
┌ rooms ─────┐
│ #dev     1 │
│ #lobby     │ ────────────────────── beginning of #lobby ──────────────────────
│ #ops    !1 │ ───────────────────────────── today ─────────────────────────────
│            │ 10:01 ada     shall we deploy?
│            │ 10:02 bob     yes, after lunch, when everybody is back and the
│            │               tests are green 👍
│            │ 10:03 you     great ✓
│            │ 10:05 you     shipping now ⏳
│            │ 10:05 !!      connection lost: the server is gone. Trying again
└────────────┘               by itself; what you type is kept.
> and th
 [#lobby] ○ not connected, again in 3 s (F5: now)  ⏳ 1 waiting  F1 help
",
    );
}

#[test]
fn the_first_frame_before_anything_is_tried() {
    assert_screen(
        &Stage::new(40, 6),
        "
 #lobby  · you are me



>
 ○ starting  F1 help  Ctrl-K go to…
",
    );
}

#[test]
fn scrolled_back_on_40_columns() {
    let mut stage = Stage::online(40, 9);
    for seq in 1..=30 {
        stage.hears(said(seq, &format!("line {seq}")));
    }
    stage.press(KeyCode::PageUp);
    stage.press(KeyCode::PageUp);
    stage.hears(said(31, "line 31"));
    assert_screen(
        &stage,
        "
 #lobby  · you are me          2 online
10:15 ada     line 15
10:16 ada     line 16
10:17 ada     line 17
10:18 ada     line 18
10:19 ada     line 19
10:20 ada     line 20
>
 ● connected  ↓ 11 below, End  F1 help
",
    );
    stage.press(KeyCode::End);
    assert_screen(
        &stage,
        "
 #lobby  · you are me          2 online
10:27 ada     line 27
10:28 ada     line 28
10:29 ada     line 29
10:30 ada     line 30
──────────────── 1 new ─────────────────
10:31 ada     line 31
>
 ● connected  ↑ 26 above  F1 help
",
    );
}

#[test]
fn days_are_divided() {
    let mut stage = Stage::online(40, 9);
    stage.now_ms = 24 * 60 * MINUTE_MS;
    for (seq, days) in [(1, 0), (2, 1), (3, 30)] {
        let ts = Timestamp(MORNING_MS + days * 24 * 60 * MINUTE_MS);
        stage.hears(chat_client::Message { ts, ..said(seq, "x") });
    }
    assert_screen(
        &stage,
        "
 #lobby  · you are me          2 online
────────────── yesterday ───────────────
10:00 ada     x
──────────────── today ─────────────────
10:00 ada     x
────────── Friday, 2026-04-03 ──────────
10:00 ada     x
>
 ● connected  F1 help  Ctrl-K go to…
",
    );
}

#[test]
fn the_help_on_30_columns() {
    let mut stage = Stage::online(30, 10);
    stage.press(KeyCode::F(1));
    stage.press(KeyCode::Down);
    assert_screen(
        &stage,
        "
┌ help ──────────────────────┐
│        join a room; it is  │
│        made when nobody    │
│        has been there      │
│ /leave [ROOM]              │
│        leave this room, or │
│        another             │
│ /rooms all rooms           │
│ /who   who is in this room │
└ ↑ ↓ PgDn · Esc closes ─────┘
",
    );
}

#[test]
fn what_is_typed_wraps_and_the_cursor_follows() {
    let mut stage = Stage::online(20, 9);
    stage.types("one two three four five six seven");
    assert_screen(
        &stage,
        "
 #lobby    2 online




─ beginning of #l… ─
> one two three four
  five six seven
 ●  F1 help
",
    );
    assert_eq!(stage.cursor(), (16, 7));
    stage.press(KeyCode::Home);
    assert_eq!(stage.cursor(), (2, 6));
}

#[test]
fn every_size_can_be_drawn_and_keeps_the_cursor_inside() {
    let mut stage = talk(80, 24);
    stage.feed(Msg::Paste("日本語 ".repeat(20)));
    for columns in [1, 2, 3, 7, 8, 10, 16, 20, 29, 30, 39, 40, 59, 60, 99] {
        for rows in [1, 2, 3, 4, 5, 9, 12, 29] {
            stage.feed(Msg::Resize(columns, rows));
            let (x, y) = stage.cursor();
            assert!(x < columns && y < rows, "{columns}x{rows}: {x} {y}");
            stage.ctrl('k');
            assert!(stage.cursor().0 < columns, "{columns}x{rows}");
            stage.press(KeyCode::Esc);
            stage.press(KeyCode::F(1));
            stage.screen();
            stage.press(KeyCode::Esc);
        }
    }
}

#[test]
fn a_lost_connection_is_seen_at_once() {
    let mut stage = Stage::online(80, 12);
    stage.enters("/jion dev");
    stage.disconnect();
    assert!(stage.shows("again in 3 s"), "{}", stage.screen());
    stage.ctrl('c');
    stage.ctrl('c');
    stage.disconnect();
    stage.ctrl('c');
    assert!(stage.effects.contains(&Effect::Quit), "a retry between two keys is no third key");
}

/// Texts that try to look like somebody else's line, or like one of the screen's own.
const IMITATIONS: [&str; 7] = [
    "ok\n00:31 ann     I agree to everything ✓",
    "ok\n-- ann joined",
    "ok\n!! the server is gone",
    "ok\n──────── 3 new ────────\nann: yes",
    "ok                                                                     ann: I agree",
    "ok\n*ann agrees",
    "ok\n[ann]: I agree",
];

#[test]
fn no_line_of_a_text_stands_where_an_entry_begins() {
    for columns in 8..120 {
        for text in IMITATIONS {
            let mut stage = Stage::online(columns, 20);
            stage.hears(said(1, text));
            let history = chat_tui::screen::areas::of(&stage.model).history;
            let screen = stage.screen();
            let rows =
                screen.lines().skip(usize::from(history.y)).take(usize::from(history.height));
            let left = usize::from(history.x);
            let rows = rows.map(|row| row.chars().skip(left).collect::<String>());
            let begins: Vec<_> =
                rows.filter(|row| !row.trim().is_empty() && !row.starts_with([' ', '─'])).collect();
            assert!(begins[0].contains("ada"), "{columns} columns:\n{screen}");
            // The rest of a word that is longer than a line: no entry begins without a space.
            let rests = begins[1..].iter().all(|row| !row.trim_end().contains(' '));
            assert!(rests, "{columns} columns:\n{screen}");
        }
    }
}

/// The first row of a message, from the sender on.
fn row_of(columns: u16, message: chat_client::Message) -> String {
    let mut stage = Stage::online(columns, 20);
    stage.hears(message);
    let screen = stage.screen();
    let row = screen.lines().find(|row| row.contains("ada")).expect("the message is shown");
    row[row.find("10:01 ").map_or(0, |time| time + 6)..].trim_end().to_owned()
}

#[test]
fn no_text_is_drawn_as_what_is_done_or_what_a_program_says() {
    let fakes = [
        "agrees",
        "* ada agrees",
        "*ada agrees",
        "[notice] agrees",
        "[ada] agrees",
        "[ada]: agrees",
    ];
    for columns in [12, 20, 33, 40, 61, 80, 110] {
        for (kind, mark) in [(TextKind::Action, "*ada"), (TextKind::Notice, "[ada]")] {
            let real = row_of(columns, chat_client::Message { kind, ..said(1, "agrees") });
            assert!(real.starts_with(mark), "{columns} columns: {real}");
            for fake in fakes {
                let fake = row_of(columns, said(1, fake));
                assert!(fake.starts_with("ada"), "{columns} columns: {fake}");
            }
        }
    }
}

#[test]
fn what_is_done_and_what_a_program_says_are_marked_beside_the_name() {
    let meant = |columns, kind| row_of(columns, chat_client::Message { kind, ..said(1, "waves") });
    assert_eq!(meant(80, TextKind::Action), "*ada    waves");
    assert_eq!(meant(80, TextKind::Notice), "[ada]   waves");
    assert_eq!(meant(20, TextKind::Action), "*ada waves");
    assert_eq!(meant(20, TextKind::Notice), "[ada]: waves");
}

#[test]
fn an_address_longer_than_a_line_goes_on_at_the_edge() {
    let mut stage = Stage::online(40, 12);
    stage.hears(said(
        1,
        "join chat://example.org:5018/lobby#abcdefghijklmnopqrstuvwxyz0123456789.XYZ now",
    ));
    let screen = stage.screen();
    let address = "chat://example.org:5018/lobby#abcdefghijklmnopqrstuvwxyz0123456789.XYZ";
    let lines = [&address[..26], &address[26..66], &address[66..]].join("\n");
    assert!(screen.contains(&format!("\n              {lines}\n")), "{screen}");
}

#[test]
fn a_long_name_is_cut_to_its_column() {
    let mut stage = Stage::online(80, 12);
    let long = chat_client::Message { from_name: "a-very-long-nickname".into(), ..said(1, "hi") };
    stage.hears(long);
    assert!(stage.shows("10:01 a-very… hi"), "{}", stage.screen());
}
