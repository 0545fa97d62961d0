//! A bot's pipe over a server that is restored from a backup: each line is posted, or refused with
//! the true reason, and its own lines stay its own.

use std::path::PathBuf;

use serde_json::Value;

use super::stage::{Running, Stage, text};

const RESTORED: &str = "restored from a backup";

/// Somewhere else than the data, as a backup should be.
fn backup(stage: &Stage) -> PathBuf {
    stage.path().join("backup.db")
}

fn store(stage: &Stage) -> PathBuf {
    stage.path().join("server/chatd.db")
}

async fn back_up(stage: &mut Stage) {
    stage.stop_server().await;
    std::fs::copy(store(stage), backup(stage)).expect("the store is closed");
    stage.start_server().await;
}

async fn restore(stage: &mut Stage) {
    stage.stop_server().await;
    std::fs::copy(backup(stage), store(stage)).expect("the store is closed");
    stage.start_server().await;
}

/// The next message; what is told of the connection and the log is passed over.
async fn message(bot: &mut Running) -> Value {
    loop {
        let object = bot.object().await;
        if object["type"] == "message" {
            return object;
        }
    }
}

async fn says(bot: &mut Running, line: &str) {
    bot.say(&format!("{line}\n")).await;
    let said = message(bot).await;
    assert_eq!((text(&said), &said["own"]), (line, &true.into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_lines_of_a_pipe_go_on_and_stay_its_own() {
    let mut stage = Stage::new().await;
    let mut bot = stage.spawn("ada", &["-r", "x", "--echo", "--json", "--timeout", "50s"]);
    says(&mut bot, "1").await;
    back_up(&mut stage).await;
    says(&mut bot, "2").await;
    says(&mut bot, "3").await;
    restore(&mut stage).await;
    for line in ["4", "5", "6"] {
        bot.say(&format!("{line}\n")).await;
    }
    let ended = bot.end().await;
    ended.succeeded();
    assert!(ended.stderr.contains(RESTORED), "{}", ended.stderr);
    assert!(ended.stderr.contains("2 message(s) are gone"), "{}", ended.stderr);
    let objects = ended.objects();
    assert!(objects.iter().any(|object| object["type"] == "reset"), "{}", ended.stdout);
    let messages: Vec<_> = objects.iter().filter(|object| object["type"] == "message").collect();
    let texts: Vec<&str> = messages.iter().map(|message| text(message)).collect();
    assert_eq!(texts, ["1", "4", "5", "6"], "the log comes again");
    assert!(messages.iter().all(|message| message["own"] == true), "{}", ended.stdout);
    assert_eq!(stage.texts("x").await, ["1", "4", "5", "6"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn own_lines_that_were_moved_are_not_echoed() {
    let mut stage = Stage::new().await;
    let mut bot = stage.spawn("ada", &["-r", "x", "--json", "--timeout", "50s"]);
    bot.say("1\n").await;
    let mut eve = stage.spawn("eve", &["tail", "-r", "x", "-f", "--json"]);
    assert_eq!(text(&message(&mut eve).await), "1");
    back_up(&mut stage).await;
    bot.say("2\n").await;
    assert_eq!(text(&message(&mut eve).await), "2");
    restore(&mut stage).await;
    for line in ["3", "4"] {
        bot.say(&format!("{line}\n")).await;
    }
    let ended = bot.end().await;
    ended.succeeded();
    let messages = ended.objects().into_iter().filter(|object| object["type"] == "message");
    // That the log comes again is told; of what it had said before, it knows no more.
    let texts: Vec<String> = messages.map(|message| text(&message).to_owned()).collect();
    assert!(!texts.iter().any(|text| text == "3" || text == "4"), "{texts:?}");
    assert_eq!(stage.texts("x").await, ["1", "3", "4"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_came_after_the_backup_comes_again_with_its_next_line() {
    let mut stage = Stage::new().await;
    stage.run("eve", &["send", "-r", "x", "0"]).await.succeeded();
    back_up(&mut stage).await;
    let mut bot = stage.spawn("ada", &["-r", "x", "--echo", "--json", "--timeout", "50s"]);
    says(&mut bot, "1").await;
    restore(&mut stage).await;
    // Whoever comes first gets the number that the bot's account had.
    stage.run("bob", &["send", "-r", "x", "bob"]).await.succeeded();
    bot.say("2\n").await;
    let ended = bot.end().await;
    let own = |object: &&Value| object["own"] == true;
    let objects = ended.objects();
    let texts: Vec<&str> = objects.iter().filter(own).map(text).collect();
    ended.succeeded();
    assert_eq!(texts, ["2"], "{}", ended.stdout);
    assert_eq!(stage.texts("x").await, ["0", "bob", "2"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn lines_under_a_given_id_are_refused_with_the_true_reason() {
    let mut stage = Stage::new().await;
    let args = ["send", "-r", "x", "--lines", "--id", "bot", "--json", "--timeout", "50s", "-"];
    let mut bot = stage.spawn("ada", &args);
    says(&mut bot, "1").await;
    back_up(&mut stage).await;
    says(&mut bot, "2").await;
    restore(&mut stage).await;
    for line in ["3", "4"] {
        bot.say(&format!("{line}\n")).await;
    }
    let ended = bot.end().await;
    ended.ended_with(6);
    for said in ["line 3: ", "line 4: ", RESTORED, "2 refused, 2 posted"] {
        assert!(ended.stderr.contains(said), "{said}: {}", ended.stderr);
    }
    assert_eq!(stage.texts("x").await, ["1"]);
}
