//! `send`: posts once, and says what became of it.

use rustix::process::Signal;

use super::stage::{Running, Stage, bare_command, finish, headless, object, text};
use super::veil::Veil;

#[tokio::test(flavor = "multi_thread")]
async fn a_text_is_posted_before_it_returns_and_nothing_is_printed() {
    let stage = Stage::new().await;
    let ended = stage.run("ada", &["send", "two words\nand a line"]).await;
    ended.succeeded();
    assert_eq!((ended.stdout.as_str(), ended.stderr.as_str()), ("", ""));
    assert_eq!(stage.texts("lobby").await, ["two words\nand a line"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn stdin_is_one_message_or_one_a_line() {
    let stage = Stage::new().await;
    stage.run_with("ada", &["send"], b"a\nb\n").await.succeeded();
    stage.run_with("ada", &["send", "-"], b"c").await.succeeded();
    stage.run_with("ada", &["send", "--whole"], b"d\n\n").await.succeeded();
    stage.run_with("ada", &["send", "--lines"], b"e\n\nf\n").await.succeeded();
    assert_eq!(stage.texts("lobby").await, ["a\nb", "c", "d\n", "e", "f"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn json_is_the_object_that_others_read() {
    let stage = Stage::new().await;
    let sent = stage.run("ada", &["send", "--json", "-r", "ops", "hi"]).await;
    sent.succeeded();
    let read = stage.run("ada", &["tail", "--json", "-r", "ops"]).await;
    read.succeeded();
    assert_eq!(sent.stdout, read.stdout);
    assert_eq!(sent.objects().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_id_never_posts_twice() {
    let stage = Stage::new().await;
    let args = ["send", "--json", "--id", "build-812", "done"];
    let first = stage.run("ada", &args).await;
    let again = stage.run("ada", &args).await;
    first.succeeded();
    again.succeeded();
    assert_eq!(first.stdout, again.stdout);
    let other = stage.run("ada", &["send", "--id", "build-812", "something else"]).await;
    other.ended_with(6);
    assert!(other.stderr.contains("--id"), "{}", other.stderr);
    let somebody_else = stage.run("bob", &args).await;
    somebody_else.succeeded();
    assert_eq!(stage.texts("lobby").await, ["done", "done"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn lines_with_an_id_go_on_where_they_were() {
    let stage = Stage::new().await;
    let args = ["send", "--lines", "--id", "log"];
    stage.run_with("ada", &args, b"1\n2\n").await.succeeded();
    stage.run_with("ada", &args, b"1\n2\n\n3\n4\n").await.succeeded();
    assert_eq!(stage.texts("lobby").await, ["1", "2", "3", "4"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_no_message_can_be_is_refused() {
    let stage = Stage::new().await;
    let long = "x".repeat(16 * 1024 + 1);
    for (stdin, reason) in
        [("", "empty"), ("\n", "empty"), (long.as_str(), "bytes"), ("a\0b", "NUL")]
    {
        let ended = stage.run_with("ada", &["send"], stdin.as_bytes()).await;
        ended.ended_with(6);
        assert!(ended.stderr.contains(reason), "{}", ended.stderr);
    }
    assert_eq!(stage.texts("lobby").await, [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_there_is_exit_3_when_the_time_is_over() {
    let mut stage = Stage::new().await;
    stage.stop_server().await;
    for args in [&["send", "--timeout", "300ms", "hi"][..], &["tail", "--timeout", "300ms"]] {
        let ended = stage.run("ada", args).await;
        ended.ended_with(3);
        assert!(ended.stderr.contains(&stage.address.to_string()), "{}", ended.stderr);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_elses_name_is_exit_4() {
    let stage = Stage::new().await;
    stage.run("ada", &["send", "hi"]).await.succeeded();
    let mut command = bare_command(stage.path(), &headless(&["send", "hi"]));
    command.env("CHAT_DATA_DIR", stage.path().join("impostor"));
    command.env("CHAT_SERVER", stage.address.to_string()).env("CHAT_NAME", "ada");
    let ended = finish(command, b"").await;
    ended.ended_with(4);
    assert!(ended.stderr.contains("ada"), "{}", ended.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_answer_is_exit_7_and_the_id_that_is_printed_posts_once() {
    let stage = Stage::new().await;
    stage.run("ada", &["send", "first contact"]).await.succeeded();
    let veil = Veil::before(stage.address).await;
    let mut command = stage.command("ada", &headless(&["send", "--timeout", "2s", "was it?"]));
    command.env("CHAT_SERVER", veil.address().to_string());
    let ended = finish(command, b"").await;
    ended.ended_with(7);
    let id = printed_id(&ended.stderr);
    stage.run("ada", &["send", "--id", &id, "was it?"]).await.succeeded();
    assert_eq!(stage.texts("lobby").await, ["first contact", "was it?"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_interrupts_is_told_the_id_too() {
    let stage = Stage::new().await;
    stage.run("ada", &["send", "first contact"]).await.succeeded();
    let mut veil = Veil::before(stage.address).await;
    let mut command = stage.command("ada", &headless(&["send", "--timeout", "50s", "was it?"]));
    command.env("CHAT_SERVER", veil.address().to_string());
    let running = Running::new(command);
    veil.swallowed().await;
    running.signal(Signal::INT);
    let ended = running.end().await;
    ended.ended_with(130);
    let id = printed_id(&ended.stderr);
    let again = stage.run("ada", &["send", "--json", "--id", &id, "was it?"]).await;
    again.succeeded();
    assert_eq!(text(&again.objects()[0]), "was it?");
    assert_eq!(stage.texts("lobby").await, ["first contact", "was it?"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn lines_of_a_pipe_without_an_answer_are_posted_once_by_the_id_that_is_printed() {
    let stage = Stage::new().await;
    stage.run("ada", &["send", "first contact"]).await.succeeded();
    let veil = Veil::before(stage.address).await;
    let mut command = stage.command("ada", &headless(&["--timeout", "2s"]));
    command.env("CHAT_SERVER", veil.address().to_string());
    let ended = finish(command, b"one\n\ntwo\n").await;
    ended.ended_with(7);
    let id = printed_id(&ended.stderr);
    let again = stage.command("ada", &headless(&["send", "--lines", "--id", &id]));
    finish(again, b"one\n\ntwo\n").await.succeeded();
    assert_eq!(stage.texts("lobby").await, ["first contact", "one", "two"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_without_an_answer_is_sent_again_by_itself() {
    let stage = Stage::new().await;
    stage.run("ada", &["send", "first contact"]).await.succeeded();
    let veil = Veil::before(stage.address).await;
    let mut command = stage.command("ada", &headless(&["--json", "--timeout", "2s"]));
    command.env("CHAT_SERVER", veil.address().to_string());
    let ended = finish(command, b"one\n\ntwo's\n").await;
    ended.ended_with(7);
    let told = ended.stderr.lines().map(object);
    let missing: Vec<_> = told.filter(|told| told["type"] == "unanswered").collect();
    let lines: Vec<_> = missing.iter().map(|line| (line["line"].as_u64(), text(line))).collect();
    assert_eq!(lines, [(Some(1), "one"), (Some(3), "two's")]);
    for line in &missing {
        let (id, nth) = (line["id"].as_str().expect("an id"), line["nth"].to_string());
        let again = ["send", "--id", id, "--nth", &nth, "--", text(line)];
        stage.run("ada", &again).await.succeeded();
        stage.run("ada", &again).await.succeeded();
    }
    assert_eq!(stage.texts("lobby").await, ["first contact", "one", "two's"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_place_in_a_stream_is_taken_once_and_none_is_left_out() {
    let stage = Stage::new().await;
    let lines = ["send", "--lines", "--id", "log"];
    stage.run_with("ada", &lines, b"1\n2\n3\n").await.succeeded();
    stage.run("ada", &["send", "--id", "log", "--nth", "2", "2"]).await.succeeded();
    stage.run("ada", &["send", "--id", "log", "--nth", "4", "4"]).await.succeeded();
    for (nth, text) in [("2", "another text"), ("9", "9")] {
        let refused = stage.run("ada", &["send", "--id", "log", "--nth", nth, text]).await;
        refused.ended_with(6);
        assert!(refused.stderr.contains("--nth"), "{}", refused.stderr);
    }
    assert_eq!(stage.texts("lobby").await, ["1", "2", "3", "4"]);
}

fn printed_id(stderr: &str) -> String {
    let (_before, id) = stderr.rsplit_once("--id ").unwrap_or_else(|| panic!("no id: {stderr}"));
    id.split_whitespace().next().unwrap_or_default().to_owned()
}
