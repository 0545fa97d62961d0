//! Two people in two terminals: they see each other once, over every way in, and after an outage.

use anyhow::Result;
use chat_tests::pty::Pty;
use rustix::process::Signal;

use crate::stage::{Stage, times};

fn once(pty: &Pty, text: &str) {
    let seen = pty.look(|glass| times(glass.screen(), text));
    assert_eq!(seen, 1, "{text:?} in:\n{}", pty.contents());
}

#[test]
fn two_people_talk_over_the_unix_socket_and_tcp() -> Result<()> {
    let stage = Stage::new()?;
    let daemon = stage.daemon()?;
    let mut ada = stage.enter("ada")?;
    let mut bob = stage.seat("bob").with(daemon.address().to_string()).open()?;
    bob.shows("● connected")?;
    bob.shows("you are bob")?;
    ada.shows("bob joined")?;
    for pty in [&ada, &bob] {
        pty.shows("2 online")?;
    }
    ada.enters("shall we deploy?")?;
    bob.shows("ada     shall we deploy?")?;
    bob.enters("yes, after lunch")?;
    ada.shows("bob     yes, after lunch")?;
    ada.shows("you     shall we deploy? ✓")?;
    bob.shows("you     yes, after lunch ✓")?;
    for pty in [&ada, &bob] {
        once(pty, "shall we deploy?");
        once(pty, "yes, after lunch");
    }
    assert_eq!(stage.said()?, ["shall we deploy?", "yes, after lunch"]);
    bob.kill()?;
    ada.shows("1 online")?;
    Ok(())
}

#[test]
fn a_name_that_is_taken_is_refused() -> Result<()> {
    let stage = Stage::new()?;
    let _daemon = stage.daemon()?;
    let _ada = stage.enter("ada")?;
    let other = stage.seat("ada").with("--data-dir").with(stage.nobody()).open()?;
    other.shows("not connected")?;
    other.shows("ada")?;
    other.shows("taken")?;
    Ok(())
}

#[test]
fn after_an_outage_what_was_missed_is_counted_marked_and_there_once() -> Result<()> {
    let stage = Stage::new()?;
    let daemon = stage.daemon()?;
    let address = daemon.address().to_string();
    let mut ada = stage.enter("ada")?;
    let mut bob = stage.enter("bob")?;
    ada.shows("2 online")?;
    ada.enters("before")?;
    ada.shows("before ✓")?;
    bob.shows("ada     before")?;
    // Ada's client sleeps through the end of one server and the start of the next.
    ada.signal(Signal::STOP)?;
    daemon.kill()?;
    bob.shows("connection lost")?;
    let _daemon = stage.launch().flags(&["--listen", &address]).start()?;
    bob.shows("● connected")?;
    for line in ["missed one", "missed two", "missed three"] {
        bob.enters(line)?;
        bob.shows(&format!("{line} ✓"))?;
    }
    ada.signal(Signal::CONT)?;
    ada.shows("missed 3")?;
    ada.shows("3 new")?;
    ada.shows("bob     missed three")?;
    for line in ["you     before ✓", "missed one", "missed two", "missed three"] {
        once(&ada, line);
    }
    ada.enters("after")?;
    ada.shows("after ✓")?;
    ada.hides("3 new")?;
    bob.shows("ada     after")?;
    once(&bob, "after");
    let said = ["before", "missed one", "missed two", "missed three", "after"];
    assert_eq!(stage.said()?, said);
    Ok(())
}
