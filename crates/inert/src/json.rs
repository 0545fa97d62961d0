//! Text as JSON: the original, with every character that would not be shown as an escape.

use std::io::{self, Write};

use serde::Serialize;
use unicode_segmentation::UnicodeSegmentation;

use crate::cluster::shown;
use crate::suspect::is_suspect;

/// The text as a JSON string, quotes included: the original, with every character that would be
/// replaced or left out on a screen as a `\u` escape.
#[must_use]
pub fn json_string(text: &str) -> String {
    to_json(text).unwrap_or_else(|_unwritable| "\"\"".to_owned())
}

/// Any value as one line of JSON, its strings escaped as [`json_string`] does.
///
/// # Errors
/// Those of the value's `Serialize`.
pub fn to_json<T: Serialize + ?Sized>(value: &T) -> serde_json::Result<String> {
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
        if fragment.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
            return writer.write_all(fragment.as_bytes());
        }
        for cluster in fragment.graphemes(true) {
            let shown = shown(cluster);
            for (at, character) in cluster.char_indices() {
                match at >= shown || is_suspect(character) {
                    true => write_escaped(writer, character)?,
                    false => write!(writer, "{character}")?,
                }
            }
        }
        Ok(())
    }
}

fn write_escaped(writer: &mut (impl Write + ?Sized), character: char) -> io::Result<()> {
    for unit in character.encode_utf16(&mut [0; 2]) {
        write!(writer, "\\u{unit:04x}")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_carries_the_original_and_nothing_else_can_happen() {
        let text = "a\"\\\u{1B}\u{202E}\u{E0041}👍\n\u{7F}é";
        let json = json_string(text);
        assert_eq!(json, r#""a\"\\\u001b\u202e\udb40\udc41👍\n\u007fé""#);
        assert_eq!(serde_json::from_str::<String>(&json).unwrap(), text);
        let map = std::collections::BTreeMap::from([("k\u{200B}", [1, 2])]);
        assert_eq!(to_json(&map).unwrap(), r#"{"k\u200b":[1,2]}"#);
    }

    #[test]
    fn marks_past_the_eighth_are_escapes() {
        let text = format!("z{}a", "\u{301}".repeat(10));
        let json = json_string(&text);
        assert_eq!(json, format!("\"z{}\\u0301\\u0301a\"", "\u{301}".repeat(8)));
        assert_eq!(serde_json::from_str::<String>(&json).unwrap(), text);
    }
}
