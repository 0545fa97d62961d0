//! The first minute: it opens at once, and the first message takes two steps.

use std::time::Duration;

use anyhow::Result;

use crate::stage::{Stage, times};

/// The promise is 100 ms; a loaded machine in a debug build gets more.
const OPENS_WITHIN: Duration = Duration::from_secs(1);

#[test]
fn the_first_message_takes_two_steps_and_is_in_the_database() -> Result<()> {
    let stage = Stage::new()?;
    let _daemon = stage.daemon()?;
    let mut ada = stage.seat("ada").open()?;
    ada.enters("hello")?;
    let took = ada.shows("you     hello ✓")?;
    println!("the first message was committed {took:?} after the start of the client");
    assert_eq!(stage.said()?, ["hello"]);
    assert_eq!(ada.look(|glass| times(glass.screen(), "hello")), 1);
    Ok(())
}

#[test]
fn the_screen_opens_at_once_whether_or_not_a_server_is_there() -> Result<()> {
    let stage = Stage::new()?;
    // Started once before, so that what the system loads from disk is not measured.
    stage.seat("nobody").open()?.shows("#lobby")?;
    let alone = stage.seat("ada").open()?;
    let alone_after = alone.wait("the first frame", |screen| {
        screen.contents().contains("#lobby") && screen.cursor_position().1 == 2
    })?;
    let _daemon = stage.daemon()?;
    let served = stage.seat("bob").open()?;
    let served_after = served.shows("#lobby")?;
    println!("first frame: {alone_after:?} with no server, {served_after:?} with one");
    assert!(alone_after < OPENS_WITHIN && served_after < OPENS_WITHIN);
    Ok(())
}

#[test]
fn with_no_server_it_says_what_it_tried_and_what_to_do() -> Result<()> {
    let stage = Stage::new()?;
    let ada = stage.seat("ada").with(stage.nobody()).open()?;
    ada.shows("no server answers")?;
    ada.shows("nobody.sock")?;
    ada.shows("`chatd`")?;
    ada.shows("chat-tui --serve")?;
    ada.shows("not connected, again in")?;
    Ok(())
}

#[test]
fn what_is_typed_before_there_is_a_server_is_sent_once() -> Result<()> {
    let stage = Stage::new()?;
    let mut ada = stage.seat("ada").open()?;
    ada.enters("first")?;
    ada.shows("first ⏳")?;
    ada.enters("second")?;
    ada.shows("second ⏳")?;
    let _daemon = stage.daemon()?;
    ada.shows("first ✓")?;
    ada.shows("second ✓")?;
    assert_eq!(stage.said()?, ["first", "second"]);
    ada.look(|glass| {
        assert_eq!(times(glass.screen(), "first ✓"), 1);
        assert_eq!(times(glass.screen(), "second"), 1);
    });
    Ok(())
}
