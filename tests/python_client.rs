//! The example client of `docs/examples`, in Python, against a real server. It was written from
//! `docs/PROTOCOL.md` alone, so it proves that the document says enough.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

use anyhow::{Context, Result};
use chatd::{Config, Server};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

/// How long a client may take for all that it does.
const SECONDS: &str = "60";

fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests/ is in the repository")
}

/// Whether there is a Python; if not, that is said: `.ci/run` looks for the line.
fn has_python(test: &str) -> bool {
    let has_python = std::process::Command::new("python3").arg("--version").output().is_ok();
    if !has_python {
        writeln!(std::io::stderr(), "skipped: {test}: python3 is not installed")
            .expect("the standard error takes a line");
    }
    has_python
}

/// Which Ed25519 the client uses.
#[derive(Clone, Copy)]
enum Signatures {
    /// The library, where one is installed.
    Library,
    /// Its own: the library is out of its sight.
    Own,
}

/// The client, with arguments; no byte code beside its sources.
fn client(signatures: Signatures, arguments: &[&str]) -> Command {
    let mut command = Command::new("python3");
    command.arg("-B");
    if matches!(signatures, Signatures::Own) {
        command.arg("-S");
    }
    command.arg(repository().join("docs/examples/chat_client.py"));
    command.args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    command
}

/// A server of this process, on a data directory that goes with the test.
struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    fn new() -> Result<Self> {
        Ok(Self { folder: tempfile::tempdir()? })
    }

    fn socket(&self) -> PathBuf {
        self.folder.path().join("chatd.sock")
    }

    /// Starts the server; `listen` is an address, port 0 for any free one.
    async fn serve(&self, listen: &str) -> Result<Server> {
        let config = Config {
            listen: vec![listen.to_owned()],
            socket: Some(self.socket()),
            data_dir: self.folder.path().join("data"),
            ..Config::default()
        };
        Ok(Server::start(config).await?)
    }

    fn key(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }
}

fn lines(output: &Output) -> Vec<String> {
    String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// What follows the seq, `name: text`, of lines by one sender.
fn lines_of<'a>(lines: &'a [String], name: &str) -> Vec<&'a str> {
    let said = lines.iter().filter_map(|line| line.split_once(' '));
    said.map(|(_seq, line)| line).filter(|line| line.starts_with(name)).collect()
}

#[tokio::test]
async fn the_python_example_agrees_with_the_golden_bytes() -> Result<()> {
    if !has_python("the_python_example_agrees_with_the_golden_bytes") {
        return Ok(());
    }
    let golden = repository().join("crates/proto/tests/golden/v1.txt");
    let golden = golden.to_str().context("the path is UTF-8")?;
    let output = client(Signatures::Own, &["--self-test", golden]).output().await?;
    assert!(output.status.success(), "{}", said(&output));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn two_python_clients_talk_over_tcp_and_a_unix_socket() -> Result<()> {
    if !has_python("two_python_clients_talk_over_tcp_and_a_unix_socket") {
        return Ok(());
    }
    let place = Place::new()?;
    let server = place.serve("127.0.0.1:0").await?;
    let tcp = server.addresses()[0].to_string();
    let unix = format!("unix:{}", place.socket().display());
    let everything = ["--room", "talk", "--after", "0", "--count", "5", "--timeout", SECONDS];
    let ada = ["--connect", &tcp, "--name", "ada", "--send", "hello", "grüße\n👋 \u{1b}[2J", "bye"];
    let bob = ["--connect", &unix, "--name", "bob", "--send", "one", "two"];
    let (ada, bob) = tokio::try_join!(
        client(Signatures::Library, &[&ada[..], &everything].concat()).output(),
        client(Signatures::Own, &[&bob[..], &everything].concat()).output(),
    )?;
    assert!(ada.status.success(), "{}", said(&ada));
    assert!(bob.status.success(), "{}", said(&bob));
    let seen = lines(&ada);
    assert_eq!(seen, lines(&bob), "both see the same in the same order");
    assert_eq!(seen.len(), 5);
    assert_eq!(lines_of(&seen, "ada: "), ["ada: hello", "ada: grüße\\n👋 \\x1b[2J", "ada: bye"]);
    assert_eq!(lines_of(&seen, "bob: "), ["bob: one", "bob: two"]);
    server.shutdown().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_python_client_goes_on_after_a_restart_of_the_server() -> Result<()> {
    if !has_python("a_python_client_goes_on_after_a_restart_of_the_server") {
        return Ok(());
    }
    let place = Place::new()?;
    let server = place.serve("127.0.0.1:0").await?;
    let address = server.addresses()[0].to_string();
    let key = place.key("reader");
    let listen = ["--connect", &address, "--key", &key, "--name", "reader", "--after", "0"];
    let mut reader = client(Signatures::Library, &listen)
        .args(["--count", "4", "--timeout", SECONDS])
        .spawn()?;
    let mut seen = Vec::new();
    let mut printed = BufReader::new(reader.stdout.take().context("a pipe")?).lines();
    say(&address, &["before", "the restart"]).await?;
    for _ in 0..2 {
        seen.extend(printed.next_line().await?);
    }
    server.shutdown().await;
    let server = place.serve(&address).await?;
    say(&address, &["after", "it"]).await?;
    while let Some(line) = printed.next_line().await? {
        seen.push(line);
    }
    assert!(ended_well(reader).await?, "the reader has all four");
    let texts: Vec<&str> = seen.iter().filter_map(|line| Some(line.split_once(": ")?.1)).collect();
    assert_eq!(texts, ["before", "the restart", "after", "it"], "each once, in order");
    server.shutdown().await;
    Ok(())
}

/// Another client says something and ends when all of it is acked.
async fn say(address: &str, texts: &[&str]) -> Result<()> {
    let arguments = ["--connect", address, "--timeout", SECONDS, "--send"];
    let output = client(Signatures::Library, &[&arguments, texts].concat()).output().await?;
    anyhow::ensure!(output.status.success(), "{}", said(&output));
    Ok(())
}

async fn ended_well(child: Child) -> Result<bool> {
    Ok(child.wait_with_output().await?.status.success())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_line_uses_its_nonce_up_and_the_next_goes_through() -> Result<()> {
    if !has_python("a_refused_line_uses_its_nonce_up_and_the_next_goes_through") {
        return Ok(());
    }
    let place = Place::new()?;
    let server = place.serve("127.0.0.1:0").await?;
    let address = server.addresses()[0].to_string();
    let arguments = ["--connect", &address, "--timeout", SECONDS, "--send", "", "not empty"];
    let output = client(Signatures::Library, &arguments).output().await?;
    assert_eq!(output.status.code(), Some(6), "{}", said(&output));
    assert!(said(&output).contains("refused 1: "), "{}", said(&output));
    assert!(said(&output).contains("(code 102)"), "{}", said(&output));
    assert!(said(&output).contains("acked 2: "), "{}", said(&output));
    server.shutdown().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_python_client_refuses_a_server_with_another_key() -> Result<()> {
    if !has_python("a_python_client_refuses_a_server_with_another_key") {
        return Ok(());
    }
    let place = Place::new()?;
    let server = place.serve("127.0.0.1:0").await?;
    let address = server.addresses()[0].to_string();
    let other = "00".repeat(32);
    let arguments = ["--connect", &address, "--server-key", &other, "--timeout", SECONDS];
    let output = client(Signatures::Library, &arguments).output().await?;
    assert_eq!(output.status.code(), Some(3), "{}", said(&output));
    assert!(said(&output).contains("this is another server"), "{}", said(&output));
    server.shutdown().await;
    Ok(())
}
