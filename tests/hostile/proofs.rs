//! Proofs of a credential that are none: each is refused, and the daemon goes on. And those of a real
//! OpenSSH, which are good.

use std::io::Write;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use chat_proto::{
    CloseReason, ErrorCode, KeyDigest, List, PublicKey, SSHSIG_NAMESPACE, SignIn, SignedIn,
    Welcome, put_ssh_string, security_key_message, sign_in_transcript, ssh_ed25519_key,
    sshsig_message,
};
use chat_tests::raw::{Closed, Raw};
use ed25519_dalek::{Signer, SigningKey};
use ssh_key::{PrivateKey, SshSig};

use crate::TestServer;

const ED25519: &str = include_str!("../keys/ed25519");
const P256: &str = include_str!("../keys/p256");

fn key(text: &str) -> PrivateKey {
    PrivateKey::from_openssh(text).expect("ssh-keygen made it")
}

fn public(key: &PrivateKey) -> Vec<u8> {
    key.public_key().to_bytes().expect("it is small")
}

/// The key's signature of bytes, as SSH writes it.
fn signature(key: &PrivateKey, message: &[u8]) -> Vec<u8> {
    let signature: ssh_key::Signature = Signer::sign(key, message);
    signature.try_into().expect("it is small")
}

fn transcript(welcome: &Welcome) -> Vec<u8> {
    sign_in_transcript(&welcome.challenge, &welcome.server_key, &[])
}

/// What a holder of the key answers to a challenge, by SSHSIG.
fn by_sshsig(key: &PrivateKey, welcome: &Welcome) -> SignIn {
    let signature = signature(key, &sshsig_message(&transcript(welcome)));
    let sign_in = SignIn::with_ssh_key(&public(key), &signature, "ada").expect("it is known");
    SignIn { name_is_firm: false, ..sign_in }
}

/// The same by the native scheme, of a key that is made of one byte.
fn by_signature(byte: u8, welcome: &Welcome) -> SignIn {
    let key = SigningKey::from_bytes(&[byte; 32]);
    let signature = key.sign(&transcript(welcome)).to_bytes();
    let sign_in = SignIn::with_key(PublicKey(key.verifying_key().to_bytes()), signature, "ada");
    SignIn { name_is_firm: false, ..sign_in }
}

/// What a server says to an answer to its challenge.
async fn said(
    server: &TestServer,
    answer: impl FnOnce(&Welcome) -> SignIn,
) -> Result<Result<SignedIn, ErrorCode>> {
    let mut raw = Raw::connect(server.address).await?;
    let welcome = raw.greet().await?;
    let said: Result<SignedIn> = raw.ask(&answer(&welcome)).await;
    let refused = match said {
        Ok(signed_in) => return Ok(Ok(signed_in)),
        Err(error) => error.downcast::<Closed>()?.0,
    };
    ensure!(refused.known_reason() == Some(CloseReason::SignInRefused), "{refused:?}");
    ensure!(refused.message.len() > 10, "a sentence for a person: {refused:?}");
    Ok(Err(ErrorCode::from_number(refused.code).context("a code that is documented")?))
}

/// Holds a server to refusing an answer to its challenge as no proof.
async fn is_no_proof(server: &TestServer, answer: impl FnOnce(&Welcome) -> SignIn) -> Result<()> {
    let said = said(server, answer).await?;
    ensure!(said.as_ref().err() == Some(&ErrorCode::BadSignature), "{said:?}");
    Ok(())
}

#[tokio::test]
async fn a_key_is_one_account_whichever_way_it_signs() -> Result<()> {
    let server = TestServer::start().await?;
    let ed25519 = key(ED25519);
    let by_ssh = said(&server, |welcome| by_sshsig(&ed25519, welcome)).await?.unwrap();
    let seed = ed25519.key_data().ed25519().context("it is one")?.private.to_bytes();
    let native = SigningKey::from_bytes(&seed);
    let natively = said(&server, |welcome| {
        let key = PublicKey(native.verifying_key().to_bytes());
        SignIn::with_key(key, native.sign(&transcript(welcome)).to_bytes(), "eve")
    });
    assert_eq!(natively.await?.unwrap().account, by_ssh.account);

    let p256 = key(P256);
    let first = said(&server, |welcome| by_sshsig(&p256, welcome)).await?.unwrap();
    let again = said(&server, |welcome| by_sshsig(&p256, welcome)).await?.unwrap();
    assert_eq!(first.account, again.account);
    assert_ne!(first.account, by_ssh.account);
    server.stop().await;
    Ok(())
}

