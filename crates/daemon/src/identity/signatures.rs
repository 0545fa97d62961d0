//! Signatures by AWS-LC, of the daemon's key and for looking at those of others (adr/0009).

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ED25519, Ed25519KeyPair, KeyPair, ParsedPublicKey,
};
use chat_core::{ServerKey, Signatures};
use chat_proto::PublicKey;

struct AwsLc {
    pair: Ed25519KeyPair,
    public: PublicKey,
}

/// The key of a seed: RFC 8032 calls it the private key.
///
/// # Panics
/// Never: every 32 bytes are a seed.
#[must_use]
pub fn server_key(seed: &[u8; 32]) -> ServerKey {
    let pair = Ed25519KeyPair::from_seed_unchecked(seed).expect("every 32 bytes are a seed");
    let public = pair.public_key().as_ref().try_into().expect("a public key has 32 bytes");
    ServerKey::new(AwsLc { pair, public: PublicKey(public) })
}

impl Signatures for AwsLc {
    fn public(&self) -> PublicKey {
        self.public
    }

    fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.pair.sign(message).as_ref().try_into().expect("a signature has 64 bytes")
    }

    fn verify(&self, key: &PublicKey, message: &[u8], signature: &[u8; 64]) -> bool {
        ParsedPublicKey::new(&ED25519, key.0)
            .is_ok_and(|key| key.verify_sig(message, signature).is_ok())
    }

    fn verify_p256(&self, point: &[u8; 65], message: &[u8], signature: &[u8; 64]) -> bool {
        ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point)
            .is_ok_and(|key| key.verify_sig(message, signature).is_ok())
    }

    fn draw(&self) -> [u8; 16] {
        let mut drawn = [0; 16];
        aws_lc_rs::rand::fill(&mut drawn).expect("the generator was seeded at the start");
        drawn
    }
}

#[cfg(test)]
mod tests {
    use ed25519_dalek::{Signer, SigningKey};

    use super::*;

    #[test]
    fn another_implementation_signs_and_checks_the_same() {
        for seed in [[0; 32], [1; 32], [0xFF; 32]] {
            let pair = Ed25519KeyPair::from_seed_unchecked(&seed).unwrap();
            let theirs = SigningKey::from_bytes(&seed);
            let public = PublicKey(theirs.verifying_key().to_bytes());
            let ours = AwsLc { pair, public };
            assert_eq!(server_key(&seed).public(), public);
            let signature = theirs.sign(b"hello").to_bytes();
            assert_eq!(ours.sign(b"hello"), signature);
            assert!(ours.verify(&public, b"hello", &signature));
            assert!(!ours.verify(&public, b"hullo", &signature));
            let mut cut = signature;
            cut[63] ^= 0x10;
            assert!(!ours.verify(&public, b"hello", &cut), "S is over the order");
        }
    }
}
