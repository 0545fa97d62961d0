//! The history never jumps, never loses its place and never grows without bound.

use chat_client::Event;
use chat_proto::{MessageId, Seq};
use chat_tui::screen::history::{Bound, Entry, History, Kind, Place, Row, Viewport};
use chat_tui::screen::server::ServerId;
use chat_tui::screen::update::{Answer, Effect, Failure, Msg, ServerEffect};
use crossterm::event::KeyCode;
use jiff::civil::DateTime;

use crate::stage::{LOBBY, Stage, id, log, said};

/// SplitMix64: enough for shuffling, and the seed says it all.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }
}

fn at(day: u64, minute: u64) -> DateTime {
    let day = i8::try_from(1 + day % 28).unwrap();
    let (hour, minute) = (minute / 60 % 24, minute % 60);
    jiff::civil::datetime(
        2026,
        3,
        day,
        i8::try_from(hour).unwrap(),
        i8::try_from(minute).unwrap(),
        0,
        0,
    )
}

/// Message `seq`: of one to many lines, some hundred of them a day.
pub(crate) fn entry(seq: u64) -> Entry {
    let words = usize::try_from(seq * 7 % 23).unwrap();
    let text = format!("m{seq} {}", "word ".repeat(words));
    let kind = Kind::Message { from: "ada".into(), mention: false };
    Entry::new(Place::of(Seq(seq)), Some(id(seq)), at(seq / 100, seq), kind, &text)
}

/// The lines of entries that are visible, by row.
fn visible(history: &History, viewport: Viewport) -> Vec<Option<(MessageId, usize)>> {
    let body = |row: &Row<'_>| match row {
        Row::Body { entry, line } => entry.id.map(|id| (id, *line)),
        Row::Blank | Row::Lead(_) => None,
    };
    history.rows(viewport).iter().map(body).collect()
}

/// The first row that shows a line of an entry, and that line.
fn first_line(history: &History, viewport: Viewport) -> (usize, (MessageId, usize)) {
    let rows = visible(history, viewport).into_iter().enumerate();
    rows.filter_map(|(row, line)| line.map(|line| (row, line))).next().unwrap()
}

#[test]
fn what_comes_above_and_below_never_moves_the_line_that_is_read() {
    for seed in 0..300 {
        let mut dice = Dice(seed);
        let mut history = History::default();
        let (mut first, mut last) = (5_000, 5_000);
        for seq in 5_000..5_060 {
            history.arrive(entry(seq));
            last = seq;
        }
        let cells = 20 + u16::try_from(dice.below(80)).unwrap();
        let rows = 3 + u16::try_from(dice.below(30)).unwrap();
        let viewport = Viewport::new(cells, rows);
        history.scroll(-40 - isize::try_from(dice.below(60)).unwrap(), viewport);
        assert!(!history.is_at_bottom(), "seed {seed}");
        let read = first_line(&history, viewport);
        for step in 0..30 {
            match dice.below(7) {
                0 => {
                    for _ in 0..=dice.below(40) {
                        first -= 1;
                        history.arrive(entry(first));
                    }
                }
                1 => {
                    for _ in 0..=dice.below(40) {
                        last += 1;
                        history.arrive(entry(last));
                    }
                }
                2 => {
                    last += 1;
                    history.commit(id(900_000 + dice.below(30)), Seq(last), at(50, step));
                }
                3 => {
                    history.say(Kind::Answer, at(50, step), "a word of the screen");
                    history.note_shown(Some(viewport), step * 1000);
                    history.see_shown(step * 1000 + 2000);
                }
                4 => {
                    last += 1;
                    history.arrive(entry(last));
                    history.pass_earlier(Place::of(Seq(last)));
                }
                5 => history.count_as_new(Place::of(Seq(first + dice.below(last - first)))),
                _ => {
                    history.wait(Some(id(900_000 + step)), at(50, step), "mine");
                }
            }
            let (row, line) = read;
            let there = visible(&history, viewport)[row];
            assert_eq!(there, Some(line), "seed {seed}, step {step}, row {row}");
        }
    }
}

#[test]
fn scrolling_up_and_down_by_the_same_lines_comes_back() {
    for seed in 0..100 {
        let mut dice = Dice(seed);
        let mut history = History::default();
        for seq in 1..200 {
            history.arrive(entry(seq));
        }
        let viewport = Viewport::new(20 + u16::try_from(dice.below(80)).unwrap(), 10);
        history.scroll(-150, viewport);
        let before = visible(&history, viewport);
        let lines = isize::try_from(1 + dice.below(60)).unwrap();
        history.scroll(-lines, viewport);
        history.scroll(lines, viewport);
        assert_eq!(visible(&history, viewport), before, "seed {seed}");
    }
}