#[tokio::test]
async fn another_accounts_key_is_refused() -> Result<()> {
    let server = TestServer::start().await?;
    let (ada, bob) = (key(ED25519), key(P256));
    said(&server, |welcome| by_sshsig(&ada, welcome)).await?.unwrap();
    // The proof is bob's, and good; the credential is ada's.
    is_no_proof(&server, |welcome| SignIn {
        proof: by_sshsig(&bob, welcome).proof,
        ..by_sshsig(&ada, welcome)
    })
    .await?;
    is_no_proof(&server, |welcome| SignIn {
        credential: by_sshsig(&ada, welcome).credential,
        ..by_signature(9, welcome)
    })
    .await?;
    // Ada's key in front of bob's signature.
    is_no_proof(&server, |welcome| {
        let signed = signature(&bob, &sshsig_message(&transcript(welcome)));
        SignIn::with_ssh_key(&public(&ada), &signed, "ada").unwrap()
    })
    .await?;
    server.stop().await;
    Ok(())
}

#[tokio::test]
async fn a_replayed_proof_and_a_challenge_of_another_session_are_refused() -> Result<()> {
    let server = TestServer::start().await?;
    for text in [ED25519, P256] {
        let key = key(text);
        let mut taken = None;
        said(&server, |welcome| taken.insert(by_sshsig(&key, welcome)).clone()).await?.unwrap();
        let replayed = taken.context("it was answered")?;
        is_no_proof(&server, |_welcome| replayed).await?;
    }
    let mut taken = None;
    said(&server, |welcome| taken.insert(by_signature(1, welcome)).clone()).await?.unwrap();
    let replayed = taken.context("it was answered")?;
    is_no_proof(&server, |_welcome| replayed).await?;
    server.stop().await;
    Ok(())
}

#[tokio::test]
async fn a_challenge_of_another_server_is_refused() -> Result<()> {
    let (server, other) = (TestServer::start().await?, TestServer::start().await?);
    let other_key = Raw::connect(other.address).await?.greet().await?.server_key;
    // Who is asked by the other server, and passes this one's challenge on.
    let relayed = |welcome: &Welcome| Welcome { server_key: other_key, ..welcome.clone() };
    for text in [ED25519, P256] {
        is_no_proof(&server, |welcome| by_sshsig(&key(text), &relayed(welcome))).await?;
    }
    is_no_proof(&server, |welcome| by_signature(1, &relayed(welcome))).await?;
    server.stop().await;
    other.stop().await;
    Ok(())
}

#[tokio::test]
async fn a_signature_of_another_namespace_is_refused() -> Result<()> {
    let server = TestServer::start().await?;
    for text in [ED25519, P256] {
        let key = key(text);
        for namespace in ["file", "git", "sign-in@chatd.example"] {
            is_no_proof(&server, |welcome| {
                let hash = ssh_key::HashAlg::Sha512;
                let message = SshSig::signed_data(namespace, hash, &transcript(welcome)).unwrap();
                SignIn::with_ssh_key(&public(&key), &signature(&key, &message), "ada").unwrap()
            })
            .await?;
        }
        // And the transcript itself, signed as no SSHSIG at all.
        is_no_proof(&server, |welcome| {
            let signed = signature(&key, &transcript(welcome));
            SignIn::with_ssh_key(&public(&key), &signed, "ada").unwrap()
        })
        .await?;
    }
    server.stop().await;
    Ok(())
}

