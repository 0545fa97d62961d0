//! What a terminal shows and was told: the cells, the modes, and everything beside text.
//!
//! Owns the parser and every byte that it got, so that each frame can be looked at again. It must
//! not know where the bytes come from.

use std::collections::BTreeSet;
use std::num::NonZeroU16;

use vt100::{Callbacks, Parser, Screen};

use super::Size;

/// The private mode in which a terminal shows nothing until the frame is whole.
const SYNCHRONIZED_UPDATE: u16 = 2026;

/// A terminal's far side.
pub struct VtScreen {
    parser: Parser<Told>,
    opened: Size,
    size: Size,
    taken_in: usize,
    script: Vec<Step>,
}

/// What happened to the terminal, in order.
enum Step {
    Bytes(Vec<u8>),
    Resized(Size),
}

/// How a terminal is set, apart from what it shows.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Modes {
    alternate_screen: bool,
    cursor_hidden: bool,
    /// Keypad, cursor keys, paste, mouse and the cursor's shape; then colours and emphasis.
    known: String,
    /// Private modes that the parser has no name for, such as reports of the focus.
    others: BTreeSet<u16>,
}

impl Default for Modes {
    fn default() -> Self {
        VtScreen::new(Size::USUAL).modes()
    }
}

impl VtScreen {
    /// A terminal of this size.
    #[must_use]
    pub fn new(size: Size) -> Self {
        let (rows, columns) = (cells(size.rows), cells(size.columns));
        let parser = Parser::new_with_callbacks(rows, columns, 0, Told::default());
        Self { parser, opened: size, size, taken_in: 0, script: Vec::new() }
    }

    /// Takes in what a program has written.
    pub fn take_in(&mut self, bytes: &[u8]) {
        self.parser.process(bytes);
        self.taken_in += bytes.len();
        self.script.push(Step::Bytes(bytes.to_owned()));
    }

    pub(super) fn resize(&mut self, size: Size) {
        self.parser.set_size(cells(size.rows), cells(size.columns));
        self.size = size;
        self.script.push(Step::Resized(size));
    }

    /// The cells, the cursor and the modes that the parser knows.
    #[must_use]
    pub fn screen(&self) -> &Screen {
        self.parser.screen()
    }

    /// How large it is.
    #[must_use]
    pub fn size(&self) -> Size {
        self.size
    }

    /// Bytes that it got.
    #[must_use]
    pub fn taken_in(&self) -> usize {
        self.taken_in
    }

    /// Whether a frame is being drawn.
    #[must_use]
    pub fn is_drawing(&self) -> bool {
        self.told().modes.contains(&SYNCHRONIZED_UPDATE)
    }

    /// How it is set.
    #[must_use]
    pub fn modes(&self) -> Modes {
        let screen = self.screen();
        Modes {
            alternate_screen: screen.alternate_screen(),
            cursor_hidden: screen.hide_cursor(),
            known: screen.input_mode_formatted() + &screen.attributes_formatted(),
            others: self.told().modes.clone(),
        }
    }

    /// What it was told beside text and what this program may well say: titles, bells, the
    /// clipboard, sequences that the parser does not know.
    #[must_use]
    pub fn oddities(&self) -> &[String] {
        &self.told().oddities
    }

    /// Another one that got the same, to compare with later.
    #[must_use]
    pub fn again(&self) -> Self {
        let mut again = Self::new(self.opened);
        for step in &self.script {
            match step {
                Step::Resized(size) => again.resize(*size),
                Step::Bytes(bytes) => again.take_in(bytes),
            }
        }
        again
    }

    /// Looks at every frame again, from the first on, as it was when it was whole. A frame that
    /// was drawn for another size is left out.
    pub fn frames(&self, mut look: impl FnMut(&Screen)) {
        let mut again = Self::new(self.opened);
        for step in &self.script {
            match step {
                Step::Resized(size) => again.resize(*size),
                Step::Bytes(bytes) => again.replay(bytes, &mut look),
            }
        }
    }

