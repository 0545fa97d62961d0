//! Which key a choice leads to.

use std::os::unix::fs::OpenOptionsExt;
use std::{fs, io::Write};

use super::super::agent::tests::{FakeAgent, framed, listing, ssh_key};
use super::*;

const RSA: &str = include_str!("../../../../../tests/keys/rsa");
const LOCKED: &str = include_str!("../../../../../tests/keys/ed25519_locked");
const P256: &str = include_str!("../../../../../tests/keys/p256");

fn as_path(text: &str) -> Result<PathBuf, String> {
    Ok(PathBuf::from(text))
}

fn parsed(text: &str) -> IdentityChoice {
    IdentityChoice::parse(text, as_path).unwrap()
}

fn public_of(text: &str) -> Vec<u8> {
    ssh_key::PrivateKey::from_openssh(text).unwrap().public_key().to_bytes().unwrap()
}

/// An agent that holds these keys, and signs nothing.
fn holding(keys: Vec<(Vec<u8>, &'static str)>) -> FakeAgent {
    FakeAgent::new(move |_question| Some(framed(&listing(&keys))))
}

async fn chosen(fake: &FakeAgent, choice: &str) -> Result<Identity, AgentError> {
    Identity::of_agent(fake.agent.clone(), &parsed(choice)).await
}

fn file(text: &str) -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("key");
    let mut options = fs::OpenOptions::new();
    let mut file = options.write(true).create_new(true).mode(0o600).open(&path).unwrap();
    file.write_all(text.as_bytes()).unwrap();
    (dir, path)
}

#[test]
fn a_choice_is_an_agents_key_or_a_file_and_is_written_as_it_was_read() {
    let fingerprint = format!("SHA256:{}", "A".repeat(43));
    for (text, choice) in [
        ("agent", IdentityChoice::Agent),
        ("agent:ada@home", IdentityChoice::AgentComment("ada@home".to_owned())),
        (&fingerprint, IdentityChoice::AgentFingerprint(Fingerprint([0; 32]))),
        ("./agent", IdentityChoice::File(PathBuf::from("./agent"))),
    ] {
        assert_eq!(parsed(text), choice);
        assert_eq!(choice.to_string(), text);
    }
    for wrong in ["agent:", "SHA256:", "SHA256:AAAA"] {
        assert!(
            IdentityChoice::parse(wrong, as_path).unwrap_err().contains("ssh-add -l"),
            "{wrong}"
        );
    }
}

#[tokio::test]
async fn of_an_agent_with_50_keys_one_is_chosen_and_none_is_tried() {
    let name = |byte| if byte == 7 { "seven" } else { "k" };
    let keys: Vec<_> = (1..=50).map(|byte| (ssh_key(byte), name(byte))).collect();
    let fake = holding(keys);
    let told = chosen(&fake, "agent").await.unwrap_err().to_string();
    assert!(told.contains("50 keys") && told.contains("and 45 more"), "{told}");
    assert!(told.contains("--identity SHA256:") && told.len() < 1000, "{told}");
    let seven = chosen(&fake, "agent:seven").await.unwrap();
    assert_eq!(seven.credential(), Identity::from_seed(&[7; 32]).credential());
    let fingerprint = Identity::from_seed(&[33; 32]).fingerprint().to_string();
    let by_fingerprint = chosen(&fake, &fingerprint).await.unwrap();
    assert_eq!(by_fingerprint.fingerprint().to_string(), fingerprint);
    let several = chosen(&fake, "agent:k").await.unwrap_err().to_string();
    assert!(several.contains("49 keys"), "{several}");
}

#[tokio::test]
async fn a_key_that_is_not_accepted_is_not_in_the_way_and_not_taken() {
    let fake = holding(vec![(public_of(RSA), "old"), (public_of(P256), "new")]);
    let new = chosen(&fake, "agent").await.unwrap();
    assert_eq!(new.credential().kind(), chat_proto::CredentialKind::EcdsaP256);
    assert!(new.agents_key().unwrap().ends_with("(new)"), "{:?}", new.agents_key());
    let told = chosen(&fake, "agent:old").await.unwrap_err().to_string();
    assert!(told.contains("ssh-rsa SHA256:") && told.contains("ssh-keygen -t ed25519"), "{told}");
    let told = chosen(&holding(Vec::new()), "agent").await.unwrap_err().to_string();
    assert!(told.contains("it has none") && told.contains("ssh-add"), "{told}");
}

#[tokio::test]
async fn what_an_agent_calls_its_keys_is_inert() {
    let fake = holding(vec![(ssh_key(1), "a\u{1b}[31m\u{202e}b")]);
    let told = chosen(&fake, "agent").await.unwrap().agents_key().unwrap();
    assert!(told.ends_with("(a\u{241b}[31m\u{27e8}U+202E\u{27e9}b)"), "{told}");
}

#[tokio::test]
async fn a_passphrase_is_asked_for_and_may_be_wrong_twice() {
    let (_dir, path) = file(LOCKED);
    let mut answers = ["wrong", "", "open sesame"].into_iter();
    let mut questions = Vec::new();
    let ask = |question: &str| {
        questions.push(question.to_owned());
        Ok(answers.next().unwrap().to_owned())
    };
    let identity = Identity::choose(&IdentityChoice::File(path.clone()), ask).await.unwrap();
    let locked = ssh_key::PrivateKey::from_openssh(LOCKED).unwrap();
    let fingerprint = locked.public_key().fingerprint(ssh_key::HashAlg::Sha256).to_string();
    assert_eq!(identity.fingerprint().to_string(), fingerprint);
    assert_eq!(questions.len(), 3);
    assert!(questions[0].starts_with("Passphrase of /"), "{questions:?}");
    assert!(questions[2].starts_with("It was another one."), "{questions:?}");

    let ask = |_: &str| Ok("wrong".to_owned());
    let told = Identity::choose(&IdentityChoice::File(path), ask).await.unwrap_err().to_string();
    assert!(told.contains("wrong 3 times"), "{told}");
}

#[tokio::test]
async fn without_a_terminal_a_locked_key_is_refused_with_another_way() {
    let (_dir, path) = file(LOCKED);
    let ask = |_: &str| Err(PassphraseError::NoTerminal(io::ErrorKind::NotFound.into()));
    let told = Identity::choose(&IdentityChoice::File(path), ask).await.unwrap_err().to_string();
    assert!(told.contains("no terminal") && told.contains("ssh-add"), "{told}");
    assert!(told.contains("--identity agent"), "{told}");
}
