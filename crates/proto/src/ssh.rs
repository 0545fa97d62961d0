//! What OpenSSH makes of keys and signatures: the few forms that a sign-in may bring, read without a
//! copy, and the bytes that an SSHSIG signature is of.
//!
//! It must not know which keys are trusted, and checks no signature: it says what there is to check.

use sha2::{Digest, Sha256, Sha512};

use crate::PublicKey;

/// The namespace of sign-ins: a signature that was made for files, for git or for another program is
/// of no use here, and none of here is there.
pub const SSHSIG_NAMESPACE: &str = "sign-in@chatd";

/// What a P-256 key is called in the SSH protocol (RFC 5656).
const P256: &[u8] = b"ecdsa-sha2-nistp256";
/// What its curve is called there.
const P256_CURVE: &[u8] = b"nistp256";
/// What an Ed25519 key is called (RFC 8709).
const ED25519: &[u8] = b"ssh-ed25519";
/// The same on a security key (OpenSSH's `PROTOCOL.u2f`).
const SK_ED25519: &[u8] = b"sk-ssh-ed25519@openssh.com";
/// The flag of a security key's signature that says that somebody was there.
const USER_PRESENT: u8 = 0x01;

/// The longest application of a security key, in bytes: with any longer one a proof could not be sent
/// ([`crate::limits::PROOF_BYTES_MAX`]).
const APPLICATION_BYTES_MAX: usize = 128;

/// A public key as SSH writes it, of an algorithm that is known here.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SshKey<'a> {
    /// Ed25519.
    Ed25519(PublicKey),
    /// ECDSA on P-256: the point, uncompressed (SEC 1).
    EcdsaP256(&'a [u8; 65]),
    /// Ed25519 on a security key.
    SkEd25519 {
        /// The key.
        key: PublicKey,
        /// What it was made for, as in `ssh:`.
        application: &'a [u8],
    },
}

/// A signature as SSH writes it, of an algorithm that is known here.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SshSignature {
    /// Ed25519 (RFC 8032).
    Ed25519([u8; 64]),
    /// ECDSA on P-256 with SHA-256: r and s, 32 bytes each, big endian.
    EcdsaP256([u8; 64]),
    /// Ed25519 by a security key, over [`security_key_message`].
    SkEd25519 {
        /// The signature.
        signature: [u8; 64],
        /// What the security key says of how it signed.
        flags: u8,
        /// How often it has signed.
        counter: u32,
    },
}

impl<'a> SshKey<'a> {
    /// Reads a key, all of it; `None` when it is malformed or its algorithm is not known here.
    #[must_use]
    pub fn read(bytes: &'a [u8]) -> Option<Self> {
        let mut fields = SshFields(bytes);
        let key = match fields.string()? {
            ED25519 => Self::Ed25519(PublicKey(*array(fields.string()?)?)),
            P256 => {
                let (curve, point) = (fields.string()?, fields.string()?);
                // 4: both coordinates are there. No program writes the compressed form.
                let point = array(point).filter(|point: &&[u8; 65]| point[0] == 4)?;
                (curve == P256_CURVE).then_some(Self::EcdsaP256(point))?
            }
            SK_ED25519 => {
                let key = PublicKey(*array(fields.string()?)?);
                let application = fields.string()?;
                (application.len() <= APPLICATION_BYTES_MAX)
                    .then_some(Self::SkEd25519 { key, application })?
            }
            _ => return None,
        };
        fields.0.is_empty().then_some(key)
    }
}

impl SshSignature {
    /// Reads a signature, all of it; `None` when it is malformed or its algorithm is not known here.
    #[must_use]
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let mut fields = SshFields(bytes);
        let signature = match fields.string()? {
            ED25519 => Self::Ed25519(*array(fields.string()?)?),
            P256 => {
                let mut numbers = SshFields(fields.string()?);
                let mut fixed = [0; 64];
                fixed[..32].copy_from_slice(&numbers.number_of_256_bits()?);
                fixed[32..].copy_from_slice(&numbers.number_of_256_bits()?);
                numbers.0.is_empty().then_some(Self::EcdsaP256(fixed))?
            }
            SK_ED25519 => Self::SkEd25519 {
                signature: *array(fields.string()?)?,
                flags: fields.byte()?,
                counter: fields.u32()?,
            },
            _ => return None,
        };
        fields.0.is_empty().then_some(signature)
    }
}

