//! Link codes: what brings another device's key to an account. Drawn by a device that is signed in, which
//! shows it to its person; the daemon knows no more than its hash until it is used.
//!
//! It must not know how long one is good for.

use sha2::{Digest, Sha256};

use crate::PublicKey;
use crate::ids::bytes_id;
use crate::wire::{Decode, Encode};

/// The digits of a code: without letters that could be taken for another one.
const DIGITS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// Bits of one digit.
const DIGIT_BITS: u32 = 5;

/// Digits between two dashes.
const GROUP: usize = 5;

/// 128 random bits, good for one device. People type it in base 32: digits and letters, and neither case,
/// dashes nor spaces matter.
#[derive(Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct LinkCode(pub [u8; 16]);

bytes_id! {
    /// Names a link code without telling it: SHA-256 of a domain string and the code.
    LinkCodeHash[32]
}

impl LinkCode {
    /// What names it.
    #[must_use]
    pub fn hash(&self) -> LinkCodeHash {
        let digest = Sha256::new_with_prefix(b"chatd link code 1").chain_update(self.0);
        LinkCodeHash(digest.finalize().into())
    }

    /// What is said of the code to the server of this identity, in its place: the first half of SHA-256 of
    /// a domain string, the code and the key. What somebody in between is told is good for nothing but
    /// their own identity.
    #[must_use]
    pub fn for_server(&self, server_key: &PublicKey) -> Self {
        let digest = Sha256::new_with_prefix(b"chatd link code for a server 1")
            .chain_update(self.0)
            .chain_update(server_key.0)
            .finalize();
        Self(std::array::from_fn(|at| digest[at]))
    }

    /// As a person is to type it: 26 digits in groups. It is a secret.
    #[must_use]
    pub fn reveal(&self) -> String {
        let bits = u128::from_be_bytes(self.0);
        let mut text = String::with_capacity(31);
        for place in 0..26 {
            if place > 0 && place % GROUP == 0 && place < 25 {
                text.push('-');
            }
            // The last digit has the three bits that are left, and two that are none.
            let shift = 123 - i32::try_from(place * 5).unwrap_or(0);
            let digit = if shift >= 0 { bits >> shift } else { bits << -shift };
            text.push(char::from(DIGITS[usize::try_from(digit & 31).unwrap_or(0)]));
        }
        text
    }

    /// The code that somebody has typed; `None` when it is none.
    #[must_use]
    pub fn of_typed(typed: &str) -> Option<Self> {
        let mut bits: u128 = 0;
        let mut places = 0;
        for character in typed.trim().chars().filter(|c| !matches!(c, '-' | ' ')) {
            let digit = digit_of(character)?;
            places += 1;
            bits = match places {
                1..=25 => bits << DIGIT_BITS | u128::from(digit),
                26 if digit & 3 == 0 => bits << 3 | u128::from(digit >> 2),
                _ => return None,
            };
        }
        (places == 26).then_some(Self(bits.to_be_bytes()))
    }
}

/// It stands in no log, and in no message of a panic.
impl std::fmt::Debug for LinkCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("LinkCode(…)")
    }
}

/// What a character is typed for: some are easily taken for a digit.
fn digit_of(character: char) -> Option<u8> {
    let meant = match character.to_ascii_lowercase() {
        'o' => '0',
        'i' | 'l' => '1',
        other => other,
    };
    let at = DIGITS.iter().position(|digit| char::from(*digit) == meant)?;
    u8::try_from(at).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_read_as_it_was_shown_however_it_is_typed() {
        for bytes in
            [[0; 16], [0xFF; 16], std::array::from_fn(|i| 0x9E ^ (i as u8).wrapping_mul(37))]
        {
            let code = LinkCode(bytes);
            let shown = code.reveal();
            assert_eq!(shown.chars().filter(|c| *c != '-').count(), 26, "{shown}");
            assert_eq!(LinkCode::of_typed(&shown), Some(code));
            let other = shown.to_uppercase().replace('-', " ").replace('0', "O");
            assert_eq!(LinkCode::of_typed(&format!(" {other}\n")), Some(code), "{other}");
        }
        assert_eq!(LinkCode([0; 16]).reveal(), "00000-00000-00000-00000-000000");
        assert_eq!(LinkCode([0xFF; 16]).reveal(), "zzzzz-zzzzz-zzzzz-zzzzz-zzzzzw");
    }

    #[test]
    fn what_is_no_code_is_none() {
        let code = LinkCode([7; 16]).reveal();
        let cut = &code[..code.len() - 1];
        for typed in ["", cut, &format!("{code}0"), &code.replace('0', "u"), &format!("{cut}1")] {
            assert_eq!(LinkCode::of_typed(typed), None, "{typed:?}");
        }
    }

    #[test]
    fn a_code_is_not_told_by_accident() {
        let code = LinkCode([0x5A; 16]);
        assert!(!format!("{code:?}").contains(&code.reveal()[..5]));
        assert!(!format!("{code:?}").contains("5a"));
        assert_ne!(code.hash(), LinkCode([0x5B; 16]).hash());
        let said = code.for_server(&PublicKey([1; 32]));
        assert_ne!(said, code.for_server(&PublicKey([2; 32])), "it is good for one server");
        assert_ne!(said, code);
    }
}
