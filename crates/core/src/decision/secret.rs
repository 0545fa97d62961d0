//! The secret of a store, and the keyed hash that follows from it.
//!
//! The hash is SipHash-1-3, the one of Rust's own hash maps: J.-P. Aumasson and D. J. Bernstein,
//! "SipHash: a fast short-input PRF", INDOCRYPT 2012. It must not know where the secret comes from; chance is data here.

use std::fmt;
use std::hash::Hasher;

use siphasher::sip::SipHasher13;

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
        let mut hash = SipHasher13::new_with_key(&self.0);
        hash.write(&[purpose as u8]);
        parts.iter().for_each(|part| hash.write(part));
        hash.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The digests of a store are compared for ever: its hash may never become another one. The values are
    /// those of a program that was written from the paper, with one round a word and three at the end;
    /// with two and four it has the paper's own.
    #[test]
    fn the_vectors_of_its_definition_come_out() {
        let counting: Vec<u8> = (0..15).collect();
        let hash = |bytes: &[u8]| {
            let mut hash = SipHasher13::new_with_key(&std::array::from_fn(|i| i as u8));
            hash.write(bytes);
            hash.finish()
        };
        assert_eq!(hash(&counting), 0xD320_D86D_2A51_9956);
        assert_eq!(hash(&[]), 0xABAC_0158_050F_C4DC);
        assert_eq!(hash(&[0]), 0xC9F4_9BF3_7D57_CA93);
        assert_eq!(hash(&counting[..8]), 0x3690_9511_8D29_9A8E);
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
