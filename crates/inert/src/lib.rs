//! What a person sees of text that somebody else wrote: hostile text is inert.
//!
//! The one place that decides it, for screens, for text that is printed and for the logs of both
//! programs. The daemon keeps what was sent; nothing here may be used for anything but showing.
//! It knows nothing of terminals, and not where a text comes from.
//!
//! Control characters, escape sequences, bidi overrides and isolates, zero-width, tag and other
//! invisible characters become visible placeholders: `␛`, `⟨U+202E⟩`. What scripts and emoji need
//! stays: the joiner between emoji, one variation selector behind the character it varies, and the
//! (non-)joiner between letters of scripts that are written with it. No text joins to what somebody
//! else says before or behind it: marks that stand on nothing stand on `◌`. Of what terminals pile
//! up on one place, [`MARKS_MAX`] marks and [`CLUSTER_CHARS_MAX`] characters are shown; `⟨+242⟩`
//! stands for 242 more.
//!
//! What is inert stays as it is when it is made inert again. It has at most [`GROWTH_MAX`] times
//! the bytes.

mod cluster;
mod json;
mod shown;
mod suspect;

use std::borrow::Cow;

pub use cluster::{CLUSTER_CHARS_MAX, MARKS_MAX};
pub use json::{json_string, to_json};
pub use shown::Inert;

/// How many times as many bytes an inert text may have: `⟨U+009B⟩` stands for two of them.
pub const GROWTH_MAX: usize = 6;

/// The text as it may be shown in one line: line breaks and tabs are placeholders too.
#[must_use]
pub fn inert(text: &str) -> Cow<'_, str> {
    make_inert(text, |_character| false)
}

/// The text as it may be shown in several lines: `\n` and `\t` stay, and nothing else of that kind.
#[must_use]
pub fn inert_lines(text: &str) -> Cow<'_, str> {
    make_inert(text, |character| matches!(character, '\n' | '\t'))
}

/// The beginning of a text, of at most so many bytes, without half a character.
#[must_use]
pub fn beginning(text: &str, bytes_max: usize) -> &str {
    let is_whole = |end: &usize| text.is_char_boundary(*end);
    let end = (0..=bytes_max.min(text.len())).rev().find(is_whole).unwrap_or(0);
    &text[..end]
}

fn make_inert(text: &str, allowed: fn(char) -> bool) -> Cow<'_, str> {
    let made = match suspect::replaced(text, allowed) {
        // The characters first: a placeholder ends the cluster that its character was part of.
        Cow::Borrowed(text) => cluster::limited(text),
        Cow::Owned(text) => match cluster::limited(&text) {
            Cow::Owned(limited) => Cow::Owned(limited),
            Cow::Borrowed(_same) => Cow::Owned(text),
        },
    };
    debug_assert!(made.len() <= GROWTH_MAX * text.len(), "others make room for so much");
    made
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn harmless_text_is_not_even_copied() {
        for text in ["", "hello", "日本語", "עברית", "naïve café", "a\u{301}", "👍🏽", "\u{A0}"]
        {
            assert!(matches!(inert(text), Cow::Borrowed(same) if same == text));
        }
    }

    #[test]
    fn a_beginning_has_no_half_character() {
        for (bytes_max, kept) in [(0, ""), (1, "n"), (2, "n"), (3, "nä"), (4, "nä!"), (99, "nä!")]
        {
            assert_eq!(beginning("nä!", bytes_max), kept, "{bytes_max}");
        }
    }

    #[test]
    fn lines_and_tabs_stay_only_where_they_may() {
        assert_eq!(inert("a\tb\r\nc"), "a␉b␍␊c");
        assert_eq!(inert_lines("a\tb\r\nc"), "a\tb␍\nc");
    }

    #[test]
    fn what_was_left_out_says_how_much_beside_other_placeholders() {
        let marks = "\u{301}".repeat(20);
        assert_eq!(inert(&format!("a\u{202E}{marks}\u{7}")), {
            // The placeholder is what the marks stand on.
            format!("a⟨U+202E⟩{}⟨+12⟩␇", "\u{301}".repeat(8))
        });
    }
}
