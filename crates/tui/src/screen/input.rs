//! The line that is typed: editing by grapheme clusters, undo, kill and yank, and what was sent.
//!
//! Owns the text and the cursor. ratatui-textarea does the editing, character by character; this
//! module keeps the cursor between grapheme clusters and lays the text out for the view.

use std::collections::VecDeque;

use ratatui_textarea::{CursorMove, TextArea};
use unicode_segmentation::UnicodeSegmentation;

use super::keys::Edit;
use super::sanitize;
use crate::text;

/// Sent texts that Up brings back.
pub const SENT_MAX: usize = 200;

/// Steps that can be undone.
const UNDO_MAX: usize = 500;

/// What is typed.
#[derive(Debug)]
pub struct Input {
    area: TextArea<'static>,
    sent: VecDeque<String>,
    /// Which of the sent texts is shown, from the last, and what was typed before.
    recalled: Option<(usize, String)>,
}

/// The text as it is laid out, and the cell of the cursor.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LaidOut {
    /// The lines as they are drawn, none wider than the input.
    pub lines: Vec<String>,
    /// The line that the cursor is on, from 0.
    pub row: usize,
    /// The cell of that line that the cursor is in, from 0.
    pub column: usize,
}

impl Default for Input {
    fn default() -> Self {
        Self { area: new_area(Vec::new()), sent: VecDeque::new(), recalled: None }
    }
}

fn new_area(lines: Vec<String>) -> TextArea<'static> {
    let mut area = TextArea::new(lines);
    area.set_max_histories(UNDO_MAX);
    area
}

impl Input {
    /// What is typed.
    #[must_use]
    pub fn text(&self) -> String {
        self.area.lines().join("\n")
    }