#[test]
fn every_line_is_seen_once_when_scrolling_line_by_line() {
    let mut history = History::default();
    for seq in 1..60 {
        history.arrive(entry(seq));
    }
    let viewport = Viewport::new(45, 7);
    history.scroll_to_top(viewport);
    let mut seen = vec![visible(&history, viewport)];
    while !history.is_at_bottom() {
        history.scroll(1, viewport);
        seen.push(visible(&history, viewport));
    }
    for pair in seen.windows(2) {
        assert_eq!(pair[0][1..], pair[1][..6], "one line further shows all but one line again");
    }
}

#[test]
fn a_resize_keeps_the_message_that_is_read() {
    let mut history = History::default();
    for seq in 1..200 {
        history.arrive(entry(seq));
    }
    let wide = Viewport::new(100, 20);
    history.scroll(-100, wide);
    let first = visible(&history, wide).into_iter().flatten().next().unwrap().0;
    for cells in [30, 12, 100, 45, 20] {
        let viewport = Viewport::new(cells, 20);
        history.settle(viewport);
        let shown = visible(&history, viewport);
        assert!(shown.iter().flatten().any(|(id, _)| *id == first), "{cells}");
    }
}

#[test]
fn long_texts_leave_earlier_and_the_view_keeps_what_it_shows() {
    let viewport = Viewport::new(80, 24);
    let text = "x".repeat(16 * 1024);
    let long = |seq| Entry::new(Place::of(Seq(seq)), None, DateTime::ZERO, Kind::Notice, &text);
    let mut history = History::default();
    (1..2000).for_each(|seq| assert!(history.arrive(long(seq))));
    assert!(history.bytes() <= Bound::OPEN.bytes, "{}", history.bytes());
    assert!(history.is_at_bottom());
    history.scroll(-5_000, viewport);
    let before = visible(&history, viewport);
    (2000..4000).for_each(|seq| assert!(history.arrive(long(seq))));
    assert!(history.bytes() <= Bound::OPEN.bytes, "{}", history.bytes());
    assert_eq!(visible(&history, viewport), before);
    history.trim(Bound::RESTING);
    assert!(history.bytes() <= Bound::RESTING.bytes, "{}", history.bytes());
}

#[test]
fn the_window_is_bounded_wherever_the_reader_stands() {
    let viewport = Viewport::new(80, 24);
    let mut history = History::default();
    for seq in 1..20_000 {
        history.arrive(entry(seq));
    }
    assert!(history.entries().len() <= Bound::OPEN.entries);
    assert!(history.is_at_bottom());
    history.scroll(-10_000, viewport);
    let before = visible(&history, viewport);
    for seq in 20_000..60_000 {
        history.arrive(entry(seq));
    }
    assert!(history.entries().len() <= Bound::OPEN.entries);
    assert_eq!(visible(&history, viewport), before);
    assert!(history.below(viewport) > 39_000, "{}", history.below(viewport));
}

#[test]
fn older_pages_are_asked_for_while_scrolling_up_until_the_beginning() {
    let mut stage = Stage::new(80, 24);
    let log = log(1, 1000);
    stage.connect();
    stage.subscribe(LOBBY, "lobby", 1000);
    stage.answer_pages(&log);
    assert!(stage.shows("line 1000"));
    for _page in 0..60 {
        stage.press(KeyCode::PageUp);
        stage.answer_pages(&log);
    }
    assert!(stage.shows("beginning of #lobby"), "{}", stage.screen());
    assert!(stage.shows("line 1\n"));
    stage.press(KeyCode::End);
    assert!(stage.shows("line 1000"));
}

#[test]
fn far_above_in_a_flood_the_way_down_is_paged_without_a_hole() {
    let mut stage = Stage::new(80, 24);
    let (old, head) = (4600, 4700);
    let mut all = log(1, old);
    stage.connect();
    stage.subscribe(LOBBY, "lobby", old);
    stage.answer_pages(&all);
    for _page in 0..250 {
        stage.press(KeyCode::PageUp);
        stage.answer_pages(&all);
    }
    assert!(stage.shows("beginning of #lobby"), "{}", stage.screen());
    for message in log(old + 1, head) {
        all.push(message.clone());
        stage.hears(message);
    }
    assert!(stage.model.room().history.entries().all(|entry| entry.text() != "line 4700"));
    let mut next = 1;
    for _page in 0..400 {
        let screen = stage.screen();
        while screen.lines().any(|line| line.ends_with(&format!("line {next}"))) {
            next += 1;
        }
        stage.press(KeyCode::PageDown);
        stage.answer_pages(&all);
    }
    assert_eq!(next, head + 1, "every line was seen, in order");
    assert!(stage.model.room().history.is_at_bottom());
}

