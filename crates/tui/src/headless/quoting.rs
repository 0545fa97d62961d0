//! Words for a shell: what is told to be run again can be pasted as it stands.
//!
//! Owns the quoting for bash, ksh and zsh. It knows nothing of messages.

use chat_client::sanitize::inert;

/// A word for bash, ksh and zsh; what cannot be seen is written as bytes.
pub(super) fn quoted(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:@%+=".contains(c);
    if !text.is_empty() && text.chars().all(is_plain) {
        return text.to_owned();
    }
    if inert(text) == text && !text.contains('\'') {
        return format!("'{text}'");
    }
    let escaped: String = text.chars().map(escaped).collect();
    format!("$'{escaped}'")
}

fn escaped(c: char) -> String {
    let mut bytes = [0; 4];
    let character = c.encode_utf8(&mut bytes);
    match c {
        '\'' | '\\' => format!("\\{c}"),
        _ if *inert(character) != *character => {
            character.bytes().map(|byte| format!("\\x{byte:02x}")).collect()
        }
        c => c.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_what_a_shell_reads_back() {
        for (text, word) in [
            ("build-812", "build-812"),
            ("two words", "'two words'"),
            ("$HOME `id`", "'$HOME `id`'"),
            ("it's \\n", "$'it\\'s \\\\n'"),
            ("a\tb\u{1b}[2J", "$'a\\x09b\\x1b[2J'"),
            ("", "''"),
        ] {
            assert_eq!(quoted(text), word);
        }
    }
}
