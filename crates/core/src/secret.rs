//! The secret of a store, and the keyed hash that follows from it.
//!
//! Owns SipHash-2-4: J.-P. Aumasson and D. J. Bernstein, "SipHash: a fast short-input PRF",
//! INDOCRYPT 2012. It must not know where the secret comes from; chance is data here.

use std::fmt;

/// 128 bits that come with the command that begins the logs, and are kept for ever. Whoever does not
/// know them cannot tell what is made with them.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct StoreSecret(pub [u8; 16]);

impl fmt::Debug for StoreSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StoreSecret(..)")
    }
}

impl StoreSecret {
    /// Hashes the parts, one behind the other. What is hashed for another purpose begins with
    /// another `purpose`.
    pub(crate) fn hash(self, purpose: u8, parts: &[&[u8]]) -> u64 {
        let mut hash = SipHash::new(self.0);
        hash.write(&[purpose]);
        parts.iter().for_each(|part| hash.write(part));
        hash.finish()
    }
}

/// SipHash-2-4 over bytes that come in parts.
struct SipHash {
    v: [u64; 4],
    /// The bytes that do not make up a word yet, and all that came, in bytes.
    word: u64,
    length: usize,
}

impl SipHash {
    fn new(key: [u8; 16]) -> Self {
        let key = u128::from_le_bytes(key);
        let (k0, k1) = (key as u64, (key >> 64) as u64);
        let v = [
            k0 ^ 0x736F_6D65_7073_6575,
            k1 ^ 0x646F_7261_6E64_6F6D,
            k0 ^ 0x6C79_6765_6E65_7261,
            k1 ^ 0x7465_6462_7974_6573,
        ];
        Self { v, word: 0, length: 0 }
    }

    fn write(&mut self, mut bytes: &[u8]) {
        while !self.length.is_multiple_of(8)
            && let Some((first, rest)) = bytes.split_first()
        {
            self.put(*first);
            bytes = rest;
        }
        // Here nothing waits in `word`, or nothing is left to come.
        let (words, rest) = bytes.as_chunks::<8>();
        for word in words {
            self.compress(u64::from_le_bytes(*word));
        }
        self.length += 8 * words.len();
        rest.iter().for_each(|byte| self.put(*byte));
    }

    fn put(&mut self, byte: u8) {
        self.word |= u64::from(byte) << (8 * (self.length % 8));
        self.length += 1;
        if self.length.is_multiple_of(8) {
            let word = std::mem::take(&mut self.word);
            self.compress(word);
        }
    }

    fn finish(mut self) -> u64 {
        self.compress(self.word | (self.length as u64) << 56);
        self.v[2] ^= 0xFF;
        (0..4).for_each(|_| self.round());
        self.v.into_iter().fold(0, |all, v| all ^ v)
    }

    fn compress(&mut self, word: u64) {
        self.v[3] ^= word;
        (0..2).for_each(|_| self.round());
        self.v[0] ^= word;
    }

    fn round(&mut self) {
        let [mut a, mut b, mut c, mut d] = self.v;
        a = a.wrapping_add(b);
        c = c.wrapping_add(d);
        b = b.rotate_left(13) ^ a;
        d = d.rotate_left(16) ^ c;
        a = a.rotate_left(32).wrapping_add(d);
        c = c.wrapping_add(b);
        d = d.rotate_left(21) ^ a;
        b = b.rotate_left(17) ^ c;
        self.v = [a, b, c.rotate_left(32), d];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hash(bytes: &[u8]) -> u64 {
        let mut hash = SipHash::new(std::array::from_fn(|i| i as u8));
        hash.write(bytes);
        hash.finish()
    }

    #[test]
    fn the_vectors_of_the_paper_come_out() {
        let counting: Vec<u8> = (0..15).collect();
        assert_eq!(hash(&counting), 0xA129_CA61_49BE_45E5);
        assert_eq!(hash(&[]), 0x726F_DB47_DD0E_0E31);
        assert_eq!(hash(&[0]), 0x74F8_39C5_93DC_67FD);
        assert_eq!(hash(&counting[..8]), 0x93F5_F579_9A93_2462);
    }

    #[test]
    fn parts_are_the_whole() {
        let whole: Vec<u8> = (0..40).collect();
        for cut in 0..=whole.len() {
            for second in cut..=whole.len() {
                let mut parts = SipHash::new([7; 16]);
                parts.write(&whole[..cut]);
                parts.write(&whole[cut..second]);
                parts.write(&whole[second..]);
                let mut all = SipHash::new([7; 16]);
                all.write(&whole);
                assert_eq!(parts.finish(), all.finish(), "{cut}, {second}");
            }
        }
    }

    #[test]
    fn another_secret_or_purpose_makes_another_hash() {
        let (one, other) = (StoreSecret([1; 16]), StoreSecret([2; 16]));
        assert_ne!(one.hash(1, &[b"x"]), other.hash(1, &[b"x"]));
        assert_ne!(one.hash(1, &[b"x"]), one.hash(2, &[b"x"]));
    }
}
