//! Keys that people have already: files of `ssh-keygen`, and those of a real `ssh-agent`.

use std::fs;
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::process::{Child, Command};

use super::stage::{Ended, PATIENCE, Stage, finish, headless};

const ED25519: &str = include_str!("../../../../tests/keys/ed25519");
const P256: &str = include_str!("../../../../tests/keys/p256");
const RSA: &str = include_str!("../../../../tests/keys/rsa");

/// A key's file, for its owner alone.
fn key(dir: &Path, name: &str, text: &str) -> PathBuf {
    let path = dir.join(name);
    let mut options = fs::OpenOptions::new();
    let opened = options.write(true).create_new(true).mode(0o600).open(&path);
    opened.and_then(|mut file| file.write_all(text.as_bytes())).expect("there is room");
    path
}

/// A real agent, which ends with the test.
struct Agent {
    socket: PathBuf,
    _child: Child,
}

impl Agent {
    /// `None`: there is none on this machine, which is said: `.ci/run` looks for the line.
    async fn start(dir: &Path, test: &str) -> Option<Self> {
        let socket = dir.join("agent.sock");
        let mut command = Command::new("ssh-agent");
        command.arg("-D").arg("-a").arg(&socket).stdout(Stdio::null()).kill_on_drop(true);
        let child = match command.spawn() {
            Ok(child) => child,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                writeln!(std::io::stderr(), "skipped: {test}: ssh-agent is not installed")
                    .expect("the standard error takes a line");
                return None;
            }
            Err(error) => panic!("{error}"),
        };
        let there = async {
            while tokio::net::UnixStream::connect(&socket).await.is_err() {
                // Polling an outside process, not synchronising with it.
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(PATIENCE, there).await.expect("the agent listens");
        Some(Self { socket, _child: child })
    }

    async fn add(&self, key: &Path) {
        let mut command = Command::new("ssh-add");
        command.arg("-q").arg(key).env("SSH_AUTH_SOCK", &self.socket).stdin(Stdio::null());
        assert!(command.status().await.is_ok_and(|status| status.success()), "{key:?} is added");
    }

    async fn run(&self, stage: &Stage, name: &str, args: &[&str]) -> Ended {
        let mut command = stage.command(name, &headless(args));
        command.env("SSH_AUTH_SOCK", &self.socket);
        finish(command, b"").await
    }
}

/// The fingerprint that `whoami` prints.
fn fingerprint(ended: &Ended) -> String {
    ended.succeeded();
    ended.stdout.split('\t').nth(1).expect("name, fingerprint, server").to_owned()
}

fn path(path: &Path) -> &str {
    path.to_str().expect("a path of UTF-8")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_of_ssh_keygen_signs_in_and_its_fingerprint_is_told() {
    let stage = Stage::new().await;
    for (name, text) in [("ada", ED25519), ("pia", P256)] {
        let key = key(stage.path(), name, text);
        let who = stage.run(name, &["whoami", "--identity", path(&key)]).await;
        let listed = Command::new("ssh-keygen").arg("-lf").arg(&key).output().await;
        if let Ok(listed) = listed {
            let listed = String::from_utf8(listed.stdout).unwrap();
            assert!(listed.contains(&fingerprint(&who)), "{listed} {}", who.stdout);
        }
        stage.run(name, &["send", "--identity", path(&key), "hello"]).await.succeeded();
        // Whatever one calls oneself: the account is the key's.
        let again = stage.run("other", &["whoami", "--identity", path(&key)]).await;
        assert!(again.stdout.starts_with(name), "{}", again.stdout);
    }
    assert_eq!(stage.texts("lobby").await, ["hello", "hello"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_keys_that_chatd_makes_are_read_by_ssh_keygen() {
    let stage = Stage::new().await;
    let who = stage.run("ada", &["whoami"]).await;
    let made = stage.path().join("client/identity/ada.key");
    match Command::new("ssh-keygen").arg("-lf").arg(made).output().await {
        Ok(listed) => {
            let listed = String::from_utf8(listed.stdout).unwrap();
            assert!(listed.contains(&fingerprint(&who)), "{listed} {}", who.stdout);
        }
        Err(error) => {
            assert_eq!(error.kind(), ErrorKind::NotFound);
            let test = "the_keys_that_chatd_makes_are_read_by_ssh_keygen";
            writeln!(std::io::stderr(), "skipped: {test}: ssh-keygen is not installed").unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_real_agents_key_signs_in_as_the_same_account_as_its_file() {
    let test = "a_real_agents_key_signs_in_as_the_same_account_as_its_file";
    let stage = Stage::new().await;
    let Some(agent) = Agent::start(stage.path(), test).await else { return };
    let keys = [("ada", ED25519), ("pia", P256)].map(|(name, text)| {
        let file = key(stage.path(), name, text);
        (name, file)
    });
    let rsa = key(stage.path(), "rsa", RSA);
    agent.add(&rsa).await;
    let none = agent.run(&stage, "ada", &["whoami", "--identity", "agent"]).await;
    assert_ne!(none.code(), 0);
    assert!(none.stderr.contains("ssh-rsa") && none.stderr.contains("ssh-keygen -t ed25519"));

    agent.add(&keys[0].1).await;
    let only = agent.run(&stage, "ada", &["whoami", "--identity", "agent"]).await;
    let by_file = stage.run("ada", &["whoami", "--identity", path(&keys[0].1)]).await;
    assert_eq!(only.stdout, by_file.stdout);

    agent.add(&keys[1].1).await;
    let several = agent.run(&stage, "ada", &["send", "--identity", "agent", "x"]).await;
    assert!(several.stderr.contains("2 keys"), "{}", several.stderr);
    for (name, file) in &keys {
        let by_file = stage.run(name, &["whoami", "--identity", path(file)]).await;
        let comment = if *name == "ada" { "agent:ada@example" } else { "agent:p256@example" };
        let public = file.with_extension("pub");
        let private = ssh_key::PrivateKey::read_openssh_file(file).unwrap();
        fs::write(&public, private.public_key().to_openssh().unwrap()).unwrap();
        for choice in [comment, &fingerprint(&by_file), path(&public)] {
            let by_agent = agent.run(&stage, name, &["whoami", "--identity", choice]).await;
            assert_eq!(by_agent.stdout, by_file.stdout, "{choice}: {}", by_agent.stderr);
            agent.run(&stage, name, &["send", "--identity", choice, "hello"]).await.succeeded();
        }
    }
    assert_eq!(stage.texts("lobby").await, ["hello"; 6]);
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_that_cannot_be_used_are_refused_with_what_helps() {
    let stage = Stage::new().await;
    let rsa = key(stage.path(), "rsa", RSA);
    let refused = stage.run("ada", &["send", "--identity", path(&rsa), "x"]).await;
    assert_eq!(refused.code(), 1);
    assert!(refused.stderr.contains("ssh-keygen -t ed25519"), "{}", refused.stderr);
    // A test has no agent in its environment.
    let agentless = stage.run("ada", &["send", "--identity", "agent", "x"]).await;
    assert_eq!(agentless.code(), 1);
    assert!(agentless.stderr.contains("SSH_AUTH_SOCK"), "{}", agentless.stderr);
    let wrong = stage.run("ada", &["send", "--identity", "SHA256:x", "x"]).await;
    assert_eq!(wrong.code(), 2, "{}", wrong.stderr);
    assert_eq!(stage.texts("lobby").await, [""; 0]);
}
