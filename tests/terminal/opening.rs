//! The first minute: it opens at once, and the first message takes two steps.

use std::time::Duration;

use anyhow::{Context, Result};
use chat_client::Fingerprint;
use chat_proto::PublicKey;
use chat_tests::pty::{Modes, Size, VtScreen};
use data_encoding::BASE64;

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
    assert_eq!(ada.look(|vt| times(vt.screen(), "hello")), 1);
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
fn keys_and_colours_of_the_configuration_file_are_in_force() -> Result<()> {
    let stage = Stage::new()?;
    let _daemon = stage.daemon()?;
    let config = "[keys]\nhelp = \"Ctrl-G\"\n[colors]\ngood = \"214\"\n";
    stage.write_config("ada", config)?;
    let mut ada = stage.enter("ada")?;
    ada.shows("Ctrl-G help")?;
    let columns = Size::USUAL.columns;
    let orange = |screen: &vt100::Screen, word: &str| {
        let row = screen.rows(0, columns).position(|row| row.contains(word));
        let row = u16::try_from(row.unwrap_or(0)).unwrap_or(0);
        (0..columns).any(|column| {
            let cell = screen.cell(row, column);
            cell.is_some_and(|cell| cell.fgcolor() == vt100::Color::Idx(214))
        })
    };
    assert!(ada.look(|vt| orange(vt.screen(), "connected")), "{}", ada.contents());
    ada.types("\x07")?;
    ada.shows("┌ help ─")?;
    ada.shows("/join ROOM")?;
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
    ada.look(|vt| {
        assert_eq!(times(vt.screen(), "first ✓"), 1);
        assert_eq!(times(vt.screen(), "second"), 1);
    });
    Ok(())
}

#[test]
fn a_terminal_that_cannot_show_a_screen_is_told_of_what_can() -> Result<()> {
    let stage = Stage::new()?;
    let mut ada = stage.seat("ada").variable("TERM", "dumb").open()?;
    assert_eq!(ada.ends()?, 2);
    ada.shows("chat-tui --no-tui talks line by line")?;
    Ok(())
}

#[test]
fn a_locale_without_utf_8_is_told_of() -> Result<()> {
    let stage = Stage::new()?;
    let ada = stage.seat("ada").variable("LANG", "de_DE.ISO-8859-1").open()?;
    ada.shows("the locale de_DE.ISO-8859-1 is not UTF-8")?;
    Ok(())
}

#[test]
fn a_terminal_without_cells_hangs_nothing() -> Result<()> {
    let stage = Stage::new()?;
    let _daemon = stage.daemon()?;
    let mut ada = stage.seat("ada").sized(0, 0).open()?;
    ada.wait_for_vt("the terminal, taken", |vt| vt.modes() != Modes::default())?;
    ada.enters("hello")?;
    ada.types("\x11")?;
    assert_eq!(ada.ends()?, 0);
    // What was typed is in the outbox: it is sent by the next screen at the latest.
    let again = stage.enter("ada")?;
    again.shows("you     hello ✓")?;
    Ok(())
}

#[test]
fn a_mouse_that_is_switched_off_is_left_to_the_terminal() -> Result<()> {
    let stage = Stage::new()?;
    let with = stage.seat("ada").open()?;
    with.shows("#lobby")?;
    let without = stage.seat("bob").with("--mouse").with("off").open()?;
    without.shows("#lobby")?;
    let mode = |vt: &VtScreen| vt.screen().mouse_protocol_mode();
    assert_eq!(with.look(mode), vt100::MouseProtocolMode::PressRelease);
    assert_eq!(without.look(mode), vt100::MouseProtocolMode::None);
    Ok(())
}

#[test]
fn who_comes_under_a_name_that_is_taken_can_take_another() -> Result<()> {
    let stage = Stage::new()?;
    let _daemon = stage.daemon()?;
    let _ada = stage.enter("ada")?;
    let mut other = stage.seat_at("ada", "elsewhere").open()?;
    other.shows("the name ada is taken")?;
    other.enters("/nick eve")?;
    other.shows("you are eve")?;
    other.enters("hello from eve")?;
    other.shows("hello from eve ✓")?;
    assert_eq!(stage.said()?, ["hello from eve"]);
    Ok(())
}

/// The operator's line says whom one is to meet. Without it, whoever answers is taken on trust.
#[test]
fn a_server_is_taken_on_trust_only_without_its_fingerprint() -> Result<()> {
    let stage = Stage::new()?;
    let daemon = stage.daemon()?;
    let address = format!("chat://{}", daemon.address());
    let alone = stage.seat("ada").sized(120, 24).with(&address).open()?;
    alone.shows("first contact with 127.0.0.1:")?;

    let key = std::fs::read_to_string(stage.data().join("identity.pub"))?;
    let key = key.split_whitespace().nth(1).context("a public key")?;
    // Behind the name of its kind, as OpenSSH writes it.
    let key = PublicKey(BASE64.decode(key.as_bytes())?[19..].try_into()?);
    let line = format!("{address}/lobby#{}", Fingerprint::of(&key).for_url());
    let mut bob = stage.seat("bob").sized(120, 24).with(&line).open()?;
    bob.enters("hello")?;
    bob.shows("hello ✓")?;
    bob.look(|vt| assert_eq!(times(vt.screen(), "first contact"), 0));
    Ok(())
}

#[test]
fn a_passphrase_is_asked_for_before_the_screen_opens_and_is_not_shown() -> Result<()> {
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;
    let stage = Stage::new()?;
    let _daemon = stage.daemon()?;
    let path = stage.nobody().with_file_name("locked");
    let mut file = std::fs::OpenOptions::new();
    let mut file = file.write(true).create_new(true).mode(0o600).open(&path)?;
    file.write_all(include_bytes!("../keys/ed25519_locked"))?;
    let seat = || stage.seat("ada").sized(120, 24).with("--identity").with(&path);
    let mut ada = seat().open()?;
    ada.shows("Passphrase of /")?;
    ada.types("open sesamy\r")?;
    ada.shows("It was another one.")?;
    assert!(!ada.contents().contains("sesam"), "{}", ada.contents());
    ada.types("open sesame\r")?;
    ada.shows("● connected")?;
    ada.enters("hello")?;
    ada.shows("hello ✓")?;
    assert_eq!(stage.said()?, ["hello"]);

    let mut refusing = seat().open()?;
    refusing.shows("Passphrase of /")?;
    refusing.types("op\x03")?;
    refusing.shows("it was not given")?;
    assert_eq!(refusing.ends()?, 1);
    let modes = refusing.modes()?.local_modes;
    assert!(modes.contains(rustix::termios::LocalModes::ECHO), "what is typed is shown again");
    Ok(())
}

#[test]
fn a_directory_that_others_can_write_to_is_refused_with_what_helps() -> Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let stage = Stage::new()?;
    let dir = stage.nobody().with_file_name("shared");
    std::fs::create_dir(&dir)?;
    std::fs::set_permissions(&dir, std::fs::Permissions::from_mode(0o777))?;
    let seat = stage.seat("ada").sized(200, 24).with("--data-dir").with(&dir);
    let mut ada = seat.open()?;
    ada.shows("others can write to")?;
    ada.shows(&format!("chmod go-w '{}'", dir.display()))?;
    assert_eq!(ada.ends()?, 1);
    assert!(!dir.join("identity").exists(), "no key was made there");
    Ok(())
}
