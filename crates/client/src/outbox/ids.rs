//! Ids that follow from others.

use chat_proto::{Credential, MessageId, Nonce, StreamId};
use sha2::{Digest, Sha256};

/// The id that the daemon will give to the message of this nonce.
#[must_use]
pub fn message_id(nonce: Nonce, credential: &Credential) -> MessageId {
    MessageId(first_16_of_sha256(&nonce.message_id_preimage(credential)))
}

/// The stream of an explicit id that a script gave.
#[must_use]
pub fn explicit_stream(id: &str) -> StreamId {
    StreamId(first_16_of_sha256(&StreamId::explicit_id_preimage(id)))
}

fn first_16_of_sha256(preimage: &[u8]) -> [u8; 16] {
    let hash: [u8; 32] = Sha256::digest(preimage).into();
    let mut first = [0; 16];
    first.copy_from_slice(&hash[..16]);
    first
}
