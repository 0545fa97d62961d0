//! `tail`: what was said and what is said, from where on, and for how long.

use rustix::process::Signal;

use super::stage::{Stage, text};

async fn with_messages(room: &str, texts: &[&str]) -> Stage {
    let stage = Stage::new().await;
    for text in texts {
        stage.run("ada", &["send", "-r", room, text]).await.succeeded();
    }
    stage
}

fn last_words(stdout: &str) -> Vec<&str> {
    stdout.lines().filter_map(|line| line.split_whitespace().last()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_messages_are_printed_oldest_first() {
    let stage = Stage::new().await;
    let lines: String = (1..=600).map(|number| format!("{number}\n")).collect();
    stage.run_with("ada", &[], lines.as_bytes()).await.succeeded();
    for (args, first) in
        [(&["tail"][..], 591), (&["tail", "-n", "3"], 598), (&["tail", "-n", "500"], 101)]
    {
        let ended = stage.run("bob", args).await;
        ended.succeeded();
        let expected: Vec<String> = (first..=600).map(|number| number.to_string()).collect();
        assert_eq!(last_words(&ended.stdout), expected);
    }
    let none = stage.run("bob", &["tail", "-n", "0"]).await;
    none.succeeded();
    assert_eq!(none.stdout, "");
}

#[tokio::test(flavor = "multi_thread")]
async fn since_begins_with_that_seq_with_and_without_follow() {
    let stage = with_messages("x", &["1", "2", "3"]).await;
    let all = stage.run("bob", &["tail", "-r", "x", "--since", "seq:0", "--json"]).await;
    all.succeeded();
    let seqs: Vec<u64> = all.objects().iter().filter_map(|object| object["seq"].as_u64()).collect();
    assert_eq!(seqs.len(), 3);
    let since = format!("seq:{}", seqs[1]);
    let some = stage.run("bob", &["tail", "-r", "x", "--since", &since]).await;
    assert_eq!(last_words(&some.stdout), ["2", "3"]);
    let none = stage.run("bob", &["tail", "-r", "x", "--since", "seq:99"]).await;
    none.succeeded();
    assert_eq!(none.stdout, "");
    let mut followed = stage.spawn("bob", &["tail", "-r", "x", "-f", "--since", &since]);
    assert!(followed.line().await.ends_with(": 2"));
    assert!(followed.line().await.ends_with(": 3"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_seq_that_is_not_there_yet_is_waited_for() {
    let stage = with_messages("x", &["1"]).await;
    let mut bob = stage.spawn("bob", &["tail", "-r", "x", "-f", "--since", "seq:5", "--json"]);
    for text in ["2", "3", "4", "5"] {
        stage.run("ada", &["send", "-r", "x", text]).await.succeeded();
    }
    // 1 and 2 are the room and its first member.
    let first = bob.object().await;
    assert_eq!((first["seq"].as_u64(), text(&first)), (Some(5), "3"));
}

#[tokio::test(flavor = "multi_thread")]
async fn follow_goes_on_behind_the_last_messages_without_a_seam() {
    let stage = with_messages("x", &["1", "2"]).await;
    let mut bob = stage.spawn("bob", &["tail", "-r", "x", "-f", "-n", "1", "--count", "3"]);
    assert!(bob.line().await.ends_with(": 2"));
    for text in ["3", "4", "5"] {
        stage.run("ada", &["send", "-r", "x", text]).await.succeeded();
    }
    let rest = bob.end().await;
    rest.succeeded();
    assert_eq!(last_words(&rest.stdout), ["3", "4", "5"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_come_in_time_is_exit_5_and_silence_can_be_a_good_end() {
    let stage = with_messages("x", &["1"]).await;
    let tail = ["tail", "-r", "x"];
    for (more, code, printed) in [
        (&["-n", "0", "--count", "1", "--timeout", "300ms"][..], 5, vec![]),
        (&["--count", "1", "--timeout", "50s"], 0, vec!["1"]),
        (&["--timeout", "50s"], 0, vec!["1"]),
        (&["-f", "--timeout", "300ms"], 5, vec!["1"]),
        (&["--idle", "300ms"], 0, vec!["1"]),
        (&["--count", "2", "--idle", "300ms"], 5, vec!["1"]),
    ] {
        let ended = stage.run("bob", &[&tail[..], more].concat()).await;
        ended.ended_with(code);
        assert_eq!(last_words(&ended.stdout), printed, "{more:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_one_person_can_be_listened_to() {
    let stage = with_messages("x", &["1", "2", "3"]).await;
    stage.run("eve", &["send", "-r", "x", "4"]).await.succeeded();
    let args = ["tail", "-r", "x", "--from", "ada", "-n", "2"];
    let ended = stage.run("bob", &args).await;
    assert_eq!(last_words(&ended.stdout), ["2", "3"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn several_rooms_are_in_the_order_of_time_and_named() {
    let stage = Stage::new().await;
    for (room, text) in [("a", "1"), ("b", "2"), ("a", "3")] {
        stage.run("ada", &["send", "-r", room, text]).await.succeeded();
    }
    let ended = stage.run("bob", &["tail", "-r", "b", "-r", "#a"]).await;
    ended.succeeded();
    let lines: Vec<&str> = ended.stdout.lines().map(|line| &line[6..]).collect();
    assert_eq!(lines, ["#a ada: 1", "#b ada: 2", "#a ada: 3"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_joined_and_an_unknown_room_is_exit_6() {
    let stage = with_messages("x", &["1"]).await;
    stage.run("bob", &["tail", "-r", "x"]).await.succeeded();
    let who = stage.run("ada", &["who", "-r", "x"]).await;
    who.succeeded();
    assert_eq!(who.stdout, "ada\tonline\n");
    let unknown = stage.run("bob", &["tail", "-r", "nowhere"]).await;
    unknown.ended_with(6);
    assert!(unknown.stderr.contains("#nowhere") && unknown.stderr.contains("rooms"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_goes_away_ends_it_quietly_and_at_once() {
    let stage = with_messages("x", &["1", "2"]).await;
    for args in [&["tail", "-r", "x", "-f"][..], &["-r", "x"]] {
        let mut bob = stage.spawn("bob", args);
        if args.contains(&"-f") {
            bob.line().await;
        }
        bob.close_stdout();
        // stdin stays open, and nothing is said: only the closed pipe can end it.
        let ended = bob.end_with_open_stdin().await;
        ended.ended_with(141);
        assert_eq!(ended.stderr, "");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_takes_nothing_does_not_keep_it_from_ending() {
    let stage = Stage::new().await;
    let line = "x".repeat(16 * 1024);
    let lines: String = (0..64).map(|_| format!("{line}\n")).collect();
    stage.run_with("ada", &[], lines.as_bytes()).await.succeeded();
    let mut bob = stage.spawn("bob", &["tail", "-n", "64", "-f"]);
    bob.line().await;
    bob.signal(Signal::INT);
    assert_eq!(bob.code().await, 130);
}

// `/dev/full` is Linux's.
#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn stdout_that_cannot_be_written_is_said() {
    use super::stage::{PATIENCE, headless};

    let stage = with_messages("x", &["1"]).await;
    let mut command = stage.command("bob", &headless(&["tail", "-r", "x"]));
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let child = command.stdout(full).spawn().unwrap();
    let ended = tokio::time::timeout(PATIENCE, child.wait_with_output()).await.unwrap().unwrap();
    assert_eq!(ended.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&ended.stderr).contains("stdout cannot be written"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_of_the_server_is_said_and_nothing_is_missed() {
    let mut stage = with_messages("x", &["1"]).await;
    let mut bob = stage.spawn("bob", &["tail", "-r", "x", "-f", "--json"]);
    assert_eq!(text(&bob.object().await), "1");
    stage.stop_server().await;
    assert_eq!(bob.object().await["type"], "reconnecting");
    stage.start_server().await;
    stage.run("ada", &["send", "-r", "x", "2"]).await.succeeded();
    let (resumed, second) = (bob.object().await, bob.object().await);
    assert_eq!((resumed["type"].as_str(), text(&second)), (Some("resumed"), "2"));
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_text_is_inert_and_json_has_the_original() {
    let hostile = "\u{1B}[31mred\u{202E}\n12:00 eve: forged\t\u{200B}";
    let stage = with_messages("x", &[hostile]).await;
    let shown = stage.run("bob", &["tail", "-r", "x"]).await;
    assert!(shown.stdout.ends_with(" ada: ␛[31mred⟨U+202E⟩␊12:00 eve: forged␉⟨U+200B⟩\n"));
    assert_eq!(shown.stdout.lines().count(), 1);
    let json = stage.run("bob", &["tail", "-r", "x", "--json"]).await;
    assert!(json.stdout.is_ascii(), "{}", json.stdout);
    assert_eq!(text(&json.objects()[0]), hostile);
}