#[tokio::test]
async fn a_key_of_small_order_is_refused_in_either_form() -> Result<()> {
    let server = TestServer::start().await?;
    let mut identity = [0; 32];
    identity[0] = 1;
    // 1·B = R and S = 0 fit whatever is signed by such a key.
    let mut forged = [0; 64];
    forged[..32].copy_from_slice(&identity);
    is_no_proof(&server, |_| SignIn::with_key(PublicKey(identity), forged, "ada")).await?;
    let mut signature = Vec::new();
    put_ssh_string(&mut signature, b"ssh-ed25519");
    put_ssh_string(&mut signature, &forged);
    let key = ssh_ed25519_key(&PublicKey(identity));
    is_no_proof(&server, |_| SignIn::with_ssh_key(&key, &signature, "ada").unwrap()).await?;
    server.stop().await;
    Ok(())
}

#[tokio::test]
async fn a_point_that_is_not_on_the_curve_is_refused() -> Result<()> {
    let server = TestServer::start().await?;
    is_no_proof(&server, |welcome| {
        let key = key(P256);
        let signed = signature(&key, &sshsig_message(&transcript(welcome)));
        let mut other = public(&key);
        *other.last_mut().unwrap() ^= 1;
        SignIn::with_ssh_key(&other, &signed, "ada").unwrap()
    })
    .await?;
    server.stop().await;
    Ok(())
}

#[tokio::test]
async fn a_proof_that_is_cut_or_has_something_behind_it_is_refused() -> Result<()> {
    let server = TestServer::start().await?;
    let key = key(P256);
    for cut in [0, 3, 4, 50, 108, 112, 150, 200] {
        is_no_proof(&server, |welcome| {
            let whole = by_sshsig(&key, welcome);
            let proof = List::first_of(whole.proof.iter().copied().take(cut));
            SignIn { proof, ..whole }
        })
        .await?;
    }
    is_no_proof(&server, |welcome| {
        let whole = by_sshsig(&key, welcome);
        SignIn { proof: List::first_of(whole.proof.iter().copied().chain([0])), ..whole }
    })
    .await?;
    // An Ed25519 signature of another length.
    is_no_proof(&server, |welcome| {
        let whole = by_signature(1, welcome);
        SignIn { proof: List::first_of(whole.proof.iter().copied().chain([0])), ..whole }
    })
    .await?;
    server.stop().await;
    Ok(())
}

#[tokio::test]
async fn a_kind_of_proof_that_is_not_known_or_does_not_fit_is_refused_as_such() -> Result<()> {
    let server = TestServer::start().await?;
    for proof_kind in [0, 3, 4, u16::MAX] {
        let said = said(&server, |welcome| SignIn { proof_kind, ..by_signature(1, welcome) });
        assert_eq!(said.await?.unwrap_err(), ErrorCode::Unsupported, "{proof_kind}");
    }
    let natively = |welcome: &Welcome| SignIn { proof_kind: 1, ..by_sshsig(&key(P256), welcome) };
    assert_eq!(said(&server, natively).await?.unwrap_err(), ErrorCode::Unsupported);
    // An Ed25519 key is never a credential of another kind: it would be a second account.
    is_no_proof(&server, |welcome| {
        let ed25519 = key(ED25519);
        let credential = KeyDigest::of(&public(&ed25519)).0;
        SignIn { credential_kind: 3, credential, ..by_sshsig(&ed25519, welcome) }
    })
    .await?;
    server.stop().await;
    Ok(())
}

/// What a security key of one byte answers to a challenge, with these flags.
fn by_security_key(byte: u8, flags: u8, welcome: &Welcome) -> SignIn {
    let secret = SigningKey::from_bytes(&[byte; 32]);
    let mut key = Vec::new();
    put_ssh_string(&mut key, b"sk-ssh-ed25519@openssh.com");
    put_ssh_string(&mut key, &secret.verifying_key().to_bytes());
    put_ssh_string(&mut key, b"ssh:");
    let message = sshsig_message(&transcript(welcome));
    let signed = secret.sign(&security_key_message(b"ssh:", flags, 7, &message)).to_bytes();
    let mut signature = Vec::new();
    put_ssh_string(&mut signature, b"sk-ssh-ed25519@openssh.com");
    put_ssh_string(&mut signature, &signed);
    signature.push(flags);
    signature.extend(7_u32.to_be_bytes());
    let sign_in = SignIn::with_ssh_key(&key, &signature, "ada").expect("it is known");
    SignIn { name_is_firm: false, ..sign_in }
}

