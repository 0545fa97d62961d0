//! What is put into the digest of the order, and how: it is frozen.
//!
//! It must not know what becomes of the digest.

use super::OrderDigest;
use crate::{Content, Event, Genesis};

/// What a block says.
#[derive(Clone, Copy)]
enum Tag {
    Posted = 1,
    Bytes = 2,
    Genesis = 3,
}

/// Words of a block.
const WORDS: usize = 8;

/// Digits of pi behind the point, by 64 bits: nothing is hidden in them.
const PI: [u64; WORDS] = [
    0x243F_6A88_85A3_08D3,
    0x1319_8A2E_0370_7344,
    0xA409_3822_299F_31D0,
    0x082E_FA98_EC4E_6C89,
    0x4528_21E6_38D0_1377,
    0xBE54_66CF_34E9_0C6C,
    0xC0AC_29B7_C97C_50DD,
    0x3F84_D5B5_B547_0917,
];

/// The next ones, made odd.
const CHAIN: u64 = 0x9216_D5D9_8979_FB1B;

impl OrderDigest {
    /// With one event more.
    #[must_use]
    pub fn with_event(self, event: &Event) -> Self {
        let Content::Posted { from, id, digest, .. } = &event.content else {
            return self.with_rare_event(event);
        };
        let [first, second] = halves(id.0);
        let (log, seq, ts) = (event.log.0, event.seq.0, event.ts.0);
        self.with([Tag::Posted as u64, log, seq, ts, from.0, first, second, digest.0])
    }

    /// With another beginning.
    #[must_use]
    pub fn with_genesis(self, genesis: &Genesis) -> Self {
        let [first, second] = halves(genesis.secret.0);
        let (tag, rules) = (Tag::Genesis as u64, u64::from(genesis.rules));
        self.with([tag, genesis.epoch.0, rules, first, second, 0, 0, 0])
    }

    /// With an event that is no message: its frame, and what stands in no frame.
    fn with_rare_event(self, event: &Event) -> Self {
        let mut bytes = Vec::with_capacity(128);
        event.encode(&mut bytes);
        if let Content::AccountCreated { credential, .. } = &event.content {
            bytes.extend((credential.kind() as u16).to_le_bytes());
            bytes.extend(credential.bytes());
        }
        if let Content::LinkOpened { code } = &event.content {
            bytes.extend(code.0);
        }
        if let Content::InvitationCreated { hash, rooms, .. } = &event.content {
            bytes.extend(hash.0);
            rooms.iter().for_each(|room| bytes.extend(room.0.to_le_bytes()));
        }
        if let Some(keys) = event.content.name_keys() {
            bytes.extend(keys.to_bytes());
        }
        let mut digest = self.with([Tag::Bytes as u64, bytes.len() as u64, 0, 0, 0, 0, 0, 0]);
        for chunk in bytes.chunks(WORDS * 8) {
            let mut block = [0; WORDS];
            for (word, some) in block.iter_mut().zip(chunk.chunks(8)) {
                let mut whole = [0; 8];
                whole[..some.len()].copy_from_slice(some);
                *word = u64::from_le_bytes(whole);
            }
            digest = digest.with(block);
        }
        digest
    }

    fn with(self, words: [u64; WORDS]) -> Self {
        // The four products do not wait for each other.
        let pair = |at: usize| multiply(words[at] ^ PI[at], words[at + 1] ^ PI[at + 1]);
        let block = pair(0)
            .wrapping_add(pair(2).rotate_left(16))
            .wrapping_add(pair(4).rotate_left(32))
            .wrapping_add(pair(6).rotate_left(48));
        Self(multiply(self.0 ^ block, CHAIN) ^ self.0.rotate_left(29))
    }
}

/// Both halves of the product, one over the other.
fn multiply(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    (product >> 64) as u64 ^ product as u64
}

fn halves(bytes: [u8; 16]) -> [u64; 2] {
    let whole = u128::from_le_bytes(bytes);
    [whole as u64, (whole >> 64) as u64]
}

#[cfg(test)]
mod tests;
