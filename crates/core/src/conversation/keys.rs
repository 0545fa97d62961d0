//! The daemon's key, and looking at the signatures of others: Ed25519 (RFC 8032), and of clients
//! ECDSA on P-256, too. What has to be drawn at random comes the same way.
//!
//! It must not know by which library: whoever has the key hands it in.

use std::fmt;
use std::sync::Arc;

use chat_proto::PublicKey;

/// A key pair of Ed25519, and what looks at the signatures of others.
pub trait Signatures: Send + Sync {
    /// The public half.
    fn public(&self) -> PublicKey;

    /// The pair's signature of a message.
    fn sign(&self, message: &[u8]) -> [u8; 64];

    /// Whether a signature is that of another key. What it says of keys of small order is not
    /// asked for.
    fn verify(&self, key: &PublicKey, message: &[u8], signature: &[u8; 64]) -> bool;

    /// Whether a signature (r and s, big endian) is that of an ECDSA key on P-256 (an uncompressed
    /// point) over the SHA-256 of a message. What is no point of the curve, or the one at infinity, has
    /// none.
    fn verify_p256(&self, point: &[u8; 65], message: &[u8], signature: &[u8; 64]) -> bool;

    /// 128 bits that nobody can guess, and that were never drawn before.
    fn draw(&self) -> [u8; 16];
}

/// What the daemon proves with who it is.
#[derive(Clone)]
pub struct ServerKey(Arc<dyn Signatures>);

impl ServerKey {
    /// The key of a daemon.
    #[must_use]
    pub fn new(pair: impl Signatures + 'static) -> Self {
        Self(Arc::new(pair))
    }

    /// What clients know the daemon by.
    #[must_use]
    pub fn public(&self) -> PublicKey {
        self.0.public()
    }

    /// 128 bits that nobody can guess: the code of an invitation.
    #[must_use]
    pub fn draw(&self) -> [u8; 16] {
        self.0.draw()
    }

    pub(crate) fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.0.sign(message)
    }

    /// Whether a signature is that of a key. A key of small order has none.
    pub(crate) fn verify(&self, key: &PublicKey, message: &[u8], signature: &[u8; 64]) -> bool {
        !is_of_small_order(key) && self.0.verify(key, message, signature)
    }

    /// Whether a signature is that of a key on P-256, which has no points of small order.
    pub(crate) fn verify_p256(
        &self,
        point: &[u8; 65],
        message: &[u8],
        signature: &[u8; 64],
    ) -> bool {
        self.0.verify_p256(point, message, signature)
    }
}

impl fmt::Debug for ServerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ServerKey").field(&self.public()).finish()
    }
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
pub(crate) mod tests {
    use ed25519_dalek::{Signature, Signer, SigningKey, Verifier, VerifyingKey};

    use super::*;

    /// A library in Rust alone, which takes keys of small order.
    struct Dalek(SigningKey);

    impl Signatures for Dalek {
        fn public(&self) -> PublicKey {
            PublicKey(self.0.verifying_key().to_bytes())
        }

        fn sign(&self, message: &[u8]) -> [u8; 64] {
            self.0.sign(message).to_bytes()
        }

        fn verify(&self, key: &PublicKey, message: &[u8], signature: &[u8; 64]) -> bool {
            let signature = Signature::from_bytes(signature);
            VerifyingKey::from_bytes(&key.0)
                .is_ok_and(|key| Verifier::verify(&key, message, &signature).is_ok())
        }

        /// The library has none of it; the daemon tests it with its own.
        fn verify_p256(&self, _point: &[u8; 65], _message: &[u8], _signature: &[u8; 64]) -> bool {
            false
        }

        /// Guessable: it is for tests.
        fn draw(&self) -> [u8; 16] {
            [0xD4; 16]
        }
    }

    /// The key of a seed.
    pub(crate) fn key_of(seed: [u8; 32]) -> ServerKey {
        ServerKey::new(Dalek(SigningKey::from_bytes(&seed)))
    }

    #[test]
    fn a_key_of_small_order_signs_nothing() {
        let identity = PublicKey(low(1, 0));
        // 1·B = R, 0·A = 0: with A = 0 it fits whatever was signed.
        let mut signature = [0; 64];
        signature[..32].copy_from_slice(&identity.0);
        let key = key_of([1; 32]);
        assert!(key.0.verify(&identity, b"whatever", &signature), "the library takes it");
        assert!(!key.verify(&identity, b"whatever", &signature));
        assert!(key.verify(&key.public(), b"hello", &key.sign(b"hello")));
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
