//! The first two exchanges of a connection: who the daemon is, and who the client is.

use crate::limits::{PROOF_BYTES_MAX, VERSIONS_MAX};
use crate::ssh::put_ssh_string;
use crate::wire::{Body, Decode, Encode, List};
use crate::{
    AccountId, Credential, Epoch, InvitationCode, Kind, LinkCode, ProofKind, PublicKey, Seq,
    SessionId, SshKey, TokenId,
};

/// Opens the conversation, right after [`crate::MAGIC`].
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct Hello {
    /// Protocol versions that the client speaks. This is version 1.
    pub versions: List<u16, VERSIONS_MAX>,
    /// The client's name and version, for the daemon's log; at most 64 bytes.
    pub agent: String,
    /// Fresh for each connection; the daemon signs it.
    pub random: [u8; 32],
}

impl Hello {
    /// The protocol version that this crate implements.
    pub const VERSION_SPOKEN: u16 = 1;
}

impl Body for Hello {
    const KIND: Kind = Kind::Hello;
}

/// Bounds that the daemon holds the client to.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode)]
pub struct Limits {
    /// Longest frame, in bytes after the length prefix.
    pub frame_bytes_max: u32,
    /// Longest message text, in bytes of UTF-8.
    pub text_bytes_max: u32,
    /// Commands that may be in flight; past it the daemon stops reading from the socket.
    pub commands_in_flight_max: u32,
    /// Queries that may be in flight; past it the daemon stops reading from the socket.
    pub queries_in_flight_max: u32,
}

/// Proves the daemon's identity and asks the client to prove its own.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct Welcome {
    /// The protocol version that the daemon chose.
    pub version: u16,
    /// The daemon's identity key.
    pub server_key: PublicKey,
    /// Signature by `server_key` over [`welcome_transcript`].
    pub signature: [u8; 64],
    /// The number of this conversation in the daemon's log.
    pub session: SessionId,
    /// The bounds in force.
    pub limits: Limits,
    /// To be signed by the client.
    pub challenge: [u8; 32],
}

impl Body for Welcome {
    const KIND: Kind = Kind::Welcome;
}

/// Proves the client's identity. The first key to claim a name has it.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct SignIn {
    /// The number of a [`crate::CredentialKind`]; newer clients may know more.
    pub credential_kind: u16,
    /// Which credential of that kind.
    pub credential: [u8; 32],
    /// The number of a [`ProofKind`]; newer clients may know more.
    pub proof_kind: u16,
    /// What proves that the client has the credential.
    pub proof: List<u8, PROOF_BYTES_MAX>,
    /// The nickname wished for. Used only when the credential has no account yet.
    pub name: String,
    /// `true`: refuse when the name is taken. `false`: make it free with a number.
    pub name_is_firm: bool,
    /// What an account may be made with where none is made without. Used only when the credential has no
    /// account yet.
    pub invitation: Option<InvitationCode>,
}

impl Body for SignIn {
    const KIND: Kind = Kind::SignIn;
}

impl SignIn {
    /// A sign-in with a key. The name is firm.
    #[must_use]
    pub fn with_key(key: PublicKey, signature: [u8; 64], name: impl Into<String>) -> Self {
        Self::with(Credential::Key(key), ProofKind::Signature, List::first_of(signature), name)
    }

    /// A sign-in with a key as SSH writes it, and its SSHSIG signature of [`sign_in_transcript`] in the
    /// form of SSH. The name is firm. `None` when this version does not know the key's algorithm, or the
    /// two are too long for any key that it knows.
    #[must_use]
    pub fn with_ssh_key(key: &[u8], signature: &[u8], name: impl Into<String>) -> Option<Self> {
        let credential = SshKey::read(key)?.credential(key);
        let mut proof = Vec::with_capacity(PROOF_BYTES_MAX);
        put_ssh_string(&mut proof, key);
        put_ssh_string(&mut proof, signature);
        (proof.len() <= PROOF_BYTES_MAX)
            .then(|| Self::with(credential, ProofKind::SshSignature, List::first_of(proof), name))
    }

