//! Keys and colours are values: other ones are in force everywhere at once.

use std::path::{Path, PathBuf};

use chat_client::OutgoingState;
use chat_tui::screen::keymap::Keymap;
use chat_tui::screen::keys::{Action, Key};
use chat_tui::screen::theme::Theme;
use chat_tui::screen::view;
use crossterm::event::{KeyCode, KeyModifiers};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::style::{Color, Style};

use crate::stage::{Stage, said};

const CTRL: KeyModifiers = KeyModifiers::CONTROL;

/// A screen with other keys for a few actions.
fn rebound(columns: u16) -> Stage {
    let mut stage = Stage::online(columns, 24);
    let key = |character| vec![Key(CTRL, KeyCode::Char(character))];
    let changes = [
        (Action::Help, key('g')),
        (Action::GoTo, key('o')),
        (Action::Retry, key('t')),
        (Action::Again, key('s')),
        (Action::Interrupt, key('x')),
    ];
    stage.model.keymap = Keymap::default().rebound(changes).expect("no key is bound twice");
    stage
}

#[test]
fn other_keys_do_what_the_usual_ones_did_and_those_do_nothing() {
    let mut stage = rebound(80);
    stage.press(KeyCode::F(1));
    stage.ctrl('k');
    assert!(stage.model.layers.is_empty());
    stage.ctrl('o');
    assert!(stage.shows("go to…"), "{}", stage.screen());
    stage.ctrl('o');
    assert!(stage.model.layers.is_empty());
    stage.ctrl('g');
    assert!(stage.shows("┌ help ─") && stage.shows("/join ROOM"), "{}", stage.screen());
}

#[test]
fn every_hint_and_the_help_name_the_keys_in_force() {
    let mut stage = rebound(80);
    assert!(stage.shows("Ctrl-G help") && stage.shows("Ctrl-O go to…"), "{}", stage.screen());
    stage.ctrl('x');
    assert!(stage.shows("Ctrl-X again quits"), "{}", stage.screen());
    stage.enters("hello");
    stage.outgoing(1, "hello", OutgoingState::Waiting);
    let refusal = chat_client::Refusal { code: None, reason: "no".into() };
    stage.outgoing(1, "hello", OutgoingState::Refused(refusal));
    assert!(stage.shows("no (Ctrl-S sends it again"), "{}", stage.screen());
    stage.disconnect();
    assert!(stage.shows("(Ctrl-T: now)"), "{}", stage.screen());
    stage.ctrl('g');
    stage.press(KeyCode::End);
    assert!(stage.shows("Ctrl-X") && !stage.shows("Ctrl-C"), "{}", stage.screen());
}

#[test]
fn another_theme_paints_everything_and_the_text_stays() {
    let mut stage = Stage::online(80, 12);
    stage.hears(said(1, "hello, me"));
    stage.types("typed");
    let text = stage.screen();
    let one = Style::new().fg(Color::Indexed(99));
    let names = vec![one];
    let (text_style, quiet, strong, chosen) = (one, one, one, one);
    let (trouble, good, waiting, mention) = (one, one, one, one);
    let theme =
        Theme { text: text_style, quiet, strong, chosen, trouble, good, waiting, mention, names };
    stage.model.theme = theme;
    assert_eq!(stage.screen(), text);
    let mut terminal = Terminal::new(TestBackend::new(80, 12)).unwrap();
    terminal.draw(|frame| view::draw(&stage.model, frame)).unwrap();
    for cell in &terminal.backend().buffer().content {
        // The word in a frame has no style of its own.
        let is_painted = cell.symbol() == " " || cell.fg == Color::Indexed(99);
        assert!(is_painted || " rooms ".contains(cell.symbol()), "{cell:?}");
    }
}

fn sources(directory: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => sources(&path, found),
            false => found.push(path),
        }
    }
}

#[test]
fn no_colour_is_named_outside_the_theme() {
    let mut files = Vec::new();
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut files);
    let theme = files.iter().position(|path| path.ends_with("screen/theme.rs")).unwrap();
    files.remove(theme);
    assert!(files.len() > 50, "the sources were found");
    for path in files {
        let source = std::fs::read_to_string(&path).unwrap();
        for word in ["style::Color", "Color::", "Modifier::", "Stylize", ".fg(", ".bg("] {
            // crossterm's modifiers of keys are none of a style.
            let named = source.lines().find(|line| line.replace("KeyModifiers", "").contains(word));
            assert_eq!(named, None, "{}", path.display());
        }
    }
}
