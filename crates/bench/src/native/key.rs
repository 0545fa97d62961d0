//! Keys of the load's accounts: the same number is the same account in every run.

use chat_proto::{PublicKey, SignIn, Welcome, sign_in_transcript};
use ed25519_dalek::{Signer, SigningKey};

/// The key of an account.
#[derive(Clone, Debug)]
pub(crate) struct Key {
    signing: SigningKey,
    number: u64,
}

impl Key {
    /// The key with a number.
    pub(crate) fn numbered(number: u64) -> Self {
        let mut seed = *b"chat-bench: not a secret of any ";
        seed[24..].copy_from_slice(&number.to_le_bytes());
        Self { signing: SigningKey::from_bytes(&seed), number }
    }

    /// Signs in. The server's signature is not checked: that is the client's cost, not the server's.
    pub(crate) fn sign_in(&self, welcome: &Welcome) -> SignIn {
        let transcript = sign_in_transcript(&welcome.challenge, &welcome.server_key, &[]);
        let key = PublicKey(self.signing.verifying_key().to_bytes());
        let signature = self.signing.sign(&transcript).to_bytes();
        let name = format!("bench-{}", self.number);
        SignIn { name_is_firm: false, ..SignIn::with_key(key, signature, name) }
    }
}