    /// A sign-in with a token: the public half of its key, and its signature of [`sign_in_transcript`].
    #[must_use]
    pub fn with_token(key: PublicKey, signature: [u8; 64]) -> Self {
        let credential = Credential::Token(TokenId::of_key(&key));
        let proof = List::first_of(key.0.into_iter().chain(signature));
        Self::with(credential, ProofKind::TokenSignature, proof, "")
    }

    fn with(
        credential: Credential,
        proof_kind: ProofKind,
        proof: List<u8, PROOF_BYTES_MAX>,
        name: impl Into<String>,
    ) -> Self {
        Self {
            credential_kind: credential.kind() as u16,
            credential: *credential.bytes(),
            proof_kind: proof_kind as u16,
            proof,
            name: name.into(),
            name_is_firm: true,
            invitation: None,
        }
    }

    /// The credential, when this version knows its kind.
    #[must_use]
    pub fn known_credential(&self) -> Option<Credential> {
        Credential::from_parts(self.credential_kind, self.credential)
    }
}

/// Adds the client's credential to the account of a link code, and signs in to it: in place of a
/// [`SignIn`]. The account has its name already.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct LinkDevice {
    /// As of a [`SignIn`].
    pub credential_kind: u16,
    /// As of a [`SignIn`].
    pub credential: [u8; 32],
    /// As of a [`SignIn`].
    pub proof_kind: u16,
    /// As of a [`SignIn`].
    pub proof: List<u8, PROOF_BYTES_MAX>,
    /// What a device of the account has shown.
    pub code: LinkCode,
    /// What the person is to know the device by; at most 64 bytes.
    pub label: String,
}

impl Body for LinkDevice {
    const KIND: Kind = Kind::LinkDevice;
}

impl LinkDevice {
    /// The credential and the proof of a sign-in, for the account of a code.
    #[must_use]
    pub fn of(sign_in: SignIn, code: LinkCode, label: impl Into<String>) -> Self {
        let SignIn { credential_kind, credential, proof_kind, proof, .. } = sign_in;
        let label = label.into();
        Self { credential_kind, credential, proof_kind, proof, code, label }
    }

    /// The credential and the proof, as a sign-in has them, beside the code and the label.
    #[must_use]
    pub fn into_parts(self) -> (SignIn, LinkCode, String) {
        let Self { credential_kind, credential, proof_kind, proof, code, label } = self;
        let (name, name_is_firm) = (String::new(), false);
        let invitation = None;
        let sign_in = SignIn {
            credential_kind,
            credential,
            proof_kind,
            proof,
            name,
            name_is_firm,
            invitation,
        };
        (sign_in, code, label)
    }
}

/// The client is signed in; every other request may follow now.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct SignedIn {
    /// The account, which is also the id of its log.
    pub account: AccountId,
    /// The account's nickname as of now.
    pub name: String,
    /// The epoch of every log of this daemon.
    pub epoch: Epoch,
    /// The head of the account's own log.
    pub head: Seq,
}

impl Body for SignedIn {
    const KIND: Kind = Kind::SignedIn;
}

/// What the daemon signs in [`Welcome`]: a domain string, the client's random number, the
/// challenge, and the [channel binding](crate::ChannelBinding) (empty over plaintext).
#[must_use]
pub fn welcome_transcript(random: &[u8; 32], challenge: &[u8; 32], binding: &[u8]) -> Vec<u8> {
    [b"chatd welcome v1\0", random.as_slice(), challenge, binding].concat()
}

/// What the client signs in [`SignIn`]: a domain string, the challenge, the key of the daemon that
/// it means to talk to, and the [channel binding](crate::ChannelBinding) (empty over plaintext).
#[must_use]
pub fn sign_in_transcript(challenge: &[u8; 32], server_key: &PublicKey, binding: &[u8]) -> Vec<u8> {
    [b"chatd sign-in v1\0", challenge.as_slice(), &server_key.0, binding].concat()
}
