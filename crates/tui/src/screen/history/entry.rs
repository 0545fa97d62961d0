//! One thing that stands in a room's history: a message, or a line that the screen itself says.
//!
//! Owns its text as shown and how that text wraps. It knows neither its neighbours nor colours.

use std::borrow::Cow;
use std::cell::{Ref, RefCell};

use chat_client::sanitize::Inert;
use chat_proto::{AccountId, MessageId, TextKind};
use jiff::civil::DateTime;

use super::place::Place;
use super::span::{SpanKind, Spanned};
use crate::text::{self, Line};

/// What has become of an own message.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum SendMark {
    /// Not noted down in the outbox yet: it would not survive the end of the program.
    Typed,
    /// Noted down and not committed, as far as is known: it waits, or its answer does.
    Waiting,
    /// Committed by the server.
    Committed,
    /// Refused for good.
    Refused,
}

/// What kind of thing an entry is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Kind {
    /// Somebody else's message.
    Message {
        /// The nickname as shown.
        from: Inert,
        /// Whether it names the reader.
        mention: bool,
    },
    /// The reader's own message.
    Own(SendMark),
    /// Something about the room: who came and went.
    Notice,
    /// An answer to a command, or a word about the connection.
    Answer,
    /// Something that went wrong.
    Trouble,
}

/// How entries are laid out in a pane of a certain width.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Columns {
    /// The cells of the pane.
    pub cells: usize,
    /// The cells of the time and the space after it; 0: no time is shown.
    pub time: usize,
    /// The cells of the name and the space after it; 0: the name stands in the text.
    pub name: usize,
}

/// From this many cells on, the lines of an entry but the first are indented by two cells.
const HANGING_FROM_CELLS: usize = 16;
/// From this many cells on, by one: what somebody writes must never look like the first line of
/// another entry.
const INDENTED_FROM_CELLS: usize = 4;
/// From this many cells on, the time has a column.
const TIME_FROM_CELLS: usize = 30;
/// From this many cells on, the name has a column.
const NAME_FROM_CELLS: usize = 40;
/// What the ranges of an entry's lines take, at the most while it is folded.
const LINES_BYTES: usize = 256;
/// Cells that an own message keeps free for its mark, so that no mark ever changes its height.
pub const MARK_CELLS: usize = 3;
/// How an own message names its sender.
pub const YOU: &str = "you";

impl Columns {
    /// The layout for a pane that is `cells` wide.
    #[must_use]
    pub fn for_cells(cells: u16) -> Self {
        let cells = usize::from(cells.max(1));
        let name = match cells {
            0..NAME_FROM_CELLS => 0,
            NAME_FROM_CELLS..100 => 8,
            _ => 12,
        };
        let time = if cells < TIME_FROM_CELLS { 0 } else { 6 };
        Self { cells, time, name }
    }

    /// The column at which every line but an entry's first begins.
    fn hanging(self) -> usize {
        match (self.time, self.name) {
            (0, 0) if self.cells < INDENTED_FROM_CELLS => 0,
            (0, 0) if self.cells < HANGING_FROM_CELLS => 1,
            (0, 0) => 2,
            (time, name) => time + name,
        }
    }
}

/// Lines of a text from which on it is folded.
const FOLDED_FROM_LINES: usize = 40;
/// Lines that a folded text shows, but for the one that says how many it hides.
const FOLDED_LINES: usize = 20;
const _: () = assert!(FOLDED_LINES + 1 < FOLDED_FROM_LINES, "what is folded becomes shorter");

/// The lines of an entry for one layout.
#[derive(Debug)]
struct Wrapped {
    columns: Columns,
    lines: Vec<Line>,
    /// How many lines are hidden; in their place is the one of index [`FOLDED_LINES`].
    hidden: usize,
}

/// A message, or a line that the screen says.
#[derive(Debug)]
pub struct Entry {
    /// Where it stands in the order of the history.
    pub place: Place,
    /// The id, if it is a message that has one.
    pub id: Option<MessageId>,
    /// When, by the reader's clock on the wall.
    pub time: DateTime,
    /// Whose it is, and what has become of it.
    pub kind: Kind,
    /// Who said it, if it is a message of somebody else.
    author: Option<AccountId>,
    /// How a message is meant. It stands beside the name, where no text can imitate it.
    meant_as: TextKind,
    text: Spanned,
    /// Whether a long text is shown whole.
    unfolded: bool,
    wrapped: RefCell<Option<Wrapped>>,
}

