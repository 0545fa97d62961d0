//! An agent that is asked, and agents that stall or lie.

use std::future::Future;
use std::pin::Pin;

use chat_proto::{PublicKey, put_ssh_string, ssh_ed25519_key};
use ed25519_dalek::{Signer, SigningKey};
use tempfile::TempDir;
use tokio::net::UnixListener;

use super::*;

/// An agent that answers each question with what a function makes of it; `None`: with nothing.
pub(in crate::identity) struct FakeAgent {
    pub(in crate::identity) agent: Agent,
    _dir: TempDir,
    serving: tokio::task::JoinHandle<()>,
}

impl Drop for FakeAgent {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl FakeAgent {
    /// `answer` is given a question without its length.
    pub(in crate::identity) fn new(
        answer: impl Fn(&[u8]) -> Option<Vec<u8>> + Send + 'static,
    ) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let socket = dir.path().join("agent");
        let listener = UnixListener::bind(&socket).unwrap();
        let serving = tokio::spawn(async move {
            // What is not answered is held open.
            let mut open = Vec::new();
            while let Ok((mut stream, _)) = listener.accept().await {
                let length = stream.read_u32().await.unwrap();
                let mut question = vec![0; length as usize];
                stream.read_exact(&mut question).await.unwrap();
                if let Some(answer) = answer(&question) {
                    drop(stream.write_all(&answer).await);
                } else {
                    open.push(stream);
                }
            }
        });
        Self { agent: Agent::at(socket), _dir: dir, serving }
    }
}

/// An answer with its length.
pub(in crate::identity) fn framed(body: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    put_ssh_string(&mut bytes, body);
    bytes
}

/// The list of these keys and comments.
pub(in crate::identity) fn listing(keys: &[(Vec<u8>, &str)]) -> Vec<u8> {
    let mut body = vec![12];
    body.extend((keys.len() as u32).to_be_bytes());
    for (key, comment) in keys {
        put_ssh_string(&mut body, key);
        put_ssh_string(&mut body, comment.as_bytes());
    }
    body
}

/// The answer that has a signature of an algorithm.
fn signed(algorithm: &[u8], signature: &[u8]) -> Vec<u8> {
    let (mut blob, mut body) = (Vec::new(), vec![14]);
    put_ssh_string(&mut blob, algorithm);
    put_ssh_string(&mut blob, signature);
    put_ssh_string(&mut body, &blob);
    body
}

pub(in crate::identity) fn ssh_key(byte: u8) -> Vec<u8> {
    let key = SigningKey::from_bytes(&[byte; 32]);
    ssh_ed25519_key(&PublicKey(key.verifying_key().to_bytes()))
}

fn ada() -> AgentKey {
    AgentKey { bytes: ssh_key(1), comment: "ada".to_owned() }
}

#[tokio::test]
async fn an_agent_lists_and_signs() {
    let fake = FakeAgent::new(|question| {
        Some(framed(&match question {
            [11] => listing(&[(ssh_key(1), "ada"), (vec![7; 9], "strange")]),
            [13, rest @ ..] => {
                let mut fields = chat_proto::SshFields(rest);
                assert_eq!(fields.string(), Some(&*ssh_key(1)));
                let message = fields.string().unwrap();
                assert_eq!(fields.0, [0; 4], "no flags");
                let key = SigningKey::from_bytes(&[1; 32]);
                signed(b"ssh-ed25519", &key.sign(message).to_bytes())
            }
            other => panic!("{other:?}"),
        }))
    });
    let keys = fake.agent.keys().await.unwrap();
    assert_eq!(keys[0], ada());
    assert_eq!(keys[1].credential(), None, "what cannot be read is no key, and harms nothing");
    let signature = fake.agent.sign(&keys[0], b"hello").await.unwrap();
    let expected = SigningKey::from_bytes(&[1; 32]).sign(b"hello").to_bytes();
    assert_eq!(SshSignature::read(&signature), Some(SshSignature::Ed25519(expected)));
}

#[tokio::test]
async fn an_agent_that_is_not_there_is_told_with_its_place() {
    let told = Agent::at("/nonexistent/agent").keys().await.unwrap_err().to_string();
    assert!(told.contains("/nonexistent/agent") && told.contains("ssh-add -l"), "{told}");
}

#[tokio::test(start_paused = true)]
async fn an_agent_that_stalls_is_waited_for_with_an_end() {
    let fake = FakeAgent::new(|_question| None);
    let listing: Pin<Box<dyn Future<Output = AgentError>>> =
        Box::pin(async { fake.agent.keys().await.unwrap_err() });
    let signing = Box::pin(async { fake.agent.sign(&ada(), b"hello").await.unwrap_err() });
    for (asking, seconds) in [(listing, 5), (signing as Pin<Box<_>>, 8)] {
        let before = tokio::time::Instant::now();
        let error = asking.await;
        assert!(matches!(error, AgentError::TimedOut { .. }), "{error}");
        assert_eq!(before.elapsed().as_secs(), seconds);
    }
}

#[tokio::test]
async fn an_agent_that_hangs_up_in_the_middle_is_told() {
    let whole = framed(&listing(&[(ssh_key(1), "ada")]));
    for end in [0, 3, 4, 5, 20, whole.len() - 1] {
        let cut = whole[..end].to_vec();
        let fake = FakeAgent::new(move |_question| Some(cut.clone()));
        let error = fake.agent.keys().await.unwrap_err();
        assert!(matches!(error, AgentError::Io { .. }), "{end}: {error}");
    }
}

#[tokio::test]
async fn what_an_agent_lists_in_another_form_is_no_list() {
    let whole = listing(&[(ssh_key(1), "ada")]);
    let mut more = whole.clone();
    more[4] = 2;
    let mut too_many = whole.clone();
    too_many[1] = 0xFF;
    let behind = [&whole[..], &[0]].concat();
    let huge = 0xFFFF_FFFF_u32.to_be_bytes().to_vec();
    let answers =
        [framed(&more), framed(&too_many), framed(&behind), framed(&[99]), framed(&[]), huge];
    for answer in answers {
        let said = answer.clone();
        let fake = FakeAgent::new(move |_question| Some(answer.clone()));
        let error = fake.agent.keys().await.unwrap_err();
        assert!(matches!(error, AgentError::Nonsense { .. }), "{said:?}: {error}");
    }
}

#[tokio::test]
async fn what_an_agent_signs_in_another_form_is_no_signature() {
    let short = signed(b"ssh-ed25519", &[1; 63]);
    let other = signed(b"ecdsa-sha2-nistp256", &[1; 64]);
    let rsa = signed(b"rsa-sha2-512", &[1; 256]);
    let behind = [&signed(b"ssh-ed25519", &[1; 64])[..], &[0]].concat();
    for answer in [short, other, rsa, behind, vec![14], vec![6]] {
        let said = answer.clone();
        let fake = FakeAgent::new(move |_question| Some(framed(&answer)));
        let error = fake.agent.sign(&ada(), b"hello").await.unwrap_err();
        assert!(matches!(error, AgentError::Nonsense { .. }), "{said:?}: {error}");
    }
}

#[tokio::test]
async fn an_agent_that_does_not_sign_is_told_with_the_key() {
    let fake = FakeAgent::new(|_question| Some(framed(&[5])));
    let told = fake.agent.sign(&ada(), b"hello").await.unwrap_err().to_string();
    assert!(told.contains("does not sign with ssh-ed25519 SHA256:"), "{told}");
    assert!(told.contains("(ada)"), "{told}");
}