/// The bytes of an Ed25519 key as SSH writes it.
#[must_use]
pub fn ssh_ed25519_key(key: &PublicKey) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(51);
    put_ssh_string(&mut bytes, ED25519);
    put_ssh_string(&mut bytes, &key.0);
    bytes
}

/// What an SSHSIG signature of a message in [`SSHSIG_NAMESPACE`] is over (OpenSSH's `PROTOCOL.sshsig`);
/// the message is hashed with SHA-512, as `ssh-keygen -Y sign` does.
#[must_use]
pub fn sshsig_message(message: &[u8]) -> Vec<u8> {
    let mut bytes = b"SSHSIG".to_vec();
    put_ssh_string(&mut bytes, SSHSIG_NAMESPACE.as_bytes());
    // Reserved.
    put_ssh_string(&mut bytes, b"");
    put_ssh_string(&mut bytes, b"sha512");
    put_ssh_string(&mut bytes, &Sha512::digest(message));
    bytes
}

/// What a security key signs when it is asked for a signature of a message: what it was made for, what it
/// says of how it signs, and the message (OpenSSH's `PROTOCOL.u2f`).
#[must_use]
pub fn security_key_message(
    application: &[u8],
    flags: u8,
    counter: u32,
    message: &[u8],
) -> [u8; 69] {
    let mut bytes = [0; 69];
    bytes[..32].copy_from_slice(&Sha256::digest(application));
    bytes[32] = flags;
    bytes[33..37].copy_from_slice(&counter.to_be_bytes());
    bytes[37..].copy_from_slice(&Sha256::digest(message));
    bytes
}

/// Whether a security key says that somebody was there, and touched it.
#[must_use]
pub fn is_user_present(flags: u8) -> bool {
    flags & USER_PRESENT != 0
}

/// Appends a `string` of SSH: its length (`u32`, big endian) and its bytes (RFC 4251).
///
/// # Panics
/// When it is longer than 4 GiB.
pub fn put_ssh_string(out: &mut Vec<u8>, bytes: &[u8]) {
    let length = u32::try_from(bytes.len()).expect("nobody writes 4 GiB");
    out.extend(length.to_be_bytes());
    out.extend(bytes);
}

/// What is left to be read of bytes that SSH wrote (RFC 4251). Nothing is copied, so that an announced
/// length costs nothing.
#[derive(Clone, Copy, Debug)]
pub struct SshFields<'a>(pub &'a [u8]);

impl<'a> SshFields<'a> {
    /// The next `string`.
    pub fn string(&mut self) -> Option<&'a [u8]> {
        let length = usize::try_from(self.u32()?).ok()?;
        self.take(length)
    }

    /// The next `uint32`.
    pub fn u32(&mut self) -> Option<u32> {
        array(self.take(4)?).map(|bytes| u32::from_be_bytes(*bytes))
    }

    /// The next `byte`.
    pub fn byte(&mut self) -> Option<u8> {
        self.take(1)?.first().copied()
    }

    /// The next `mpint`, of at most 256 bits and not negative, big endian.
    fn number_of_256_bits(&mut self) -> Option<[u8; 32]> {
        let bytes = match self.string()? {
            // A zero keeps a number positive whose first bit is set; no other leading zero is allowed.
            [0, rest @ ..] if rest.first().is_some_and(|first| first & 0x80 != 0) => rest,
            [first, ..] if first & 0x80 != 0 || *first == 0 => return None,
            bytes => bytes,
        };
        let mut number = [0; 32];
        number.get_mut(32_usize.checked_sub(bytes.len())?..)?.copy_from_slice(bytes);
        Some(number)
    }

    fn take(&mut self, bytes: usize) -> Option<&'a [u8]> {
        let (taken, left) = self.0.split_at_checked(bytes)?;
        self.0 = left;
        Some(taken)
    }
}

