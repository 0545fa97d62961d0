//! Whether a client has the credential that it signs in with.
//!
//! It must not know which library checks a signature, nor what the credential is good for.

use chat_proto::{
    CloseReason, Credential, ErrorCode, ProofKind, PublicKey, SignIn, SshFields, SshKey,
    SshSignature, TokenId, is_user_present, security_key_message, sshsig_message,
};

use super::Closing;
use crate::{Refusal, ServerKey};

/// The credential of a sign-in, once it is proven with what signs the transcript that the client has it.
///
/// # Errors
/// [`Closing`]: it is of a kind that is not known here, or not proven.
pub(super) fn check(
    sign_in: &SignIn,
    transcript: &[u8],
    keys: &ServerKey,
) -> Result<Credential, Closing> {
    let credential = sign_in.known_credential().filter(|credential| credential.kind().is_taken());
    let credential = credential.ok_or_else(|| unsupported("this kind of credential"))?;
    let is_proven = match (ProofKind::from_number(sign_in.proof_kind), credential) {
        (Some(ProofKind::Signature), Credential::Key(key)) => {
            let signature = sign_in.proof[..].try_into();
            signature.is_ok_and(|signature| keys.verify(&key, transcript, signature))
        }
        (Some(ProofKind::TokenSignature), Credential::Token(token)) => {
            is_signed_by_token(&token, &sign_in.proof, transcript, keys).unwrap_or(false)
        }
        (Some(ProofKind::SshSignature), Credential::Token(_)) => {
            return Err(unsupported("this proof of that kind of credential"));
        }
        (Some(ProofKind::SshSignature), _) => {
            let message = sshsig_message(transcript);
            is_signed_by(&credential, &sign_in.proof, &message, keys).unwrap_or(false)
        }
        (Some(ProofKind::Signature | ProofKind::TokenSignature), _) | (None, _) => {
            return Err(unsupported("this proof of that kind of credential"));
        }
    };
    is_proven.then_some(credential).ok_or_else(bad_signature)
}

/// Whether a proof has the key that a token is named by, and that key's signature of a message; `None`: it
/// is none.
fn is_signed_by_token(
    token: &TokenId,
    proof: &[u8],
    message: &[u8],
    keys: &ServerKey,
) -> Option<bool> {
    let (key, signature) = proof.split_first_chunk()?;
    let (key, signature) = (PublicKey(*key), signature.try_into().ok()?);
    Some(TokenId::of_key(&key).is_same(token) && keys.verify(&key, message, signature))
}

/// Whether a proof in the form of SSH has the credential's key, and that key's signature of a message;
/// `None`: it has no such form.
fn is_signed_by(
    credential: &Credential,
    proof: &[u8],
    message: &[u8],
    keys: &ServerKey,
) -> Option<bool> {
    let mut fields = SshFields(proof);
    let (key_bytes, signature) = (fields.string()?, fields.string()?);
    let (key, signature) = (SshKey::read(key_bytes)?, SshSignature::read(signature)?);
    // The signature would be good, and of somebody else's key.
    if !fields.0.is_empty() || key.credential(key_bytes) != *credential {
        return None;
    }
    Some(match (key, signature) {
        (SshKey::Ed25519(key), SshSignature::Ed25519(signature)) => {
            keys.verify(&key, message, &signature)
        }
        (SshKey::EcdsaP256(point), SshSignature::EcdsaP256(signature)) => {
            keys.verify_p256(point, message, &signature)
        }
        (
            SshKey::SkEd25519 { key, application },
            SshSignature::SkEd25519 { signature, flags, counter },
        ) => {
            // Without somebody who touches it, whoever has the machine has the key.
            let signed = security_key_message(application, flags, counter, message);
            is_user_present(flags) && keys.verify(&key, &signed, &signature)
        }
        (SshKey::Ed25519(_) | SshKey::EcdsaP256(_) | SshKey::SkEd25519 { .. }, _) => false,
    })
}

fn unsupported(what: &'static str) -> Closing {
    Closing::sign_in_refused(&Refusal::Unsupported { what })
}

fn bad_signature() -> Closing {
    let message = "the signature does not fit the key, the challenge and this server";
    Closing::because(CloseReason::SignInRefused, Some(ErrorCode::BadSignature), message)
}
