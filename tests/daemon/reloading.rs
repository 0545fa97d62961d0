//! Settings that a running daemon takes anew, and the figures that it writes when it is asked.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result};
use chat_proto::{CloseReason, Ping, Pong};
use chat_tests::process::{Daemon, Launch};
use chat_tests::raw::Raw;
use rustix::fs::Mode;
use rustix::process::Signal;
use tempfile::TempDir;
use tokio::time::Instant;

const READ_AGAIN: &str = "the settings have been read again";

/// A daemon with a config file.
struct Configured {
    daemon: Daemon,
    file: PathBuf,
    reloads: usize,
    _dir: TempDir,
}

impl Configured {
    fn start(settings: &str) -> Result<Self> {
        let dir = TempDir::new()?;
        let file = dir.path().join("chatd.toml");
        std::fs::write(&file, settings)?;
        let flags = ["--config", file.to_str().context("a path of letters")?];
        let daemon = Launch::new(&dir.path().join("data")).flags(&flags).start()?;
        Ok(Self { daemon, file, reloads: 0, _dir: dir })
    }

    /// Has other settings read, and waits until they are in force.
    async fn reload(&mut self, settings: &str) -> Result<()> {
        std::fs::write(&self.file, settings)?;
        self.daemon.signal(Signal::HUP)?;
        self.reloads += 1;
        self.daemon.log().wait_for(READ_AGAIN, self.reloads).await
    }
}

/// How long so many pings take, one after the other.
async fn ping(raw: &mut Raw, pings: u64) -> Result<Duration> {
    let began = Instant::now();
    for token in 0..pings {
        let pong: Pong = raw.ask(&Ping { token }).await?;
        assert_eq!(pong.token, token);
    }
    Ok(began.elapsed())
}

#[tokio::test]
async fn a_hangup_changes_the_pace_of_whoever_is_there() -> Result<()> {
    let mut chatd = Configured::start("requests-per-second = 100000\n")?;
    let (mut ada, _) = Raw::sign_in(chatd.daemon.address(), 1, "ada").await?;
    ping(&mut ada, 100).await?;
    chatd.reload("requests-per-second = 5\n").await?;
    // Those of four seconds at once, and then one each 200 ms.
    let took = ping(&mut ada, 27).await?;
    assert!(took >= Duration::from_millis(1_000), "{took:?}");
    chatd.reload("requests-per-second = 100000\n").await?;
    ping(&mut ada, 1).await?;
    let took = ping(&mut ada, 100).await?;
    assert!(took < Duration::from_secs(10), "{took:?}, and a fifth of a second for each before");
    assert_eq!(chatd.daemon.terminate()?.0.code(), Some(0));
    Ok(())
}

#[tokio::test]
async fn a_hangup_changes_how_many_may_come_and_who_is_there_stays() -> Result<()> {
    let mut chatd = Configured::start("")?;
    let address = chatd.daemon.address();
    let (mut ada, _) = Raw::sign_in(address, 1, "ada").await?;
    let stranger = Raw::connect(address).await?;
    // Who had come before is let in before she is answered.
    ping(&mut ada, 1).await?;
    chatd.reload("connections = 1\n").await?;
    let turned_away = Raw::connect(address).await?.closed().await?;
    assert_eq!(turned_away.known_reason(), Some(CloseReason::Full), "{turned_away:?}");
    ping(&mut ada, 1).await?;
    // There would have been no place without him either.
    let (mut stranger, _) = stranger.introduce(3, "cyd").await?;
    ping(&mut stranger, 1).await?;
    chatd.reload("").await?;
    let (mut bob, _) = Raw::sign_in(address, 2, "bob").await?;
    ping(&mut bob, 1).await?;
    Ok(())
}

