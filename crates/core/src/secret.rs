//! The secret of a store, and the keyed hash that follows from it.
//!
//! The hash is SipHash-2-4: J.-P. Aumasson and D. J. Bernstein, "SipHash: a fast short-input PRF",
//! INDOCRYPT 2012. It must not know where the secret comes from; chance is data here.

use std::fmt;
use std::hash::Hasher;

use siphasher::sip::SipHasher24;

/// 128 bits that come with the command that begins the logs, and are kept for ever. Whoever does not
/// know them cannot tell what is made with them.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct StoreSecret(pub [u8; 16]);

impl fmt::Debug for StoreSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StoreSecret(..)")
    }
}

/// What is hashed for: what is made for one purpose says nothing of another.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Purpose {
    /// [`BodyDigest`](crate::BodyDigest).
    Body = 1,
    /// The rounds of the permutation of ids.
    Id = 2,
}

impl StoreSecret {
    /// Hashes the parts, one behind the other.
    pub(crate) fn hash(self, purpose: Purpose, parts: &[&[u8]]) -> u64 {
        let mut hash = SipHasher24::new_with_key(&self.0);
        hash.write(&[purpose as u8]);
        parts.iter().for_each(|part| hash.write(part));
        hash.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The digests of a store are compared for ever: its hash may never become another one.
    #[test]
    fn the_vectors_of_the_paper_come_out() {
        let counting: Vec<u8> = (0..15).collect();
        let hash = |bytes: &[u8]| {
            let mut hash = SipHasher24::new_with_key(&std::array::from_fn(|i| i as u8));
            hash.write(bytes);
            hash.finish()
        };
        assert_eq!(hash(&counting), 0xA129_CA61_49BE_45E5);
        assert_eq!(hash(&[]), 0x726F_DB47_DD0E_0E31);
        assert_eq!(hash(&[0]), 0x74F8_39C5_93DC_67FD);
        assert_eq!(hash(&counting[..8]), 0x93F5_F579_9A93_2462);
    }

    #[test]
    fn parts_are_the_whole() {
        let (secret, whole) = (StoreSecret([7; 16]), (0..40).collect::<Vec<u8>>());
        for cut in 0..=whole.len() {
            for second in cut..=whole.len() {
                let parts = [&whole[..cut], &whole[cut..second], &whole[second..]];
                let all = secret.hash(Purpose::Body, &[&whole]);
                assert_eq!(secret.hash(Purpose::Body, &parts), all, "{cut}, {second}");
            }
        }
    }

    #[test]
    fn another_secret_or_purpose_makes_another_hash() {
        let (one, other) = (StoreSecret([1; 16]), StoreSecret([2; 16]));
        assert_ne!(one.hash(Purpose::Id, &[b"x"]), other.hash(Purpose::Id, &[b"x"]));
        assert_ne!(one.hash(Purpose::Body, &[b"x"]), one.hash(Purpose::Id, &[b"x"]));
    }
}
