//! What a person sees of text that somebody else wrote: hostile text is inert.
//!
//! The one place that decides it, for screens and for text that is printed. The daemon keeps what
//! was sent; nothing here may be used for anything but showing.
//!
//! Control characters, escape sequences, bidi overrides and isolates, zero-width, tag and other
//! invisible characters become visible placeholders. What scripts and emoji need stays: the joiner
//! between emoji, one variation selector behind the character it varies, and the (non-)joiner
//! between letters of scripts that are written with it.

use std::borrow::Cow;
use std::io::{self, Write};

use unicode_properties::{GeneralCategory, UnicodeEmoji, UnicodeGeneralCategory};

const JOINER: char = '\u{200D}';
const NON_JOINER: char = '\u{200C}';
const KEYCAP: char = '\u{20E3}';

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

/// The text as a JSON string, quotes included: the original, with every character that would be
/// replaced on a screen as a `\u` escape.
#[must_use]
pub fn json_string(text: &str) -> String {
    to_json(text).unwrap_or_else(|_unwritable| "\"\"".to_owned())
}

/// Any value as one line of JSON, its strings escaped as [`json_string`] does.
///
/// # Errors
/// Those of the value's `Serialize`.
pub fn to_json<T: serde::Serialize + ?Sized>(value: &T) -> serde_json::Result<String> {
    let mut bytes = Vec::new();
    let mut serializer = serde_json::Serializer::with_formatter(&mut bytes, Escaping);
    value.serialize(&mut serializer)?;
    String::from_utf8(bytes).map_err(serde::ser::Error::custom)
}

struct Escaping;

impl serde_json::ser::Formatter for Escaping {
    fn write_string_fragment<W>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()>
    where
        W: ?Sized + Write,
    {
        let mut plain_from = 0;
        for (index, character) in fragment.char_indices().filter(|(_, c)| is_suspect(*c)) {
            writer.write_all(&fragment.as_bytes()[plain_from..index])?;
            for unit in character.encode_utf16(&mut [0; 2]) {
                write!(writer, "\\u{unit:04x}")?;
            }
            plain_from = index + character.len_utf8();
        }
        writer.write_all(&fragment.as_bytes()[plain_from..])
    }
}

fn make_inert(text: &str, allowed: fn(char) -> bool) -> Cow<'_, str> {
    let harmless = |character| !is_suspect(character) || allowed(character);
    let Some(first) = text.find(|character| !harmless(character)) else {
        return Cow::Borrowed(text);
    };
    let mut shown = String::with_capacity(text.len() + 16);
    shown.push_str(&text[..first]);
    for (index, character) in text[first..].char_indices() {
        let index = first + index;
        let rest = &text[index + character.len_utf8()..];
        if harmless(character) || belongs(character, &text[..index], rest) {
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
    match character {
        JOINER if joins_emoji(before, after) => true,
        JOINER | NON_JOINER => {
            let joining = |c: char| matches!(c, '\u{0600}'..='\u{0DFF}' | '\u{1780}'..='\u{18AF}');
            last.is_some_and(joining) && after.chars().next().is_some_and(joining)
        }
        '\u{FE0E}' | '\u{FE0F}' => match last {
            Some('0'..='9' | '#' | '*') => after.starts_with(KEYCAP),
            Some(base) => base.is_emoji_char(),
            None => false,
        },
        '\u{E0100}'..='\u{E01EF}' => last.is_some_and(is_ideograph),
        _ => false,
    }
}

fn joins_emoji(before: &str, after: &str) -> bool {
    let is_emoji = |c: char| !c.is_ascii() && c.is_emoji_char();
    let base = before.chars().rev().find(|c| *c != '\u{FE0F}');
    base.is_some_and(is_emoji) && after.chars().next().is_some_and(is_emoji)
}

fn is_ideograph(character: char) -> bool {
    matches!(character, '\u{3400}'..='\u{9FFF}' | '\u{F900}'..='\u{FAFF}' | '\u{20000}'..='\u{3FFFF}')
}

/// Whether a character can do something else than be seen. Some are needed in some places.
fn is_suspect(character: char) -> bool {
    if (' '..='~').contains(&character) {
        return false;
    }
    match character {
        // Format characters that are seen: Arabic number signs and the like.
        '\u{0600}'..='\u{0605}'
        | '\u{06DD}'
        | '\u{070F}'
        | '\u{0890}'
        | '\u{0891}'
        | '\u{08E2}'
        | '\u{110BD}'
        | '\u{110CD}' => false,
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
    fn lines_and_tabs_stay_only_where_they_may() {
        assert_eq!(inert("a\tb\r\nc"), "a␉b␍␊c");
        assert_eq!(inert_lines("a\tb\r\nc"), "a\tb␍\nc");
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
    fn json_carries_the_original_and_nothing_else_can_happen() {
        let text = "a\"\\\u{1B}\u{202E}\u{E0041}👍\n\u{7F}é";
        let json = json_string(text);
        assert_eq!(json, r#""a\"\\\u001b\u202e\udb40\udc41👍\n\u007fé""#);
        assert_eq!(serde_json::from_str::<String>(&json).unwrap(), text);
        let map = std::collections::BTreeMap::from([("k\u{200B}", [1, 2])]);
        assert_eq!(to_json(&map).unwrap(), r#"{"k\u200b":[1,2]}"#);
    }
}
