//! Room names and nicknames: letters and digits of any script, `-` and `_`.

use std::fmt;

use unicode_normalization::UnicodeNormalization;
use unicode_properties::{GeneralCategory, GeneralCategoryGroup, UnicodeGeneralCategory};
use unicode_security::confusable_detection::skeleton;
use unicode_segmentation::UnicodeSegmentation;

use crate::limits::{NAME_BYTES_MAX, NAME_GRAPHEMES_MAX};

/// Nonspacing marks on one letter, decomposed. More are no writing system's (Unicode Technical
/// Standard 39, 5.4).
const MARKS_MAX: usize = 4;

/// Marks of any kind behind one letter: what a reader is shown in full.
const MARKS_OF_ALL_KINDS_MAX: usize = 8;

/// Code points of one grapheme cluster: conjuncts of Indic scripts have ten.
const CLUSTER_CHARS_MAX: usize = 12;

/// Says which rule a name breaks.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum NameError {
    /// Nothing is there.
    #[error("a name needs at least one character")]
    Empty,
    /// Longer than a screen has room for.
    #[error("a name has at most {NAME_GRAPHEMES_MAX} characters; this one has {graphemes}")]
    TooLong {
        /// Grapheme clusters that it has.
        graphemes: usize,
    },
    /// Few characters, perhaps, but many bytes.
    #[error("a name has at most {NAME_BYTES_MAX} bytes; this one has {bytes}")]
    TooManyBytes {
        /// Bytes of UTF-8 that it has.
        bytes: usize,
    },
    /// A character that is no letter, digit, `-` or `_`.
    #[error("a name has only letters, digits, - and _; {0:?} is none of them")]
    Character(char),
    /// More on one letter than any script writes.
    #[error("a letter of a name has at most {MARKS_MAX} marks on it")]
    Crowded,
    /// Nothing but `-` and `_`, which looks like a line of the program.
    #[error("a name has at least one letter or digit")]
    NoLetter,
}

macro_rules! name {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub struct $name(String);

        impl $name {
            /// Checks a name and brings it into Unicode normalization form C.
            ///
            /// # Errors
            /// [`NameError`] says which rule is broken.
            pub fn parse(name: &str) -> Result<Self, NameError> {
                checked(name).map(Self)
            }

            /// A name that was judged before, perhaps by another version of Unicode: it is not judged
            /// again.
            ///
            /// # Errors
            /// [`NameError`] when no version would have taken it: it is empty, or too long.
            pub fn from_judged(name: &str) -> Result<Self, NameError> {
                check_bytes(name)?;
                match name.is_empty() {
                    true => Err(NameError::Empty),
                    false => Ok(Self(name.to_owned())),
                }
            }

            /// The name, in form C, without any sigil.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl std::str::FromStr for $name {
            type Err = NameError;

            fn from_str(name: &str) -> Result<Self, NameError> {
                Self::parse(name)
            }
        }
    };
}

name! {
    /// A room's name, without its `#`.
    RoomName
}
name! {
    /// What an account is called.
    Nickname
}

/// Whether a character may stand in a name.
#[must_use]
pub fn spells_like_a_name(character: char) -> bool {
    match character {
        '-' | '_' => true,
        _ if character.is_ascii() => character.is_ascii_alphanumeric(),
        _ if is_default_ignorable(character) || is_conjoining_jamo(character) => false,
        _ => is_letter_mark_or_digit(character),
    }
}

/// What a name looks like: as written, and when case is folded. Two names collide when they have one
/// of these in common (UTS 39, section 4: skeletons map every character to a prototype of all that
/// look like it).
#[must_use]
pub fn looks(name: &str) -> [String; 2] {
    let folded: String = skeleton(&name.to_lowercase()).collect();
    [skeleton(name).collect(), folded.to_lowercase()]
}

