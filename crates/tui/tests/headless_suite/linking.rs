//! Linking a device from a script: the code comes from stdin, and no other way.

use chat_client::{Client, Config, Event, Name, Target};
use chat_proto::LinkCode;
use tokio::time::timeout;

use super::stage::{PATIENCE, Stage};

/// Somebody who is signed in, with the client library.
pub(crate) async fn signed_in(stage: &Stage, name: &str) -> Client {
    let data_dir = stage.path().join(format!("{name}-at-home"));
    let target = Target::Tcp { host: "127.0.0.1".into(), port: stage.address.port() };
    let config = Config::headless(target, Name::firm(name), data_dir);
    let (client, mut events) = chat_client::start(config).expect("it starts");
    let connected = async { while !matches!(events.next().await, Some(Event::Connected(_))) {} };
    timeout(PATIENCE, connected).await.expect("it signs in");
    tokio::spawn(async move { while events.next().await.is_some() {} });
    client
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_is_linked_by_the_line_on_stdin_and_is_the_same_person_from_then_on() {
    let stage = Stage::new().await;
    let ada = signed_in(&stage, "ada").await;
    let code = ada.open_link().await.expect("it is opened").reveal();
    // Typed by hand.
    let typed = format!(" {}\n", code.to_uppercase().replace('-', " "));
    let linked = stage.run_with("laptop", &["--link", "whoami"], typed.as_bytes()).await;
    linked.succeeded();
    assert!(linked.stdout.starts_with("ada\t"), "{}", linked.stdout);
    assert!(!linked.stderr.contains(&code[..5]), "the code is told nowhere: {}", linked.stderr);
    let later = stage.run("laptop", &["whoami"]).await;
    assert!(later.stdout.starts_with("ada\t"), "{}", later.stdout);

    let devices = ada.devices().await.expect("they are listed");
    assert_eq!(devices.len(), 2, "{devices:?}");
    let fingerprint = linked.stdout.split('\t').nth(1).expect("name, fingerprint, server");
    let shown = chat_client::Fingerprint(devices[1].fingerprint).to_string();
    assert_eq!(shown, fingerprint, "as ssh-keygen shows it");

    let again = stage.run_with("phone", &["--link", "whoami"], typed.as_bytes()).await;
    again.ended_with(4);
    assert!(again.stderr.contains("used, has expired, or never was one"), "{}", again.stderr);

    ada.revoke(devices[1].credential).await.expect("it is revoked");
    let revoked = stage.run("laptop", &["whoami"]).await;
    revoked.ended_with(4);
    assert!(revoked.stderr.contains("was revoked"), "{}", revoked.stderr);
    ada.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_code_is_refused_before_anything_is_asked() {
    let stage = Stage::new().await;
    for stdin in ["", "hunter2\n", "00000-00000-00000-00000-00000\n"] {
        let refused = stage.run_with("laptop", &["--link", "whoami"], stdin.as_bytes()).await;
        refused.ended_with(2);
        assert!(refused.stderr.contains("this is no code"), "{}", refused.stderr);
    }
    let code = LinkCode([7; 16]).reveal();
    for args in [&["--link", &*code, "whoami"][..], &["--link", "send", "hello"], &["--link"]] {
        let refused = stage.run("laptop", args).await;
        refused.ended_with(2);
    }
    let guessed = stage.run_with("laptop", &["--link", "whoami"], code.as_bytes()).await;
    guessed.ended_with(4);
}
