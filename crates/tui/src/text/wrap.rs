//! Where a text breaks into lines.

use std::ops::Range;

use unicode_segmentation::UnicodeSegmentation;

use super::{grapheme_width, reach};

/// A line of a text that hangs: its lines but the first are indented.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Line {
    /// The bytes of the text that it shows.
    pub range: Range<usize>,
    /// Whether it begins at the edge, because it goes on with a word that is longer than a line:
    /// an address can then be copied as it stands on the screen.
    pub is_flush: bool,
}

/// Breaks a text into the byte ranges of its lines, none wider than `cells`, the first one by
/// `used` cells shorter. Lines end at `\n`, else at spaces, else around wide characters, else
/// anywhere between graphemes. There is at least one line, and each shows something unless the
/// text has an empty line there (or nothing fits beside the first `used` cells).
#[must_use]
pub fn wrap(text: &str, cells: usize, used: usize) -> Vec<Range<usize>> {
    wrap_hanging(text, cells, used, 0).into_iter().map(|line| line.range).collect()
}

/// The same for a text whose lines are indented by `hanging` cells more. Where a word of ASCII
/// characters does not fit on a line of its own, the lines that it goes on with begin at the edge,
/// are wider by as much, and show nothing else.
#[must_use]
pub fn wrap_hanging(text: &str, cells: usize, used: usize, hanging: usize) -> Vec<Line> {
    let cells = cells.max(1);
    let mut lines = Vec::new();
    let mut start = 0;
    for paragraph in text.split('\n') {
        let used = if start == 0 { used } else { 0 };
        Paragraph::new(start, cells, used, hanging).wrap(paragraph, &mut lines);
        start += paragraph.len() + 1;
    }
    debug_assert!(!lines.is_empty(), "a text has a line, be it an empty one");
    lines
}

/// The state of wrapping one paragraph.
struct Paragraph {
    offset: usize,
    cells: usize,
    hanging: usize,
    line_start: usize,
    line_width: usize,
    /// The end of the line and the start of the next, if it breaks there, and the cells up to
    /// that start.
    chance: Option<(usize, usize, usize)>,
    indented: bool,
    is_flush: bool,
}

impl Paragraph {
    fn new(offset: usize, cells: usize, used: usize, hanging: usize) -> Self {
        Self {
            offset,
            cells,
            hanging,
            line_start: 0,
            line_width: used.min(cells),
            chance: (used > 0).then_some((0, 0, used.min(cells))),
            indented: used > 0,
            is_flush: false,
        }
    }

    fn wrap(mut self, paragraph: &str, lines: &mut Vec<Line>) {
        let mut previous_was_wide = false;
        let mut previous_was_word = false;
        // Remembered, not looked for: a text may be thousands of spaces.
        let mut text_end = 0;
        for (at, grapheme) in paragraph.grapheme_indices(true) {
            let grapheme_width = grapheme_width(grapheme);
            let is_space = grapheme.starts_with([' ', '\u{3000}']);
            let is_wide = grapheme_width > 1;
            let is_word = grapheme.len() == 1 && grapheme.as_bytes()[0].is_ascii_graphic();
            let parts = is_wide || previous_was_wide || (self.is_flush && !is_word);
            if parts && !is_space && at > self.line_start {
                self.chance = Some((at, at, self.line_width));
            }
            // Spaces hang over the edge; they never begin a line by themselves. A line at the edge
            // shows the rest of a word alone: anything else there could look like another entry.
            let is_over = self.line_width + reach(grapheme) > self.room();
            if (is_over || (self.is_flush && self.chance.is_some())) && !is_space {
                self.break_line(at, previous_was_word && is_word, lines);
            }
            self.line_width += grapheme_width;
            if is_space {
                let end = text_end.max(self.line_start);
                self.chance = Some((end, at + grapheme.len(), self.line_width));
            } else {
                text_end = at + grapheme.len();
            }
            (previous_was_wide, previous_was_word) = (is_wide, is_word);
        }
        lines.push(self.line(self.line_start, paragraph.len()));
    }

    fn room(&self) -> usize {
        self.cells + if self.is_flush { self.hanging } else { 0 }
    }

    fn break_line(&mut self, at: usize, inside_a_word: bool, lines: &mut Vec<Line>) {
        let hopeless = at == self.line_start && !self.indented;
        if hopeless {
            return;
        }
        let chance = self.chance.take();
        let (end, next, width) = chance.unwrap_or((at, at, self.line_width));
        lines.push(self.line(self.line_start, end));
        self.line_start = next;
        self.line_width -= width.min(self.line_width);
        self.indented = false;
        self.is_flush = inside_a_word && chance.is_none() && self.hanging > 0;
    }

