//! The terminal, taken and given back.
//!
//! Owns the modes of the terminal: raw, alternate screen, bracketed paste, focus and wheel. They
//! are undone when [`Terminal`] is dropped, and when the program panics. It must not know what is
//! drawn.

pub mod disputed;
pub mod input;
pub mod keyboard;
mod sequence;

use std::io::{self, BufWriter, IsTerminal, Stdout, Write};
use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};

use crossterm::clipboard::CopyToClipboard;
use crossterm::cursor::Show;
use crossterm::event::{
    DisableBracketedPaste, DisableFocusChange, EnableBracketedPaste, EnableFocusChange,
};
use crossterm::style::Print;
use crossterm::terminal::{
    BeginSynchronizedUpdate, EndSynchronizedUpdate, EnterAlternateScreen, LeaveAlternateScreen,
    disable_raw_mode, enable_raw_mode,
};
use crossterm::{execute, queue};
use ratatui::Frame;

use disputed::{DisputedRows, RowBackend};

/// Bytes of a frame that are gathered before they are written: a whole screen in colour.
const FRAME_BYTES: usize = 64 * 1024;

/// Buttons and wheel, in SGR form; no motion, so that the pointer wakes nobody.
const MOUSE_ON: &str = "\x1b[?1000h\x1b[?1006h";
const MOUSE_OFF: &str = "\x1b[?1006l\x1b[?1000l";

/// Whether the modes are set now. Global, because the terminal is, and because a panic has
/// nothing else at hand.
static TAKEN: AtomicBool = AtomicBool::new(false);
static PANIC_HOOK: Once = Once::new();

/// The terminal, taken for the screen.
#[derive(Debug)]
pub struct Terminal {
    inner: ratatui::Terminal<RowBackend<BufWriter<Stdout>>>,
    rows: DisputedRows,
    mouse: bool,
}

/// Whether a person can be talked with here.
#[must_use]
pub fn is_interactive() -> bool {
    io::stdin().is_terminal() && io::stdout().is_terminal()
}

/// Why the screen would be unreadable here, if it would be.
#[must_use]
pub fn unfit(term: Option<&str>) -> Option<&'static str> {
    (term == Some("dumb")).then_some(
        "this terminal cannot show a screen (TERM=dumb); chat-tui --no-tui talks line by line",
    )
}

/// What to tell of a locale that may not show every character, as C programs would choose it.
#[must_use]
pub fn locale_warning(variable: impl Fn(&str) -> Option<String>) -> Option<String> {
    let set = |name: &str| variable(name).filter(|value| !value.is_empty());
    let chosen = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(set);
    let locale = chosen.unwrap_or_else(|| "C".to_owned());
    let lower = locale.to_lowercase();
    let is_utf8 = lower.contains("utf-8") || lower.contains("utf8");
    (!is_utf8).then(|| {
        format!(
            "the locale {locale} is not UTF-8: where characters look wrong, begin with \
             `LC_ALL=C.UTF-8 chat-tui`"
        )
    })
}

impl Terminal {
    /// Takes the terminal, and with `mouse` its buttons and its wheel.
    ///
    /// # Errors
    /// Those of the terminal; it is given back then.
    pub fn take(mouse: bool) -> io::Result<Self> {
        PANIC_HOOK.call_once(|| {
            let before = std::panic::take_hook();
            std::panic::set_hook(Box::new(move |panic| {
                give_back();
                before(panic);
            }));
        });
        set_modes(mouse)?;
        let writer = BufWriter::with_capacity(FRAME_BYTES, io::stdout());
        match ratatui::Terminal::new(RowBackend::new(writer)) {
            Ok(inner) => Ok(Self { inner, rows: DisputedRows::default(), mouse }),
            Err(error) => {
                give_back();
                Err(error)
            }
        }
    }

    /// Whether it is taken now: not between [`Self::lend`] and [`Self::retake`], nor after a panic
    /// anywhere in the program.
    #[must_use]
    pub fn is_taken(&self) -> bool {
        TAKEN.load(Ordering::SeqCst)
    }

