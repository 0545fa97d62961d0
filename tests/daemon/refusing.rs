//! Sends that are refused for good: how many an account may have stored, and what comes then.

use std::time::Duration;

use anyhow::{Context, Result};
use chat_proto::{
    Ack, Delete, Edit, Error, ErrorCode, EventSeq, Join, Kind, Nonce, RoomId, RoomInfo, Send,
    StreamId, TextBody,
};
use chat_tests::process::Daemon;
use chat_tests::raw::{Raw, Refused, send};
use tempfile::TempDir;
use tokio::time::{Instant, sleep, timeout};

const PATIENCE: Duration = Duration::from_secs(20);

/// What an account may have at once, and in a second.
const AT_ONCE: u32 = 256;
const PER_SECOND: u32 = 20;

/// A send in a stream of its own.
fn lone(number: u32, room: RoomId) -> Send {
    let mut stream = [7; 16];
    stream[..4].copy_from_slice(&number.to_le_bytes());
    Send { nonce: Nonce { stream: StreamId(stream), n: 1 }, room, body: TextBody::say("to whom?") }
}

async fn refusal(raw: &mut Raw, send: &Send) -> Result<Error> {
    let answer: Result<Ack> = raw.ask(send).await;
    let refused = answer.err().context("it was not refused")?;
    Ok(refused.downcast::<Refused>()?.0)
}

#[tokio::test]
async fn refusals_that_are_stored_have_a_pace_and_others_do_not_wait_for_it() -> Result<()> {
    const SENDS: u32 = 3_000;
    let dir = TempDir::new()?;
    let daemon = Daemon::start(&dir.path().join("data"))?;
    let (mut raw, _) = Raw::sign_in(daemon.address(), 1, "nobody").await?;
    let nowhere = RoomId(1 << 40);
    let (mut stored, mut limited) = (0, Vec::new());
    let began = Instant::now();
    for first in (0..SENDS).step_by(500) {
        for number in first..first + 500 {
            raw.tell(&lone(number, nowhere)).await?;
        }
        for number in first..first + 500 {
            let frame = raw.frame().await?;
            assert_eq!(frame.known_kind(), Some(Kind::Error));
            let error: Error = frame.decode()?;
            match error.known_code() {
                Some(ErrorCode::UnknownRoom) => stored += 1,
                Some(ErrorCode::RateLimited) => limited.push((number, error.detail)),
                _ => panic!("{error:?}"),
            }
        }
    }
    let may = AT_ONCE + PER_SECOND * u32::try_from(began.elapsed().as_secs() + 1)?;
    assert!((AT_ONCE..=may).contains(&stored), "{stored} of {may}");
    assert!(limited.iter().all(|(_number, wait_ms)| (1..=1_000).contains(wait_ms)));

    let room: RoomInfo = raw.ask(&Join { name: "den".to_owned() }).await?;
    let _: Ack = raw.ask(&send(9, 1, room.room, "a member does not wait")).await?;

    let (number, _) = *limited.first().context("some were limited")?;
    let again = async {
        loop {
            let error = refusal(&mut raw, &lone(number, nowhere)).await?;
            if error.known_code() != Some(ErrorCode::RateLimited) {
                return anyhow::Ok(error);
            }
            sleep(Duration::from_millis(error.detail)).await;
        }
    };
    let decided = timeout(PATIENCE, again).await.context("its turn comes")??;
    assert_eq!(decided.known_code(), Some(ErrorCode::UnknownRoom), "{decided:?}");
    let repeated = refusal(&mut raw, &lone(number, nowhere)).await?;
    assert_eq!(repeated.known_code(), Some(ErrorCode::UnknownRoom), "stored: no wait");
    Ok(())
}

#[tokio::test]
async fn what_only_has_its_place_yet_is_refused_as_such_and_the_connection_lives() -> Result<()> {
    let dir = TempDir::new()?;
    let daemon = Daemon::start(&dir.path().join("data"))?;
    let (mut raw, _) = Raw::sign_in(daemon.address(), 1, "ada").await?;
    let RoomInfo { room, head, .. } = raw.ask(&Join { name: "den".to_owned() }).await?;
    let nonce = |n| Nonce { stream: StreamId([7; 16]), n };
    let code = |answer: Result<Ack>| -> Result<Option<ErrorCode>> {
        let refused = answer.err().context("it was not refused")?;
        Ok(refused.downcast::<Refused>()?.0.known_code())
    };
    let edit = Edit { nonce: nonce(1), room, of: head, text: "better".to_owned() };
    assert_eq!(code(raw.ask(&edit).await)?, Some(ErrorCode::Unsupported));
    let delete = Delete { nonce: nonce(2), room, of: head };
    assert_eq!(code(raw.ask(&delete).await)?, Some(ErrorCode::Unsupported));
    let body = TextBody { reply_to: EventSeq::new(head.next()), ..TextBody::say("to what?") };
    let answer = raw.ask(&Send { nonce: nonce(3), room, body }).await;
    assert_eq!(code(answer)?, Some(ErrorCode::UnknownEvent));
    let body = TextBody { reply_to: EventSeq::new(head), ..TextBody::say("welcome") };
    let _: Ack = raw.ask(&Send { nonce: nonce(4), room, body }).await?;
    Ok(())
}
