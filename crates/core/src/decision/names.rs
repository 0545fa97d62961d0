//! Which names are free: no two may be confused for each other.
//!
//! Two names collide when they are equal but for case, or when their skeletons are equal, where a
//! skeleton (UTS 39, section 4) maps every character to a prototype of all that look like it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use chat_proto::looks;
use sha2::{Digest, Sha256};
use unicode_normalization::UnicodeNormalization;
use unicode_properties::{GeneralCategoryGroup, UnicodeGeneralCategory};
use unicode_security::confusable_detection::skeleton;

/// What programs call their reader, themselves and those who run them.
const RESERVED: [&str; 4] = ["you", "system", "server", "admin"];

/// Letters whose prototype is a stroke: dashes of other scripts, as the lines of a program have.
const DASHES: [char; 4] = ['一', 'ー', 'ㅡ', 'ᅳ'];

static RESERVED_KEYS: LazyLock<BTreeSet<Key>> =
    LazyLock::new(|| RESERVED.into_iter().flat_map(keys).collect());

/// Names and who holds them.
#[derive(Clone, Debug)]
#[cfg_attr(test, derive(PartialEq))]
pub(crate) struct NameIndex<Id> {
    holders: BTreeMap<Key, Id>,
}

/// SHA-256, cut to 16 bytes, of what a name looks like: as written, and when case is folded. For
/// most names the two are one. It says whether names collide, and takes a quarter of the memory of
/// the strings.
type Key = [u8; 16];

impl<Id: Copy + Eq> NameIndex<Id> {
    pub(crate) fn new() -> Self {
        Self { holders: BTreeMap::new() }
    }

    /// Who holds a name that collides with this one.
    pub(crate) fn holder(&self, name: &str) -> Option<Id> {
        keys(name).iter().find_map(|key| self.holders.get(key).copied())
    }

    /// Gives a name to `id`, unless it is somebody else's.
    ///
    /// # Errors
    /// Who holds a name that collides with this one. Nothing has changed then.
    pub(crate) fn claim(&mut self, name: &str, id: Id) -> Result<(), Id> {
        let keys = keys(name);
        let mut holders = keys.iter().filter_map(|key| self.holders.get(key));
        if let Some(holder) = holders.find(|holder| **holder != id) {
            return Err(*holder);
        }
        self.holders.extend(keys.map(|key| (key, id)));
        Ok(())
    }

    /// Frees a name.
    pub(crate) fn free(&mut self, name: &str) {
        for key in keys(name) {
            self.holders.remove(&key);
        }
    }
}

/// Whether two names are the same but for case.
pub(crate) fn same_but_for_case(left: &str, right: &str) -> bool {
    left.to_lowercase().nfc().eq(right.to_lowercase().nfc())
}

/// Whether nobody may be called so: what such a person says could be taken for a line of the
/// program. That is so for the names that programs use, for what looks like one of them, and for
/// what has no letter that looks like one (`ǃǃ` is made of letters).
pub(crate) fn is_reserved(name: &str) -> bool {
    let looks_like_a_letter = |character: char| {
        let group = character.general_category_group();
        let is_letter =
            matches!(group, GeneralCategoryGroup::Letter | GeneralCategoryGroup::Number);
        is_letter && !DASHES.contains(&character)
    };
    !skeleton(name).any(looks_like_a_letter)
        || keys(name).iter().any(|key| RESERVED_KEYS.contains(key))
}

fn keys(name: &str) -> [Key; 2] {
    looks(name).map(|look| key(&look))
}

fn key(looks: &str) -> Key {
    let mut key = [0; 16];
    key.copy_from_slice(&Sha256::digest(looks)[..16]);
    key
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn confusable_names_collide() {
        let mut index = NameIndex::new();
        for (n, name) in ["paypal", "Il", "café", "ops", "bob0"].into_iter().enumerate() {
            assert_eq!(index.holder(name), None);
            assert_eq!(index.claim(name, n), Ok(()));
        }
        for (name, holder) in [
            ("pаypаl", 0), // Cyrillic а
            ("PayPal", 0),
            ("ll", 1),
            ("CAFÉ", 2),
            ("οps", 3), // Greek omicron
            ("bobo", 4),
            ("b0bo", 4),
        ] {
            assert_eq!(index.holder(name), Some(holder), "{name}");
        }
        assert_eq!(index.holder("ada"), None);
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

    #[test]
    fn a_freed_name_is_free() {
        let mut index = NameIndex::new();
        assert_eq!(index.claim("ada", 1), Ok(()));
        index.free("ada");
        assert_eq!(index.holder("ADA"), None);
    }

    #[test]
    fn a_name_that_is_held_stays_with_its_holder() {
        let mut index = NameIndex::new();
        assert_eq!(index.claim("Il", 1), Ok(()));
        // It looks like the other, and is another when case is folded.
        assert_eq!(index.claim("ll", 2), Err(1));
        assert_eq!(index.holder("ll"), Some(1));
        assert_eq!(index.claim("Il", 1), Ok(()), "it is its own");
        index.free("Il");
        assert_eq!(index.claim("ll", 2), Ok(()), "nothing of the refused claim is left");
    }
}
