//! Servers and clients that are stopped, killed and started again: no mark lies, nothing is lost
//! and nothing goes out twice.

use anyhow::Result;
use rustix::process::Signal;

use crate::stage::{Stage, times};

#[test]
fn a_line_waits_while_the_server_is_frozen_and_killed_and_goes_out_once() -> Result<()> {
    let stage = Stage::new()?;
    let daemon = stage.daemon()?;
    let mut ada = stage.enter("ada")?;
    ada.enters("before")?;
    ada.shows("before ✓")?;
    daemon.signal(Signal::STOP)?;
    ada.enters("into the ice")?;
    ada.shows("into the ice ⏳")?;
    daemon.kill()?;
    ada.shows("again in")?;
    ada.shows("into the ice ⏳")?;
    ada.look(|vt| {
        vt.frames(|screen| assert_eq!(times(screen, "into the ice ✓"), 0, "it was a lie"));
    });
    let _daemon = stage.daemon()?;
    ada.shows("into the ice ✓")?;
    assert_eq!(stage.said()?, ["before", "into the ice"]);
    assert_eq!(ada.look(|vt| times(vt.screen(), "into the ice")), 1);
    Ok(())
}

#[test]
fn a_line_survives_the_end_of_the_client_and_goes_out_once() -> Result<()> {
    let stage = Stage::new()?;
    let daemon = stage.daemon()?;
    let mut ada = stage.enter("ada")?;
    ada.enters("before")?;
    ada.shows("before ✓")?;
    daemon.signal(Signal::STOP)?;
    ada.enters("not lost")?;
    ada.shows("not lost ⏳")?;
    ada.kill()?;
    let ada = stage.seat("ada").open()?;
    ada.shows("not lost ⏳")?;
    daemon.signal(Signal::CONT)?;
    ada.shows("not lost ✓")?;
    assert_eq!(stage.said()?, ["before", "not lost"]);
    assert_eq!(ada.look(|vt| times(vt.screen(), "not lost")), 1);
    Ok(())
}

#[test]
fn a_line_survives_the_end_of_both() -> Result<()> {
    let stage = Stage::new()?;
    let daemon = stage.daemon()?;
    let mut ada = stage.enter("ada")?;
    daemon.signal(Signal::STOP)?;
    ada.enters("not lost")?;
    ada.shows("not lost ⏳")?;
    ada.kill()?;
    daemon.kill()?;
    let ada = stage.seat("ada").open()?;
    ada.shows("not lost ⏳")?;
    let _daemon = stage.daemon()?;
    ada.shows("not lost ✓")?;
    assert_eq!(stage.said()?, ["not lost"]);
    Ok(())
}

#[test]
fn the_countdown_counts_down() -> Result<()> {
    let stage = Stage::new()?;
    let daemon = stage.daemon()?;
    let ada = stage.enter("ada")?;
    daemon.kill()?;
    ada.shows("connection lost")?;
    for seconds in [2, 1] {
        ada.shows(&format!("not connected, again in {seconds} s"))?;
    }
    Ok(())
}
