//! A text and how its parts are meant: what names the reader, why something was refused.
//!
//! Owns the spans, in order and without overlap. It must not know how they look, nor where the text
//! breaks into lines.

use std::ops::Range;

/// How a part of a text is meant. What is in no span is plain.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SpanKind {
    /// It names the reader.
    Mention,
    /// It says why a message was refused.
    Reason,
}

/// A part of a text: its bytes, and how they are meant. Texts are of some 64 KiB at most, so that
/// half the bits are enough.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Span {
    kind: SpanKind,
    start: u32,
    end: u32,
}

impl Span {
    fn new(kind: SpanKind, range: &Range<usize>) -> Self {
        debug_assert!(range.start <= range.end, "a span ends behind its beginning");
        let place = |byte| u32::try_from(byte).unwrap_or(u32::MAX);
        Self { kind, start: place(range.start), end: place(range.end) }
    }

    fn range(self) -> Range<usize> {
        self.start as usize..self.end as usize
    }
}

/// A text with its spans.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Spanned {
    text: String,
    /// Rising. Boxed, because most texts have none.
    spans: Box<[Span]>,
}

impl Spanned {
    /// A text, all of which is meant in one way.
    pub(super) fn new(text: String, kind: Option<SpanKind>) -> Self {
        let whole = kind.map(|kind| Span::new(kind, &(0..text.len())));
        Self { spans: whole.into_iter().collect(), text }
    }

    /// The text.
    pub(super) fn as_str(&self) -> &str {
        &self.text
    }

    /// The memory that it takes beside its own size, in bytes.
    pub(super) fn bytes(&self) -> usize {
        self.text.len() + size_of_val(&*self.spans)
    }

    /// Where the first part of a kind begins.
    pub(super) fn start_of(&self, kind: SpanKind) -> Option<usize> {
        let found = self.spans.iter().find(|span| span.kind == kind);
        found.map(|span| span.range().start)
    }

    /// Adds a plain text.
    pub(super) fn push(&mut self, text: &str) {
        self.text.push_str(text);
    }

    /// Adds a text that is meant in a way.
    pub(super) fn push_span(&mut self, kind: SpanKind, text: &str) {
        let start = self.text.len();
        let is_behind = |last: &Span| last.range().end <= start;
        debug_assert!(self.spans.last().is_none_or(is_behind), "spans rise, without overlap");
        self.text.push_str(text);
        let added = Span::new(kind, &(start..self.text.len()));
        self.spans = self.spans.iter().copied().chain([added]).collect();
    }

    /// Cuts it at a byte.
    pub(super) fn truncate(&mut self, end: usize) {
        self.text.truncate(end);
        let kept = self.spans.iter().filter(|span| span.range().start < end);
        let cut =
            |span: &Span| Span::new(span.kind, &(span.range().start..span.range().end.min(end)));
        self.spans = kept.map(cut).collect();
    }

    /// The parts of a range, in order, each with how it is meant.
    pub(super) fn parts(
        &self,
        range: Range<usize>,
    ) -> impl Iterator<Item = (&str, Option<SpanKind>)> {
        debug_assert!(range.end <= self.text.len(), "a line is a part of the text");
        let mut at = range.start;
        let mut spans = self.spans.iter().copied().peekable();
        std::iter::from_fn(move || {
            while spans.next_if(|span| span.range().end <= at).is_some() {}
            let (end, kind) = match spans.peek() {
                Some(span) if span.range().start <= at => (span.range().end, Some(span.kind)),
                Some(span) => (span.range().start, None),
                None => (range.end, None),
            };
            let (start, end) = (at, end.min(range.end));
            at = end;
            (start < end).then(|| (&self.text[start..end], kind))
        })
    }
}

/// How the bytes of one text became those of another: what they begin and end with alike stayed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Change {
    before: usize,
    after: usize,
    old_end: usize,
    new_end: usize,
}

impl Change {
    /// What changed from `old` to `new`.
    pub(super) fn between(old: &str, new: &str) -> Self {
        let alike = |pairs: &mut dyn Iterator<Item = (char, char)>| -> usize {
            pairs.take_while(|(old, new)| old == new).map(|(old, _new)| old.len_utf8()).sum()
        };
        let before = alike(&mut old.chars().zip(new.chars()));
        let (old_rest, new_rest) = (&old[before..], &new[before..]);
        let after = alike(&mut old_rest.chars().rev().zip(new_rest.chars().rev()));
        debug_assert!(before + after <= old.len().min(new.len()), "what is alike is counted once");
        Self { before, after, old_end: old.len(), new_end: new.len() }
    }

    /// Where a byte of the old text is in the new one; what is gone is where it was cut out.
    pub(super) fn place_of(self, byte: usize) -> usize {
        let from_end = self.old_end.saturating_sub(byte);
        if byte <= self.before {
            byte
        } else if from_end <= self.after {
            self.new_end - from_end
        } else {
            self.before
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(text: &Spanned, range: Range<usize>) -> Vec<(&str, Option<SpanKind>)> {
        text.parts(range).collect()
    }

    #[test]
    fn a_text_falls_into_what_is_meant_and_what_is_plain() {
        use SpanKind::{Mention, Reason};
        let mut text = Spanned::new("hi ".to_owned(), None);
        text.push_span(Mention, "ada");
        text.push(", look\n");
        text.push_span(Reason, "✗ no");
        let all =
            [("hi ", None), ("ada", Some(Mention)), (", look\n", None), ("✗ no", Some(Reason))];
        assert_eq!(parts(&text, 0..text.as_str().len()), all);
        assert_eq!(parts(&text, 4..9), [("da", Some(Mention)), (", l", None)]);
        assert_eq!(parts(&text, 6..6), []);
        assert_eq!(text.start_of(Reason), Some(13));
        text.truncate(5);
        assert_eq!(parts(&text, 0..5), [("hi ", None), ("ad", Some(Mention))]);
    }

    #[test]
    fn the_parts_of_every_range_are_that_range() {
        let mut text = Spanned::new("abc".to_owned(), Some(SpanKind::Mention));
        text.push("def");
        text.push_span(SpanKind::Reason, "ghi");
        text.push_span(SpanKind::Mention, "jkl");
        for start in 0..=12 {
            for end in start..=12 {
                let joined: String = text.parts(start..end).map(|(part, _kind)| part).collect();
                assert_eq!(joined, &text.as_str()[start..end]);
            }
        }
    }

    #[test]
    fn a_plain_text_takes_no_memory_for_spans() {
        assert_eq!(Spanned::new("abc".to_owned(), None).bytes(), 3);
        let marked = Spanned::new("abc".to_owned(), Some(SpanKind::Mention));
        assert_eq!(marked.bytes(), 3 + size_of::<Span>());
    }

    #[test]
    fn a_byte_stays_in_what_is_alike_and_else_goes_to_the_cut() {
        let change = Change::between("one two three", "one 2 three");
        assert_eq!([0, 4, 5, 7, 8, 13].map(|byte| change.place_of(byte)), [0, 4, 4, 5, 6, 11]);
        let longer = Change::between("abc", "abc (edited)");
        assert_eq!([0, 3].map(|byte| longer.place_of(byte)), [0, 3]);
        let accents = Change::between("é", "è");
        assert_eq!([0, 2].map(|byte| accents.place_of(byte)), [0, 2]);
        let twice = Change::between("aa", "aaa");
        assert_eq!([0, 1, 2].map(|byte| twice.place_of(byte)), [0, 1, 2]);
    }
}