/// Whether two names may be confused for each other, so that only one person can have them.
#[must_use]
pub fn names_collide(left: &str, right: &str) -> bool {
    let right = looks(right);
    looks(left).iter().any(|look| right.contains(look))
}

fn checked(name: &str) -> Result<String, NameError> {
    if name.is_empty() {
        return Err(NameError::Empty);
    }
    // Bounded before anything else is done with it: form C and the characters of a hostile text are
    // a millisecond of work.
    check_bytes(name)?;
    let name: String = name.nfc().collect();
    check_bytes(&name)?;
    let graphemes = name.graphemes(true).count();
    if graphemes > NAME_GRAPHEMES_MAX {
        return Err(NameError::TooLong { graphemes });
    }
    if let Some(character) = name.chars().find(|character| !spells_like_a_name(*character)) {
        return Err(NameError::Character(character));
    }
    if is_crowded(&name) {
        return Err(NameError::Crowded);
    }
    if name.chars().all(|character| matches!(character, '-' | '_')) {
        return Err(NameError::NoLetter);
    }
    match name.chars().next() {
        Some(first) if is_mark(first) => Err(NameError::Character(first)),
        _ => Ok(name),
    }
}

/// Whether marks or letters are piled up on one place, where they would cover what is beside it.
fn is_crowded(name: &str) -> bool {
    let (mut marks, mut nonspacing) = (0, 0);
    let marks_are_many = name.nfd().any(|character| {
        marks = if is_mark(character) { marks + 1 } else { 0 };
        nonspacing = if is_nonspacing_mark(character) { nonspacing + 1 } else { 0 };
        marks > MARKS_OF_ALL_KINDS_MAX || nonspacing > MARKS_MAX
    });
    let is_large = |cluster: &str| cluster.chars().count() > CLUSTER_CHARS_MAX;
    marks_are_many || name.graphemes(true).any(is_large)
}

fn check_bytes(name: &str) -> Result<(), NameError> {
    match name.len() {
        0..=NAME_BYTES_MAX => Ok(()),
        bytes => Err(NameError::TooManyBytes { bytes }),
    }
}

fn is_mark(character: char) -> bool {
    character.general_category_group() == GeneralCategoryGroup::Mark
}

fn is_nonspacing_mark(character: char) -> bool {
    let category = character.general_category();
    matches!(category, GeneralCategory::NonspacingMark | GeneralCategory::EnclosingMark)
}

fn is_letter_mark_or_digit(character: char) -> bool {
    matches!(
        character.general_category_group(),
        GeneralCategoryGroup::Letter | GeneralCategoryGroup::Mark
    ) || matches!(
        character.general_category(),
        // Other numbers (½, ², ①) are digits dressed up as something else.
        GeneralCategory::DecimalNumber | GeneralCategory::LetterNumber
    )
}

/// Letters and marks that show nothing (Unicode's `Default_Ignorable_Code_Point`).
fn is_default_ignorable(character: char) -> bool {
    matches!(character,
        '\u{034F}' | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}' | '\u{180B}'..='\u{180F}'
        | '\u{3164}' | '\u{FE00}'..='\u{FE0F}' | '\u{FFA0}' | '\u{E0100}'..='\u{E01EF}')
}

