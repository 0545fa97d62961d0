//! Rooms are there for ever: how many an account may make.

use anyhow::{Context, Result};
use chat_proto::{Done, Error, ErrorCode, Join, Leave, RoomInfo};
use chat_tests::process::Daemon;
use chat_tests::raw::{Raw, Refused};
use tempfile::TempDir;

/// What an account may make at once, and after which time one more.
const AT_ONCE: usize = 1_000;
const INTERVAL_MS: u64 = 10_000;

async fn makes(raw: &mut Raw, name: String) -> Result<Option<Error>> {
    match raw.ask::<_, RoomInfo>(&Join { name }).await {
        Ok(room) => {
            let _: Done = raw.ask(&Leave { room: room.room }).await?;
            Ok(None)
        }
        Err(error) => Ok(Some(error.downcast::<Refused>()?.0)),
    }
}

#[tokio::test]
async fn who_leaves_his_rooms_makes_no_more_of_them_than_others() -> Result<()> {
    let dir = TempDir::new()?;
    let daemon = Daemon::start_with(&dir.path().join("data"), &["--durability", "process"])?;
    let (mut ada, _) = Raw::sign_in(daemon.address(), 1, "ada").await?;
    for number in 0..AT_ONCE {
        let refused = makes(&mut ada, format!("room-{number}")).await?;
        assert!(refused.is_none(), "{number}: {refused:?}");
    }
    let mut made = AT_ONCE;
    let refused = loop {
        match makes(&mut ada, format!("room-{made}")).await? {
            Some(refused) => break refused,
            None => made += 1,
        }
    };
    assert_eq!(refused.known_code(), Some(ErrorCode::RateLimited));
    assert!(refused.retry && (1..=INTERVAL_MS).contains(&refused.detail), "{refused:?}");
    assert!(made < AT_ONCE + 20, "{made} were made");

    let again = makes(&mut ada, "room-7".to_owned()).await?;
    assert!(again.is_none(), "a room that is there may be joined: {again:?}");
    let (mut bob, _) = Raw::sign_in(daemon.address(), 2, "bob").await?;
    let other = makes(&mut bob, "another".to_owned()).await.context("others make theirs")?;
    assert!(other.is_none(), "{other:?}");
    Ok(())
}
