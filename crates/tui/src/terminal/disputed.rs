//! Rows that hold, or held, a cluster whose width terminals dispute.
//!
//! Terminals and multiplexers disagree about the cells of combining marks, joined emoji, flags and
//! characters that are newer than their tables. One that counts otherwise than this program leaves
//! pieces of such a row behind when only some of its cells are written. So a row of that kind is
//! never patched: when anything on it changes it is erased and written whole, each cluster behind a
//! disputed one at a stated column. What is on the screen then depends on the row alone, not on
//! what stood there before.
//!
//! [`DisputedRows`] says which cells are to be written, [`RowBackend`] writes them.

use std::io::{self, Write};

use crossterm::cursor::MoveTo;
use crossterm::queue;
use crossterm::terminal::{Clear, ClearType as TerminalClear};
use ratatui::backend::{Backend, ClearType, CrosstermBackend, WindowSize};
use ratatui::buffer::{Buffer, Cell, CellDiffOption};
use ratatui::layout::{Position, Rect, Size};

use crate::text;

/// What the rows showed that need care: their cells, or nothing for rows that are beyond dispute.
#[derive(Default, Debug)]
pub struct DisputedRows {
    /// The size of the screen, which is cleared when it changes.
    area: Rect,
    shown: Vec<Option<Box<[Cell]>>>,
}

impl DisputedRows {
    /// Forgets what is on the screen: it was cleared, or it is another screen.
    pub fn forget(&mut self) {
        self.shown.clear();
    }

    /// Marks the cells of a frame: those of a disputed row that has changed are written all, those
    /// of one that has not are left alone.
    pub fn mark(&mut self, buffer: &mut Buffer) {
        let (width, height) = (usize::from(buffer.area.width), usize::from(buffer.area.height));
        if self.area != buffer.area {
            self.forget();
            self.area = buffer.area;
        }
        debug_assert_eq!(buffer.content.len(), width * height, "a frame has all its cells");
        self.shown.resize_with(height, || None);
        if width == 0 {
            return;
        }
        for (row, shown) in buffer.content.chunks_exact_mut(width).zip(&mut self.shown) {
            let is_disputed = row.iter().any(|cell| text::is_disputed(cell.symbol()));
            match shown {
                None if !is_disputed => {}
                Some(before) if before[..] == row[..] => leave(row),
                _ => {
                    *shown = is_disputed.then(|| row.to_vec().into_boxed_slice());
                    rewrite(row);
                }
            }
        }
    }
}

fn leave(row: &mut [Cell]) {
    for cell in row {
        cell.set_diff_option(CellDiffOption::Skip);
    }
}

/// Every cluster is written; the cells that it covers are not.
fn rewrite(row: &mut [Cell]) {
    let mut column = 0;
    while column < row.len() {
        let width = text::grapheme_width(row[column].symbol()).max(1);
        row[column].set_diff_option(CellDiffOption::AlwaysUpdate);
        let end = (column + width).min(row.len());
        leave(&mut row[column + 1..end]);
        column = end;
    }
}

/// A backend that erases a row before it is written whole, and says where each cluster behind a
/// disputed one stands.
#[derive(Debug)]
pub struct RowBackend<W: Write> {
    inner: CrosstermBackend<W>,
}

impl<W: Write> RowBackend<W> {
    /// A backend that writes to this.
    #[must_use]
    pub fn new(writer: W) -> Self {
        Self { inner: CrosstermBackend::new(writer) }
    }

    /// Writes neighbouring cells. It ends with plain attributes.
    fn write_run(&mut self, run: &mut Vec<(u16, u16, &Cell)>) -> io::Result<()> {
        if run.is_empty() {
            return Ok(());
        }
        self.inner.draw(run.drain(..))
    }
}

impl<W: Write> Write for RowBackend<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Write::write(&mut self.inner, bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Write::flush(&mut self.inner)
    }
}

impl<W: Write> Backend for RowBackend<W> {
    type Error = io::Error;