/// The bytes, when there are so many.
fn array<const N: usize>(bytes: &[u8]) -> Option<&[u8; N]> {
    bytes.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SignIn;

    fn strings(parts: &[&[u8]]) -> Vec<u8> {
        let mut bytes = Vec::new();
        parts.iter().for_each(|part| put_ssh_string(&mut bytes, part));
        bytes
    }

    #[test]
    fn a_key_is_read_as_it_was_written_and_with_nothing_behind_it() {
        let key = PublicKey([7; 32]);
        let mut bytes = ssh_ed25519_key(&key);
        assert_eq!(bytes.len(), 51);
        assert_eq!(SshKey::read(&bytes), Some(SshKey::Ed25519(key)));
        bytes.push(0);
        assert_eq!(SshKey::read(&bytes), None);
    }

    #[test]
    fn a_key_that_is_cut_or_of_another_algorithm_is_none() {
        let point = [4; 65];
        let whole = strings(&[P256, P256_CURVE, &point]);
        assert_eq!(SshKey::read(&whole), Some(SshKey::EcdsaP256(&point)));
        for end in 0..whole.len() {
            assert_eq!(SshKey::read(&whole[..end]), None, "{end} bytes of it");
        }
        let compressed = strings(&[P256, P256_CURVE, &[2; 33]]);
        let other_curve = strings(&[P256, b"nistp384", &point]);
        let rsa = strings(&[b"ssh-rsa", &[1, 0, 1], &[0x80; 256]]);
        for bytes in [compressed, other_curve, rsa, vec![0xFF; 8]] {
            assert_eq!(SshKey::read(&bytes), None, "{bytes:?}");
        }
    }

    #[test]
    fn the_proof_of_a_security_key_fits_whatever_it_was_made_for() {
        let key = |application: &[u8]| strings(&[SK_ED25519, &[7; 32], application]);
        let mut signature = strings(&[SK_ED25519, &[8; 64]]);
        signature.extend([USER_PRESENT, 0, 0, 0, 1]);
        assert!(SshSignature::read(&signature).is_some());
        let longest = key(&[b'a'; APPLICATION_BYTES_MAX]);
        assert!(SignIn::with_ssh_key(&longest, &signature, "ada").is_some());
        assert_eq!(SshKey::read(&key(&[b'a'; APPLICATION_BYTES_MAX + 1])), None);
    }

    #[test]
    fn the_numbers_of_a_signature_are_filled_up_and_have_one_form() {
        let signature = |r: &[u8], s: &[u8]| strings(&[P256, &strings(&[r, s])]);
        let mut high = vec![0; 33];
        high[1..].fill(0xFF);
        let mut expected = [0; 64];
        expected[31] = 9;
        expected[32..].fill(0xFF);
        let read = SshSignature::read(&signature(&[9], &high));
        assert_eq!(read, Some(SshSignature::EcdsaP256(expected)));
        let negative: &[u8] = &[0xFF; 32];
        let padded: &[u8] = &[0, 9];
        let long: &[u8] = &[1; 33];
        for wrong in [negative, padded, long, &[0]] {
            assert_eq!(SshSignature::read(&signature(&[9], wrong)), None, "{wrong:?}");
        }
    }

    #[test]
    fn what_a_security_key_writes_is_read_and_nothing_less() {
        let key = strings(&[SK_ED25519, &[7; 32], b"ssh:"]);
        let expected = SshKey::SkEd25519 { key: PublicKey([7; 32]), application: b"ssh:" };
        assert_eq!(SshKey::read(&key), Some(expected));
        let mut signature = strings(&[SK_ED25519, &[9; 64]]);
        signature.extend([0x05, 0, 0, 1, 2]);
        let expected = SshSignature::SkEd25519 { signature: [9; 64], flags: 5, counter: 258 };
        assert_eq!(SshSignature::read(&signature), Some(expected));
        assert!(is_user_present(0x05) && !is_user_present(0x04));
        for end in 0..signature.len() {
            assert_eq!(SshSignature::read(&signature[..end]), None, "{end} bytes of it");
        }
    }

    #[test]
    fn what_is_signed_names_its_purpose() {
        let signed = sshsig_message(b"hello");
        let mut fields = SshFields(signed.strip_prefix(b"SSHSIG").unwrap());
        assert_eq!(fields.string(), Some(SSHSIG_NAMESPACE.as_bytes()));
        assert_eq!(fields.string(), Some(b"".as_slice()));
        assert_eq!(fields.string(), Some(b"sha512".as_slice()));
        assert_eq!(fields.string(), Some(Sha512::digest(b"hello").as_slice()));
        assert_eq!(fields.0, b"");
    }
}
