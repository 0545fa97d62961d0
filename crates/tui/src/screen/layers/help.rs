//! The help: the bindings and commands in force.
//!
//! Owns what it says, how that is laid out and drawn, and how far it scrolls. It must not know what
//! a binding does.

use crossterm::event::KeyCode;
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::widgets::{Block, Clear, Widget};

use super::{Context, Layer, Outcome, Press};
use crate::screen::commands::{COMMANDS, MODERATION_COMMANDS, ROOM_COMMANDS};
use crate::screen::keymap::{Binding, Keymap};
use crate::screen::keys::Action;
use crate::text;

/// The widest help.
const COLUMNS_MAX: u16 = 78;
/// What is beside it is covered too, unless there is so much.
const BESIDE_COLUMNS_MIN: u16 = 16;

/// Where what a key does begins.
const COLUMN_WIDE: u16 = 26;
/// The same on a narrow terminal.
const COLUMN_NARROW: u16 = 8;

/// The help, scrolled by so many rows.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Help {
    top: u16,
}

impl Help {
    /// Moves it by rows, as far as there are some.
    fn scroll(&mut self, rows: isize, context: &Context<'_>) -> Outcome {
        let last = Page::of(context).last_top();
        let moved = isize::try_from(self.top.min(last)).unwrap_or(0).saturating_add(rows);
        self.top = u16::try_from(moved.max(0)).unwrap_or(u16::MAX).min(last);
        Outcome::Consumed
    }
}

impl Layer for Help {
    fn kind(&self) -> &'static str {
        "help"
    }

    /// Reads on, or closes. Whatever else is typed closes it and is typed.
    fn on_key(&mut self, Press { key, action }: Press, context: &Context<'_>) -> Outcome {
        let page = isize::try_from(context.size.1.saturating_sub(3).max(1)).unwrap_or(1);
        let is_plain = key.modifiers.is_empty();
        match (key.code, action) {
            (_, Some(Action::LineUp)) => self.scroll(-1, context),
            (_, Some(Action::LineDown)) => self.scroll(1, context),
            (KeyCode::Up, _) if is_plain => self.scroll(-1, context),
            (KeyCode::Down, _) if is_plain => self.scroll(1, context),
            (KeyCode::PageUp, _) => self.scroll(-page, context),
            (KeyCode::PageDown | KeyCode::Char(' '), _) => self.scroll(page, context),
            (KeyCode::Home, _) => self.scroll(isize::MIN, context),
            (KeyCode::End, _) => self.scroll(isize::MAX, context),
            (KeyCode::Esc | KeyCode::Enter, _) | (_, Some(Action::Help | Action::Interrupt)) => {
                Outcome::Closed
            }
            (KeyCode::Char('q'), None) => Outcome::Closed,
            _ => Outcome::Dismissed,
        }
    }

    fn on_wheel(&mut self, lines: isize, context: &Context<'_>) -> Outcome {
        self.scroll(lines, context)
    }

    fn on_click(&mut self) -> Outcome {
        Outcome::Closed
    }

    fn view(&self, context: &Context<'_>, whole: Rect, buffer: &mut Buffer) -> Option<Position> {
        let page = Page::new(whole, context.keymap);
        Clear.render(page.area, buffer);
        if page.framed {
            let block = Block::bordered()
                .title(" help ")
                .title_bottom(" ↑ ↓ PgDn · Esc closes ")
                .border_style(context.theme.quiet);
            block.render(page.area, buffer);
        }
        let inner = page.inner;
        let first = usize::from(self.top.min(page.last_top()));
        let x = (inner.x + page.column).min(inner.right());
        for (y, (left, right)) in (inner.y..inner.bottom()).zip(page.rows.into_iter().skip(first)) {
            text::put(buffer, inner.x, y, &left, inner.width, context.theme.strong);
            text::put(buffer, x, y, &right, inner.right() - x, context.theme.text);
        }
        None
    }
}

/// What the help says, laid out for a terminal of a certain size.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Page {
    /// Where it stands, border included.
    area: Rect,
    /// Whether there is room for a border.
    framed: bool,
    /// Where the rows stand.
    inner: Rect,
    /// The column, in `inner`, at which the right sides begin.
    column: u16,
    /// What it says: a left and a right side.
    rows: Vec<(String, String)>,
}

