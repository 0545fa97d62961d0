//! Characters that can do something else than be seen, and where they are needed all the same.
//!
//! Owns the classes of characters and their placeholders. It knows nothing of clusters.

use std::borrow::Cow;

use unicode_properties::{GeneralCategory, UnicodeEmoji, UnicodeGeneralCategory};
use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthChar;

const JOINER: char = '\u{200D}';
const NON_JOINER: char = '\u{200C}';
const KEYCAP: char = '\u{20E3}';

/// The text with a placeholder in place of each suspect, but for those that are allowed and those
/// that belong where they are.
pub(crate) fn replaced(text: &str, allowed: fn(char) -> bool) -> Cow<'_, str> {
    let harmless = |character| !is_suspect(character) || allowed(character);
    let Some(first) = text.find(|character| !harmless(character)) else {
        return Cow::Borrowed(text);
    };
    let mut shown = String::with_capacity(text.len() + 16);
    shown.push_str(&text[..first]);
    for (index, character) in text[first..].char_indices() {
        let index = first + index;
        let rest = &text[index + character.len_utf8()..];
        // Judged by what stands there in the end: what was replaced needs nothing beside it.
        if harmless(character) || belongs(character, &shown, rest) {
            shown.push(character);
        } else {
            push_placeholder(&mut shown, character);
        }
    }
    Cow::Owned(shown)
}

fn push_placeholder(shown: &mut String, character: char) {
    let picture = match character {
        '\0'..='\u{1F}' => char::from_u32(0x2400 + character as u32),
        '\u{7F}' => Some('\u{2421}'),
        _ => None,
    };
    match picture {
        Some(picture) => shown.push(picture),
        None => shown.push_str(&format!("⟨U+{:04X}⟩", character as u32)),
    }
}

/// Whether a suspect is a needed part of what stands around it.
fn belongs(character: char, before: &str, after: &str) -> bool {
    let last = before.chars().next_back();
    let next = after.chars().next().filter(|next| !is_suspect(*next));
    match character {
        JOINER if joins_emoji(before, next) => true,
        JOINER | NON_JOINER => {
            let joining = |c: char| matches!(c, '\u{0600}'..='\u{0DFF}' | '\u{1780}'..='\u{18AF}');
            last.is_some_and(joining) && next.is_some_and(joining)
        }
        '\u{FE0E}' | '\u{FE0F}' => match last {
            Some('0'..='9' | '#' | '*') => next == Some(KEYCAP),
            Some(base) => base.is_emoji_char(),
            None => false,
        },
        '\u{E0100}'..='\u{E01EF}' => last.is_some_and(is_ideograph),
        _ if stands_before_another(character) => next.is_some_and(char::is_alphanumeric),
        _ => match (last.map(Hangul::of), Hangul::of(character)) {
            (Some(Hangul::Initial | Hangul::Vowel | Hangul::Open), Hangul::Vowel) => true,
            (Some(before), Hangul::Final) => !matches!(before, Hangul::Initial | Hangul::None),
            _ => false,
        },
    }
}

/// Whether it has no cell and is no part of what stands before it: letters of Hangul that join,
/// letters that stand upon the next one, marks that are newer than the tables of clusters.
/// Terminals draw them upon the cell before, which somebody else may have written.
fn has_no_cell(character: char) -> bool {
    character.width() == Some(0) && format!("x{character}").graphemes(true).count() > 1
}

/// Signs that stand before a number or a word. At the end they would stand before what somebody
/// else says.
fn stands_before_another(character: char) -> bool {
    matches!(character, '\u{0600}'..='\u{0604}' | '\u{06DD}' | '\u{110BD}' | '\u{110CD}')
}

/// What a character is in a syllable of Hangul.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Hangul {
    /// A consonant that begins one.
    Initial,
    /// A vowel, which has no cell of its own.
    Vowel,
    /// A consonant that ends one, which has no cell of its own.
    Final,
    /// A syllable without a final consonant.
    Open,
    /// A syllable with one.
    Closed,
    /// No Hangul that joins.
    None,
}

impl Hangul {
    fn of(character: char) -> Self {
        match character {
            '\u{1100}'..='\u{115E}' | '\u{A960}'..='\u{A97C}' => Self::Initial,
            '\u{1161}'..='\u{11A7}' | '\u{D7B0}'..='\u{D7C6}' => Self::Vowel,
            '\u{11A8}'..='\u{11FF}' | '\u{D7CB}'..='\u{D7FB}' => Self::Final,
            '\u{AC00}'..='\u{D7A3}' if (character as u32 - 0xAC00).is_multiple_of(28) => Self::Open,
            '\u{AC00}'..='\u{D7A3}' => Self::Closed,
            _ => Self::None,
        }
    }
}

fn joins_emoji(before: &str, next: Option<char>) -> bool {
    let is_emoji = |c: char| !c.is_ascii() && c.is_emoji_char();
    let base = before.chars().rev().find(|c| *c != '\u{FE0F}');
    base.is_some_and(is_emoji) && next.is_some_and(is_emoji)
}