/// Parts of Hangul syllables. Of those that are written today form C has made syllables; the rest, and
/// those that join to nothing, have no width of their own in a terminal.
fn is_conjoining_jamo(character: char) -> bool {
    matches!(character, '\u{1100}'..='\u{11FF}' | '\u{A960}'..='\u{A97F}' | '\u{D7B0}'..='\u{D7FF}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_every_script_are_names() {
        for name in
            ["ada", "root-2", "日本語", "हिन्दी", "Ωmega_1", "мир", "עברית", "ß", "二〇二六", "٢٠٢٦"]
        {
            assert_eq!(RoomName::parse(name).map(|name| name.to_string()), Ok(name.to_owned()));
        }
    }

    #[test]
    fn form_c_is_made() {
        assert_eq!(Nickname::parse("e\u{301}").unwrap().as_str(), "é");
        let hangul = Nickname::parse("\u{1112}\u{1161}\u{11AB}").unwrap();
        assert_eq!(hangul.as_str(), "한");
    }

    #[test]
    fn what_does_not_show_or_misleads_is_refused() {
        for name in [
            "a b",
            "a\nb",
            "a\0",
            "#a",
            "@a",
            "a/b",
            "\u{202E}abc",
            "a\u{200B}b",
            "a\u{200D}b",
            "\u{3164}",
            "\u{11C7}",
            "a\u{FE0F}",
            "a\u{E0041}",
            "\u{301}a",
            "a\u{7F}",
            "a\u{85}",
            "👍",
            "x²",
            "½",
        ] {
            assert!(matches!(Nickname::parse(name), Err(NameError::Character(_))), "{name:?}");
        }
        assert_eq!(Nickname::parse(""), Err(NameError::Empty));
        for name in ["-", "--", "_", "-_-"] {
            assert_eq!(Nickname::parse(name), Err(NameError::NoLetter), "{name}");
        }
    }

    #[test]
    fn what_is_piled_up_on_one_letter_is_refused() {
        for name in [
            format!("e{}", "\u{301}".repeat(5)),
            // In form C one of them is a part of the letter.
            format!("a{}b", "\u{302}\u{301}\u{323}\u{330}\u{331}"),
            "क\u{94D}".repeat(7),
            format!("a{}", "\u{CCA}".repeat(5)),
        ] {
            assert_eq!(Nickname::parse(&name), Err(NameError::Crowded), "{name}");
        }
        // Vietnamese, Yoruba, a conjunct of Sanskrit, Khmer, Hebrew with points and an accent.
        for name in ["Việt", "ọ\u{301}ba", "कार्त्स्न्य", "ស្ត្រី", "בְּרֵאשִׁ\u{596}ית"]
        {
            assert!(Nickname::parse(name).is_ok(), "{name}");
        }
    }

    #[test]
    fn what_means_something_to_shells_brokers_and_paths_is_no_name() {
        for name in ["*", "#", ">", ".", "..", "$SYS", "../x", "%n", "a\nb", "a\tb", "~", "a:b"] {
            let refused = (RoomName::parse(name).err(), Nickname::parse(name).err());
            let both = |error: &Option<_>| matches!(error, Some(NameError::Character(_)));
            assert!(both(&refused.0) && both(&refused.1), "{name:?}: {refused:?}");
        }
        let long = "x".repeat(10_000);
        assert_eq!(Nickname::parse(&long), Err(NameError::TooManyBytes { bytes: 10_000 }));
    }

    #[test]
    fn twins_of_a_name_collide_with_it() {
        for (name, twin) in [
            ("admin", "\u{430}dmin"),
            ("admin", "ADMIN"),
            ("admin", "\u{FF41}\u{FF44}\u{FF4D}\u{FF49}\u{FF4E}"),
            ("caf\u{E9}", "cafe\u{301}"),
            ("caf\u{E9}", "CAF\u{C9}"),
        ] {
            assert!(names_collide(name, twin), "{name} and {twin}");
        }
        assert!(!names_collide("admin", "adnin"));
    }

    #[test]
    fn length_is_counted_in_characters_and_in_bytes() {
        assert!(Nickname::parse(&"x".repeat(32)).is_ok());
        assert!(matches!(Nickname::parse(&"x".repeat(33)), Err(NameError::TooLong { .. })));
        assert!(matches!(
            Nickname::parse(&format!("e{}", "\u{323}".repeat(100))),
            Err(NameError::TooManyBytes { .. })
        ));
        let grows_in_form_c = "\u{FB2C}".repeat(NAME_BYTES_MAX / 3);
        assert!(matches!(Nickname::parse(&grows_in_form_c), Err(NameError::TooManyBytes { .. })));
    }
}
