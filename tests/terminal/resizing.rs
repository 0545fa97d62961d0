//! Terminals that change their size under the program.

use anyhow::Result;
use chat_tests::pty::Size;

use crate::stage::Stage;

/// From the usual size down to almost nothing, and back.
const STORM: [(u16, u16); 12] = [
    (80, 24),
    (10, 3),
    (20, 5),
    (200, 50),
    (11, 3),
    (40, 12),
    (1, 1),
    (59, 7),
    (60, 7),
    (10, 3),
    (20, 5),
    (80, 24),
];

#[test]
fn the_input_stays_in_sight_through_storms_of_sizes() -> Result<()> {
    let stage = Stage::new()?;
    let _daemon = stage.daemon()?;
    let mut ada = stage.enter("ada")?;
    for nth in 0..30 {
        ada.enters(&format!("line {nth} of a talk that wraps on small terminals"))?;
        ada.shows(&format!("line {nth} of a talk that wraps on small terminals ✓"))?;
    }
    ada.shows("line 29 of a talk that wraps on small terminals ✓")?;
    for (columns, rows) in [(10, 3), (20, 5), (80, 24)] {
        // A window that is dragged: nobody waits for the frames in between.
        for _ in 0..5 {
            for (columns, rows) in STORM {
                ada.resize(Size { columns, rows })?;
            }
        }
        ada.resize(Size { columns, rows })?;
        ada.types("typing")?;
        ada.wait("the input line", |screen| {
            let (row, column) = screen.cursor_position();
            let line = screen.rows(0, columns).nth(row.into()).unwrap_or_default();
            line.starts_with("> typing") && column == 8
        })?;
        ada.types("\x15")?;
        ada.hides("typing")?;
    }
    ada.shows("line 29 of a talk that wraps on small terminals ✓")?;
    ada.enters("still here")?;
    ada.shows("still here ✓")?;
    Ok(())
}

#[test]
fn a_size_that_comes_back_at_once_is_painted_anew() -> Result<()> {
    let stage = Stage::new()?;
    let _daemon = stage.daemon()?;
    let mut ada = stage.enter("ada")?;
    ada.enters("hello")?;
    ada.shows("hello ✓")?;
    // All but the status line, in which the time of an answer may change.
    let lines = |screen: &vt100::Screen| -> Vec<String> {
        let lines = screen.rows(0, 80).take(23).map(|row| row.trim_end().to_owned());
        lines.collect()
    };
    let before = ada.look(|vt| lines(vt.screen()));
    for _ in 0..5 {
        // The terminal forgets what it cannot show; the program may never see the small size.
        ada.resize(Size { columns: 20, rows: 5 })?;
        ada.resize(Size::USUAL)?;
        ada.wait("everything again", |screen| lines(screen) == before)?;
    }
    Ok(())
}

#[test]
fn ten_by_three_is_enough_to_talk() -> Result<()> {
    let stage = Stage::new()?;
    let _daemon = stage.daemon()?;
    let mut ada = stage.seat("ada").sized(10, 3).open()?;
    ada.wait("the prompt", |screen| screen.cursor_position() == (1, 2))?;
    ada.enters("hi")?;
    ada.shows("hi ✓")?;
    assert_eq!(stage.said()?, ["hi"]);
    Ok(())
}
