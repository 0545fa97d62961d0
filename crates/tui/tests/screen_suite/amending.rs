//! A message gets another text after it was shown, and the line that is read stays where it is.

use chat_proto::Seq;
use chat_tui::screen::history::{Bound, History, Kind, Row, SpanKind, Viewport};

use crate::history::{Dice, entry};

fn message() -> Kind {
    Kind::Message { from: "ada".into(), mention: false }
}

/// What each row shows of an entry: its seq and the text.
fn rows(history: &History, viewport: Viewport) -> Vec<Option<(u64, String)>> {
    let text = |row: &Row<'_>| match row {
        Row::Body { entry, line } => {
            let parts = entry.parts(viewport.columns, *line);
            Some((entry.place.seq, parts.map(|(part, _kind)| part).collect()))
        }
        Row::Blank | Row::Lead(_) => None,
    };
    history.rows(viewport).iter().map(text).collect()
}

/// The first row that shows a line of an entry, and that line.
fn first(history: &History, viewport: Viewport) -> (usize, (u64, String)) {
    let rows = rows(history, viewport).into_iter().enumerate();
    rows.filter_map(|(row, line)| Some((row, line?))).next().unwrap()
}

fn words(dice: &mut Dice, most: u64) -> String {
    let words: Vec<String> = (0..=dice.below(most)).map(|n| format!("w{n}")).collect();
    words.join(" ")
}

/// Two hundred messages, of which the reader sees some in the middle.
fn reading(dice: &mut Dice) -> (History, Viewport) {
    let mut history = History::default();
    for seq in 100..300 {
        history.arrive(entry(seq));
    }
    let cells = 20 + u16::try_from(dice.below(80)).unwrap();
    let viewport = Viewport::new(cells, 3 + u16::try_from(dice.below(20)).unwrap());
    // So far up that the pane stays full, however short what is below becomes.
    history.scroll(-200 - isize::try_from(dice.below(60)).unwrap(), viewport);
    assert!(!history.is_at_bottom());
    (history, viewport)
}

#[test]
fn another_text_above_or_below_never_moves_the_line_that_is_read() {
    for seed in 0..300 {
        let mut dice = Dice(seed);
        let (mut history, viewport) = reading(&mut dice);
        let (row, line) = first(&history, viewport);
        for step in 0..30 {
            let seq = 100 + dice.below(200);
            if seq != line.0 {
                let text = words(&mut dice, 60);
                assert!(history.amend(Seq(seq), message(), &text), "seed {seed}: {seq} is here");
            }
            let there = rows(&history, viewport).swap_remove(row);
            assert_eq!(there.as_ref(), Some(&line), "seed {seed}, step {step}, {seq}");
        }
    }
}

#[test]
fn what_is_added_behind_the_line_that_is_read_leaves_it_where_it_is() {
    for seed in 0..300 {
        let mut dice = Dice(seed);
        let (mut history, viewport) = reading(&mut dice);
        let (row, (seq, _text)) = first(&history, viewport);
        let old = entry(seq).text().to_owned();
        let (_row, before) = first(&history, viewport);
        let text = format!("{old}\n{}", words(&mut dice, 60));
        assert!(history.amend(Seq(seq), message(), &text));
        let there = rows(&history, viewport).swap_remove(row);
        assert_eq!(there, Some(before), "seed {seed}");
    }
}

#[test]
fn lines_that_are_put_before_the_one_that_is_read_push_nothing_down() {
    let mut read_inside = 0;
    for seed in 0..300 {
        let mut dice = Dice(seed);
        let (mut history, viewport) = reading(&mut dice);
        let (row, (seq, line)) = first(&history, viewport);
        let old = entry(seq).text().to_owned();
        if old.starts_with(&line) {
            continue; // Its first line is read: what comes before that is above.
        }
        read_inside += 1;
        // The reader is in a second paragraph, whose lines do not change.
        assert!(history.amend(Seq(seq), message(), &format!("x\n\n{old}")));
        let there = rows(&history, viewport).swap_remove(row).unwrap();
        assert_eq!(there.0, seq, "seed {seed}");
        let word = line.split(' ').next().unwrap();
        assert!(there.1.contains(word), "seed {seed}: {word} in {}", there.1);
    }
    assert!(read_inside > 20, "{read_inside}");
}

#[test]
fn the_newest_line_stays_in_sight_and_the_memory_is_counted() {
    for seed in 0..100 {
        let mut dice = Dice(seed);
        let mut history = History::default();
        for seq in 100..160 {
            history.arrive(entry(seq));
        }
        let viewport = Viewport::new(60, 10);
        for _step in 0..30 {
            let text = words(&mut dice, 400);
            history.amend(Seq(100 + dice.below(60)), message(), &text);
            assert!(history.is_at_bottom(), "seed {seed}");
            let last = rows(&history, viewport).pop().unwrap().unwrap();
            assert_eq!(last.0, 159, "seed {seed}");
            let counted: usize = history.entries().map(|entry| entry.bytes()).sum();
            assert_eq!(history.bytes(), counted, "seed {seed}");
            assert!(history.bytes() <= Bound::OPEN.bytes);
        }
    }
}

#[test]
fn an_amended_message_names_the_reader_from_then_on() {
    let mut history = History::default();
    history.arrive(entry(100));
    let named = Kind::Message { from: "ada".into(), mention: true };
    assert!(history.amend(Seq(100), named, "me: look"));
    let amended = history.entries().next().unwrap();
    let columns = Viewport::new(80, 10).columns;
    let parts: Vec<_> = amended.parts(columns, 0).collect();
    assert_eq!(parts, [("me: look", Some(SpanKind::Mention))]);
    assert_eq!((amended.place.seq, amended.id), (100, entry(100).id));
}

#[test]
fn what_is_not_loaded_is_not_amended() {
    let mut history = History::default();
    history.arrive(entry(100));
    assert!(!history.amend(Seq(7), message(), "x"));
    assert_eq!(history.entries().len(), 1);
}
