//! `--serve`: the daemon inside, for as long as the process runs.

use super::stage::{Stage, bare_command, finish};

#[tokio::test(flavor = "multi_thread")]
async fn the_server_inside_serves_its_own_process_and_keeps_its_data() {
    let home = tempfile::tempdir().unwrap();
    let serve = ["--serve", "127.0.0.1:0", "--no-tui", "--name", "ada"];
    let chatted = finish(bare_command(home.path(), &serve), b"one\ntwo\n").await;
    chatted.succeeded();
    assert!(chatted.stderr.contains("on this machine: chat-tui"), "{}", chatted.stderr);
    let read = finish(bare_command(home.path(), &[&serve[..], &["tail"]].concat()), b"").await;
    read.succeeded();
    let texts: Vec<&str> = read.stdout.lines().map(|line| &line[6..]).collect();
    assert_eq!(texts, ["ada: one", "ada: two"]);
    assert!(home.path().join("client/server").is_dir());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_taken_address_is_said_with_a_way_out() {
    let stage = Stage::new().await;
    let address = stage.address.to_string();
    let serve = ["--serve", &address, "--no-tui", "--name", "ada", "send", "hi"];
    let ended = finish(bare_command(stage.path(), &serve), b"").await;
    ended.ended_with(1);
    assert!(ended.stderr.contains("--serve 127.0.0.1:0"), "{}", ended.stderr);
}