impl Page {
    fn of(context: &Context<'_>) -> Self {
        Self::new(Rect::new(0, 0, context.size.0, context.size.1), context.keymap)
    }

    /// Lays it out.
    fn new(whole: Rect, keymap: &Keymap) -> Self {
        let is_wide = whole.width >= COLUMNS_MAX + BESIDE_COLUMNS_MIN;
        let width = if is_wide { COLUMNS_MAX } else { whole.width };
        let area = Rect { x: whole.x + (whole.width - width) / 2, width, ..whole };
        let framed = area.width > 20 && area.height > 4;
        let inner = match framed {
            true => Rect::new(area.x + 1, area.y + 1, area.width - 2, area.height - 2),
            false => area,
        };
        let column = if inner.width < 50 { COLUMN_NARROW } else { COLUMN_WIDE };
        let cells = usize::from(inner.width.saturating_sub(u16::from(framed)));
        let rows = lines(keymap).iter().flat_map(|line| rows(line, column.into(), cells)).collect();
        Self { area, framed, inner, column, rows }
    }

    /// The first row that is shown when it is scrolled to the end.
    fn last_top(&self) -> u16 {
        let hidden = self.rows.len().saturating_sub(usize::from(self.inner.height));
        u16::try_from(hidden).unwrap_or(u16::MAX)
    }
}

/// A line in rows: its right side wraps beside its left, or under it.
fn rows((left, right): &(String, String), column: usize, cells: usize) -> Vec<(String, String)> {
    let ranges = text::wrap(right, cells.saturating_sub(column).max(1), 0);
    let rights = ranges.into_iter().map(|range| right[range].to_owned());
    let fits = text::width(left) < column;
    let mut lefts = fits.then(|| left.clone()).into_iter();
    let under: Vec<_> = rights.map(|right| (lefts.next().unwrap_or_default(), right)).collect();
    let above = (!fits).then(|| (left.clone(), String::new()));
    above.into_iter().chain(under).collect()
}

fn lines(keymap: &Keymap) -> Vec<(String, String)> {
    let commands = COMMANDS
        .iter()
        .chain(ROOM_COMMANDS)
        .chain(MODERATION_COMMANDS)
        .map(|(command, says)| (format!(" {command}"), (*says).into()));
    let bindings = keymap.bindings().iter().map(|binding| (keys(binding), binding.says.to_owned()));
    let marks = [
        (" …", "being noted down"),
        (" ⏳", "noted down on your disk; sent until the server has committed it"),
        (" ✓", "committed by the server"),
        (" ✗", "refused, with the reason"),
    ];
    let marks = marks.into_iter().map(|(mark, says)| (mark.to_owned(), says.to_owned()));
    let empty = || std::iter::once((String::new(), String::new()));
    let mouse = [
        (" Shift", "with the mouse: select and copy, as the terminal does it"),
        (" wheel, click", "scroll; open a room. --mouse off leaves the mouse to the terminal"),
    ];
    let mouse = mouse.into_iter().map(|(left, says)| (left.to_owned(), says.to_owned()));
    let keys = bindings.chain(empty()).chain(mouse);
    commands.chain(empty()).chain(marks).chain(empty()).chain(keys).collect()
}

fn keys(binding: &Binding) -> String {
    let keys: Vec<String> = binding.keys.iter().map(ToString::to_string).collect();
    format!(" {}", keys.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_binding_and_command_is_in_the_help() {
        let keymap = Keymap::default();
        let lines = lines(&keymap);
        let has = |text: &str| lines.iter().any(|(_, says)| says == text);
        assert!(keymap.bindings().iter().all(|binding| has(binding.says)));
        assert!(
            COMMANDS
                .iter()
                .chain(ROOM_COMMANDS)
                .chain(MODERATION_COMMANDS)
                .all(|(_, says)| has(says))
        );
    }

    #[test]
    fn scrolled_to_the_end_the_last_row_is_shown() {
        for (columns, rows) in [(80, 24), (20, 5), (10, 3), (200, 100)] {
            let page = Page::new(Rect::new(0, 0, columns, rows), &Keymap::default());
            let shown = page.rows.len() - usize::from(page.last_top());
            assert!(shown <= usize::from(page.inner.height));
        }
    }
}
