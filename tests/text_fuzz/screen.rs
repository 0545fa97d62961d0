//! The same texts on the screen: drawn as the client draws, and read by a terminal.

use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

use chat_client::sanitize::Inert;
use chat_tests::pty::{Modes, Size, VtScreen};
use chat_tui::terminal::disputed::{DisputedRows, RowBackend};
use chat_tui::text;
use ratatui::backend::Backend;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

/// What stands in the last column of each row, where the client's own border would.
const BORDER: &str = "|";

/// The screens: a usual one, and one in which nearly everything wraps.
const SIZES: [Size; 2] = [Size { columns: 80, rows: 12 }, Size { columns: 11, rows: 12 }];

/// Frames until there are new terminals.
const FRAMES_OF_A_TERMINAL: u64 = 500;

/// The bytes that the client has written. A copy is the same place.
#[derive(Clone, Default, Debug)]
struct Written(Arc<Mutex<Vec<u8>>>);

impl Write for Written {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// All screens. What one text left on them, the next one is drawn over.
#[derive(Default)]
pub(crate) struct Screen {
    panes: Vec<Pane>,
    frames: u64,
}

/// One client and its terminal.
struct Pane {
    vt: VtScreen,
    before: Buffer,
    rows: DisputedRows,
    backend: RowBackend<Written>,
    written: Written,
}

impl Screen {
    /// The beginning of the text, drawn on each.
    pub(crate) fn shows(&mut self, text: &str) -> Result<(), String> {
        // A terminal remembers all that it was told.
        if self.frames.is_multiple_of(FRAMES_OF_A_TERMINAL) {
            self.panes = SIZES.map(Pane::new).into();
        }
        self.frames += 1;
        // This parser takes it for bytes that are no UTF-8, and draws nothing.
        let text = text.replace(char::REPLACEMENT_CHARACTER, "?");
        self.panes.iter_mut().try_for_each(|pane| pane.shows(&text))
    }
}

impl Pane {
    fn new(size: Size) -> Self {
        let written = Written::default();
        Self {
            vt: VtScreen::new(size),
            before: Buffer::empty(Rect::new(0, 0, size.columns, size.rows)),
            rows: DisputedRows::default(),
            backend: RowBackend::new(written.clone()),
            written,
        }
    }

    fn shows(&mut self, text: &str) -> Result<(), String> {
        let frame = self.drawn(text)?;
        let mut next = frame.clone();
        self.rows.mark(&mut next);
        let changes = self.before.diff(&next);
        self.backend.draw(changes.into_iter()).map_err(|error| error.to_string())?;
        self.before = next;
        let bytes = {
            let mut written = self.written.0.lock().unwrap_or_else(PoisonError::into_inner);
            std::mem::take(&mut *written)
        };
        self.vt.take_in(&bytes);
        self.is_as_counted(&frame)
    }

    /// A frame with the beginning of the text. Each line ends where it was counted to end.
    fn drawn(&self, text: &str) -> Result<Buffer, String> {
        let area = self.before.area;
        let mut buffer = Buffer::empty(area);
        let (cells, shown) = (area.width - 1, text::prepared(&Inert::lines(text)));
        for (y, range) in (0..area.height).zip(text::wrap(&shown, usize::from(cells), 0)) {
            let line = shown[range].trim_end_matches([' ', '\u{3000}']);
            let end = text::put(&mut buffer, 0, y, line, cells, Style::new());
            let counted = text::width(line);
            if counted <= usize::from(cells) && counted != usize::from(end) {
                return Err(format!("{line:?} is {end} cells wide and was counted as {counted}"));
            }
        }
        for y in 0..area.height {
            text::put(&mut buffer, cells, y, BORDER, 1, Style::new());
        }
        text::guard(&mut buffer);
        Ok(buffer)
    }

    /// The terminal was told nothing beside text, and has what is beyond dispute where it was drawn.
    fn is_as_counted(&self, frame: &Buffer) -> Result<(), String> {
        if let Some(oddity) = self.vt.oddities().first() {
            return Err(format!("the terminal was told {oddity}"));
        }
        if self.vt.modes() != Modes::default() {
            return Err("the terminal has other modes".to_owned());
        }
        let screen = self.vt.screen();
        for (row, y) in frame.content.chunks_exact(usize::from(frame.area.width)).zip(0..) {
            for (cell, x) in row.iter().zip(0..) {
                let symbol = cell.symbol();
                let has = screen.cell(y, x).map_or("", |cell| cell.contents());
                let is_plain = !text::is_disputed(symbol) && symbol != " ";
                if is_plain && has != symbol {
                    return Err(format!("{symbol:?} was drawn in {y}, {x}: there is {has:?}"));
                }
            }
        }
        Ok(())
    }
}