    /// Whether nothing is typed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.area.is_empty()
    }

    /// Whether the cursor is behind everything that is typed.
    #[must_use]
    pub fn is_at_end(&self) -> bool {
        let (row, _) = self.cursor();
        row + 1 >= self.area.lines().len() && self.after_cursor().is_empty()
    }

    /// Takes what is typed away. What was put aside for a recalled text can be recalled itself.
    pub fn take(&mut self) -> String {
        let text = self.text();
        if let Some(aside) = self.put_aside().map(str::to_owned) {
            self.remember(&aside);
        }
        self.put("");
        text
    }

    /// What was typed and not sent: not a sent text that is only looked at.
    #[must_use]
    pub fn draft(&self) -> String {
        match &self.recalled {
            Some((nth, typed)) if self.is_as_sent(*nth) => typed.clone(),
            Some(_) | None => self.text(),
        }
    }

    /// What was typed before a sent text was recalled and changed.
    #[must_use]
    pub fn put_aside(&self) -> Option<&str> {
        let (nth, typed) = self.recalled.as_ref()?;
        (!typed.is_empty() && !self.is_as_sent(*nth)).then_some(typed)
    }

    /// What was sent, the newest last.
    #[must_use]
    pub fn sent(&self) -> &VecDeque<String> {
        &self.sent
    }

    fn is_as_sent(&self, nth: usize) -> bool {
        self.sent.iter().rev().nth(nth).is_some_and(|sent| *sent == self.text())
    }

    /// Puts a text in the place of what is typed; the cursor goes to its end. What was killed can
    /// still be yanked.
    pub fn put(&mut self, text: &str) {
        let yank = self.area.yank_text();
        self.area = new_area(text.split('\n').map(str::to_owned).collect());
        self.area.set_yank_text(yank);
        self.area.move_cursor(CursorMove::Bottom);
        self.area.move_cursor(CursorMove::End);
        self.recalled = None;
    }

    /// Remembers a text that was sent, so that Up brings it back.
    pub fn remember(&mut self, text: &str) {
        if self.sent.back().is_none_or(|last| last != text) {
            self.sent.push_back(text.to_owned());
        }
        if self.sent.len() > SENT_MAX {
            self.sent.pop_front();
        }
        debug_assert!(self.sent.len() <= SENT_MAX, "one comes at a time");
    }

    /// Takes in one typed character.
    pub fn type_char(&mut self, character: char) {
        if !character.is_control() {
            self.area.insert_char(character);
        }
    }

    /// Takes in pasted text as it is, but for control characters, which no person has typed.
    pub fn paste(&mut self, pasted: &str) {
        self.area.insert_str(typeable(pasted));
    }

    /// The bytes of what is typed.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let lines = self.area.lines();
        lines.iter().map(String::len).sum::<usize>() + lines.len().saturating_sub(1)
    }

    /// Begins a line behind everything that is typed, unless the last one is empty.
    pub fn begin_line(&mut self) {
        self.area.move_cursor(CursorMove::Bottom);
        self.area.move_cursor(CursorMove::End);
        if self.area.lines().last().is_some_and(|last| !last.is_empty()) {
            self.area.insert_newline();
        }
    }

    /// Carries out an edit.
    pub fn edit(&mut self, edit: Edit) {
        match edit {
            Edit::Left => self.step(Direction::Back),
            Edit::Right => self.step(Direction::Forward),
            Edit::WordLeft => self.area.move_cursor(CursorMove::WordBack),
            Edit::WordRight => self.area.move_cursor(CursorMove::WordForward),
            Edit::LineStart => self.area.move_cursor(CursorMove::Head),
            Edit::LineEnd => self.area.move_cursor(CursorMove::End),
            Edit::Up => self.up(),
            Edit::Down => self.down(),
            Edit::Newline => self.area.insert_newline(),
            Edit::DeleteLeft => self.delete_left(),
            Edit::DeleteRight => self.delete_right(),
            Edit::KillWordLeft => done(self.area.delete_word()),
            Edit::KillWordRight => done(self.area.delete_next_word()),
            Edit::KillToStart => done(self.area.delete_line_by_head()),
            Edit::KillToEnd => done(self.area.delete_line_by_end()),
            Edit::Yank => done(self.area.paste()),
            Edit::Undo => done(self.area.undo()),
            Edit::Redo => done(self.area.redo()),
        }
        self.snap();
    }

    /// How many rows the text takes.
    #[must_use]
    pub fn height(&self, cells: u16) -> usize {
        self.lay_out(cells).lines.len()
    }

    /// The text in lines of at most `cells`, as it is shown.
    #[must_use]
    pub fn lay_out(&self, cells: u16) -> LaidOut {
        let cells = usize::from(cells.max(1));
        let (cursor_line, _) = self.cursor();
        let mut laid_out = LaidOut { lines: Vec::new(), row: 0, column: 0 };
        for (nth, line) in self.area.lines().iter().enumerate() {
            let shown = text::prepared(&sanitize::text(line));
            let ranges = text::wrap(&shown, cells, 0);
            debug_assert!(!ranges.is_empty(), "the cursor has a line to stand on");
            if nth == cursor_line {
                let before = text::prepared(&sanitize::text(self.before_cursor()));
                let row = ranges.partition_point(|range| range.start <= before.len()).max(1) - 1;
                let start = ranges[row].start;
                let column = text::width(before.get(start..).unwrap_or_default());
                laid_out.row = laid_out.lines.len() + row;
                laid_out.column = column.min(cells);
            }
            laid_out.lines.extend(ranges.into_iter().map(|range| shown[range].to_owned()));
        }
        if laid_out.column == cells {
            // Behind a full line: the cursor stands at the start of the next.
            laid_out.row += 1;
            laid_out.column = 0;
            laid_out.lines.insert(laid_out.row, String::new());
        }
        debug_assert!(laid_out.row < laid_out.lines.len(), "the cursor stands on a line");
        debug_assert!(laid_out.column < cells, "the cursor stands inside the input");
        laid_out
    }

    fn cursor(&self) -> (usize, usize) {
        let cursor = self.area.cursor();
        (cursor.0, cursor.1)
    }

    fn before_cursor(&self) -> &str {
        let (row, column) = self.cursor();
        let line = self.area.lines().get(row).map_or("", String::as_str);
        let byte = line.char_indices().nth(column).map_or(line.len(), |(byte, _)| byte);
        &line[..byte]
    }

    fn after_cursor(&self) -> &str {
        let (row, _) = self.cursor();
        let line = self.area.lines().get(row).map_or("", String::as_str);
        &line[self.before_cursor().len()..]
    }

    fn step(&mut self, direction: Direction) {
        let neighbour = match direction {
            Direction::Back => self.before_cursor().graphemes(true).next_back(),
            Direction::Forward => self.after_cursor().graphemes(true).next(),
        };
        let chars = neighbour.map_or(1, |grapheme| grapheme.chars().count());
        let step = match direction {
            Direction::Back => CursorMove::Back,
            Direction::Forward => CursorMove::Forward,
        };
        for _ in 0..chars {
            self.area.move_cursor(step);
        }
    }

    fn delete_left(&mut self) {
        match self.before_cursor().graphemes(true).next_back().map(|g| g.chars().count()) {
            None | Some(1) => done(self.area.delete_char()),
            Some(_several) => {
                self.step(Direction::Back);
                self.delete_right();
            }
        }
    }

    fn delete_right(&mut self) {
        match self.after_cursor().graphemes(true).next().map(|g| g.chars().count()) {
            None | Some(1) => done(self.area.delete_next_char()),
            Some(several) => {
                let yank = self.area.yank_text();
                done(self.area.delete_str(several));
                self.area.set_yank_text(yank);
            }
        }
    }

    /// Keeps the cursor between grapheme clusters: moving by lines and words may leave it inside.
    fn snap(&mut self) {
        let (row, _) = self.cursor();
        let line = self.area.lines().get(row).map_or("", String::as_str);
        let byte = self.before_cursor().len();
        let boundaries = line.grapheme_indices(true).map(|(start, _)| start);
        let inside = boundaries.take_while(|&start| start <= byte).last();
        let start = if byte == line.len() { byte } else { inside.unwrap_or(0) };
        debug_assert!(start <= byte, "the cluster that the cursor is in begins before it");
        let back = line[start..byte].chars().count();
        for _ in 0..back {
            self.area.move_cursor(CursorMove::Back);
        }
    }

    fn up(&mut self) {
        if self.cursor().0 > 0 {
            return self.area.move_cursor(CursorMove::Up);
        }
        let nth = self.recalled.as_ref().map_or(0, |(nth, _)| nth + 1);
        self.recall(Some(nth));
    }

    fn down(&mut self) {
        if self.cursor().0 + 1 < self.area.lines().len() {
            return self.area.move_cursor(CursorMove::Down);
        }
        if let Some((nth, _)) = self.recalled {
            self.recall(nth.checked_sub(1));
        }
    }

    fn recall(&mut self, nth: Option<usize>) {
        let typed = match &self.recalled {
            Some((_, typed)) => typed.clone(),
            None => self.text(),
        };
        let Some(nth) = nth else {
            return self.put(&typed);
        };
        if let Some(text) = self.sent.iter().rev().nth(nth).cloned() {
            self.put(&text);
            self.recalled = Some((nth, typed));
        }
    }
}

/// Pasted text without what no person has typed.
#[must_use]
pub fn typeable(pasted: &str) -> String {
    let pasted = pasted.replace("\r\n", "\n").replace('\r', "\n");
    let typed = |character: &char| matches!(character, '\n' | '\t') || !character.is_control();
    pasted.chars().filter(typed).collect()
}

/// Which way the cursor goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Direction {
    Back,
    Forward,
}

/// Says that it does not matter whether an edit changed anything.
fn done(_changed: bool) {}
