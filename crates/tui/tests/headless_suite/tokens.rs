//! Programs that sign in with a token: from a file or the environment, within what it is for.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use chat_proto::{PublicKey, Token, TokenId};
use chatd::{Config, Server};
use ed25519_dalek::SigningKey;

use super::stage::{Ended, bare_command, finish, headless};

/// A daemon with a Unix socket.
struct Place {
    server: Server,
    socket: PathBuf,
    dir: tempfile::TempDir,
}

impl Place {
    async fn new() -> Self {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let socket = dir.path().join("socket");
        let config = Config {
            listen: vec!["127.0.0.1:0".to_owned()],
            socket: Some(socket.clone()),
            data_dir: dir.path().join("data"),
            ..Config::default()
        };
        let server = Server::start(config).await.expect("it starts");
        Self { server, socket, dir }
    }

    /// What the operator is told.
    async fn order(&self, request: String) -> String {
        let socket = self.socket.clone();
        let asked = tokio::task::spawn_blocking(move || {
            let mut stream = UnixStream::connect(socket)?;
            stream.write_all(format!("chatctl/1 {request}\n").as_bytes())?;
            let mut line = String::new();
            BufReader::new(stream).read_line(&mut line).map(|_bytes| line)
        });
        asked.await.expect("it does not panic").expect("the daemon answers")
    }

    async fn create(&self, name: &str, can: &str, expires: &str, token: Token) -> String {
        let key = SigningKey::from_bytes(&token.0).verifying_key().to_bytes();
        let id = TokenId::of_key(&PublicKey(key));
        let request = format!(
            r##"{{"verb":"token-create","name":"{name}","rooms":["#lobby"],"can":"{can}","expires":"{expires}","token":"{id}"}}"##
        );
        self.order(request).await
    }

    async fn run(&self, args: &[&str], token: Option<&str>) -> Ended {
        let mut command = bare_command(self.dir.path(), &headless(args));
        command
            .env("CHAT_SERVER", self.server.addresses()[0].to_string())
            .env("CHAT_NAME", "somebody");
        token.map(|token| command.env("CHAT_TOKEN", token));
        finish(command, b"").await
    }
}

fn file(dir: &Path, name: &str, text: &str, mode: u32) -> String {
    let path = dir.join(name);
    let mut options = std::fs::OpenOptions::new();
    let opened = options.write(true).create_new(true).mode(mode).open(&path);
    opened.and_then(|mut file| file.write_all(text.as_bytes())).expect("there is room");
    path.to_str().expect("UTF-8").to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_sends_with_its_token_and_does_no_more_than_it_is_for() {
    let place = Place::new().await;
    let token = Token([0x5A; 32]);
    let made = place.create("ci", "send", "90d", token).await;
    assert!(made.contains(r#""name":"ci","can":"send""#), "{made}");
    let kept = file(place.dir.path(), "token", &format!("{}\n", token.reveal()), 0o600);
    let sent =
        place.run(&["--token-file", &kept, "send", "-r", "lobby", "build 812 ok"], None).await;
    sent.succeeded();
    let read = place.run(&["tail", "-r", "lobby", "--json"], None).await;
    assert!(
        read.stdout.contains("build 812 ok") && read.stdout.contains(r#""ci""#),
        "{}",
        read.stdout
    );

    let revealed = token.reveal();
    let who = place.run(&["whoami"], Some(&revealed)).await;
    assert!(who.stdout.starts_with("ci\t"), "{}", who.stdout);
    let elsewhere = place.run(&["send", "-r", "ops", "hello"], Some(&revealed)).await;
    assert_ne!(elsewhere.code(), 0, "it was put into no such room: {}", elsewhere.stdout);

    let revoked = place.order(r#"{"verb":"token-revoke","name":"ci"}"#.to_owned()).await;
    assert!(revoked.contains(r#""revoked":"ci""#), "{revoked}");
    let refused = place.run(&["whoami"], Some(&revealed)).await;
    refused.ended_with(4);
    let guessed = place.run(&["whoami"], Some(&Token([0x5B; 32]).reveal())).await;
    guessed.ended_with(4);
    let last = |ended: &Ended| ended.stderr.lines().last().unwrap_or_default().to_owned();
    assert_eq!(last(&refused), last(&guessed), "nobody learns which it is");
    place.server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_others_can_read_or_that_is_none_is_not_used() {
    let place = Place::new().await;
    let token = Token([0x5A; 32]).reveal();
    let open = file(place.dir.path(), "open", &token, 0o644);
    let refused = place.run(&["--token-file", &open, "whoami"], None).await;
    assert_ne!(refused.code(), 0);
    assert!(refused.stderr.contains("chmod 600"), "{}", refused.stderr);
    let none = file(place.dir.path(), "none", "hunter2", 0o600);
    let refused = place.run(&["--token-file", &none, "whoami"], None).await;
    assert!(refused.stderr.contains("has no token in it"), "{}", refused.stderr);
    let refused = place.run(&["whoami"], Some("hunter2")).await;
    refused.ended_with(2);
    assert!(!refused.stderr.contains("hunter2"), "it is not repeated: {}", refused.stderr);
    for (can, expires) in [("rule", "90d"), ("send", "soon"), ("send", "0d")] {
        let made = place.create("ci", can, expires, Token([1; 32])).await;
        assert!(made.contains(r#""usage""#), "{made}");
    }
    place.server.shutdown().await;
}
