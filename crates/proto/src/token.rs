//! Tokens: what programs sign in with. A token is the secret half of a key; what it signs in as is a hash of
//! the public half, so that neither the wire nor the server ever has the token.
//!
//! It must not know how a key is derived from its secret: whoever holds a token does.

use sha2::{Digest, Sha256};

use crate::{PublicKey, TokenId};

/// How a token begins where it is written: people and programs that look for secrets know it by that.
const BEGINNING: &str = "chatd-token-";

/// 256 random bits: the seed of an Ed25519 key (RFC 8032).
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Token(pub [u8; 32]);

impl Token {
    /// As it is shown once, and kept in a file. It is a secret.
    #[must_use]
    pub fn reveal(&self) -> String {
        let digits = self.0.iter().map(|byte| format!("{byte:02x}"));
        std::iter::once(BEGINNING.to_owned()).chain(digits).collect()
    }

    /// The token of a text, with white space around it; `None` when it is none.
    #[must_use]
    pub fn of_text(text: &str) -> Option<Self> {
        crate::ids::parse_hex(text.trim().strip_prefix(BEGINNING)?).ok().map(Self)
    }
}

/// It stands in no log, and in no message of a panic.
impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Token(…)")
    }
}

impl TokenId {
    /// The name of the token whose key has this public half: SHA-256 of a domain string and the key.
    #[must_use]
    pub fn of_key(key: &PublicKey) -> Self {
        let digest = Sha256::new_with_prefix(b"chatd token 1").chain_update(key.0);
        Self(digest.finalize().into())
    }

    /// Whether both are the same, in a time that does not tell where they differ.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        let differ =
            self.0.iter().zip(other.0).fold(0, |found, (one, other)| found | (one ^ other));
        std::hint::black_box(differ) == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_read_as_it_was_shown_and_told_nowhere_else() {
        let token = Token(std::array::from_fn(|at| 0xA0 ^ at as u8));
        assert_eq!(Token::of_text(&format!(" {}\n", token.reveal())), Some(token));
        let shown = token.reveal();
        for wrong in
            ["", "chatd-token-", &shown[..shown.len() - 1], &format!("{shown}0"), &shown[12..]]
        {
            assert_eq!(Token::of_text(wrong), None, "{wrong:?}");
        }
        assert!(!format!("{token:?}").contains("a0"));
    }

    #[test]
    fn a_name_is_the_same_as_itself_and_as_no_other() {
        let id = TokenId::of_key(&PublicKey([1; 32]));
        assert!(id.is_same(&id));
        for at in 0..32 {
            let mut other = id;
            other.0[at] ^= 0x80;
            assert!(!id.is_same(&other), "byte {at}");
        }
    }
}