    fn replay(&mut self, bytes: &[u8], look: &mut impl FnMut(&Screen)) {
        for byte in bytes {
            let was_drawing = self.is_drawing();
            self.parser.process(&[*byte]);
            if was_drawing && !self.is_drawing() {
                look(self.screen());
            }
        }
    }

    fn told(&self) -> &Told {
        self.parser.callbacks()
    }
}

/// What the parser hears and does not act upon.
#[derive(Default)]
struct Told {
    modes: BTreeSet<u16>,
    oddities: Vec<String>,
}

impl Told {
    fn odd(&mut self, what: String) {
        self.oddities.push(what);
    }
}

impl Callbacks for Told {
    fn audible_bell(&mut self, _: &mut Screen) {
        self.odd("bell".to_owned());
    }

    fn visual_bell(&mut self, _: &mut Screen) {
        self.odd("visual bell".to_owned());
    }

    fn resize(&mut self, _: &mut Screen, size: (u16, u16)) {
        self.odd(format!("resize to {size:?}"));
    }

    fn set_window_icon_name(&mut self, _: &mut Screen, name: &[u8]) {
        self.odd(format!("icon name {:?}", String::from_utf8_lossy(name)));
    }

    fn set_window_title(&mut self, _: &mut Screen, title: &[u8]) {
        self.odd(format!("title {:?}", String::from_utf8_lossy(title)));
    }

    fn copy_to_clipboard(&mut self, _: &mut Screen, _: &[u8], data: &[u8]) {
        self.odd(format!("clipboard {:?}", String::from_utf8_lossy(data)));
    }

    fn paste_from_clipboard(&mut self, _: &mut Screen, _: &[u8]) {
        self.odd("asks for the clipboard".to_owned());
    }

    fn unhandled_char(&mut self, _: &mut Screen, character: char) {
        self.odd(format!("character {character:?}"));
    }

    fn unhandled_control(&mut self, _: &mut Screen, byte: u8) {
        self.odd(format!("control {byte:#x}"));
    }

    fn unhandled_escape(&mut self, _: &mut Screen, i1: Option<u8>, i2: Option<u8>, byte: u8) {
        self.odd(format!("escape {i1:?} {i2:?} {byte:#x}"));
    }

    fn unhandled_csi(
        &mut self,
        _: &mut Screen,
        i1: Option<u8>,
        i2: Option<u8>,
        params: &[&[u16]],
        last: char,
    ) {
        let private = (i1, i2) == (Some(b'?'), None);
        match (private, last) {
            (true, 'h') => self.modes.extend(params.iter().copied().flatten()),
            (true, 'l') => {
                let gone = |mode: &u16| params.iter().copied().flatten().any(|off| off == mode);
                self.modes.retain(|mode| !gone(mode));
            }
            // The usual colour of underlines: of no consequence.
            (false, 'm') if params == [[59]] => {}
            _ => self.odd(format!("CSI {i1:?} {i2:?} {params:?} {last}")),
        }
    }

    fn unhandled_osc(&mut self, _: &mut Screen, params: &[&[u8]]) {
        let params: Vec<_> = params.iter().map(|param| String::from_utf8_lossy(param)).collect();
        self.odd(format!("OSC {params:?}"));
    }
}

/// Whether a text is on the screen, in one row or wrapped.
pub(super) fn has(screen: &Screen, text: &str) -> bool {
    // Marks that keep right-to-left text in its place show nothing.
    let contents = screen.contents().replace('\u{200e}', "");
    // Panes stand beside each other; the words of a pane are together when the border is gone.
    let is_between = |c: char| c.is_whitespace() || ('─'..='╿').contains(&c);
    let words: Vec<&str> = contents.split(is_between).collect();
    let words: Vec<&str> = words.into_iter().filter(|word| !word.is_empty()).collect();
    contents.contains(text) || words.join(" ").contains(text)
}

fn cells(count: u16) -> NonZeroU16 {
    NonZeroU16::new(count).unwrap_or(NonZeroU16::MIN)
}
