//! Who this is, where it is a member, what is its own; and words on stderr as objects.

use super::liar::{Liar, ROOMS};
use super::stage::{Stage, bare_command, finish, headless, object};

#[tokio::test(flavor = "multi_thread")]
async fn whoami_says_the_name_the_key_and_the_server() {
    let stage = Stage::new().await;
    let text = stage.run("ada", &["whoami"]).await;
    text.succeeded();
    let fields: Vec<&str> = text.stdout.trim_end().split('\t').collect();
    assert_eq!(fields[0], "ada");
    assert!(fields[1].starts_with("SHA256:") && fields[2].contains("127.0.0.1"), "{fields:?}");
    let json = stage.run("ada", &["whoami", "--json"]).await.objects();
    assert_eq!(json[0]["fingerprint"].as_str(), Some(fields[1]));
}

#[tokio::test(flavor = "multi_thread")]
async fn leave_ends_a_membership_and_needs_a_room() {
    let stage = Stage::new().await;
    stage.run("ada", &["send", "-r", "ops", "hi"]).await.succeeded();
    stage.run("ada", &["leave"]).await.ended_with(2);
    let left = stage.run("ada", &["leave", "-r", "ops"]).await;
    left.succeeded();
    assert_eq!((left.stdout.as_str(), left.stderr.as_str()), ("", ""));
    let rooms = stage.run("ada", &["rooms", "--json"]).await.objects();
    assert_eq!(rooms[0]["joined"].as_bool(), Some(false));
    stage.run("ada", &["leave", "-r", "nowhere"]).await.ended_with(6);
}

#[tokio::test(flavor = "multi_thread")]
async fn own_messages_are_marked() {
    let stage = Stage::new().await;
    stage.run("ada", &["send", "mine"]).await.succeeded();
    stage.run("bob", &["send", "not mine"]).await.succeeded();
    let read = stage.run("ada", &["tail", "--json"]).await.objects();
    let own: Vec<_> = read.iter().filter_map(|message| message["own"].as_bool()).collect();
    assert_eq!(own, [true, false]);
}

#[tokio::test(flavor = "multi_thread")]
async fn with_json_what_goes_wrong_is_an_object_on_stderr() {
    let mut stage = Stage::new().await;
    let refused = stage.run("ada", &["tail", "--json", "-r", "nowhere"]).await;
    let usage = stage.run("ada", &["sned", "--json"]).await;
    let setting = {
        let mut command = bare_command(stage.path(), &headless(&["rooms", "--json"]));
        command.env("CHAT_ROOM", "a b");
        finish(command, b"").await
    };
    stage.stop_server().await;
    let away = stage.run("ada", &["rooms", "--json", "--timeout", "300ms"]).await;
    for (ended, code, said) in [
        (refused, 6, "#nowhere"),
        (usage, 2, "did you mean send"),
        (setting, 2, "CHAT_ROOM"),
        (away, 3, "127.0.0.1"),
    ] {
        ended.ended_with(code);
        assert_eq!(ended.stdout, "");
        let objects: Vec<_> = ended.stderr.lines().map(object).collect();
        let error = objects.last().expect("something is said");
        assert_eq!(error["type"].as_str(), Some("error"), "{error}");
        assert_eq!(error["exit"].as_i64(), Some(code.into()));
        assert!(error["text"].as_str().is_some_and(|text| text.contains(said)), "{error}");
    }
}

/// Of a server that has a page for each: a client that asks for so many pages and no more, however many
/// those are, would leave some out and not say so.
#[tokio::test(flavor = "multi_thread")]
async fn all_rooms_are_printed() {
    let dir = tempfile::tempdir().unwrap();
    let liar = Liar::start().await;
    let mut command = bare_command(dir.path(), &headless(&["rooms"]));
    command.env("CHAT_SERVER", liar.address.to_string()).env("CHAT_NAME", "ada");
    let listed = finish(command, b"").await;
    listed.succeeded();
    let mut printed: Vec<&str> =
        listed.stdout.lines().filter_map(|line| line.split('\t').next()).collect();
    printed.sort_unstable();
    let mut rooms: Vec<String> = (1..=ROOMS).map(|number| format!("#room-{number}")).collect();
    rooms.sort_unstable();
    assert_eq!(printed, rooms);
}

#[tokio::test(flavor = "multi_thread")]
async fn more_rooms_than_a_page_has_are_printed() {
    let stage = Stage::new().await;
    let rooms: Vec<String> = (0..300).map(|n| format!("room-{n}")).collect();
    let mut args = vec!["--timeout", "50s"];
    args.extend(rooms.iter().flat_map(|room| ["-r", room.as_str()]));
    stage.run("ada", &args).await.succeeded();
    let listed = stage.run("bob", &["rooms"]).await;
    listed.succeeded();
    let printed = listed.stdout.lines().filter(|line| line.starts_with("#room-")).count();
    assert_eq!(printed, rooms.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_in_another_case_is_the_same_person() {
    let stage = Stage::new().await;
    stage.run("CI", &["send", "1"]).await.succeeded();
    stage.run("ci", &["send", "2"]).await.succeeded();
    let read = stage.run("reader", &["tail", "--json"]).await.objects();
    assert_eq!(read[0]["from_id"], read[1]["from_id"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_can_be_a_file_anywhere() {
    let stage = Stage::new().await;
    stage.run("ada", &["send", "1"]).await.succeeded();
    let moved = stage.path().join("key");
    std::fs::rename(stage.path().join("client/identity/ada.key"), &moved).unwrap();
    let key = moved.to_str().unwrap();
    stage.run("ada", &["send", "--identity", key, "2"]).await.succeeded();
    let mut by_variable = stage.command("ada", &headless(&["send", "3"]));
    by_variable.env("CHAT_IDENTITY", key);
    finish(by_variable, b"").await.succeeded();
    let read = stage.run("reader", &["tail", "--json"]).await.objects();
    assert!(read.iter().all(|message| message["from_id"] == read[0]["from_id"]), "{read:?}");
    assert_eq!(read.len(), 3);
    let missing = stage.run("ada", &["send", "--identity", "/nonexistent", "4"]).await;
    assert!(missing.code() != 0 && missing.stderr.contains("/nonexistent"), "{}", missing.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_variable_the_login_name_is_that_of_the_user_database() {
    let stage = Stage::new().await;
    let mut command = bare_command(stage.path(), &headless(&["whoami"]));
    command.env("CHAT_SERVER", stage.address.to_string());
    let ended = finish(command, b"").await;
    ended.succeeded();
    let id = std::process::Command::new("id").arg("-un").output().expect("id is everywhere");
    let login = String::from_utf8_lossy(&id.stdout).trim().to_owned();
    let name = ended.stdout.split('\t').next().unwrap_or_default().to_owned();
    let expected = if login.is_empty() { "guest" } else { &login };
    assert!(name.starts_with(expected), "{name} for {login}");
}