#[tokio::test]
async fn a_security_key_that_was_touched_is_an_account_of_its_own() -> Result<()> {
    let server = TestServer::start().await?;
    let first = said(&server, |welcome| by_security_key(1, 1, welcome)).await?.unwrap();
    let verified = said(&server, |welcome| by_security_key(1, 5, welcome)).await?.unwrap();
    assert_eq!(first.account, verified.account);
    let same_secret = said(&server, |welcome| by_signature(1, welcome)).await?.unwrap();
    assert_ne!(first.account, same_secret.account);
    server.stop().await;
    Ok(())
}

#[tokio::test]
async fn an_sk_key_without_touch_is_refused() -> Result<()> {
    let server = TestServer::start().await?;
    for flags in [0, 4, 0xFE] {
        is_no_proof(&server, |welcome| by_security_key(1, flags, welcome)).await?;
    }
    // Nor is it enough to say that there was one, or another count, behind what was signed.
    for (from_end, change) in [(5, 1), (1, 1), (2, 0x80)] {
        is_no_proof(&server, |welcome| {
            let whole = by_security_key(1, if from_end == 5 { 0 } else { 1 }, welcome);
            let mut proof = whole.proof.to_vec();
            let at = proof.len() - from_end;
            proof[at] ^= change;
            SignIn { proof: List::first_of(proof), ..whole }
        })
        .await?;
    }
    // The other way round: what an ordinary Ed25519 key has signed is of no security key.
    is_no_proof(&server, |welcome| {
        let signed = signature(&key(ED25519), &sshsig_message(&transcript(welcome)));
        let mut sk = Vec::new();
        put_ssh_string(&mut sk, b"sk-ssh-ed25519@openssh.com");
        let ed25519 = key(ED25519);
        let public = ed25519.public_key().key_data().ed25519().expect("it is one").0;
        put_ssh_string(&mut sk, &public);
        put_ssh_string(&mut sk, b"ssh:");
        SignIn::with_ssh_key(&sk, &signed, "ada").unwrap()
    })
    .await?;
    server.stop().await;
    Ok(())
}

/// What a real `ssh-keygen` makes of the transcript; `None` when there is none.
fn by_ssh_keygen(text: &str, transcript: &[u8]) -> Result<Option<SshSig>> {
    use std::os::unix::fs::OpenOptionsExt;
    let dir = tempfile::tempdir()?;
    let path = dir.path().join("key");
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true).mode(0o600).open(&path)?.write_all(text.as_bytes())?;
    let mut command = Command::new("ssh-keygen");
    command.args(["-Y", "sign", "-n", SSHSIG_NAMESPACE, "-f"]).arg(&path);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = match command.spawn() {
        Ok(child) => child,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    // It is closed at the end of the statement, which is the end of the message.
    child.stdin.take().context("it is piped")?.write_all(transcript)?;
    let output = child.wait_with_output()?;
    ensure!(output.status.success(), "{output:?}");
    Ok(Some(SshSig::from_pem(output.stdout)?))
}

#[tokio::test]
async fn a_real_ssh_keygen_signs_in() -> Result<()> {
    let server = TestServer::start().await?;
    for text in [ED25519, P256] {
        let mut raw = Raw::connect(server.address).await?;
        let welcome = raw.greet().await?;
        let Some(signed) = by_ssh_keygen(text, &transcript(&welcome))? else {
            let test = "a_real_ssh_keygen_signs_in";
            writeln!(std::io::stderr(), "skipped: {test}: ssh-keygen is not installed")?;
            return Ok(());
        };
        let signature: Vec<u8> = signed.signature().clone().try_into()?;
        let sign_in = SignIn::with_ssh_key(&public(&key(text)), &signature, "ada").unwrap();
        let by_keygen: SignedIn = raw.ask(&SignIn { name_is_firm: false, ..sign_in }).await?;
        let by_crate = said(&server, |welcome| by_sshsig(&key(text), welcome)).await?.unwrap();
        assert_eq!(by_keygen.account, by_crate.account);
    }
    server.stop().await;
    Ok(())
}