    fn draw<'a, I>(&mut self, content: I) -> io::Result<()>
    where
        I: Iterator<Item = (u16, u16, &'a Cell)>,
    {
        let mut run: Vec<(u16, u16, &Cell)> = Vec::new();
        let mut erased = None;
        for (x, y, cell) in content {
            if cell.diff_option == CellDiffOption::AlwaysUpdate && erased != Some(y) {
                // The run before it ends with plain attributes, so the row is erased to the
                // terminal's own background.
                self.write_run(&mut run)?;
                queue!(self.inner, MoveTo(0, y), Clear(TerminalClear::CurrentLine))?;
                erased = Some(y);
            }
            run.push((x, y, cell));
            if text::is_disputed(cell.symbol()) {
                // The next run begins by moving the cursor, wherever the terminal believes it is.
                self.write_run(&mut run)?;
            }
        }
        self.write_run(&mut run)
    }

    fn hide_cursor(&mut self) -> io::Result<()> {
        self.inner.hide_cursor()
    }

    fn show_cursor(&mut self) -> io::Result<()> {
        self.inner.show_cursor()
    }

    fn get_cursor_position(&mut self) -> io::Result<Position> {
        self.inner.get_cursor_position()
    }

    fn set_cursor_position<P: Into<Position>>(&mut self, position: P) -> io::Result<()> {
        self.inner.set_cursor_position(position)
    }

    fn clear(&mut self) -> io::Result<()> {
        self.inner.clear()
    }

    fn clear_region(&mut self, clear_type: ClearType) -> io::Result<()> {
        self.inner.clear_region(clear_type)
    }

    fn size(&self) -> io::Result<Size> {
        self.inner.size()
    }

    fn window_size(&mut self) -> io::Result<WindowSize> {
        self.inner.window_size()
    }

    fn flush(&mut self) -> io::Result<()> {
        Backend::flush(&mut self.inner)
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::rc::Rc;

    use ratatui::style::Style;

    use super::*;

    /// What was written, for the test to read.
    #[derive(Clone, Default)]
    struct Written(Rc<RefCell<Vec<u8>>>);

    impl Write for Written {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.borrow_mut().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// Draws frames as the terminal does, and gives the bytes of each.
    struct Screen {
        rows: DisputedRows,
        before: Buffer,
        written: Written,
        backend: RowBackend<Written>,
    }

    impl Screen {
        fn new(width: u16, height: u16) -> Self {
            let written = Written::default();
            let before = Buffer::empty(Rect::new(0, 0, width, height));
            let backend = RowBackend::new(written.clone());
            Self { rows: DisputedRows::default(), before, written, backend }
        }

        fn draw(&mut self, lines: &[&str]) -> String {
            let mut next = Buffer::empty(self.before.area);
            for (y, line) in (0..).zip(lines) {
                text::put(&mut next, 0, y, line, self.before.area.width, Style::new());
            }
            text::guard(&mut next);
            self.rows.mark(&mut next);
            self.backend.draw(self.before.diff(&next).into_iter()).unwrap();
            self.before = next;
            String::from_utf8(std::mem::take(&mut *self.written.0.borrow_mut())).unwrap()
        }
    }

    const ERASED: &str = "\x1b[2K";

    #[test]
    fn a_plain_row_that_follows_a_disputed_one_is_erased_and_written_whole() {
        let mut screen = Screen::new(12, 2);
        screen.draw(&["ภาษา end|", "plain"]);
        let bytes = screen.draw(&["nothing end|", "plain!"]);
        assert!(bytes.contains(&format!("\x1b[1;1H{ERASED}\x1b[1;1Hnothing end|")), "{bytes:?}");
        assert_eq!(bytes.matches(ERASED).count(), 1, "the row below was never disputed: {bytes:?}");
        assert!(!screen.draw(&["nothing more", "plain!"]).contains(ERASED));
    }

    #[test]
    fn a_disputed_row_that_does_not_change_costs_nothing() {
        let mut screen = Screen::new(12, 2);
        let first = screen.draw(&["🇩🇪🇫🇷 end|", "a"]);
        assert!(first.contains(ERASED));
        let second = screen.draw(&["🇩🇪🇫🇷 end|", "b"]);
        assert!(!second.contains("end") && !second.contains(ERASED), "{second:?}");
        let third = screen.draw(&["🇩🇪🇫🇷 end!", "b"]);
        assert!(third.contains(ERASED) && third.contains("🇫🇷"), "{third:?}");
    }

    #[test]
    fn what_stands_behind_a_disputed_cluster_is_put_at_its_column() {
        let mut screen = Screen::new(12, 1);
        let bytes = screen.draw(&["👨\u{200D}👩\u{200D}👧ok"]);
        assert!(bytes.contains("\x1b[1;3Hok"), "{bytes:?}");
    }

    #[test]
    fn a_screen_that_was_forgotten_is_written_as_the_first_one_was() {
        let mut screen = Screen::new(20, 2);
        let lines = ["क्षत्रिय हिन्दी end|", "ok"];
        let first = screen.draw(&lines);
        screen.draw(&["plain", "ok"]);
        screen.rows.forget();
        screen.before = Buffer::empty(screen.before.area);
        assert_eq!(screen.draw(&lines), first);
    }
}
