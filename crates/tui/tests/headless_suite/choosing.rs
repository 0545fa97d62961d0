//! What `tail` prints of what there is: how many, from where on, of whom, of which rooms.

use super::stage::{Stage, text};

async fn with_numbers(room: &str, last: u32) -> Stage {
    let stage = Stage::new().await;
    let lines: String = (1..=last).map(|number| format!("{number}\n")).collect();
    stage.run_with("ada", &["send", "--lines", "-r", room], lines.as_bytes()).await.succeeded();
    stage
}

fn texts(stdout: &str) -> Vec<&str> {
    stdout.lines().filter_map(|line| line.split(": ").last()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn with_follow_only_what_is_new_is_counted() {
    // 1 and 2 are the room and its first member.
    for start in [["-n", "2"], ["--since", "seq:4"]] {
        let stage = with_numbers("x", 3).await;
        let args = ["tail", "-r", "x", "-f", "--count", "2", start[0], start[1]];
        let mut bob = stage.spawn("bob", &args);
        let mut printed = vec![bob.line().await, bob.line().await];
        stage.run_with("ada", &["send", "--lines", "-r", "x"], b"new\nnewer\nnewest\n").await;
        let rest = bob.end().await;
        rest.succeeded();
        printed.extend(rest.stdout.lines().map(str::to_owned));
        assert!(printed[2].ends_with(": new") && printed[3].ends_with(": newer"), "{printed:?}");
        assert_eq!(printed.len(), 4);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_count_of_what_was_said_keeps_the_newest() {
    let stage = with_numbers("x", 20).await;
    for (args, expected) in [
        (&["--count", "3"][..], &["18", "19", "20"][..]),
        (&["--count", "12", "-n", "2", "--idle", "300ms"], &["19", "20"]),
        (&["--count", "2", "--since", "seq:3"], &["19", "20"]),
        (&["-n", "2", "--since", "seq:3"], &["19", "20"]),
        (&["-n", "9", "--since", "seq:20"], &["18", "19", "20"]),
    ] {
        let ended = stage.run("bob", &[&["tail", "-r", "x"], args].concat()).await;
        assert_eq!(texts(&ended.stdout), expected, "{args:?}: {}", ended.stderr);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_room_that_is_named_twice_is_printed_once() {
    let stage = with_numbers("ops", 2).await;
    let rooms = ["tail", "-r", "ops", "-r", "#ops", "-r", "OPS"];
    for more in [&[][..], &["--since", "seq:1"], &["--idle", "300ms"]] {
        let ended = stage.run("bob", &[&rooms[..], more].concat()).await;
        ended.succeeded();
        assert_eq!(texts(&ended.stdout), ["1", "2"], "{more:?}");
    }
    let who = stage.run("bob", &["who", "-r", "ops", "-r", "OPS"]).await;
    assert_eq!(who.stdout.lines().count(), 1, "{}", who.stdout);
}

#[tokio::test(flavor = "multi_thread")]
async fn from_compares_as_names_do_and_a_name_that_nobody_has_is_exit_2() {
    let stage = with_numbers("x", 2).await;
    stage.run("eve", &["send", "-r", "x", "3"]).await.succeeded();
    for name in ["ada", "ADA", "@Ada", "аdа"] {
        let ended = stage.run("bob", &["tail", "-r", "x", "--from", name]).await;
        ended.succeeded();
        assert_eq!(texts(&ended.stdout), ["1", "2"], "{name}");
    }
    for more in [&[][..], &["-f"], &["-f", "--since", "seq:1"]] {
        let args = [&["tail", "-r", "x", "--from", "adda"][..], more].concat();
        let ended = stage.run("bob", &args).await;
        ended.ended_with(2);
        assert!(ended.stderr.contains("called adda"), "{}", ended.stderr);
    }
    stage.run("eve", &["leave", "-r", "x"]).await.succeeded();
    let gone = stage.run("bob", &["tail", "-r", "x", "--from", "Eve"]).await;
    gone.succeeded();
    assert_eq!(texts(&gone.stdout), ["3"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_room_that_is_not_there_yet_is_waited_for_beside_the_others() {
    let stage = with_numbers("there", 1).await;
    let mut bob =
        stage.spawn("bob", &["tail", "-f", "-r", "there", "-r", "later", "--json", "--count", "2"]);
    assert_eq!(text(&bob.object().await), "1");
    stage.run("ada", &["send", "-r", "later", "first of all"]).await.succeeded();
    let first = bob.object().await;
    assert_eq!((first["room"].as_str(), text(&first)), (Some("later"), "first of all"));
    stage.run("ada", &["send", "-r", "there", "2"]).await.succeeded();
    assert_eq!(text(&bob.object().await), "2");
    bob.end().await.succeeded();
}