impl Entry {
    /// An entry with a text, which is made inert.
    #[must_use]
    pub fn new(
        place: Place,
        id: Option<MessageId>,
        time: DateTime,
        kind: Kind,
        text: &str,
    ) -> Self {
        let text = spanned(&kind, text);
        let (meant_as, wrapped) = (TextKind::Say, RefCell::new(None));
        Self { place, id, time, kind, author: None, meant_as, text, unfolded: false, wrapped }
    }

    /// Whose message it is.
    #[must_use]
    pub fn said_by(self, author: AccountId) -> Self {
        Self { author: Some(author), ..self }
    }

    /// Whether it is a message of this account, and not older than that.
    #[must_use]
    pub fn is_said_by(&self, author: AccountId, since: Option<DateTime>) -> bool {
        let is_his = self.author == Some(author) && self.is_message();
        is_his && since.is_none_or(|since| self.time >= since)
    }

    /// The same as something that is done, or that a program says.
    #[must_use]
    pub fn meant_as(self, meant_as: TextKind) -> Self {
        Self { meant_as, wrapped: RefCell::new(None), ..self }
    }

    /// Gives it another text, which is made inert, and kind. Whether it is folded stays.
    pub fn amend(&mut self, kind: Kind, text: &str) {
        self.text = spanned(&kind, text);
        self.kind = kind;
        self.wrapped = RefCell::new(None);
    }

    /// Marks an own message as refused, for a reason, which is made one inert line.
    pub fn refuse(&mut self, reason: &str) {
        self.kind = Kind::Own(SendMark::Refused);
        self.text.truncate(self.said_bytes());
        self.text.push("\n");
        self.text
            .push_span(SpanKind::Reason, &format!("✗ {}", text::prepared(&Inert::line(reason))));
        self.wrapped = RefCell::new(None);
    }

    /// The memory that it takes: an estimate, the same for as long as its text is.
    #[must_use]
    pub fn bytes(&self) -> usize {
        size_of::<Self>() + LINES_BYTES + self.text.bytes()
    }

    /// Whether it is a message, not a word of the screen.
    #[must_use]
    pub fn is_message(&self) -> bool {
        matches!(self.kind, Kind::Message { .. } | Kind::Own(_))
    }

    /// What is said, as shown.
    #[must_use]
    pub fn text(&self) -> &str {
        self.text.as_str()
    }

    /// The bytes of the text before the reason of a refusal.
    fn said_bytes(&self) -> usize {
        let Some(start) = self.text.start_of(SpanKind::Reason) else { return self.text().len() };
        debug_assert!(self.text()[..start].ends_with('\n'), "the reason has a line of its own");
        start - 1
    }

    /// The parts of the text that a line shows, each with how it is meant.
    pub fn parts(
        &self,
        columns: Columns,
        line: usize,
    ) -> impl Iterator<Item = (&str, Option<SpanKind>)> {
        let range = self.lines(columns).get(line).map(|line| line.range.clone());
        let range = range.unwrap_or_default();
        let shown = self.text()[range.clone()].trim_end_matches(' ').len();
        self.text.parts(range.start..range.start + shown)
    }

    /// How many lines of the text are hidden, if this line stands for them.
    #[must_use]
    pub fn hidden(&self, columns: Columns, line: usize) -> Option<usize> {
        let hidden = self.wrapped(columns).hidden;
        (hidden > 0 && line == FOLDED_LINES).then_some(hidden)
    }

    /// Whether the text is so long that it is folded, or would be.
    #[must_use]
    pub fn is_long(&self, columns: Columns) -> bool {
        let wrapped = self.wrapped(columns);
        wrapped.hidden > 0 || wrapped.lines.len() > FOLDED_FROM_LINES
    }

    /// Shows a long text whole, or folds it again.
    pub fn fold_or_unfold(&mut self) {
        self.unfolded = !self.unfolded;
        self.wrapped = RefCell::new(None);
    }

    /// How many lines it takes.
    #[must_use]
    pub fn height(&self, columns: Columns) -> usize {
        self.lines(columns).len()
    }

    /// The line that shows a byte of the text.
    #[must_use]
    pub fn line_of_byte(&self, columns: Columns, byte: usize) -> usize {
        let lines = self.lines(columns);
        lines.partition_point(|line| line.range.start <= byte).saturating_sub(1)
    }

    /// The first byte of the text that a line shows. Two lines may begin at the same byte (a name
    /// may leave no room beside it); [`Self::line_of_byte`] then gives the later one.
    #[must_use]
    pub fn byte_of_line(&self, columns: Columns, line: usize) -> usize {
        self.lines(columns).get(line).map_or(0, |line| line.range.start)
    }

