//! Lines that have no answer at the end: each is told with what sends it again by itself.

use std::time::{Duration, Instant};

use chat_client::display::inert;

use super::key::Key;
use super::output::say;
use super::record::Record;
use super::tell;

/// How long the telling may take when nobody reads it.
const TELL_ALL_MAX: Duration = Duration::from_secs(2);

/// A line without an answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Missing {
    pub(super) line: u64,
    /// Its place in the stream of the key.
    pub(super) nth: u64,
    pub(super) text: String,
}

/// Tells each, in order. Sent again in this order, none is posted twice and none is left out.
pub(super) fn tell_all(all: &[Missing], key: &Key, room: &str) {
    let started = Instant::now();
    for (told, missing) in all.iter().enumerate() {
        if started.elapsed() > TELL_ALL_MAX {
            let rest = all.len() - told;
            return tell(&format!("{rest} more lines without an answer could not be told in time"));
        }
        let Missing { line, nth, text } = missing;
        let (id, text) = (quoted(key.id()), quoted(text));
        let sentence = format!(
            "line {line} has no answer: chat-tui --no-tui send -r {room} --id {id} --nth {nth} -- \
             {text}"
        );
        say(&sentence, &Record::unanswered(missing, key.id(), room));
    }
}

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
