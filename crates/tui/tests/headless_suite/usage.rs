//! The process around it all: exit codes, the configuration file, and the documented objects.

use serde_json::Value;

use super::stage::{Stage, bare_command, finish, headless, object};

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_command_line_is_exit_2_with_the_right_spelling_on_stderr() {
    let home = tempfile::tempdir().unwrap();
    for (args, spelling) in [
        (&["send", "hi"][..], "chat-tui --no-tui send"),
        (&["--bogus"], "Usage:"),
        (&["--no-tui", "-r", "a", "tail", "-r", "b"], "-r is given both"),
    ] {
        let ended = finish(bare_command(home.path(), args), b"").await;
        ended.ended_with(2);
        assert_eq!(ended.stdout, "");
        assert!(ended.stderr.contains(spelling), "{}", ended.stderr);
    }
    let mut command = bare_command(home.path(), &["--no-tui", "rooms"]);
    command.env("CHAT_SERVER", "not a host");
    let ended = finish(command, b"").await;
    ended.ended_with(2);
    assert!(ended.stderr.contains("CHAT_SERVER"), "{}", ended.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn help_and_version_are_data() {
    let home = tempfile::tempdir().unwrap();
    for args in [&["--help"][..], &["--version"], &["--no-tui", "tail", "--help"]] {
        let ended = finish(bare_command(home.path(), args), b"").await;
        ended.succeeded();
        assert!(!ended.stdout.is_empty() && ended.stderr.is_empty());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_screen_needs_a_terminal() {
    let home = tempfile::tempdir().unwrap();
    let ended = finish(bare_command(home.path(), &[]), b"").await;
    ended.ended_with(2);
    assert_eq!(ended.stdout, "");
    assert!(ended.stderr.contains("--no-tui"), "{}", ended.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_configuration_file_counts() {
    let stage = Stage::new().await;
    let config = stage.path().join(".config/chat-tui");
    std::fs::create_dir_all(&config).unwrap();
    let text = format!("server = \"{}\"\nname = \"ada\"\n\nroom = \"#ops\"\n", stage.address);
    std::fs::write(config.join("config.toml"), text).unwrap();
    let send = finish(bare_command(stage.path(), &headless(&["send", "--json", "hi"])), b"").await;
    send.succeeded();
    let sent = &send.objects()[0];
    assert_eq!((sent["from"].as_str(), sent["room"].as_str()), (Some("ada"), Some("ops")));
    let printed = finish(bare_command(stage.path(), &["--print-config"]), b"").await;
    printed.succeeded();
    assert!(printed.stdout.contains("\nname = \"ada\"\n"), "{}", printed.stdout);
}

/// A text for one room must never be said in another, because a line is not understood.
#[tokio::test(flavor = "multi_thread")]
async fn with_a_wrong_line_in_the_configuration_file_nothing_is_done() {
    let stage = Stage::new().await;
    let config = stage.path().join(".config/chat-tui");
    std::fs::create_dir_all(&config).unwrap();
    for (line, said) in [
        ("room = secret-ops", "line 2: "),
        ("room = \"a b\"", "line 2: room"),
        ("colour = 3", "line 2: colour"),
        ("[keys]\nhelp = \"h\"", "line 3: keys: help: 'h' is typed as it is"),
        ("[colors]\ngood = \"gren\"", "line 3: colors: good: \"gren\" is no colour"),
        ("data_dir = \"/d\"", "line 2: data_dir: this setting is spelled data-dir"),
    ] {
        let text = format!("server = \"{}\"\n{line}\n", stage.address);
        std::fs::write(config.join("config.toml"), text).unwrap();
        for args in [&["send", "-"][..], &[], &["tail"], &["rooms"], &["who"]] {
            let ended = finish(bare_command(stage.path(), &headless(args)), b"hunter2\n").await;
            ended.ended_with(2);
            assert!(ended.stderr.contains(&format!("config.toml, {said}")), "{}", ended.stderr);
        }
    }
    std::fs::remove_file(config.join("config.toml")).unwrap();
    let rooms = stage.run("ada", &["rooms"]).await;
    rooms.succeeded();
    assert_eq!(rooms.stdout, "#lobby\t0 members\t0 online\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn logs_go_to_a_file() {
    let stage = Stage::new().await;
    stage.run("ada", &["send", "hi"]).await.succeeded();
    assert!(stage.path().join("client/log/chat-tui.log").is_file());
}

#[tokio::test(flavor = "multi_thread")]
async fn every_printed_object_is_as_documented() {
    let mut stage = Stage::new().await;
    let mut objects = stage.run("ada", &["send", "--json", "-r", "x", "hi"]).await.objects();
    for args in [
        &["rooms", "--json"][..],
        &["who", "-r", "x", "--json"],
        &["whoami", "--json"],
        &["leave", "-r", "x", "--json"],
    ] {
        objects.extend(stage.run("ada", args).await.objects());
    }
    let wrong = stage.run_with("ada", &["send", "--lines", "--json", "-r", "x"], b"\n\xff").await;
    objects.extend(wrong.stderr.lines().map(object));
    let mut tail = stage.spawn("bob", &["tail", "-r", "x", "-f", "--json"]);
    objects.push(tail.object().await);
    stage.stop_server().await;
    objects.push(tail.object().await);
    stage.start_server().await;
    objects.push(tail.object().await);
    let mut types: Vec<&str> = objects.iter().map(conforms).collect();
    types.sort_unstable();
    types.dedup();
    let expected = [
        "error",
        "identity",
        "left",
        "member",
        "message",
        "notice",
        "reconnecting",
        "resumed",
        "room",
    ];
    assert_eq!(types, expected);
}

/// Checks an object against the part of `docs/json-schema.json` that its type names: the fields
/// are those, no more and no less, and each has its type.
fn conforms(printed: &Value) -> &str {
    let schema = object(include_str!("../../../../docs/json-schema.json"));
    let name = printed["type"].as_str().expect("every object has a type");
    let part = &schema["$defs"][name];
    let required = part["required"].as_array().unwrap_or_else(|| panic!("{name} is undocumented"));
    let fields = printed.as_object().expect("it is an object");
    let mut documented: Vec<_> = required.iter().filter_map(Value::as_str).collect();
    documented.sort_unstable();
    let mut there: Vec<_> = fields.keys().map(String::as_str).collect();
    there.sort_unstable();
    assert_eq!(there, documented, "{printed}");
    for (field, value) in fields {
        let rule = &part["properties"][field];
        let fits = match (rule["const"].is_null(), rule["type"].as_str()) {
            (false, _) => rule["const"] == *value,
            (true, Some("string")) => value.is_string(),
            (true, Some("integer")) => value.is_u64(),
            (true, Some("boolean")) => value.is_boolean(),
            (true, _) => false,
        };
        assert!(fits, "{field} of {printed}");
    }
    name
}
