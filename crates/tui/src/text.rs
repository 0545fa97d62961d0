//! Text in cells: how wide it is, where it wraps, how it is cut.
//!
//! Owns the one opinion about widths, which is ratatui's, so that what is measured is what is
//! drawn. It expects text that is [`Inert`] and knows nothing of chat.

mod wrap;

pub use wrap::{Line, wrap, wrap_hanging};

use chat_client::sanitize::Inert;
use ratatui::buffer::{Buffer, CellWidth};
use ratatui::style::Style;
use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthChar;

/// How many cells a tab takes. A message has no tab stops: it starts in no fixed column.
const TAB: &str = "    ";

/// A left-to-right mark. Around a right-to-left run it keeps a terminal that reorders text from
/// pulling the neighbouring cells (a name, a time, a border) into that run.
const LEFT_TO_RIGHT_MARK: char = '\u{200E}';

/// Joins emoji to one.
const JOINER: char = '\u{200D}';

/// The cells that a text takes on one line.
#[must_use]
pub fn width(text: &str) -> usize {
    if text.is_ascii() {
        return text.len();
    }
    text.graphemes(true).map(grapheme_width).sum()
}

/// The cells that one grapheme cluster takes; 0 for what is not drawn.
#[must_use]
pub fn grapheme_width(grapheme: &str) -> usize {
    match grapheme.contains(char::is_control) {
        true => 0,
        false => usize::from(grapheme.cell_width()),
    }
}

/// The cells that a grapheme cluster may take at the worst: many terminals draw a joined emoji or a
/// flag as the several pictures that it is made of.
#[must_use]
fn reach(grapheme: &str) -> usize {
    let one_by_one = grapheme.chars().map(|character| match character {
        '\u{1F1E6}'..='\u{1F1FF}' => 2,
        _ => character.width().unwrap_or(0),
    });
    one_by_one.sum::<usize>().max(grapheme_width(grapheme))
}

/// A text as a screen shows it: tabs become spaces.
#[must_use]
pub fn prepared(text: &Inert) -> String {
    text.replace('\t', TAB)
}

/// Cuts a text to at most `cells`, with `…` where something is missing.
#[must_use]
pub fn fit(text: &str, cells: usize) -> String {
    if width(text) <= cells {
        return text.to_owned();
    }
    let mut fitted = String::new();
    let mut used = 0;
    for grapheme in text.graphemes(true) {
        used += grapheme_width(grapheme);
        if used + 1 > cells {
            break;
        }
        fitted.push_str(grapheme);
    }
    if cells > 0 {
        fitted.push('…');
    }
    fitted
}

/// Whether a text has characters that are written from right to left.
#[must_use]
pub fn has_right_to_left(text: &str) -> bool {
    !text.is_ascii()
        && text.chars().any(|character| {
            matches!(character,
                '\u{0590}'..='\u{08FF}' | '\u{FB1D}'..='\u{FDFF}' | '\u{FE70}'..='\u{FEFF}'
                | '\u{10800}'..='\u{10FFF}' | '\u{1E800}'..='\u{1EFFF}')
        })
}

/// Draws a text on one row, at most `cells` wide; returns the column after it. Right-to-left text
/// is isolated from what stands beside it.
pub fn put(buffer: &mut Buffer, x: u16, y: u16, text: &str, cells: u16, style: Style) -> u16 {
    if !buffer.area.contains((x, y).into()) || cells == 0 {
        return x;
    }
    let (end, _row) = buffer.set_stringn(x, y, text, usize::from(cells), style);
    if end > x && has_right_to_left(text) {
        let first = buffer[(x, y)].symbol().to_owned();
        buffer[(x, y)].set_symbol(&format!("{LEFT_TO_RIGHT_MARK}{first}"));
        let last = (x..end).rev().find(|&column| buffer[(column, y)].symbol() != " ");
        let last = last.unwrap_or(x);
        let symbol = buffer[(last, y)].symbol().to_owned();
        buffer[(last, y)].set_symbol(&format!("{symbol}{LEFT_TO_RIGHT_MARK}"));
    }
    end
}

/// Keeps a cluster that a terminal may draw wider than it is counted here from reaching over the
/// edge, where a terminal would go on in the next row.
pub fn guard(buffer: &mut Buffer) {
    let area = buffer.area;
    for (y, x) in area.rows().flat_map(|row| row.columns()).map(|cell| (cell.y, cell.x)) {
        let symbol = buffer[(x, y)].symbol();
        if symbol.len() <= 4 {
            continue;
        }
        let reach = u16::try_from(reach(symbol)).unwrap_or(u16::MAX);
        if x.saturating_add(reach) > area.right() {
            let cut = cut(symbol, usize::from(area.right() - x));
            buffer[(x, y)].set_symbol(&cut);
        }
    }
}

