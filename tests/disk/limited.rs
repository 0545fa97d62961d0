//! A limit on the size of files (`ulimit -f`): as a full disk, and not the end of the daemon.

use anyhow::{Context, Result, ensure};
use chat_proto::{Ack, ErrorCode, History, HistoryPage, Join, Ping, Pong, RoomInfo, Seq};
use chat_tests::process::Launch;
use chat_tests::raw::{Raw, Refused, send};
use tempfile::TempDir;

use crate::FAULT;

/// Blocks of 512 B, as `sh` counts them: half a MiB.
const LIMIT: &str = "ulimit -f 1024; exec \"$0\" \"$@\"";

/// A message, and more of them than the limit has room for.
const TEXT_BYTES: usize = 8_000;
const SENDS_MAX: u64 = 1_000;

#[tokio::test(flavor = "multi_thread")]
async fn a_limit_on_the_size_of_files_refuses_sends_and_ends_nothing() -> Result<()> {
    let dir = TempDir::new()?;
    let limited = ["sh", "-c", LIMIT].map(str::to_owned).to_vec();
    let daemon = Launch::new(&dir.path().join("data")).within(limited).start()?;
    let (mut ada, _) = Raw::sign_in(daemon.address(), 1, "ada").await?;
    let lobby: RoomInfo = ada.ask(&Join { name: "lobby".to_owned() }).await?;
    let text = "x".repeat(TEXT_BYTES);
    let mut acked = 0;
    for n in 1..=SENDS_MAX {
        let answer: Result<Ack> = ada.ask(&send(1, n, lobby.room, &text)).await;
        match answer {
            Ok(_) => acked = n,
            Err(error) => {
                let refused = error.downcast_ref::<Refused>().map(|refused| &refused.0);
                let code = refused.and_then(chat_proto::Error::known_code);
                assert_eq!(code, Some(ErrorCode::Unavailable), "{error:#}");
                break;
            }
        }
    }
    ensure!((1..SENDS_MAX).contains(&acked), "{acked} acks");
    daemon.log().wait_for("ulimit -f", 1).await?;
    daemon.log().wait_for(FAULT, 1).await?;
    let _: Pong = ada.ask(&Ping { token: 1 }).await.context("it lives")?;
    let history = History { room: lobby.room, before: Seq(u64::MAX), limit: 1 };
    let page: HistoryPage = ada.ask(&history).await.context("it reads")?;
    assert_eq!(page.messages.len(), 1);
    ensure!(daemon.terminate()?.0.success(), "it stops in order");
    Ok(())
}
