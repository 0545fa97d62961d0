//! Invitations: codes with which somebody who has no account may make one.
//!
//! A code is 128 random bits. Whoever keeps it keeps its hash alone: what is drawn at random needs no
//! slow hash. It must not know who may invite, nor how often a code is good.

use std::fmt;
use std::str::FromStr;

use sha2::{Digest, Sha256};

use crate::InvitationId;
use crate::ids::bytes_id;
use crate::wire::{Decode, Encode};

/// Bits of a character: those of base 32 (RFC 4648), in small letters.
const BITS: usize = 5;

/// The characters of a code.
const CHARACTERS: usize = 128usize.div_ceil(BITS);

const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";

/// The code of an invitation: whoever has it may come in. It is shown once, and is in no log.
#[derive(Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct InvitationCode(pub [u8; 16]);

bytes_id! {
    /// What is kept of a code: SHA-256 of a domain string and its 16 bytes.
    InvitationHash[32]
}

impl InvitationCode {
    /// What is kept of it.
    #[must_use]
    pub fn hash(&self) -> InvitationHash {
        let mut hash = Sha256::new_with_prefix(b"chatd invitation 1");
        hash.update(self.0);
        InvitationHash(hash.finalize().into())
    }
}

impl InvitationHash {
    /// The invitation of this code, for lists and logs: the first 48 bits, which say nothing of the code.
    #[must_use]
    pub fn id(&self) -> InvitationId {
        let mut bytes = [0; 8];
        bytes[2..].copy_from_slice(&self.0[..6]);
        // A list begins behind 0.
        InvitationId(u64::from_be_bytes(bytes).max(1))
    }
}

impl fmt::Debug for InvitationCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("InvitationCode(..)")
    }
}

/// As it stands in a join line: 26 letters and digits.
impl fmt::Display for InvitationCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The last character has two bits that are 0.
        let bits = u128::from_be_bytes(self.0);
        let of = |at: usize| match 128usize.checked_sub((at + 1) * BITS) {
            Some(below) => bits >> below,
            None => bits << (CHARACTERS * BITS - 128),
        };
        let letter = |at| char::from(ALPHABET[(of(at) & 31) as usize]);
        (0..CHARACTERS).try_for_each(|at| fmt::Write::write_char(f, letter(at)))
    }
}

/// Says that a text is no code.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("an invitation's code is {CHARACTERS} letters and digits from 2 to 7")]
pub struct ParseCodeError;

impl FromStr for InvitationCode {
    type Err = ParseCodeError;

    fn from_str(text: &str) -> Result<Self, ParseCodeError> {
        let (mut bits, spare) = (0u128, CHARACTERS * BITS - 128);
        if text.len() != CHARACTERS {
            return Err(ParseCodeError);
        }
        for (at, byte) in text.bytes().enumerate() {
            let byte = byte.to_ascii_lowercase();
            let value = ALPHABET.iter().position(|letter| *letter == byte).ok_or(ParseCodeError)?;
            let is_last = at + 1 == CHARACTERS;
            if is_last && value & ((1 << spare) - 1) != 0 {
                return Err(ParseCodeError);
            }
            bits = match is_last {
                false => bits << BITS | value as u128,
                true => bits << (BITS - spare) | (value >> spare) as u128,
            };
        }
        Ok(Self(bits.to_be_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_round_trips_as_text() {
        let counting = std::array::from_fn(|at| at as u8 * 17);
        for code in [[0; 16], [0xFF; 16], counting].map(InvitationCode) {
            let text = code.to_string();
            assert_eq!((text.len(), text.parse()), (26, Ok(code)), "{text}");
            assert_eq!(text.to_uppercase().parse(), Ok(code));
        }
        assert_eq!(InvitationCode([0; 16]).to_string(), "a".repeat(26));
        assert_eq!(InvitationCode([0xFF; 16]).to_string(), format!("{}4", "7".repeat(25)));
    }

    #[test]
    fn what_is_no_code_is_refused() {
        let long = "a".repeat(27);
        let (second_form, strange) = ("a".repeat(25) + "b", "a".repeat(25) + "1");
        for text in ["", "a", &long, &second_form, &strange, "äääääääääääää"] {
            assert_eq!(text.parse::<InvitationCode>(), Err(ParseCodeError), "{text}");
        }
    }

    #[test]
    fn a_code_is_in_no_log() {
        assert_eq!(format!("{:?}", InvitationCode([7; 16])), "InvitationCode(..)");
    }

    #[test]
    fn the_id_is_short_and_of_the_hash() {
        let hash = InvitationCode([7; 16]).hash();
        assert!(hash.id().0 > 0 && hash.id().0 < 1 << 48);
        assert_ne!(hash.id(), InvitationCode([8; 16]).hash().id());
        assert_eq!(InvitationHash([0; 32]).id(), InvitationId(1));
    }
}