#[tokio::test]
async fn what_is_wrong_or_counts_at_a_start_only_is_told_and_changes_nothing() -> Result<()> {
    let mut chatd = Configured::start("log = 'info'\n")?;
    let (mut ada, _) = Raw::sign_in(chatd.daemon.address(), 1, "ada").await?;
    std::fs::write(&chatd.file, "log = 'info'\nrequests-per-second = 0\n")?;
    chatd.daemon.signal(Signal::HUP)?;
    let refused = "the settings cannot be read again; those of before stay in force";
    chatd.daemon.log().wait_for(refused, 1).await?;
    let told = chatd.daemon.log().with(refused).join("");
    assert!(told.contains("line 2"), "{told}");
    ping(&mut ada, 10).await?;

    chatd.reload("durability = 'process'\nnew-store = true\n").await?;
    let told = chatd.daemon.log().with("count from the next start on").join("");
    assert!(told.contains("durability, new-store"), "{told}");
    ping(&mut ada, 10).await?;
    Ok(())
}

#[tokio::test]
async fn a_hangup_changes_what_the_log_tells() -> Result<()> {
    let mut chatd = Configured::start("")?;
    let address = chatd.daemon.address();
    let (_ada, _) = Raw::sign_in(address, 1, "ada").await?;
    assert_eq!(chatd.daemon.log().with("signed in"), Vec::<String>::new());
    chatd.reload("log = 'info,chatd=debug'\n").await?;
    let (_bob, _) = Raw::sign_in(address, 2, "bob").await?;
    chatd.daemon.log().wait_for("signed in", 1).await?;
    // A line of a connection says whose it is.
    let told = chatd.daemon.log().with("signed in").join("");
    assert!(told.contains("conn{") && told.contains("peer="), "{told}");
    Ok(())
}

#[tokio::test]
async fn a_user_signal_writes_how_things_stand() -> Result<()> {
    let chatd = Configured::start("")?;
    let (mut ada, _) = Raw::sign_in(chatd.daemon.address(), 1, "ada").await?;
    ping(&mut ada, 50).await?;
    // What reactors count is added up once a second.
    for asked in 1..=300 {
        chatd.daemon.signal(Signal::USR1)?;
        chatd.daemon.log().wait_for(": metrics", asked).await?;
        let told = chatd.daemon.log().with(": metrics").pop().context("it was told")?;
        let value = |name: &str| -> Option<u64> {
            let (_before, behind) = told.split_once(&format!(" {name}="))?;
            behind.split(' ').next()?.trim().parse().ok()
        };
        assert_eq!((value("connections"), value("signed_in")), (Some(1), Some(1)), "{told}");
        // The sign-in and the pings, and what she was told.
        if value("requests") == Some(51) {
            assert_eq!(value("accepted"), Some(1), "{told}");
            assert!(value("bytes_read") > Some(50 * 16), "{told}");
            assert!(value("bytes_written") > Some(50 * 16), "{told}");
            return Ok(());
        }
        // Polling an outside process, not synchronising with it.
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    anyhow::bail!("the pings were not counted in half a minute")
}

#[tokio::test]
async fn a_user_signal_is_answered_whatever_the_log_tells_and_however_often() -> Result<()> {
    let chatd = Configured::start("log = 'error'\n")?;
    for asked in 1..=15 {
        chatd.daemon.signal(Signal::USR1)?;
        chatd.daemon.log().wait_for(": metrics connections=0 ", asked).await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_config_file_that_became_a_pipe_is_refused_and_the_daemon_can_be_stopped() -> Result<()> {
    let chatd = Configured::start("")?;
    std::fs::remove_file(&chatd.file)?;
    rustix::fs::mkfifoat(rustix::fs::CWD, &chatd.file, Mode::RUSR | Mode::WUSR)?;
    chatd.daemon.signal(Signal::HUP)?;
    let refused = "the settings cannot be read again; those of before stay in force";
    chatd.daemon.log().wait_for(refused, 1).await?;
    let told = chatd.daemon.log().with(refused).join("");
    assert!(told.contains("no regular file"), "{told}");
    assert_eq!(chatd.daemon.terminate()?.0.code(), Some(0));
    Ok(())
}
