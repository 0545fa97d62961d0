//! Lines in, messages out.

use rustix::process::Signal;

use super::stage::{Stage, text};

#[tokio::test(flavor = "multi_thread")]
async fn lines_are_posted_in_order_and_empty_ones_are_only_counted() {
    let stage = Stage::new().await;
    let ended = stage.run_with("ada", &[], b"one\n\n  two\r\n\nthree").await;
    ended.succeeded();
    assert_eq!(ended.stdout, "");
    assert_eq!(ended.stderr, "chat-tui: 2 empty lines were not sent\n");
    assert_eq!(stage.texts("lobby").await, ["one", "  two", "three"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_megabyte_of_short_lines_arrives_complete_and_in_order() {
    let stage = Stage::new().await;
    let mut pasted = String::new();
    for number in 0.. {
        pasted.push_str(&format!("line {number:06} of many in a big paste\n"));
        if pasted.len() > 1_000_000 {
            break;
        }
    }
    let ended = stage.run_with("ada", &["-r", "paste"], pasted.as_bytes()).await;
    ended.succeeded();
    assert_eq!((ended.stdout.as_str(), ended.stderr.as_str()), ("", ""));
    let arrived = stage.texts("paste").await;
    assert!(arrived.iter().map(String::as_str).eq(pasted.lines()), "{} lines", arrived.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_others_say_is_printed_while_stdin_is_open() {
    let stage = Stage::new().await;
    let mut ada = stage.spawn("ada", &["-r", "ops", "--echo", "--json"]);
    let mut bob = stage.spawn("bob", &["-r", "ops"]);
    // Whoever has an echo has joined.
    ada.say("first\n").await;
    assert_eq!(text(&ada.object().await), "first");
    bob.say("hello\n").await;
    let heard = ada.object().await;
    assert_eq!((heard["from"].as_str(), text(&heard)), (Some("bob"), "hello"));
    assert_eq!((&heard["room"], &heard["own"]), (&"ops".into(), &false.into()));
    ada.say("and back\n").await;
    let mut line = bob.line().await;
    while !line.ends_with(" ada: and back") {
        line = bob.line().await;
    }
    assert_eq!(line.find(':'), Some(2), "a time first: {line}");
    ada.end().await.succeeded();
    bob.end().await.succeeded();
}

#[tokio::test(flavor = "multi_thread")]
async fn own_lines_are_printed_only_with_echo() {
    let stage = Stage::new().await;
    stage.run_with("ada", &["-r", "x"], b"1\n2\n3\n").await.succeeded();
    let echoed = stage.run_with("ada", &["-r", "x", "--echo", "--json"], b"4\n5\n6\n").await;
    echoed.succeeded();
    let texts: Vec<_> = echoed.objects().iter().map(|object| text(object).to_owned()).collect();
    assert_eq!(texts, ["4", "5", "6"]);
    assert!(echoed.objects().iter().all(|object| object["own"] == true));
}

#[tokio::test(flavor = "multi_thread")]
async fn several_rooms_are_heard_and_the_first_is_spoken_in() {
    let stage = Stage::new().await;
    let mut ada = stage.spawn("ada", &["-r", "a", "-r", "#b", "--echo"]);
    ada.say("in a\n").await;
    assert!(ada.line().await.ends_with(" #a ada: in a"));
    stage.run("bob", &["send", "-r", "b", "in b"]).await.succeeded();
    assert!(ada.line().await.ends_with(" #b bob: in b"));
    ada.end().await.succeeded();
    assert_eq!(stage.texts("a").await, ["in a"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_that_cannot_be_sent_is_named_and_the_others_arrive() {
    let stage = Stage::new().await;
    let longest = "x".repeat(16 * 1024);
    let input =
        [b"a\n".as_slice(), longest.as_bytes(), b"\n", longest.as_bytes(), b"x\n\xff\nz\0\nb"];
    let ended = stage.run_with("ada", &[], &input.concat()).await;
    ended.ended_with(6);
    for said in ["line 3: is longer", "line 4: is not UTF-8", "line 5: ", "3 refused, 3 posted"] {
        assert!(ended.stderr.contains(said), "{}", ended.stderr);
    }
    assert_eq!(stage.texts("lobby").await, ["a", longest.as_str(), "b"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn follow_goes_on_after_the_end_of_stdin_until_a_signal() {
    let stage = Stage::new().await;
    for (signal, code) in [(Signal::TERM, 143), (Signal::INT, 130)] {
        let mut ada = stage.spawn("ada", &["--follow", "--echo"]);
        ada.say("here\n").await;
        ada.close_stdin();
        while !ada.line().await.ends_with("here") {}
        stage.run("bob", &["send", "hi"]).await.succeeded();
        assert!(ada.line().await.ends_with(" bob: hi"));
        ada.signal(signal);
        let ended = ada.end().await;
        ended.ended_with(code);
        assert_eq!(ended.stderr, "");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_restarts_in_the_middle_loses_and_doubles_nothing() {
    let mut stage = Stage::new().await;
    let mut ada = stage.spawn("ada", &["--echo", "--timeout", "50s"]);
    ada.say("before\n").await;
    assert!(ada.line().await.ends_with("before"));
    stage.stop_server().await;
    ada.say("meanwhile\n").await;
    ada.close_stdin();
    stage.start_server().await;
    assert!(ada.line().await.ends_with("meanwhile"));
    ada.end().await.succeeded();
    assert_eq!(stage.texts("lobby").await, ["before", "meanwhile"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_left_in_an_outbox() {
    let stage = Stage::new().await;
    stage.run_with("ada", &[], b"a\nb\n").await.succeeded();
    stage.run("ada", &["send", "c"]).await.succeeded();
    let outbox = stage.path().join("client/outbox");
    let left = std::fs::read_dir(&outbox).map(|dir| dir.count()).unwrap_or_default();
    assert_eq!(left, 0, "in {}", outbox.display());
}