    /// The sender's name as it stands before the text, with a mark that no name has where a
    /// message is not just said.
    #[must_use]
    pub fn sender(&self) -> Cow<'_, str> {
        let name = match &self.kind {
            Kind::Message { from, .. } => from.as_str(),
            Kind::Own(_) => YOU,
            Kind::Notice | Kind::Answer => return Cow::Borrowed("--"),
            Kind::Trouble => return Cow::Borrowed("!!"),
        };
        match self.meant_as {
            TextKind::Say => Cow::Borrowed(name),
            TextKind::Action => Cow::Owned(format!("*{name}")),
            TextKind::Notice => Cow::Owned(format!("[{name}]")),
        }
    }

    /// Whether a colon follows the sender where that has no column.
    #[must_use]
    pub fn has_colon(&self) -> bool {
        self.is_message() && self.meant_as != TextKind::Action
    }

    /// The column at which a line's text begins.
    #[must_use]
    pub fn indent(&self, columns: Columns, line: usize) -> usize {
        let is_flush = self.lines(columns).get(line).is_some_and(|line| line.is_flush);
        if is_flush { 0 } else { self.indent_of(columns, line) }
    }

    /// The same for a line that does not begin at the edge.
    fn indent_of(&self, columns: Columns, line: usize) -> usize {
        let hanging = columns.hanging();
        if line > 0 || columns.name > 0 {
            return hanging;
        }
        let gap = if self.has_colon() { 2 } else { 1 };
        let beside = columns.time + text::width(&self.sender()) + gap;
        beside.min(columns.cells)
    }

    fn lines(&self, columns: Columns) -> Ref<'_, [Line]> {
        Ref::map(self.wrapped(columns), |wrapped| &wrapped.lines[..])
    }

    fn wrapped(&self, columns: Columns) -> Ref<'_, Wrapped> {
        let stale = !matches!(&*self.wrapped.borrow(), Some(held) if held.columns == columns);
        if stale {
            *self.wrapped.borrow_mut() = Some(self.fold(columns));
        }
        Ref::map(self.wrapped.borrow(), |held| held.as_ref().expect("it was wrapped just now"))
    }

    /// Hides the later lines of a long text, but not the reason of a refusal behind them.
    fn fold(&self, columns: Columns) -> Wrapped {
        let (mut lines, said) = (self.wrap(columns), self.said_bytes());
        let body = lines.iter().take_while(|line| line.range.start <= said).count();
        if self.unfolded || body <= FOLDED_FROM_LINES {
            return Wrapped { columns, lines, hidden: 0 };
        }
        let first_hidden = lines[FOLDED_LINES].range.start;
        let fold = Line { range: first_hidden..first_hidden, is_flush: false };
        lines.splice(FOLDED_LINES..body, [fold]);
        lines.shrink_to_fit();
        Wrapped { columns, lines, hidden: body - FOLDED_LINES }
    }

    fn wrap(&self, columns: Columns) -> Vec<Line> {
        let hanging = columns.hanging();
        let cells = columns.cells.saturating_sub(hanging).max(1);
        let used = self.indent_of(columns, 0).saturating_sub(hanging);
        let mut lines = text::wrap_hanging(self.text(), cells, used, hanging);
        let said = self.said_bytes();
        let body = lines.iter().rposition(|line| line.range.start <= said).unwrap_or(0);
        if let Kind::Own(mark) = &self.kind
            && *mark != SendMark::Refused
            && self.end_of_line(columns, &lines, body) + MARK_CELLS > columns.cells
        {
            let end = self.text().len();
            lines.push(Line { range: end..end, is_flush: false });
        }
        lines
    }

    /// The column after the last character of a line.
    fn end_of_line(&self, columns: Columns, lines: &[Line], line: usize) -> usize {
        let Some(shown) = lines.get(line) else { return 0 };
        let indent = if shown.is_flush { 0 } else { self.indent_of(columns, line) };
        indent + text::width(self.text()[shown.range.clone()].trim_end_matches(' '))
    }
}

/// A text, made inert and prepared for the screen, and what of it is more than plain.
fn spanned(kind: &Kind, text: &str) -> Spanned {
    let names_reader = matches!(kind, Kind::Message { mention: true, .. });
    Spanned::new(text::prepared(&Inert::lines(text)), names_reader.then_some(SpanKind::Mention))
}
