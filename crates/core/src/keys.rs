//! The daemon's key, and looking at the signatures of others: Ed25519, RFC 8032.

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair, ParsedPublicKey};
use chat_proto::PublicKey;

/// What the daemon proves with who it is.
#[derive(Clone)]
pub struct ServerKey {
    pair: Arc<Ed25519KeyPair>,
    public: PublicKey,
}

impl ServerKey {
    /// The key of a seed: RFC 8032 calls it the private key.
    ///
    /// # Panics
    /// Never: every 32 bytes are a seed.
    #[must_use]
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        let pair = Ed25519KeyPair::from_seed_unchecked(seed).expect("every 32 bytes are a seed");
        let public = pair.public_key().as_ref().try_into().expect("a public key has 32 bytes");
        Self { pair: Arc::new(pair), public: PublicKey(public) }
    }

    /// What clients know the daemon by.
    #[must_use]
    pub fn public(&self) -> PublicKey {
        self.public
    }

    pub(crate) fn sign(&self, message: &[u8]) -> [u8; 64] {
        let signature = self.pair.sign(message);
        signature.as_ref().try_into().expect("a signature has 64 bytes")
    }
}

impl fmt::Debug for ServerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerKey").field("public", &self.public).finish_non_exhaustive()
    }
}

/// Whether a signature is that of a key. A key of small order has none.
pub(crate) fn is_signed_by(key: &PublicKey, message: &[u8], signature: &[u8; 64]) -> bool {
    !is_of_small_order(key)
        && ParsedPublicKey::new(&ED25519, key.0)
            .is_ok_and(|key| key.verify_sig(message, signature).is_ok())
}

/// For such a key anybody can make a signature of anything. There are eight points of small order;
/// some can be written in more than one way.
fn is_of_small_order(key: &PublicKey) -> bool {
    let mut y = key.0;
    y[31] &= 0x7F;
    SMALL_ORDER_YS.contains(&y)
}

/// Their y coordinates, little endian: 0, 1, two of order eight, and -1, also with the field's
/// order (2²⁵⁵ − 19) added where that fits.
const SMALL_ORDER_YS: [[u8; 32]; 7] = [
    [0; 32],
    low(1, 0),
    [
        0x26, 0xE8, 0x95, 0x8F, 0xC2, 0xB2, 0x27, 0xB0, 0x45, 0xC3, 0xF4, 0x89, 0xF2, 0xEF, 0x98,
        0xF0, 0xD5, 0xDF, 0xAC, 0x05, 0xD3, 0xC6, 0x33, 0x39, 0xB1, 0x38, 0x02, 0x88, 0x6D, 0x53,
        0xFC, 0x05,
    ],
    [
        0xC7, 0x17, 0x6A, 0x70, 0x3D, 0x4D, 0xD8, 0x4F, 0xBA, 0x3C, 0x0B, 0x76, 0x0D, 0x10, 0x67,
        0x0F, 0x2A, 0x20, 0x53, 0xFA, 0x2C, 0x39, 0xCC, 0xC6, 0x4E, 0xC7, 0xFD, 0x77, 0x92, 0xAC,
        0x03, 0x7A,
    ],
    low(0xEC, 0xFF),
    low(0xED, 0xFF),
    low(0xEE, 0xFF),
];

/// A first byte, 30 of the same, and as many bits of that as a y has left.
const fn low(first: u8, others: u8) -> [u8; 32] {
    let mut y = [others; 32];
    y[0] = first;
    y[31] &= 0x7F;
    y
}

#[cfg(test)]
mod tests {
    use ed25519_dalek::{Signer, SigningKey, VerifyingKey};

    use super::*;

    #[test]
    fn another_implementation_signs_and_checks_the_same() {
        for seed in [[0; 32], [1; 32], [0xFF; 32]] {
            let (ours, theirs) = (ServerKey::from_seed(&seed), SigningKey::from_bytes(&seed));
            assert_eq!(ours.public().0, theirs.verifying_key().to_bytes());
            let signature = theirs.sign(b"hello").to_bytes();
            assert_eq!(ours.sign(b"hello"), signature);
            assert!(is_signed_by(&ours.public(), b"hello", &signature));
            assert!(!is_signed_by(&ours.public(), b"hullo", &signature));
            let mut cut = signature;
            cut[63] ^= 0x10;
            assert!(!is_signed_by(&ours.public(), b"hello", &cut), "S is over the order");
        }
    }

    #[test]
    fn a_key_of_small_order_signs_nothing() {
        let identity = low(1, 0);
        // 1·B = R, 0·A = 0: with A = 0 it fits whatever was signed.
        let mut signature = [0; 64];
        signature[..32].copy_from_slice(&identity);
        let fits_everything = VerifyingKey::from_bytes(&identity).unwrap();
        let theirs = ed25519_dalek::Signature::from_bytes(&signature);
        ed25519_dalek::Verifier::verify(&fits_everything, b"whatever", &theirs).unwrap();
        assert!(!is_signed_by(&PublicKey(identity), b"whatever", &signature));
    }

    #[test]
    fn the_list_of_small_orders_is_right() {
        let mut points = std::collections::BTreeSet::new();
        for y in SMALL_ORDER_YS {
            for sign in [0, 0x80] {
                let mut bytes = y;
                bytes[31] |= sign;
                if let Ok(key) = VerifyingKey::from_bytes(&bytes) {
                    assert!(key.is_weak(), "{bytes:02X?}");
                    points.insert(key.to_edwards().compress().to_bytes());
                }
            }
        }
        assert_eq!(points.len(), 8, "all that there are");
    }
}
