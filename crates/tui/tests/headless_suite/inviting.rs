//! Coming in with an invitation: its code comes from stdin, and is told nowhere.

use super::linking::signed_in;
use super::stage::Stage;

#[tokio::test(flavor = "multi_thread")]
async fn a_join_line_on_stdin_lets_one_in_and_is_needed_no_more() {
    let mut stage = Stage::new().await;
    let ada = signed_in(&stage, "ada").await;
    let code = ada.invite(1, 3_600, &[]).await.expect("it is made").code;
    ada.shutdown().await;
    stage.stop_server().await;
    stage.start_server_with("invite".parse().expect("it is one")).await;

    let refused = stage.run("bob", &["whoami"]).await;
    refused.ended_with(4);
    assert!(refused.stderr.contains("needs an invitation"), "{}", refused.stderr);

    let line = format!("chat://{}/#.{code}\n", stage.address);
    let invited = stage.run_with("bob", &["--server", "-", "whoami"], line.as_bytes()).await;
    invited.succeeded();
    assert!(invited.stdout.starts_with("bob\t"), "{}", invited.stdout);
    assert!(!invited.stderr.contains(&code.to_string()), "{}", invited.stderr);
    stage.run("bob", &["whoami"]).await.succeeded();

    let used = stage.run_with("eve", &["--server", "-", "whoami"], line.as_bytes()).await;
    used.ended_with(4);
    assert!(used.stderr.contains("not valid"), "{}", used.stderr);
    let cut = stage.run_with("eve", &["--server", "-", "whoami"], &line.as_bytes()[..40]).await;
    cut.ended_with(2);
    assert!(cut.stderr.contains("Was the line cut off?"), "{}", cut.stderr);
}
