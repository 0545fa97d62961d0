//! `send -` as the end of a pipeline: whoever writes is not killed by what happens here.

use std::process::{ExitStatus, Stdio};

use tokio::io::AsyncWriteExt;
use tokio::process::Command;
use tokio::time::timeout;

use super::stage::{PATIENCE, Stage, bare_command, finish, headless};

/// Much more than a pipe and a message hold.
const LONG: usize = 1 << 20;

const MESSAGE_BYTES_MAX: usize = 16 * 1024;

/// The exit codes of both ends of a pipe, and what the last one said.
async fn piped(mut reader: Command, bytes: &[u8]) -> (bool, Option<i32>, String) {
    reader.stdout(Stdio::null());
    let mut child = reader.spawn().expect("chat-tui starts");
    let mut pipe = child.stdin.take().expect("stdin is a pipe");
    let writing = async move { pipe.write_all(bytes).await.is_ok() };
    let both = async { tokio::join!(writing, child.wait_with_output()) };
    let (wrote_all, output) = timeout(PATIENCE, both).await.expect("both end in time");
    let output = output.expect("it ends");
    let status: ExitStatus = output.status;
    (wrote_all, status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn who_writes_is_never_cut_off() {
    let mut stage = Stage::new().await;
    let log = "cc -O2 -c file.c -o file.o\n".repeat(LONG / 27);
    let mut impostor = stage.command("ada", &headless(&["send", "--lines", "-"]));
    impostor.env("CHAT_DATA_DIR", stage.path().join("impostor"));
    stage.run("ada", &["send", "hi"]).await.succeeded();
    let away = ["send", "--timeout", "300ms", "-"];
    let away_lines = ["send", "--lines", "--timeout", "300ms", "-"];
    let mut config = stage.command("ada", &headless(&["send", "-"]));
    config.env("CHAT_ROOM", "a b");
    for (command, code, said) in [
        (stage.command("ada", &headless(&["send", "-"])), 6, "--split"),
        (impostor, 4, "ada"),
        (config, 2, "CHAT_ROOM"),
    ] {
        let (wrote_all, ended, stderr) = piped(command, log.as_bytes()).await;
        assert_eq!((wrote_all, ended), (true, Some(code)), "{stderr}");
        assert!(stderr.contains(said), "{stderr}");
    }
    stage.stop_server().await;
    for args in [&away[..], &away_lines] {
        let command = stage.command("ada", &headless(args));
        let (wrote_all, ended, stderr) = piped(command, log.as_bytes()).await;
        assert!(wrote_all && matches!(ended, Some(3 | 6)), "{ended:?} {stderr}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_text_is_posted_in_parts_or_cut_when_that_is_asked_for() {
    let stage = Stage::new().await;
    let log: String = (0..10_000).map(|n| format!("line {n}\n")).collect();
    stage.run_with("ada", &["send", "--split", "-"], log.as_bytes()).await.succeeded();
    let parts = stage.texts("lobby").await;
    assert!(parts.len() > 4 && parts.iter().all(|part| part.len() <= MESSAGE_BYTES_MAX));
    assert_eq!(parts.join("\n") + "\n", log);
    let cut = ["send", "-r", "cut", "--truncate", "-"];
    stage.run_with("ada", &cut, log.as_bytes()).await.succeeded();
    let texts = stage.texts("cut").await;
    assert_eq!(texts.len(), 1);
    assert!(texts[0].starts_with("line 0\nline 1\n") && texts[0].len() <= MESSAGE_BYTES_MAX);
    assert!(texts[0].ends_with(&format!("of {} bytes]", log.len())), "{}", texts[0].len());
    let argument = "x".repeat(MESSAGE_BYTES_MAX + 1);
    stage.run("ada", &["send", "-r", "argument", "--split", &argument]).await.succeeded();
    assert_eq!(stage.texts("argument").await.concat(), argument);
}

#[tokio::test(flavor = "multi_thread")]
async fn parts_under_an_id_are_posted_once() {
    let stage = Stage::new().await;
    let text = "é".repeat(40_000);
    let args = ["send", "--split", "--id", "log", "-"];
    stage.run_with("ada", &args, text.as_bytes()).await.succeeded();
    stage.run_with("ada", &args, text.as_bytes()).await.succeeded();
    assert_eq!(stage.texts("lobby").await.concat(), text);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_text_is_refused_or_replaced() {
    let stage = Stage::new().await;
    let refused = stage.run_with("ada", &["send", "-"], b"caf\xe9 \0").await;
    refused.ended_with(6);
    assert!(refused.stderr.contains("the message is not UTF-8"), "{}", refused.stderr);
    stage.run_with("ada", &["send", "--lossy", "-"], b"caf\xe9 \0").await.succeeded();
    assert_eq!(stage.texts("lobby").await, ["caf\u{FFFD} \u{FFFD}"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_text_that_begins_with_a_hyphen_stands_behind_two() {
    let stage = Stage::new().await;
    for text in ["--id", "-5 degrees", "-r", "--"] {
        stage.run("ada", &["send", "--", text]).await.succeeded();
    }
    assert_eq!(stage.texts("lobby").await, ["--id", "-5 degrees", "-r", "--"]);
    let home = stage.path().join("nobody");
    let wrong = finish(bare_command(&home, &headless(&["send", "-5 degrees"])), b"").await;
    wrong.ended_with(2);
    assert!(wrong.stderr.contains("-- "), "{}", wrong.stderr);
}
