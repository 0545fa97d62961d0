//! One terminal is the server and a client; another joins by what the first one says.

use anyhow::{Context, Result};

use crate::stage::Stage;

#[test]
fn a_second_client_joins_by_the_line_that_the_first_one_shows() -> Result<()> {
    let stage = Stage::new()?;
    let mut host = stage.seat("host").with("--serve").with("127.0.0.1:0").open()?;
    host.shows("● connected")?;
    host.shows("join on this machine: chat-tui ")?;
    let contents = host.contents();
    let line = contents.lines().find(|line| line.contains("on this machine")).context("shown")?;
    let address = line.split("chat-tui ").nth(1).context("an address")?.trim();
    let mut guest = stage.seat("guest").with(address).open()?;
    guest.shows("● connected")?;
    host.shows("2 online")?;
    host.enters("welcome")?;
    guest.shows("host    welcome")?;
    guest.enters("nice here")?;
    host.shows("guest   nice here")?;
    host.shows("you     welcome ✓")?;
    // The server ends with its terminal, in order; the guest is told and keeps trying.
    host.enters("/quit")?;
    host.is_given_back()?;
    assert_eq!(host.ends()?, 0);
    guest.shows("connection lost")?;
    guest.enters("anybody?")?;
    guest.shows("anybody? ⏳")?;
    Ok(())
}
