//! What a node makes of a name when it takes a request in: keys, whether it is reserved, and what it is
//! numbered from. All of it follows from tables of Unicode, which are other ones in another version: so it
//! is made once, goes with the command, and is stored.
//!
//! It must not be asked for by the state.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use chat_proto::limits::{NAME_BYTES_MAX, NAME_GRAPHEMES_MAX};
use chat_proto::{Nickname, RoomName, looks};
use unicode_normalization::UnicodeNormalization;
use unicode_properties::{GeneralCategoryGroup, UnicodeGeneralCategory};
use unicode_security::confusable_detection::skeleton;

use crate::decision::names::SUFFIX_BYTES_MAX;
use crate::{NameKey, NameKeys, NameStem, Named, WishedName};

/// What programs call their reader, themselves and those who run them.
const RESERVED: [&str; 4] = ["you", "system", "server", "admin"];

/// Letters whose prototype is a stroke: dashes of other scripts, as the lines of a program have.
const DASHES: [char; 4] = ['一', 'ー', 'ㅡ', 'ᅳ'];

static RESERVED_KEYS: LazyLock<BTreeSet<NameKey>> =
    LazyLock::new(|| RESERVED.into_iter().flat_map(|name| keys(name).looks).collect());

impl From<RoomName> for Named<RoomName> {
    fn from(name: RoomName) -> Self {
        let keys = Box::new(keys(name.as_str()));
        Self { name, keys }
    }
}

impl From<Nickname> for Named<Nickname> {
    fn from(name: Nickname) -> Self {
        let keys = Box::new(keys(name.as_str()));
        Self { name, keys }
    }
}

impl From<Nickname> for WishedName {
    fn from(name: Nickname) -> Self {
        let is_reserved = is_reserved(name.as_str());
        let stem = stem(name.as_str());
        Self { named: name.into(), is_reserved, stem }
    }
}

/// Whether nobody may be called so: what such a person says could be taken for a line of the
/// program. That is so for the names that programs use, for what looks like one of them, and for
/// what has no letter that looks like one (`ǃǃ` is made of letters).
fn is_reserved(name: &str) -> bool {
    let looks_like_a_letter = |character: char| {
        let group = character.general_category_group();
        let is_letter =
            matches!(group, GeneralCategoryGroup::Letter | GeneralCategoryGroup::Number);
        is_letter && !DASHES.contains(&character)
    };
    !skeleton(name).any(looks_like_a_letter)
        || keys(name).looks.iter().any(|key| RESERVED_KEYS.contains(key))
}

fn keys(name: &str) -> NameKeys {
    let looks = looks(name).map(|look| NameKey::of(&look));
    NameKeys { looks, spelling: NameKey::of(&spelling(name)) }
}

/// The same for names that are the same but for case.
fn spelling(name: &str) -> String {
    name.to_lowercase().nfc().collect()
}

/// The name, cut where a number needs room. Characters, not graphemes: cutting inside a grapheme only
/// drops marks from the last one.
fn stem(name: &str) -> NameStem {
    let mut kept: String = name.chars().take(NAME_GRAPHEMES_MAX - SUFFIX_BYTES_MAX).collect();
    while kept.len() + SUFFIX_BYTES_MAX > NAME_BYTES_MAX {
        kept.pop();
    }
    NameStem { looks: looks(&kept), spelling: spelling(&kept), name: kept }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_numbered_name_has_the_keys_of_whoever_types_it() {
        let names = [
            "ada",
            "ada-2",
            "a-",
            "l0",
            "Ünal",
            "мир",
            "日本",
            "ΑΣ",
            "हिन्दी",
            "rn",
            "x\u{323}\u{301}",
            "İ",
        ];
        let long = ["x".repeat(32), "é".repeat(32), "日".repeat(32), "\u{1F1}".repeat(32)];
        for name in names.into_iter().chain(long.iter().map(String::as_str)) {
            let Ok(name) = Nickname::parse(name) else { panic!("{name} is a name") };
            let wished = WishedName::from(name.clone());
            for number in (2..130).chain([10_456, 9_876_543]) {
                let numbered = wished.stem.numbered(number);
                let typed = Nickname::parse(numbered.name.as_str());
                assert_eq!(typed.as_ref(), Ok(&numbered.name), "{name}: it is a name");
                assert_eq!(Named::from(typed.unwrap()), numbered, "{name}-{number}");
                assert!(!is_reserved(numbered.name.as_str()), "{name}-{number}");
            }
        }
    }

    #[test]
    fn what_a_program_calls_itself_or_its_reader_is_reserved() {
        for name in [
            "you",
            "You",
            "YOU",
            "уоu",
            "ყou",
            "system",
            "SYSTEM",
            "ѕуѕtem",
            "server",
            "admin",
            "аdmin",
            "ǃǃ",
            "ーー",
            "一",
            "ㅡ",
            "ㅡ-",
            "𐌟𐌟",
            "--",
            "_",
        ] {
            assert!(is_reserved(name), "{name}");
        }
        for name in
            ["ada", "your", "admin-2", "sysop", "日本", "一郎", "スー", "мир", "ǃxo", "二", "1"]
        {
            assert!(!is_reserved(name), "{name}");
        }
    }
}