#[test]
fn end_goes_to_the_newest_also_when_it_was_dropped() {
    let mut stage = Stage::new(80, 24);
    let all = log(1, 4600);
    stage.connect();
    stage.subscribe(LOBBY, "lobby", 4600);
    stage.answer_pages(&all);
    for _page in 0..250 {
        stage.press(KeyCode::PageUp);
        stage.answer_pages(&all);
    }
    stage.press(KeyCode::End);
    stage.answer_pages(&all);
    assert!(stage.shows("line 4600"), "{}", stage.screen());
    stage.hears(said(4601, "and on"));
    assert!(stage.shows("and on"));
}

#[test]
fn new_messages_do_not_pull_the_reader_down_and_are_counted() {
    let mut stage = Stage::online(80, 12);
    for message in log(1, 50) {
        stage.hears(message);
    }
    stage.press(KeyCode::PageUp);
    let before: Vec<String> = stage.screen().lines().take(9).map(str::to_owned).collect();
    stage.hears(said(51, "news"));
    stage.hears(said(52, "more news"));
    let after: Vec<String> = stage.screen().lines().take(9).map(str::to_owned).collect();
    assert_eq!(before, after);
    assert!(stage.shows("↓ 10 below, End"), "{}", stage.screen());
    stage.press(KeyCode::End);
    assert!(stage.shows("more news"));
    assert!(stage.shows("2 new"));
}

/// A room whose newest page could not be had.
fn with_a_failed_page() -> Stage {
    let mut stage = Stage::new(80, 24);
    stage.connect();
    stage.subscribe(LOBBY, "lobby", 1000);
    let Some(Effect::Server(ServerId::FIRST, ServerEffect::Page(room, _, request))) =
        stage.effects.pop()
    else {
        panic!("no page")
    };
    let failure = Failure { why: "no answer".into(), refused: false };
    let answer = Answer::Page(room, request, Err(failure));
    stage.feed(Msg::Answer(ServerId::FIRST, answer));
    stage
}

fn asks(stage: &Stage) -> bool {
    stage
        .effects
        .iter()
        .any(|effect| matches!(effect, Effect::Server(ServerId::FIRST, ServerEffect::Page(..))))
}

#[test]
fn a_page_that_fails_is_asked_for_again_when_the_reader_goes_on() {
    let mut stage = with_a_failed_page();
    assert!(!asks(&stage));
    stage.press(KeyCode::PageUp);
    assert!(asks(&stage));
}

#[test]
fn a_page_that_fails_is_asked_for_again_by_itself() {
    let mut stage = with_a_failed_page();
    stage.now_ms += 999;
    stage.feed(Msg::Tick);
    assert!(!asks(&stage), "not at once");
    stage.now_ms += 1;
    stage.feed(Msg::Tick);
    assert!(asks(&stage));
    stage.answer_pages(&log(1, 1000));
    assert!(stage.shows("line 1000"));
}

#[test]
fn a_page_of_an_earlier_connection_is_not_taken_in() {
    let mut stage = Stage::new(80, 24);
    stage.connect();
    stage.subscribe(LOBBY, "lobby", 10);
    let late = stage.effects.pop();
    stage.disconnect();
    stage.connect();
    stage.subscribe(LOBBY, "lobby", 10);
    stage.effects.extend(late);
    stage.answer_pages(&log(1, 10));
    assert_eq!(stage.count("line 10"), 1);
    assert_eq!(stage.count("line 1\n"), 1);
}

#[test]
fn a_log_that_lost_its_end_is_read_anew() {
    let mut stage = Stage::online(80, 12);
    stage.hears(said(1, "lost for ever"));
    stage.event(Event::Reset {
        room: LOBBY,
        room_name: "lobby".into(),
        epoch: chat_proto::Epoch(8),
        head: Seq(2),
    });
    assert!(!stage.shows("lost for ever"));
    stage.subscribe(LOBBY, "lobby", 2);
    stage.answer_pages(&log(1, 2));
    assert!(stage.shows("line 2"));
    assert!(stage.shows("restored from a backup"));
}

#[test]
fn an_early_ack_leaves_no_hole_before_the_first_page() {
    let mut stage = Stage::new(80, 24);
    let mut all = log(1, 400);
    all[9] = crate::stage::own(10, 1, "mine");
    stage.outgoing(1, "mine", chat_client::OutgoingState::Waiting);
    stage.connect();
    stage.subscribe(LOBBY, "lobby", 400);
    stage.outgoing(
        1,
        "mine",
        chat_client::OutgoingState::Acked {
            room: LOBBY,
            seq: Seq(10),
            ts: chat_proto::Timestamp(crate::stage::MORNING_MS),
        },
    );
    stage.answer_pages(&all);
    for _page in 0..40 {
        stage.press(KeyCode::PageUp);
        stage.answer_pages(&all);
    }
    let loaded: Vec<u64> =
        stage.model.room().history.entries().map(|entry| entry.place.seq).collect();
    assert_eq!(loaded, (1..=400).collect::<Vec<u64>>());
}
