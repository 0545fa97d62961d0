//! What comes from the network on its way to the screen.
//!
//! Owns nothing but the choice of `chat_client::sanitize`'s forms. What the model holds to be shown is
//! of its type.

use chat_client::sanitize::Inert;
use chat_proto::spells_like_a_name;

use super::history::YOU;

/// A text of several lines.
#[must_use]
pub fn text(text: &str) -> Inert {
    Inert::lines(text)
}

/// A text of one line.
#[must_use]
pub fn line(text: &str) -> Inert {
    Inert::line(text)
}

/// Somebody else's name. Whoever calls themselves what the screen calls its reader gets a sigil.
#[must_use]
pub fn name(name: &str) -> Inert {
    let shown = line(name);
    match shown.eq_ignore_ascii_case(YOU) {
        true => Inert::line(&format!("@{shown}")),
        false => shown,
    }
}

/// Whether a text names somebody, as a whole word in any case.
#[must_use]
pub fn mentions(text: &str, name: &str) -> bool {
    if name.is_empty() || text.len() < name.len() / 2 {
        return false;
    }
    let same = |word: &str| {
        word.eq_ignore_ascii_case(name)
            || (!word.is_ascii() && word.to_lowercase() == name.to_lowercase())
    };
    text.split(|character| !spells_like_a_name(character)).any(same)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mention_is_a_whole_word_in_any_case() {
        for text in ["ada", "hi Ada!", "@ada: look", "(ADA)"] {
            assert!(mentions(text, "ada"), "{text}");
        }
        for text in ["adamant", "xada", "ada-2", ""] {
            assert!(!mentions(text, "ada"), "{text}");
        }
        assert!(mentions("привет МИР", "мир"));
    }

    #[test]
    fn nobody_else_is_called_you() {
        assert_eq!(name("You"), "@You");
        assert_eq!(name("ada"), "ada");
    }
}
