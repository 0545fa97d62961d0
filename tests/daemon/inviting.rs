//! The operator lets somebody in: the line that is printed leads there, once, and into its room.

use anyhow::{Context, Result};
use chat_client::{Config, Event, Name, TargetUrl};
use chat_core::Registration;
use chatd::config::RegistrationSetting;
use tempfile::TempDir;
use tokio::time::timeout;

use crate::operating::{Daemon, Operator, PATIENCE, field};

/// What becomes of a client that is started with a join line: its name, or why it is not let in.
async fn comes_by(line: &str, name: &str) -> Result<Result<String, String>> {
    let url: TargetUrl = line
        .strip_prefix("chat-tui '")
        .and_then(|line| line.strip_suffix('\''))
        .context("it is a command")?
        .parse()?;
    let home = TempDir::new()?;
    let config = Config {
        fingerprint: url.fingerprint,
        invitation: url.invite,
        ..Config::headless(url.target, Name::firm(name), home.path().to_owned())
    };
    let (client, mut events) = chat_client::start(config)?;
    let told = async {
        loop {
            let event = events.next().await.context("it goes on")?;
            if let Event::Connected(me) = event {
                return Ok(Ok(me.name));
            }
            if let Event::Refused(why) = event {
                return Ok(Err(why.reason));
            }
        }
    };
    let told = timeout(PATIENCE, told).await.context("it is let in or not")?;
    client.shutdown().await;
    told
}

#[tokio::test(flavor = "multi_thread")]
async fn the_line_that_the_operator_is_told_lets_one_in_and_into_its_room() -> Result<()> {
    let invite = RegistrationSetting::Is(Registration::Invite);
    let daemon = Daemon::start_with(invite).await?;
    let mut operator = Operator::connect(&daemon.socket).await?;
    let ask = r##"{"verb":"invite","uses":1,"expires":"1h","rooms":["#lobby"],"name":"ada"}"##;
    let page = operator.told(ask).await?;
    let [made] = &page.records[..] else { panic!("{page:?}") };
    let line = field(made, "line").as_str().context("it listens somewhere")?;
    let open = operator.told(r#"{"verb":"invitations"}"#).await?;
    let [row] = &open.records[..] else { panic!("{open:?}") };
    assert_eq!((field(row, "id"), field(row, "for")), (field(made, "id"), &"ada".into()));
    let code = field(made, "code").as_str().context("a text")?;
    assert!(!format!("{row:?}").contains(code), "the code is told once");

    assert_eq!(comes_by(line, "ada").await?, Ok("ada".to_owned()));
    let refused = comes_by(line, "bob").await?.expect_err("it was for one");
    assert!(refused.contains("not valid"), "{refused}");
    let accounts = operator.told(r#"{"verb":"accounts"}"#).await?;
    let [ada] = &accounts.records[..] else { panic!("{accounts:?}") };
    assert_eq!(field(ada, "rooms").as_u64(), Some(1), "she is in the lobby");

    let page = operator.told(r#"{"verb":"invite","uses":5,"expires":"1h"}"#).await?;
    let [second] = &page.records[..] else { panic!("{page:?}") };
    let id = field(second, "id");
    operator.told(&format!(r#"{{"verb":"revoke-invitation","id":{id}}}"#)).await?;
    let line = field(second, "line").as_str().context("it listens somewhere")?;
    assert!(comes_by(line, "eve").await?.is_err(), "it was revoked");
    daemon.server.shutdown().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invitation_is_shown_at_the_start_only_where_somebody_needs_one() -> Result<()> {
    for (registration, needed) in [(Registration::Invite, true), (Registration::Open, false)] {
        let daemon = Daemon::start_with(RegistrationSetting::Is(registration)).await?;
        assert_eq!(daemon.server.needs_invitation(), needed);
        assert_eq!(daemon.server.first_invitation().await.is_some(), needed);
        daemon.server.shutdown().await;
    }
    Ok(())
}
