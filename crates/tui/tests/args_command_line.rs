//! The command line: what it means, and which mixtures are refused with the right spelling.

use std::time::Duration;

use chat_client::Target;
use chat_tui::args::{
    self, ChatArgs, Invocation, ListArgs, Mode, SendArgs, Since, Start, TailArgs, TooLong,
};

const TEN_SECONDS: Duration = Duration::from_secs(10);

fn parse(line: &str) -> Invocation {
    args::parse(words(line)).unwrap_or_else(|error| panic!("{line}: {error}"))
}

fn words(line: &str) -> Vec<String> {
    std::iter::once("chat-tui").chain(line.split_whitespace()).map(str::to_owned).collect()
}

fn refusal(line: &str) -> String {
    match args::parse(words(line)) {
        Ok(invocation) => panic!("{line} was taken: {invocation:?}"),
        Err(error) => {
            assert_eq!(error.exit_code(), 2, "{line}");
            error.to_string()
        }
    }
}

fn chat() -> ChatArgs {
    ChatArgs { json: false, follow: false, echo: false, timeout: TEN_SECONDS }
}

fn send(text: Option<&str>) -> SendArgs {
    let text = text.map(str::to_owned);
    SendArgs {
        text,
        lines: false,
        too_long: TooLong::Refuse,
        lossy: false,
        id: None,
        nth: 1,
        timeout: TEN_SECONDS,
        json: false,
    }
}

fn tail() -> TailArgs {
    TailArgs {
        json: false,
        follow: false,
        start: Start { last: Some(10), since: None },
        count: None,
        counts_new: false,
        timeout: None,
        idle: None,
        from: None,
    }
}

#[test]
fn every_mode_is_spelled_in_one_way() {
    let list = |json| ListArgs { json, timeout: TEN_SECONDS };
    for (line, mode) in [
        ("", Mode::Screen),
        ("example.org", Mode::Screen),
        ("--serve", Mode::Screen),
        ("--print-config", Mode::PrintConfig),
        ("--no-tui", Mode::Chat(chat())),
        ("--no-tui --echo --json", Mode::Chat(ChatArgs { echo: true, json: true, ..chat() })),
        ("--no-tui --follow", Mode::Chat(ChatArgs { follow: true, ..chat() })),
        ("--no-tui send hi", Mode::Send(send(Some("hi")))),
        ("--no-tui send", Mode::Send(send(None))),
        ("--no-tui send -", Mode::Send(send(None))),
        ("send --no-tui hi", Mode::Send(send(Some("hi")))),
        ("--no-tui send -- -x", Mode::Send(send(Some("-x")))),
        ("--no-tui --json send hi", Mode::Send(SendArgs { json: true, ..send(Some("hi")) })),
        ("--no-tui send --lines -", Mode::Send(SendArgs { lines: true, ..send(None) })),
        ("--no-tui send --whole hi", Mode::Send(send(Some("hi")))),
        ("--no-tui tail", Mode::Tail(tail())),
        ("--no-tui tail -f", Mode::Tail(TailArgs { follow: true, counts_new: true, ..tail() })),
        (
            "--no-tui tail -fn3",
            Mode::Tail(TailArgs {
                follow: true,
                counts_new: true,
                start: Start { last: Some(3), since: None },
                ..tail()
            }),
        ),
        ("--no-tui rooms", Mode::Rooms(list(false))),
        ("--no-tui who --json", Mode::Who(list(true))),
        ("--no-tui whoami", Mode::WhoAmI(list(false))),
        ("--no-tui leave -r ops", Mode::Leave(list(false))),
    ] {
        assert_eq!(parse(line).mode, mode, "{line}");
    }
}

#[test]
fn options_of_send_and_tail_arrive() {
    let Mode::Send(send) = parse("--no-tui send --id build-7 --timeout 1m30s hi").mode else {
        panic!("no send");
    };
    assert_eq!(send.id.as_deref(), Some("build-7"));
    assert_eq!(send.timeout, Duration::from_secs(90));
    let line = "--no-tui tail --since seq:7 --count 2 --timeout 500ms --idle 3 --from ada";
    let Mode::Tail(tail) = parse(line).mode else {
        panic!("no tail");
    };
    let since = Some(Since::Seq(chat_proto::Seq(7)));
    assert_eq!(tail.start, Start { last: None, since });
    assert_eq!((tail.count, tail.timeout), (Some(2), Some(Duration::from_millis(500))));
    assert_eq!(tail.idle, Some(Duration::from_secs(3)));
    assert_eq!(tail.from.unwrap().as_str(), "ada");
    assert!(tail.follow, "whoever counts waits");
}

