//! What the screen says at the start is there until it was seen, also in a busy room, and how
//! others join is there whenever it is asked for.

use std::time::Duration;

use anyhow::{Context, Result};
use chat_proto::{Ack, Join, RoomInfo};
use chat_tests::raw::{Raw, send};

use crate::stage::Stage;

/// Messages that somebody has said before, and says after: more than two pages.
const MESSAGES: u64 = 300;

/// How long a line must stand there to be seen.
const SEEN_AFTER: Duration = Duration::from_secs(2);

/// Somebody says so many lines in the lobby.
async fn talks(raw: &mut Raw, first: u64) -> Result<()> {
    let lobby: RoomInfo = raw.ask(&Join { name: "lobby".to_owned() }).await?;
    for n in first..first + MESSAGES {
        let _: Ack = raw.ask(&send(1, n, lobby.room, &format!("line {n:04}"))).await?;
    }
    Ok(())
}

#[tokio::test]
async fn warnings_first_contact_and_another_name_are_there_until_they_were_seen() -> Result<()> {
    let stage = Stage::new()?;
    let daemon = stage.launch().flags(&["--durability", "process"]).start()?;
    let (mut loud, _) = Raw::sign_in(daemon.address(), 9, "loud").await?;
    talks(&mut loud, 1).await?;
    let seat = stage.seat("ada").with(daemon.address().to_string());
    stage.write_config("ada", "nme = \"x\"\nmouse = 3\ncolour = \"red\"\n")?;
    let mut ada = seat.open()?;
    let started = std::time::Instant::now();
    ada.shows("line 0300")?;
    talks(&mut loud, MESSAGES + 1).await?;
    ada.shows("line 0600")?;
    let notices = ["line 1: nme", "line 2: mouse", "line 3: colour", "first contact"];
    for words in notices {
        ada.shows(words)?;
    }
    // A key counts once they have stood there for a while.
    while ada.contents().contains("first contact") {
        ada.types("x")?;
        ada.shows("> x")?;
        ada.types("\x15")?;
        ada.hides("> x")?;
    }
    assert!(started.elapsed() >= SEEN_AFTER, "gone after {:?}", started.elapsed());
    ada.hides("line 1: nme")?;
    ada.shows("line 0600")?;
    Ok(())
}

#[test]
fn the_join_line_comes_back_in_one_piece_and_a_guest_can_pass_it_on() -> Result<()> {
    let stage = Stage::new()?;
    let mut host = stage.seat("host").sized(60, 16).with("--serve").with("127.0.0.1:0").open()?;
    host.shows("● connected")?;
    host.shows("/invite shows it again")?;
    host.enters("/invite")?;
    host.shows("On this machine, others join with")?;
    let contents = host.contents();
    let line = contents.lines().find(|line| line.starts_with("chat-tui ")).context("flush")?;
    let address = line.trim_end().strip_prefix("chat-tui ").context("an address")?;
    let copied =
        format!("clipboard {:?}", data_encoding::BASE64.encode(line.trim_end().as_bytes()));
    assert_eq!(host.look(|vt| vt.oddities().first().cloned()), Some(copied));
    let mut guest = stage.seat("guest").with(address).open()?;
    guest.shows("● connected")?;
    guest.enters("/address")?;
    guest.shows(&format!("chat-tui {address}"))?;
    Ok(())
}
