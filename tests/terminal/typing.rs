//! Keys and pastes as a terminal sends them.

use anyhow::Result;

use crate::stage::Stage;

#[test]
fn several_pasted_lines_are_one_message() -> Result<()> {
    let stage = Stage::new()?;
    let _daemon = stage.daemon()?;
    let mut ada = stage.enter("ada")?;
    let bob = stage.enter("bob")?;
    ada.pastes("one\rtwo\n\tthree\r\nfour")?;
    ada.shows("four")?;
    assert_eq!(stage.said()?, [""; 0], "nothing is sent before Enter");
    ada.types("\r")?;
    ada.shows("four ✓")?;
    bob.shows("ada     one")?;
    assert_eq!(stage.said()?, ["one\ntwo\n\tthree\nfour"]);
    Ok(())
}

#[test]
fn a_paste_that_holds_its_own_end_types_no_commands() -> Result<()> {
    let stage = Stage::new()?;
    let _daemon = stage.daemon()?;
    let mut ada = stage.enter("ada")?;
    ada.pastes("a\x1b[31mb\x07c\u{202e}d")?;
    ada.shows("b")?;
    ada.types("\r")?;
    ada.shows("✓")?;
    assert!(stage.said()?[0].chars().all(|character| !character.is_control()));
    Ok(())
}

#[test]
fn text_of_every_kind_goes_through_and_is_edited_by_what_a_person_sees() -> Result<()> {
    let stage = Stage::new()?;
    let _daemon = stage.daemon()?;
    let mut ada = stage.enter("ada")?;
    let family = "👨\u{200d}👩\u{200d}👧";
    let lines = ["日本語 と 한국어", "naïve e\u{301}", "עברית", family, "🇩🇪 ok"];
    for (nth, line) in lines.into_iter().enumerate() {
        ada.enters(line)?;
        // Lines that come at once are a paste.
        ada.wait("its mark", |screen| screen.contents().matches('✓').count() == nth + 1)?;
    }
    ada.shows("ok ✓")?;
    // One key takes the whole family away, and one word.
    ada.enters(&format!("x{family}\x7fy one two\x17three"))?;
    ada.shows("xy one three ✓")?;
    let said = stage.said()?;
    assert_eq!(said.last().map(String::as_str), Some("xy one three"));
    assert_eq!(said[3], family);
    Ok(())
}

#[test]
fn alt_enter_begins_a_line_and_up_brings_back_what_was_sent() -> Result<()> {
    let stage = Stage::new()?;
    let _daemon = stage.daemon()?;
    let mut ada = stage.enter("ada")?;
    ada.enters("above\x1b\rbelow")?;
    ada.shows("below ✓")?;
    ada.types("\x1b[A")?;
    ada.shows("> above")?;
    ada.types("\r")?;
    ada.wait("it twice", |screen| screen.contents().matches("below ✓").count() == 2)?;
    assert_eq!(stage.said()?, ["above\nbelow", "above\nbelow"]);
    Ok(())
}

#[test]
fn a_command_typed_while_the_help_is_open_is_a_command() -> Result<()> {
    let stage = Stage::new()?;
    let _daemon = stage.daemon()?;
    let mut ada = stage.enter("ada")?;
    for opens in ["/help\r", "\x1bOP"] {
        ada.types(opens)?;
        ada.shows("┌ help ─")?;
        ada.enters("/join ops")?;
        ada.hides("┌ help ─")?;
        ada.shows("[#ops]")?;
        ada.enters("/join lobby")?;
        ada.shows("[#lobby]")?;
    }
    assert_eq!(stage.said()?, [""; 0]);
    Ok(())
}

#[test]
fn rooms_are_joined_listed_and_left_by_commands() -> Result<()> {
    let stage = Stage::new()?;
    let _daemon = stage.daemon()?;
    let mut ada = stage.enter("ada")?;
    let mut bob = stage.enter("bob")?;
    ada.enters("/join dev")?;
    ada.shows("[#dev]")?;
    ada.enters("anybody here?")?;
    ada.shows("anybody here? ✓")?;
    bob.enters("/rooms")?;
    bob.shows("#dev  1 of 1 here")?;
    bob.types("\x1b")?;
    bob.hides("1 of 1 here")?;
    bob.enters("/who")?;
    bob.shows("2 here: ada, bob")?;
    bob.enters("hello from the lobby, ada")?;
    ada.shows("!1")?;
    ada.types("\x1ba")?;
    ada.shows("hello from the lobby, ada")?;
    ada.hides("!1")?;
    ada.enters("/leave dev")?;
    ada.hides("│ #dev")?;
    ada.enters("/nick lovelace")?;
    bob.shows("ada is now called lovelace")?;
    ada.enters("/nonsense")?;
    ada.shows("/nonsense is no command")?;
    Ok(())
}
