//! A certificate of the daemon's own, made when none is configured: a key that nobody vouches for, in
//! the form that TLS wants (RFC 5280).
//!
//! It is made anew at each start and stands in no file. Clients look at the identity, not at it.

use aws_lc_rs::error::{KeyRejected, Unspecified};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

/// What is written for whose certificate it is.
const NAME: &[u8] = b"chatd";

/// It holds from 1970 on, and has no well-defined end (RFC 5280, section 4.1.2.5).
const NOT_BEFORE: &[u8] = b"700101000000Z";
const NOT_AFTER: &[u8] = b"99991231235959Z";

const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const OCTET_STRING: u8 = 0x04;
const OBJECT_ID: u8 = 0x06;
const UTF8_STRING: u8 = 0x0C;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
const VERSION: u8 = 0xA0;
const EXTENSIONS: u8 = 0xA3;
const DNS_NAME: u8 = 0x82;

const ECDSA_WITH_SHA256: &[u8] = &[0x2A, 0x86, 0x48, 0xCE, 0x3D, 4, 3, 2];
const EC_PUBLIC_KEY: &[u8] = &[0x2A, 0x86, 0x48, 0xCE, 0x3D, 2, 1];
const PRIME256V1: &[u8] = &[0x2A, 0x86, 0x48, 0xCE, 0x3D, 3, 1, 7];
const COMMON_NAME: &[u8] = &[0x55, 4, 3];
const SUBJECT_ALT_NAME: &[u8] = &[0x55, 0x1D, 0x11];

/// Says why there is no certificate.
#[derive(Debug, thiserror::Error)]
#[error("the system gives no random numbers")]
pub(super) struct MakeError;

impl From<Unspecified> for MakeError {
    fn from(_says_nothing: Unspecified) -> Self {
        Self
    }
}

impl From<KeyRejected> for MakeError {
    fn from(_cannot_be: KeyRejected) -> Self {
        Self
    }
}

/// Makes a key, and a certificate that it signs itself.
pub(super) fn make() -> Result<(CertificateDer<'static>, PrivateKeyDer<'static>), MakeError> {
    let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING)?;
    let mut serial = [0; 16];
    getrandom::fill(&mut serial).map_err(|_no_numbers| MakeError)?;
    // A positive number of its full length.
    serial[0] = serial[0] & 0x3F | 0x40;
    let to_be_signed = to_be_signed(&serial, key.public_key().as_ref());
    let signature = key.sign(&SystemRandom::new(), &to_be_signed)?;
    let certificate =
        der(SEQUENCE, &[&to_be_signed, &signature_algorithm(), &bits(signature.as_ref())]);
    let key = key.to_pkcs8v1()?;
    Ok((certificate.into(), PrivatePkcs8KeyDer::from(key.as_ref().to_vec()).into()))
}

fn to_be_signed(serial: &[u8], public_key: &[u8]) -> Vec<u8> {
    let third = der(VERSION, &[&der(INTEGER, &[&[2]])]);
    let validity =
        der(SEQUENCE, &[&der(UTC_TIME, &[NOT_BEFORE]), &der(GENERALIZED_TIME, &[NOT_AFTER])]);
    let algorithm =
        der(SEQUENCE, &[&der(OBJECT_ID, &[EC_PUBLIC_KEY]), &der(OBJECT_ID, &[PRIME256V1])]);
    let key = der(SEQUENCE, &[&algorithm, &bits(public_key)]);
    let names = der(OCTET_STRING, &[&der(SEQUENCE, &[&der(DNS_NAME, &[NAME])])]);
    let extension = der(SEQUENCE, &[&der(OBJECT_ID, &[SUBJECT_ALT_NAME]), &names]);
    let extensions = der(EXTENSIONS, &[&der(SEQUENCE, &[&extension])]);
    let serial = der(INTEGER, &[serial]);
    let (signed, name) = (signature_algorithm(), name());
    der(SEQUENCE, &[&third, &serial, &signed, &name, &validity, &name, &key, &extensions])
}

fn signature_algorithm() -> Vec<u8> {
    der(SEQUENCE, &[&der(OBJECT_ID, &[ECDSA_WITH_SHA256])])
}

fn name() -> Vec<u8> {
    let attribute = der(SEQUENCE, &[&der(OBJECT_ID, &[COMMON_NAME]), &der(UTF8_STRING, &[NAME])]);
    der(SEQUENCE, &[&der(SET, &[&attribute])])
}

/// A string of whole bytes as one of bits: none of the last byte is unused.
fn bits(bytes: &[u8]) -> Vec<u8> {
    der(BIT_STRING, &[&[0], bytes])
}

/// A value of DER (X.690): its tag, its length, and its parts.
fn der(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let content = parts.concat();
    let length = content.len().to_be_bytes();
    let used = &length[length.iter().take_while(|byte| **byte == 0).count()..];
    let mut value = vec![tag];
    match (used, u8::try_from(used.len())) {
        ([], _) => value.push(0),
        ([short @ 0..=0x7F], _) => value.push(*short),
        (long, Ok(count)) => {
            value.push(0x80 | count);
            value.extend_from_slice(long);
        }
        (_, Err(_)) => unreachable!("a length has eight bytes"),
    }
    value.extend_from_slice(&content);
    value
}
