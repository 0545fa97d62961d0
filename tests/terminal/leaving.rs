//! However the screen ends, the terminal is as it was: checked by what was written to it and by
//! the modes that the system keeps for it.

use anyhow::Result;
use chat_tests::pty::{Modes, Pty};
use rustix::process::Signal;
use rustix::termios::{LocalModes, Termios};

use crate::stage::{Stage, times};

/// What a shell would find, as far as it can be compared.
fn settings(modes: &Termios) -> impl PartialEq + std::fmt::Debug + use<> {
    (modes.input_modes, modes.output_modes, modes.control_modes, modes.local_modes)
}

/// Somebody who is connected, and how the terminal was before.
fn open(stage: &Stage) -> Result<(Pty, Termios)> {
    let fresh = stage.seat("ada").shell()?.modes()?;
    let pty = stage.seat("ada").open_in_shell()?;
    pty.shows("● connected")?;
    pty.look(|vt| {
        assert_ne!(vt.modes(), Modes::default());
        assert!(vt.screen().alternate_screen() && vt.screen().bracketed_paste());
    });
    let taken = pty.modes()?.local_modes;
    assert!(!taken.intersects(LocalModes::ICANON | LocalModes::ECHO | LocalModes::ISIG));
    Ok((pty, fresh))
}

/// Waits until the shell has asked so often.
fn prompts(pty: &Pty, count: usize) -> Result<()> {
    pty.wait("the shell's prompt", |screen| times(screen, "shell> ") == count)?;
    Ok(())
}

#[test]
fn every_way_to_quit_gives_the_terminal_back() -> Result<()> {
    let stage = Stage::new()?;
    let _daemon = stage.daemon()?;
    let ways = [
        ("/quit", "/quit\r"),
        ("/bye", "/bye\r"),
        ("Ctrl-D", "\x04"),
        ("Ctrl-C twice", "\x03\x03"),
        ("Ctrl-C on a line, then twice", "half a line\x03\x03\x03"),
        ("/quit with the help open", "\x1bOP/quit\r"),
        // The half line stays: it would be in front of whatever came next.
        ("Ctrl-Q", "half a line\x11"),
    ];
    for (way, keys) in ways {
        let (mut ada, fresh) = open(&stage)?;
        ada.types(keys)?;
        ada.is_given_back().map_err(|error| error.context(way))?;
        prompts(&ada, 2)?;
        ada.enters("echo ended with $?")?;
        ada.shows("ended with 0").map_err(|error| error.context(way))?;
        assert_eq!(settings(&ada.modes()?), settings(&fresh), "{way}");
    }
    assert_eq!(stage.said()?, [""; 0], "no key of these says anything");
    Ok(())
}

#[test]
fn one_ctrl_c_clears_the_line_and_says_how_to_quit() -> Result<()> {
    let stage = Stage::new()?;
    let _daemon = stage.daemon()?;
    let mut ada = stage.enter("ada")?;
    ada.types("half a line\x03")?;
    ada.hides("half a line")?;
    ada.types("\x03")?;
    ada.shows("Ctrl-C again quits")?;
    ada.enters("not yet")?;
    ada.shows("not yet ✓")?;
    Ok(())
}

#[test]
fn signals_that_end_the_program_give_the_terminal_back() -> Result<()> {
    let stage = Stage::new()?;
    let _daemon = stage.daemon()?;
    for signal in [Signal::TERM, Signal::INT, Signal::HUP] {
        let mut ada = stage.enter("ada")?;
        ada.signal(signal)?;
        ada.is_given_back()?;
        assert_eq!(ada.ends()?, 0, "{signal:?}");
    }
    Ok(())
}

#[test]
fn a_stopped_program_lends_the_terminal_and_takes_it_again() -> Result<()> {
    let stage = Stage::new()?;
    let _daemon = stage.daemon()?;
    let mut bob = stage.enter("bob")?;
    let (mut ada, fresh) = open(&stage)?;
    for time in 1..=2 {
        ada.types("half a line\x1a")?;
        ada.is_given_back()?;
        prompts(&ada, 2 * time)?;
        ada.enters(&format!("echo $(({time}+{time})) in the shell"))?;
        ada.shows(&format!("{} in the shell", time + time))?;
        assert_eq!(settings(&ada.modes()?), settings(&fresh));
        bob.enters("said meanwhile")?;
        bob.shows("said meanwhile ✓")?;
        ada.enters("fg")?;
        ada.shows("> half a line")?;
        ada.shows("bob     said meanwhile")?;
        ada.look(|vt| assert!(vt.screen().alternate_screen()));
        assert!(!ada.modes()?.local_modes.contains(LocalModes::ICANON));
        ada.types("\x15")?;
        ada.hides("half a line")?;
    }
    ada.types("\x04")?;
    ada.is_given_back()
}

#[test]
fn what_waits_is_told_at_the_end() -> Result<()> {
    let stage = Stage::new()?;
    let mut ada = stage.seat("ada").open()?;
    ada.enters("for later")?;
    ada.shows("for later ⏳")?;
    ada.enters("/quit")?;
    ada.is_given_back()?;
    ada.shows("1 message has no answer yet")?;
    assert_eq!(ada.ends()?, 0);
    Ok(())
}
