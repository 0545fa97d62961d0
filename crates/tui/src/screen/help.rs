//! The help: the bindings and commands in force.
//!
//! Owns what it says, how that is laid out, and how far it scrolls. It must not know how it is
//! drawn.

use ratatui::layout::Rect;

use super::commands::COMMANDS;
use super::keys::{BINDINGS, Binding};
use crate::text;

/// The widest help.
const COLUMNS_MAX: u16 = 78;
/// What is beside it is covered too, unless there is so much.
const BESIDE_COLUMNS_MIN: u16 = 16;

/// Where what a key does begins.
const COLUMN_WIDE: u16 = 26;
/// The same on a narrow terminal.
const COLUMN_NARROW: u16 = 8;

/// The help for a terminal of a certain size.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Help {
    /// Where it stands, border included.
    pub area: Rect,
    /// Whether there is room for a border.
    pub framed: bool,
    /// Where the rows stand.
    pub inner: Rect,
    /// The column, in `inner`, at which the right sides begin.
    pub column: u16,
    /// What it says: a left and a right side.
    pub rows: Vec<(String, String)>,
}

impl Help {
    /// Lays it out.
    #[must_use]
    pub fn new(whole: Rect) -> Self {
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
        let rows = lines().iter().flat_map(|line| rows(line, column.into(), cells)).collect();
        Self { area, framed, inner, column, rows }
    }

    /// The first row that is shown when it is scrolled to the end.
    #[must_use]
    pub fn last_top(&self) -> u16 {
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

fn lines() -> Vec<(String, String)> {
    let commands = COMMANDS.iter().map(|(command, says)| (format!(" {command}"), (*says).into()));
    let bindings = BINDINGS.iter().map(|binding| (keys(binding), binding.says.to_owned()));
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
        let lines = lines();
        let has = |text: &str| lines.iter().any(|(_, says)| says == text);
        assert!(BINDINGS.iter().all(|binding| has(binding.says)));
        assert!(COMMANDS.iter().all(|(_, says)| has(says)));
    }

    #[test]
    fn scrolled_to_the_end_the_last_row_is_shown() {
        for (columns, rows) in [(80, 24), (20, 5), (10, 3), (200, 100)] {
            let help = Help::new(Rect::new(0, 0, columns, rows));
            let shown = help.rows.len() - usize::from(help.last_top());
            assert!(shown <= usize::from(help.inner.height));
        }
    }
}
