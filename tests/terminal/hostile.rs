//! What somebody else wrote cannot do anything to the terminal: it is shown, and that is all.

use anyhow::Result;
use chat_proto::{Ack, ErrorCode, Join, RoomInfo};
use chat_tests::pty::{Pty, VtScreen};
use chat_tests::raw::{Raw, Refused, send};

use crate::stage::{Stage, times};

/// Texts, and what must be seen of them.
const HOSTILE: [(&str, &str); 12] = [
    ("clear\x1b[2J\x1b[H\x1b[31m", "clear␛[2J␛[H␛[31m"),
    ("title\x1b]0;owned\x07\x1b]2;owned\x1b\\", "title␛]0;owned␇␛]2;owned␛\\"),
    ("clipboard\x1b]52;c;b3duZWQ=\x07", "clipboard␛]52;c;b3duZWQ=␇"),
    ("modes\x1b[?1049l\x1b[?25l\x1bc\x1b[!p", "modes␛[?1049l␛[?25l␛c␛[!p"),
    ("asks\x1b[6n\x1b[c\x05\x1bZ", "asks␛[6n␛[c␅␛Z"),
    ("c1\u{9b}31m\u{9d}0;owned\u{9c}\u{90}q", "c1⟨U+009B⟩31m⟨U+009D⟩0;owned⟨U+009C⟩⟨U+0090⟩q"),
    ("shift\x0e\x0f\x08\x08\x0b\x7f", "shift␎␏␈␈␋␡"),
    ("bidi\u{202e}gnp.exe\u{2066}", "bidi⟨U+202E⟩gnp.exe⟨U+2066⟩"),
    ("hidden\u{200b}\u{feff}\u{ad}", "hidden⟨U+200B⟩⟨U+FEFF⟩⟨U+00AD⟩"),
    ("tags\u{e0041}\u{e007f}", "tags⟨U+E0041⟩⟨U+E007F⟩"),
    ("return\rfalse", "return␍false"),
    ("joined\u{200d}words", "joined⟨U+200D⟩words"),
];

/// A frame that was drawn for another text must look the same around it.
fn frame_of(vt: &VtScreen) -> Vec<String> {
    let rows: Vec<String> = vt.screen().rows(0, vt.size().columns).collect();
    let borders = rows.iter().map(|row| row.chars().take(14).collect());
    borders.chain([rows[0].clone(), rows[rows.len() - 2].clone()]).collect()
}

/// Everything about the terminal that no message may change.
fn is_untouched(pty: &Pty, before: &VtScreen, what: &str) {
    pty.look(|vt| {
        assert_eq!(vt.modes(), before.modes(), "{what}");
        assert_eq!(vt.oddities(), before.oddities(), "{what}");
        assert_eq!(frame_of(vt), frame_of(before), "{what}");
    });
}

#[tokio::test]
async fn hostile_text_is_seen_and_changes_nothing() -> Result<()> {
    let stage = Stage::new()?;
    let daemon = stage.daemon()?;
    let (mut mallory, _) = Raw::sign_in(daemon.address(), 9, "mallory").await?;
    let lobby: RoomInfo = mallory.ask(&Join { name: "lobby".to_owned() }).await?;
    let ada = stage.enter("ada")?;
    ada.shows("2 online")?;
    let before = ada.look(|vt| vt.again());
    for (n, (text, seen)) in (1..).zip(HOSTILE) {
        let _: Ack = mallory.ask(&send(1, n, lobby.room, text)).await?;
        ada.shows(seen)?;
        is_untouched(&ada, &before, seen);
    }
    let texts = HOSTILE.map(|(text, _)| text);
    assert_eq!(stage.said()?, texts, "the daemon keeps what was sent");
    Ok(())
}

#[tokio::test]
async fn floods_stay_in_their_place() -> Result<()> {
    let stage = Stage::new()?;
    let daemon = stage.daemon()?;
    let (mut mallory, _) = Raw::sign_in(daemon.address(), 9, "mallory").await?;
    let lobby: RoomInfo = mallory.ask(&Join { name: "lobby".to_owned() }).await?;
    let mut ada = stage.enter("ada")?;
    ada.shows("2 online")?;
    let before = ada.look(|vt| vt.again());
    let floods = [
        format!("{}end of a long line", "x".repeat(12_000)),
        format!("a{}end of the marks", "\u{301}".repeat(4_000)),
        format!("{}end of many lines", "\n".repeat(8_000)),
        format!("{}end of the emoji", "👩\u{200d}🚀".repeat(400)),
        format!("{}end of right to left", "עברית ".repeat(400)),
        format!("{}end of the tabs", "\t".repeat(4_000)),
    ];
    for (n, flood) in (1..).zip(floods) {
        let _: Ack = mallory.ask(&send(1, 2 * n - 1, lobby.room, &flood)).await?;
        let after = format!("what is said after flood {n}");
        let _: Ack = mallory.ask(&send(1, 2 * n, lobby.room, &after)).await?;
        ada.shows(&after)?;
        is_untouched(&ada, &before, &after);
        // Shown whole, up to its end.
        ada.types("\r\x1b[1;5F")?;
        let end = &flood[flood.rfind("end").unwrap_or_default()..];
        ada.shows(end)?;
        is_untouched(&ada, &before, end);
    }
    Ok(())
}

#[tokio::test]
async fn nul_is_refused_and_shown_to_nobody() -> Result<()> {
    let stage = Stage::new()?;
    let daemon = stage.daemon()?;
    let (mut mallory, _) = Raw::sign_in(daemon.address(), 9, "mallory").await?;
    let lobby: RoomInfo = mallory.ask(&Join { name: "lobby".to_owned() }).await?;
    let ada = stage.enter("ada")?;
    let refused = mallory.ask::<_, Ack>(&send(1, 1, lobby.room, "a\0b")).await;
    let refused = refused.expect_err("a NUL is refused").downcast::<Refused>()?.0;
    assert_eq!(refused.known_code(), Some(ErrorCode::NulInText));
    let _: Ack = mallory.ask(&send(1, 2, lobby.room, "harmless")).await?;
    ada.shows("harmless")?;
    assert_eq!(ada.look(|vt| times(vt.screen(), "mallory harmless")), 1);
    assert_eq!(stage.said()?, ["harmless"]);
    Ok(())
}
