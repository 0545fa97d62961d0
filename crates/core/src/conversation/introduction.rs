//! The first frames of a client, for tests of what comes behind a sign-in.

use chat_proto::{Hello, List, RequestId, SignIn, encode_frame, sign_in_transcript};

use crate::{Admission, ServerKey};

/// The frames with which a client of a key signs in where it is asked to sign a challenge.
///
/// # Panics
/// Never: they are short.
#[must_use]
pub fn introduction(key: &ServerKey, admission: &Admission, challenge: &[u8; 32]) -> Vec<u8> {
    let mut bytes = Vec::new();
    encode_frame(&hello(), RequestId(1), &mut bytes).expect("it fits a frame");
    encode_frame(&signed_by(key, admission, challenge), RequestId(2), &mut bytes)
        .expect("it fits a frame");
    bytes
}

pub(crate) fn hello() -> Hello {
    let versions = List::first_of([Hello::VERSION_SPOKEN]);
    Hello { versions, agent: "test".to_owned(), random: [3; 32] }
}

/// What a client of this key answers to a challenge.
#[must_use]
pub fn signed_by(key: &ServerKey, admission: &Admission, challenge: &[u8; 32]) -> SignIn {
    let transcript = sign_in_transcript(challenge, &admission.identity.public(), &[]);
    SignIn::with_key(key.public(), key.sign(&transcript), "ada")
}