#[test]
fn settings_may_stand_before_or_behind_the_subcommand() {
    for line in [
        "--no-tui --server h:7 --name ada --data-dir /d -r ops --timeout 2s send hi",
        "--no-tui send --server h:7 --name ada --data-dir /d -r ops --timeout 2s hi",
        "--no-tui send hi -r #ops --server chat://h:7 --name @ada --data-dir=/d --timeout 2",
    ] {
        let Invocation { given, mode, .. } = parse(line);
        let target = given.server.unwrap().target;
        assert_eq!(target, Target::Tcp { host: "h".into(), port: 7 }, "{line}");
        assert_eq!(given.name.unwrap().as_str(), "ada");
        assert_eq!(given.data_dir.unwrap().to_str(), Some("/d"));
        assert_eq!(given.rooms.len(), 1);
        assert_eq!(given.rooms[0].as_str(), "ops");
        let timeout = Duration::from_secs(2);
        assert_eq!(mode, Mode::Send(SendArgs { timeout, ..send(Some("hi")) }), "{line}");
    }
}

#[test]
fn headless_rooms_are_repeatable() {
    for line in ["--no-tui -r a -r b", "--no-tui tail -r a -r #b", "--no-tui -r a --room b who"] {
        let rooms = parse(line).given.rooms;
        assert_eq!(
            rooms.iter().map(|room| room.as_str()).collect::<Vec<_>>(),
            ["a", "b"],
            "{line}"
        );
    }
}

#[test]
fn serve_listens_on_loopback_unless_told() {
    for (line, address) in [
        ("--serve", "127.0.0.1:5018"),
        ("--serve 0.0.0.0", "0.0.0.0:5018"),
        ("--serve 127.0.0.1:0", "127.0.0.1:0"),
        ("--serve localhost:9", "127.0.0.1:9"),
        ("--serve [::1]", "[::1]:5018"),
        ("--serve ::", "[::]:5018"),
        ("--serve --no-tui send hi", "127.0.0.1:5018"),
    ] {
        assert_eq!(parse(line).serve, Some(address.parse().unwrap()), "{line}");
    }
    assert!(refusal("--serve example.org").contains("IP or IP:PORT"));
}

#[test]
fn what_could_be_read_in_two_ways_is_refused_with_the_right_spelling() {
    for (line, spelling) in [
        ("send hi", "chat-tui --no-tui send"),
        ("tail", "chat-tui --no-tui tail"),
        ("example.org send hi", "chat-tui --no-tui --server example.org:5018 send"),
        ("--no-tui example.org", "chat-tui --no-tui --server example.org:5018"),
        ("--no-tui example.org tail -f", "chat-tui --no-tui --server example.org:5018 tail"),
        ("--no-tui -r a send -r b hi", "-r is given both before and after send"),
        ("--no-tui -r a tail -r a", "-r is given both before and after tail"),
        ("--no-tui --name a send --name b hi", "--name is given both"),
        ("--no-tui --server a tail --server b", "--server is given both"),
        ("--no-tui --timeout 1s tail --timeout 2s", "--timeout is given both"),
        ("--no-tui send -r a -r b hi", "write -r once"),
        ("-r a -r b", "write -r once"),
        ("a --server b", "either chat-tui a:5018 or --server b:5018"),
        ("a --serve", "either chat-tui --serve or chat-tui a:5018"),
        ("--serve --server a", "either chat-tui --serve or chat-tui a:5018"),
        ("--json", "chat-tui --no-tui --json"),
        ("--follow", "chat-tui --no-tui --follow"),
        ("--no-tui --echo send hi", "--echo goes with lines from stdin"),
        ("--no-tui send --lines --whole", "--whole"),
        ("--no-tui tail --count 0", "0"),
    ] {
        let said = refusal(line);
        assert!(said.contains(spelling), "{line}\nsaid: {said}");
        assert!(said.contains("Usage:") || said.contains("--help"), "{line}\nsaid: {said}");
    }
}

#[test]
fn bad_values_are_refused_with_their_rule() {
    for (line, rule) in [
        ("--name a/b", "letters, digits"),
        ("-r a/b", "letters, digits"),
        ("a:0", "port"),
        ("--server unix:x", "whole path"),
        ("--no-tui send --timeout 0 hi", "10s"),
        ("--no-tui send --timeout soon hi", "10s"),
        ("--no-tui tail --since yesterday", "seq:N"),
        ("--no-tui send --id", "--id"),
        ("--no-tui send two words", "words"),
        ("--bogus", "--bogus"),
    ] {
        let said = refusal(line);
        assert!(said.contains(rule), "{line}\nsaid: {said}");
    }
}

#[test]
fn a_hash_alone_is_no_room() {
    assert!(refusal("-r #").contains("at least one character"));
}

#[test]
fn a_command_that_is_spelled_almost_right_is_told() {
    for (line, command) in [
        ("--no-tui sned hi", "send"),
        ("--no-tui sned", "send"),
        ("--no-tui --name ada -r tial tali -f", "tail"),
        ("--no-tui room", "rooms"),
        ("--no-tui whoaim --json", "whoami"),
    ] {
        let words = std::iter::once("chat-tui").chain(line.split_whitespace());
        let said = args::parse(words).expect_err(line).to_string();
        assert!(said.contains(&format!("did you mean {command}?")), "{line}: {said}");
    }
    let words = ["chat-tui", "--no-tui", "example.org", "send", "hi"];
    let said = args::parse(words).expect_err("a server in headless mode").to_string();
    assert!(said.contains("--server") && !said.contains("did you mean"), "{said}");
}
