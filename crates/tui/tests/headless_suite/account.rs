//! Who this is, where it is a member, what is its own; and words on stderr as objects.

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

/// More rooms than a page has.
#[tokio::test(flavor = "multi_thread")]
async fn all_rooms_are_printed() {
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
