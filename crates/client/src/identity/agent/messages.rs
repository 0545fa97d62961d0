//! The bytes of an agent's protocol: what is asked, and what an answer says.

use std::fmt;

use chat_inert::inert;
use chat_proto::{Credential, KeyDigest, SshFields, SshKey, put_ssh_string};
use ssh_key::Algorithm;

use crate::target::Fingerprint;

const FAILURE: u8 = 5;
const REQUEST_IDENTITIES: u8 = 11;
const IDENTITIES_ANSWER: u8 = 12;
const SIGN_REQUEST: u8 = 13;
const SIGN_RESPONSE: u8 = 14;

/// OpenSSH's agent never lists more.
const KEYS_MAX: u32 = 2048;

/// What an agent is asked.
pub(super) enum Request<'a> {
    /// Which keys it holds.
    Identities,
    /// To sign.
    Sign { key: &'a [u8], message: &'a [u8] },
}

impl Request<'_> {
    /// With their length in front.
    pub(super) fn bytes(&self) -> Vec<u8> {
        let mut body = Vec::new();
        match self {
            Self::Identities => body.push(REQUEST_IDENTITIES),
            Self::Sign { key, message } => {
                body.push(SIGN_REQUEST);
                put_ssh_string(&mut body, key);
                put_ssh_string(&mut body, message);
                // No flags: they choose the hash of RSA.
                body.extend(0_u32.to_be_bytes());
            }
        }
        let mut bytes = Vec::with_capacity(4 + body.len());
        put_ssh_string(&mut bytes, &body);
        bytes
    }
}

/// A key that an agent holds.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(in crate::identity) struct AgentKey {
    /// The public key, as SSH writes it.
    pub(in crate::identity) bytes: Vec<u8>,
    /// What its owner calls it.
    pub(in crate::identity) comment: String,
}

impl AgentKey {
    /// The key, when its algorithm is one that servers take.
    pub(in crate::identity) fn known(&self) -> Option<SshKey<'_>> {
        SshKey::read(&self.bytes)
    }

    /// What it signs in as, when it can be used.
    pub(in crate::identity) fn credential(&self) -> Option<Credential> {
        self.known().map(|key| key.credential(&self.bytes))
    }

    pub(in crate::identity) fn fingerprint(&self) -> Fingerprint {
        Fingerprint(KeyDigest::of(&self.bytes).0)
    }

    /// What SSH calls its algorithm.
    pub(in crate::identity) fn algorithm(&self) -> String {
        let name = SshFields(&self.bytes).string().unwrap_or_default();
        let name = String::from_utf8_lossy(name);
        // Only those that there are: the rest is what somebody made up.
        Algorithm::new(&name).map_or_else(|_unknown| "unknown".into(), |known| known.to_string())
    }
}

impl fmt::Display for AgentKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} ({})", self.algorithm(), self.fingerprint(), inert(&self.comment))
    }
}

/// The keys of an answer.
///
/// # Errors
/// What is wrong with it.
pub(super) fn keys_of(answer: &[u8]) -> Result<Vec<AgentKey>, &'static str> {
    let mut fields = SshFields(answer);
    match fields.byte() {
        Some(IDENTITIES_ANSWER) => {}
        // As an agent that is locked may say.
        Some(FAILURE) => return Ok(Vec::new()),
        _ => return Err("no list of keys"),
    }
    let count = fields.u32().filter(|count| *count <= KEYS_MAX);
    let mut keys = Vec::new();
    for _ in 0..count.ok_or("a list of more than 2,048 keys")? {
        let key = fields.string().zip(fields.string());
        let (bytes, comment) = key.ok_or("a list that ends in the middle")?;
        let comment = String::from_utf8_lossy(comment).into_owned();
        keys.push(AgentKey { bytes: bytes.to_vec(), comment });
    }
    match fields.0 {
        [] => Ok(keys),
        _ => Err("a list with something behind it"),
    }
}

/// The signature of an answer; `None`: the agent does not sign.
///
/// # Errors
/// What is wrong with it.
pub(super) fn signature_of(answer: &[u8]) -> Result<Option<&[u8]>, &'static str> {
    let mut fields = SshFields(answer);
    match fields.byte() {
        Some(SIGN_RESPONSE) => {}
        Some(FAILURE) => return Ok(None),
        _ => return Err("no signature"),
    }
    let signature = fields.string().ok_or("a signature that ends in the middle")?;
    match fields.0 {
        [] => Ok(Some(signature)),
        _ => Err("a signature with something behind it"),
    }
}