fn is_ideograph(character: char) -> bool {
    matches!(character, '\u{3400}'..='\u{9FFF}' | '\u{F900}'..='\u{FAFF}' | '\u{20000}'..='\u{3FFFF}')
}

/// Whether a character can do something else than be seen. Some are needed in some places.
pub(crate) fn is_suspect(character: char) -> bool {
    if (' '..='~').contains(&character) {
        return false;
    }
    match character {
        // Letters, marks and unassigned code points that show nothing (Default_Ignorable).
        '\u{034F}'
        | '\u{115F}'
        | '\u{1160}'
        | '\u{17B4}'
        | '\u{17B5}'
        | '\u{180B}'..='\u{180F}'
        | '\u{2065}'
        | '\u{3164}'
        | '\u{FE00}'..='\u{FE0F}'
        | '\u{FFA0}'
        | '\u{FFF0}'..='\u{FFF8}'
        | '\u{E0000}'..='\u{E0FFF}' => true,
        _ if stands_before_another(character) || has_no_cell(character) => true,
        _ => matches!(
            character.general_category(),
            GeneralCategory::Control
                | GeneralCategory::Format
                | GeneralCategory::LineSeparator
                | GeneralCategory::ParagraphSeparator
                // Nobody knows how it looks or how wide it is; non-characters are among them.
                | GeneralCategory::Unassigned
        ),
    }
}

#[cfg(test)]
mod tests {
    use crate::inert;

    #[test]
    fn what_moves_the_cursor_or_hides_is_shown() {
        for (text, shown) in [
            ("\u{1B}[31mred\u{7}", "␛[31mred␇"),
            ("a\0b\u{7F}", "a␀b␡"),
            ("\u{9B}2J", "⟨U+009B⟩2J"),
            ("\u{202E}gpj.exe", "⟨U+202E⟩gpj.exe"),
            ("\u{2066}x\u{2069}", "⟨U+2066⟩x⟨U+2069⟩"),
            ("pay\u{200B}pal\u{200D}\u{200C}", "pay⟨U+200B⟩pal⟨U+200D⟩⟨U+200C⟩"),
            ("\u{FEFF}x\u{AD}y\u{2060}", "⟨U+FEFF⟩x⟨U+00AD⟩y⟨U+2060⟩"),
            ("\u{E0041}\u{3164}\u{2028}", "⟨U+E0041⟩⟨U+3164⟩⟨U+2028⟩"),
            ("\u{FFFE}\u{378}\u{1FBFF}", "⟨U+FFFE⟩⟨U+0378⟩⟨U+1FBFF⟩"),
            ("a\u{FE0F}b1\u{FE0F}", "a⟨U+FE0F⟩b1⟨U+FE0F⟩"),
        ] {
            assert_eq!(inert(text), shown);
        }
    }

    #[test]
    fn what_emoji_and_scripts_need_stays() {
        for text in [
            "👩\u{200D}👩\u{200D}👧",
            "🏳\u{FE0F}\u{200D}🌈",
            "🧑🏽\u{200D}🚀",
            "❤\u{FE0F}",
            "1\u{FE0F}\u{20E3}",
            "می\u{200C}خواهم",
            "क\u{94D}\u{200D}ष",
            "葛\u{E0100}",
            "\u{600}1",
        ] {
            assert_eq!(inert(text), text);
        }
    }

    #[test]
    fn one_variation_selector_belongs_and_a_second_hides_something() {
        assert_eq!(inert("❤\u{FE0F}\u{FE0F}"), "❤\u{FE0F}⟨U+FE0F⟩");
    }

    #[test]
    fn letters_of_hangul_join_to_a_syllable_or_are_placeholders() {
        for text in ["\u{1112}\u{1161}\u{11AB}", "가\u{11A8}", "각\u{11A8}", "한국어"] {
            assert_eq!(inert(text), text);
        }
        assert_eq!(inert("m\u{D7EE}각\u{1161}"), "m⟨U+D7EE⟩각⟨U+1161⟩");
    }

    #[test]
    fn what_makes_one_with_the_next_does_so_with_a_letter_or_a_digit_alone() {
        assert_eq!(inert("\u{600}\u{661}\u{662}"), "\u{600}\u{661}\u{662}");
        assert_eq!(inert("x\u{600}"), "x⟨U+0600⟩");
        assert_eq!(inert("\u{600}\u{601}1"), "⟨U+0600⟩\u{601}1");
    }

    #[test]
    fn what_was_replaced_carries_nothing_on() {
        // The joiner stands behind a placeholder then, which it joins to nothing.
        assert_eq!(inert("❤\u{FE0F}\u{FE0F}\u{200D}🔥"), "❤\u{FE0F}⟨U+FE0F⟩⟨U+200D⟩🔥");
        assert_eq!(inert("ب\u{200D}\u{61C}ب"), "ب⟨U+200D⟩⟨U+061C⟩ب");
    }
}