    fn line(&self, start: usize, end: usize) -> Line {
        debug_assert!(start <= end, "a line ends behind its beginning");
        Line { range: self.offset + start..self.offset + end, is_flush: self.is_flush }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::width;

    fn wrapped(text: &str, cells: usize, used: usize) -> Vec<&str> {
        wrap(text, cells, used).into_iter().map(|range| &text[range]).collect()
    }

    #[test]
    fn lines_break_at_spaces_then_anywhere() {
        assert_eq!(wrapped("shall we deploy", 10, 0), ["shall we", "deploy"]);
        assert_eq!(wrapped("abcdefghijkl", 5, 0), ["abcde", "fghij", "kl"]);
        assert_eq!(wrapped("a bcdefghijkl", 5, 0), ["a", "bcdef", "ghijk", "l"]);
        assert_eq!(wrapped("", 5, 0), [""]);
        assert_eq!(wrapped("a\n\nb", 5, 0), ["a", "", "b"]);
        assert_eq!(wrapped("日本語", 5, 0), ["日本", "語"]);
        assert_eq!(wrapped("ab日本語", 4, 0), ["ab日", "本語"]);
    }

    #[test]
    fn the_first_line_may_be_shorter() {
        assert_eq!(wrapped("ab cd ef", 8, 3), ["ab cd", "ef"]);
        assert_eq!(wrapped("abcdef", 8, 6), ["", "abcdef"]);
        assert_eq!(wrapped("abc", 8, 8), ["", "abc"]);
        assert_eq!(wrapped("a\nb", 8, 8), ["", "a", "b"]);
    }

    #[test]
    fn a_space_at_the_edge_hangs() {
        assert_eq!(wrapped("abcde fghij", 5, 0), ["abcde", "fghij"]);
        assert_eq!(wrapped("abcde   fghij", 5, 0), ["abcde", "fghij"]);
    }

    #[test]
    fn no_line_is_wider_than_asked_and_nothing_is_lost() {
        let samples = [
            "the quick brown fox jumps",
            "日本語 と English の mixed テキスト です",
            "👨\u{200D}👩\u{200D}👧👨\u{200D}👩\u{200D}👧 family",
            "עברית and العربية",
            "e\u{301}e\u{301}e\u{301}e\u{301}e\u{301}",
            "x  y   z    ",
        ];
        for text in samples {
            for cells in 2..30 {
                for used in 0..cells {
                    let lines = wrap(text, cells, used);
                    let mut shown = String::new();
                    for (nth, range) in lines.into_iter().enumerate() {
                        let line = text[range].trim_end();
                        let room = if nth == 0 { cells - used } else { cells };
                        assert!(width(line) <= room, "{text:?} {cells} {used}: {line:?}");
                        shown.push_str(line);
                    }
                    let spaceless = |text: &str| text.replace(' ', "");
                    assert_eq!(spaceless(&shown), spaceless(text), "{cells} {used}");
                }
            }
        }
    }

    #[test]
    fn joined_emoji_break_as_if_they_were_drawn_apart() {
        let astronaut = "👩\u{200D}🚀";
        assert_eq!(wrapped(&astronaut.repeat(3), 7, 0), [astronaut.repeat(2), astronaut.into()]);
    }

    fn hanging(text: &str, cells: usize, hanging: usize) -> Vec<(&str, bool)> {
        let lines = wrap_hanging(text, cells, 0, hanging);
        lines.into_iter().map(|line| (&text[line.range], line.is_flush)).collect()
    }

    #[test]
    fn a_word_longer_than_a_line_goes_on_at_the_edge() {
        assert_eq!(
            hanging("see http://x.org/abcdefghijklmno now", 10, 4),
            [
                ("see", false),
                ("http://x.o", false),
                ("rg/abcdefghijk", true),
                ("lmno", true),
                ("now", false)
            ]
        );
        assert_eq!(hanging("short words only", 10, 4), [("short", false), ("words only", false)]);
    }

    #[test]
    fn only_the_rest_of_a_word_stands_at_the_edge() {
        for text in
            ["xxxxxxxxxxann     I agree", "xxxxxxxxxx00:31\u{A0}ann", "xxxxxxxxxx日本語 ann: yes"]
        {
            for (line, is_flush) in hanging(text, 10, 4) {
                assert!(!is_flush || line.bytes().all(|byte| byte.is_ascii_graphic()), "{line:?}");
            }
        }
    }
}