/// Whether terminals may disagree about the cells of a cluster: every one that is more than a
/// character of the scripts and signs whose width no table has ever changed.
#[must_use]
pub fn is_disputed(cluster: &str) -> bool {
    let mut characters = cluster.chars();
    let Some(first) = characters.next() else {
        return false;
    };
    if characters.next().is_some() {
        return true;
    }
    !matches!(first,
        ' '..='~'
        | '\u{A0}'..='\u{AC}' | '\u{AE}'..='\u{2FF}'
        // Greek, Cyrillic, Armenian: the letters, not the marks.
        | '\u{391}'..='\u{3A1}' | '\u{3A3}'..='\u{482}' | '\u{48A}'..='\u{52F}'
        | '\u{1E00}'..='\u{1EFF}'
        // Punctuation, currencies, arrows, mathematics, boxes and blocks.
        | '\u{2010}'..='\u{2027}' | '\u{2030}'..='\u{205E}' | '\u{20A0}'..='\u{20BF}'
        | '\u{2190}'..='\u{2199}' | '\u{2200}'..='\u{22FF}' | '\u{2500}'..='\u{259F}'
        | '\u{2713}' | '\u{2717}'
        // Kana, ideographs, Hangul, full-width forms: two cells everywhere.
        | '\u{3001}'..='\u{3029}' | '\u{3041}'..='\u{3096}' | '\u{30A0}'..='\u{30FF}'
        | '\u{3400}'..='\u{4DB5}' | '\u{4E00}'..='\u{9FA5}' | '\u{AC00}'..='\u{D7A3}'
        | '\u{FF01}'..='\u{FF60}')
}

/// The first pictures of a cluster, as many as fit if each is drawn by itself.
fn cut(cluster: &str, cells: usize) -> String {
    let mut cut = String::new();
    for character in cluster.chars() {
        let with = format!("{cut}{character}");
        if reach(&with) > cells {
            break;
        }
        cut = with;
    }
    match cut.trim_end_matches(JOINER) {
        "" => " ".to_owned(),
        cut => cut.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use ratatui::layout::Rect;

    use super::*;

    #[test]
    fn widths_are_those_of_terminals() {
        for (text, cells) in [
            ("abc", 3),
            ("日本", 4),
            ("e\u{301}", 1),
            ("👍", 2),
            ("👨\u{200D}👩\u{200D}👧", 2),
            ("⏳", 2),
            ("✓", 1),
            ("", 0),
        ] {
            assert_eq!(width(text), cells, "{text}");
        }
    }

    #[test]
    fn a_cut_text_says_so_and_fits() {
        assert_eq!(fit("abcdef", 6), "abcdef");
        assert_eq!(fit("abcdef", 4), "abc…");
        assert_eq!(fit("日本語", 4), "日…");
        assert_eq!(fit("ab", 0), "");
    }

    #[test]
    fn tabs_are_spaces() {
        assert_eq!(prepared(&Inert::lines("a\tb")), "a    b");
    }

    #[test]
    fn right_to_left_runs_are_isolated() {
        let mut buffer = Buffer::empty(Rect::new(0, 0, 10, 1));
        put(&mut buffer, 0, 0, "עבר", 10, Style::new());
        assert_eq!(buffer[(0, 0)].symbol(), "\u{200E}ע");
        assert_eq!(buffer[(2, 0)].symbol(), "ר\u{200E}");
    }

    #[test]
    fn joined_emoji_that_are_drawn_apart_hurt_nobody() {
        let astronaut = "👩\u{200D}🚀";
        let mut buffer = Buffer::empty(Rect::new(0, 0, 7, 1));
        put(&mut buffer, 0, 0, &format!("{astronaut}ok {astronaut}"), 7, Style::new());
        guard(&mut buffer);
        assert_eq!(buffer[(0, 0)].symbol(), astronaut);
        assert_eq!(buffer[(5, 0)].symbol(), "👩", "the rocket would be in the next row");
    }

    #[test]
    fn widths_beyond_dispute_are_those_of_old_and_simple_characters() {
        for cluster in [" ", "a", "é", "Ω", "я", "─", "…", "✓", "日", "か", "한", "！"]
        {
            assert!(!is_disputed(cluster), "{cluster}");
        }
        for cluster in
            ["ำ", "ก", "क्ष", "က", "🇩🇪", "👍", "❤\u{FE0F}", "e\u{301}", "\u{378}", "⏳", "\u{200E}ע"]
        {
            assert!(is_disputed(cluster), "{cluster}");
        }
    }
}
