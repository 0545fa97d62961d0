//! Names: what passes is shown in full, and collides with itself.

use chat_client::sanitize::inert;
use chat_proto::limits::NAME_BYTES_MAX;
use chat_proto::{Nickname, RoomName, names_collide, spells_like_a_name};

use super::{Target, holds};

pub(crate) fn target() -> Target {
    let valid = [
        "ada",
        "Ada-Lovelace_2",
        "rené",
        "Зоя",
        "渡辺",
        "नमस्ते",
        "أحمد",
        "x.y",
        "dev-ops",
        "a1",
        "аdmin",
        "ﬁsh",
        "e\u{301}",
        "ß",
        "İ",
        "ǆ",
        "ﷺ",
        "가",
        "ก็",
        "Ω",
    ];
    // And letters and marks from all over Unicode.
    let sampled = ('\u{80}'..=char::MAX).step_by(13).filter(|c| spells_like_a_name(*c));
    let sampled = sampled.map(|c| format!("a{c}{c}b"));
    Target {
        name: "names",
        corpus: include_str!("../corpus/names.hex"),
        valid: valid
            .iter()
            .map(|name| (*name).to_owned())
            .chain(sampled)
            .map(String::into_bytes)
            .collect(),
        check,
        is_taken: |input| {
            let name = String::from_utf8_lossy(input);
            Nickname::parse(&name).is_ok() || RoomName::parse(&name).is_ok()
        },
    }
}

fn check(input: &[u8]) -> Result<(), String> {
    let wish = String::from_utf8_lossy(input);
    if let Ok(name) = Nickname::parse(&wish) {
        let again = Nickname::parse(name.as_str()).map_err(|why| format!("{name}: {why}"))?;
        holds(again == name, || format!("{name} becomes {again}"))?;
        is_harmless(name.as_str())?;
    }
    if let Ok(name) = RoomName::parse(&wish) {
        let again = RoomName::parse(name.as_str()).map_err(|why| format!("{name}: {why}"))?;
        holds(again == name, || format!("{name} becomes {again}"))?;
        is_harmless(name.as_str())?;
    }
    Ok(())
}

fn is_harmless(name: &str) -> Result<(), String> {
    holds(!name.is_empty() && name.len() <= NAME_BYTES_MAX, || "its length".to_owned())?;
    // Letters of some old scripts have no width of their own, and are told by their number.
    let shown = inert(name);
    holds(!shown.contains("⟨+"), || format!("{name:?} is shown as {shown:?}"))?;
    holds(names_collide(name, name), || "it does not collide with itself".to_owned())?;
    let lower = name.to_lowercase();
    holds(Nickname::parse(&lower).is_err() || names_collide(name, &lower), || {
        format!("{name} and {lower} may be two")
    })?;
    let has_sigil = name.contains(['#', '@', '/', '\\', '*', '>', '<', '$', '%', ':']);
    holds(!has_sigil && !name.contains(char::is_whitespace), || format!("{name:?} says more"))
}