    /// Its size: columns and rows.
    ///
    /// # Errors
    /// Those of the terminal.
    pub fn size(&self) -> io::Result<(u16, u16)> {
        crossterm::terminal::size()
    }

    /// Gives it to the shell for a while.
    pub fn lend(&mut self) {
        give_back();
    }

    /// Takes it again, and paints everything anew with the next frame.
    ///
    /// # Errors
    /// Those of the terminal.
    pub fn retake(&mut self) -> io::Result<()> {
        give_back();
        set_modes(self.mouse)?;
        self.repaint()
    }

    /// Forgets what is on the screen, so that the next frame paints every cell.
    ///
    /// # Errors
    /// Those of the terminal.
    pub fn repaint(&mut self) -> io::Result<()> {
        // `clear` would ask the terminal where the cursor is, and the answer would go to whoever
        // reads the keys.
        self.rows.forget();
        let size = self.inner.size()?;
        self.inner.resize(size.into())
    }

    /// Draws a frame, which appears at once or not at all where the terminal can do that.
    ///
    /// # Errors
    /// Those of the terminal.
    pub fn draw(&mut self, frame: impl FnOnce(&mut Frame<'_>)) -> io::Result<()> {
        queue!(self.inner.backend_mut(), BeginSynchronizedUpdate)?;
        let Self { inner, rows, .. } = self;
        inner.draw(|whole| {
            frame(whole);
            rows.mark(whole.buffer_mut());
        })?;
        queue!(self.inner.backend_mut(), EndSynchronizedUpdate)?;
        Write::flush(self.inner.backend_mut())
    }
}

impl Terminal {
    /// Gives a text to the clipboard (OSC 52), which works over SSH, too. A terminal that does not
    /// do that ignores it.
    ///
    /// # Errors
    /// Those of the terminal.
    pub fn copy(&mut self, text: &str) -> io::Result<()> {
        queue!(self.inner.backend_mut(), CopyToClipboard::to_clipboard_from(text))?;
        Write::flush(self.inner.backend_mut())
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        give_back();
    }
}

fn set_modes(mouse: bool) -> io::Result<()> {
    enable_raw_mode()?;
    TAKEN.store(true, Ordering::SeqCst);
    let entered = execute!(
        io::stdout(),
        EnterAlternateScreen,
        EnableBracketedPaste,
        EnableFocusChange,
        Print(if mouse { MOUSE_ON } else { "" })
    );
    if entered.is_err() {
        give_back();
    }
    entered
}

/// Undoes the modes if they are set. A terminal that is gone needs nothing back.
fn give_back() {
    if !TAKEN.swap(false, Ordering::SeqCst) {
        return;
    }
    let left = execute!(
        io::stdout(),
        Print(MOUSE_OFF),
        DisableFocusChange,
        DisableBracketedPaste,
        EndSynchronizedUpdate,
        LeaveAlternateScreen,
        Show
    );
    if let Err(gone) = left.and_then(|()| disable_raw_mode()) {
        tracing::debug!(error = %gone, "the terminal could not be given back");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_locale_without_utf_8_is_told_of() {
        let warning = |set: &'static [(&str, &str)]| {
            locale_warning(|name| {
                set.iter().find(|(set, _)| *set == name).map(|(_, value)| (*value).to_owned())
            })
        };
        assert_eq!(warning(&[("LANG", "da_DK.UTF-8")]), None);
        assert_eq!(warning(&[("LC_ALL", ""), ("LC_CTYPE", "C.utf8"), ("LANG", "C")]), None);
        assert!(
            warning(&[("LC_ALL", "C"), ("LANG", "da_DK.UTF-8")]).unwrap().contains("locale C ")
        );
        assert!(warning(&[("LANG", "de_DE.ISO-8859-1")]).unwrap().contains("de_DE.ISO-8859-1"));
        assert!(warning(&[]).is_some());
    }

    #[test]
    fn a_dumb_terminal_is_unfit() {
        assert!(unfit(Some("dumb")).is_some());
        assert_eq!((unfit(Some("linux")), unfit(None)), (None, None));
    }
}
