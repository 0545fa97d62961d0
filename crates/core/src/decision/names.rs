//! Which names are free: no two may be confused for each other.
//!
//! Two names collide when they are equal but for case, or when their skeletons are equal, where a
//! skeleton (UTS 39, section 4) maps every character to a prototype of all that look like it. The state
//! compares keys of that and never makes them: `conversation/naming.rs` does, where a request comes in.

use std::collections::BTreeMap;

use chat_proto::Nickname;
use chat_proto::limits::NAME_BYTES_MAX;
use sha2::{Digest, Sha256};

/// A hyphen and seven digits: what a number behind a name takes at the most.
pub(crate) const SUFFIX_BYTES_MAX: usize = 8;

/// SHA-256, cut to 16 bytes, of a text that follows from a name. It says whether two of them are equal,
/// and takes a quarter of the memory of the strings.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct NameKey(pub [u8; 16]);

/// What decides whether two names collide, or are one.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct NameKeys {
    /// Of what the name looks like: as written, and when case is folded. For most names the two are one.
    /// Names with one of them in common collide.
    pub looks: [NameKey; 2],
    /// The same for names that are the same but for case.
    pub spelling: NameKey,
}

/// A name with its keys. It is made of a name where a request comes in, and nowhere else.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Named<N> {
    /// The name.
    pub name: N,
    /// Its keys.
    pub keys: Box<NameKeys>,
}

/// A nickname that somebody new wishes for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct WishedName {
    /// The name.
    pub named: Named<Nickname>,
    /// Whether nobody may be called so.
    pub is_reserved: bool,
    /// What is numbered where the name is taken.
    pub stem: NameStem,
}

/// The beginning of a name, and what its keys would be made of: those of the name with a number behind
/// it follow from that without any table of Unicode.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NameStem {
    /// The name, or as much of it as leaves room for a number.
    pub name: String,
    /// What that looks like: as written, and when case is folded.
    pub looks: [String; 2],
    /// The same for stems that are the same but for case.
    pub spelling: String,
}

/// Names and who holds them.
#[derive(Clone, Debug)]
#[cfg_attr(test, derive(PartialEq))]
pub(crate) struct NameIndex<Id> {
    holders: BTreeMap<NameKey, Id>,
}

impl NameKey {
    /// Of that text.
    pub(crate) fn of(text: &str) -> Self {
        let mut key = [0; 16];
        key.copy_from_slice(&Sha256::digest(text)[..16]);
        Self(key)
    }
}

impl NameKeys {
    /// How many bytes [`Self::to_bytes`] gives.
    pub const BYTES: usize = 48;

    /// All of them, one behind the other.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; Self::BYTES] {
        let mut bytes = [0; Self::BYTES];
        let keys = [self.looks[0], self.looks[1], self.spelling];
        bytes.chunks_exact_mut(16).zip(keys).for_each(|(to, key)| to.copy_from_slice(&key.0));
        bytes
    }

    /// What [`Self::to_bytes`] gave.
    #[must_use]
    pub fn from_bytes(bytes: [u8; Self::BYTES]) -> Self {
        let key = |at: usize| NameKey(std::array::from_fn(|byte| bytes[16 * at + byte]));
        Self { looks: [key(0), key(1)], spelling: key(2) }
    }
}

impl NameStem {
    /// Numbers that fit behind a stem end here.
    pub(crate) const NUMBERS_END: u64 = 10_000_000;

    /// Whether a number fits behind it.
    pub(crate) fn leaves_room(&self) -> bool {
        self.name.len() + SUFFIX_BYTES_MAX <= NAME_BYTES_MAX
    }

    /// The stem with a number behind it, and its keys. In every version of Unicode a hyphen stands for
    /// itself, 0 looks like O and 1 like l, and neither joins with what is before it.
    pub(crate) fn numbered(&self, number: u64) -> Named<Nickname> {
        debug_assert!(number < Self::NUMBERS_END, "there is room for it");
        let suffix = format!("-{number}");
        let written = suffix.replace('0', "O").replace('1', "l");
        let folded = written.to_ascii_lowercase();
        let keys = NameKeys {
            looks: [
                NameKey::of(&(self.looks[0].clone() + &written)),
                NameKey::of(&(self.looks[1].clone() + &folded)),
            ],
            spelling: NameKey::of(&(self.spelling.clone() + &suffix)),
        };
        let name = Nickname::from_judged(&(self.name.clone() + &suffix));
        Named { name: name.expect("a stem leaves room"), keys: Box::new(keys) }
    }
}

impl<Id: Copy + Eq> NameIndex<Id> {
    pub(crate) fn new() -> Self {
        Self { holders: BTreeMap::new() }
    }

    /// Who holds a name that collides with this one.
    pub(crate) fn holder(&self, keys: &NameKeys) -> Option<Id> {
        keys.looks.iter().find_map(|key| self.holders.get(key).copied())
    }

    /// Gives a name to `id`, unless it is somebody else's.
    ///
    /// # Errors
    /// Who holds a name that collides with this one. Nothing has changed then.
    pub(crate) fn claim(&mut self, keys: &NameKeys, id: Id) -> Result<(), Id> {
        let mut holders = keys.looks.iter().filter_map(|key| self.holders.get(key));
        if let Some(holder) = holders.find(|holder| **holder != id) {
            return Err(*holder);
        }
        self.holders.extend(keys.looks.map(|key| (key, id)));
        Ok(())
    }

    /// Frees a name.
    pub(crate) fn free(&mut self, keys: &NameKeys) {
        for key in &keys.looks {
            self.holders.remove(key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chat_proto::RoomName;

    fn keys(name: &str) -> NameKeys {
        *Named::from(RoomName::parse(name).unwrap()).keys
    }

    #[test]
    fn confusable_names_collide() {
        let mut index = NameIndex::new();
        for (n, name) in ["paypal", "Il", "café", "ops", "bob0"].into_iter().enumerate() {
            assert_eq!(index.holder(&keys(name)), None);
            assert_eq!(index.claim(&keys(name), n), Ok(()));
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
            assert_eq!(index.holder(&keys(name)), Some(holder), "{name}");
        }
        assert_eq!(index.holder(&keys("ada")), None);
    }

    #[test]
    fn a_freed_name_is_free() {
        let mut index = NameIndex::new();
        assert_eq!(index.claim(&keys("ada"), 1), Ok(()));
        index.free(&keys("ada"));
        assert_eq!(index.holder(&keys("ADA")), None);
    }

    #[test]
    fn a_name_that_is_held_stays_with_its_holder() {
        let mut index = NameIndex::new();
        assert_eq!(index.claim(&keys("Il"), 1), Ok(()));
        // It looks like the other, and is another when case is folded.
        assert_eq!(index.claim(&keys("ll"), 2), Err(1));
        assert_eq!(index.holder(&keys("ll")), Some(1));
        assert_eq!(index.claim(&keys("Il"), 1), Ok(()), "it is its own");
        index.free(&keys("Il"));
        assert_eq!(index.claim(&keys("ll"), 2), Ok(()), "nothing of the refused claim is left");
    }
}
