//! What may be piled up on one place: marks on a letter, emoji that are joined to one.
//!
//! Owns the limits of a grapheme cluster (UAX 29). Its text is free of what can act already.

use std::borrow::Cow;

use unicode_properties::{GeneralCategoryGroup, UnicodeGeneralCategory};
use unicode_segmentation::UnicodeSegmentation;

use crate::suspect::is_suspect;

/// Combining marks that one grapheme cluster shows. More are piled up to cover other lines; no
/// language that is written needs as many.
pub const MARKS_MAX: usize = 8;

/// Characters that one grapheme cluster shows. An emoji family of four with skin tones has 11.
pub const CLUSTER_CHARS_MAX: usize = 12;

/// What a mark stands on that stands on nothing: it would be drawn upon what somebody else says.
const GROUND: char = '◌';

/// The text with a placeholder in each cluster that is longer than may be, and something below the
/// marks that stand on nothing.
pub(crate) fn limited(text: &str) -> Cow<'_, str> {
    if !text.is_ascii() {
        let mut clusters = text.grapheme_indices(true);
        if let Some((at, first)) = clusters.find(|(_at, cluster)| !is_fit(cluster)) {
            debug_assert!(!first.is_ascii(), "nothing joins in ASCII");
            let mut limited = text[..at].to_owned();
            push_limited(&mut limited, first);
            clusters.for_each(|(_at, cluster)| push_limited(&mut limited, cluster));
            return Cow::Owned(limited);
        }
    }
    Cow::Borrowed(text)
}

fn is_fit(cluster: &str) -> bool {
    !stands_on_nothing(cluster) && shown(cluster) == cluster.len()
}

fn push_limited(limited: &mut String, cluster: &str) {
    if stands_on_nothing(cluster) {
        return push_limited(limited, &format!("{GROUND}{cluster}"));
    }
    let (kept, rest) = cluster.split_at(kept(cluster));
    limited.push_str(kept);
    match rest.chars().count() {
        0 => {}
        left_out => limited.push_str(&format!("⟨+{left_out}⟩")),
    }
}

/// Whether a cluster begins with what joins to whatever stands before it.
fn stands_on_nothing(cluster: &str) -> bool {
    let joins = |c: &char| is_mark(*c) && format!("{GROUND}{c}").graphemes(true).count() == 1;
    cluster.chars().next().is_some_and(|first| joins(&first))
}

/// The bytes of a cluster that may be shown.
pub(crate) fn shown(cluster: &str) -> usize {
    let mut marks = 0;
    let over = cluster.char_indices().enumerate().find(|(nth, (_at, character))| {
        marks += usize::from(is_mark(*character));
        *nth >= CLUSTER_CHARS_MAX || marks > MARKS_MAX
    });
    over.map_or(cluster.len(), |(_nth, (at, _character))| at)
}

/// The same, and what is kept needs nothing behind it.
fn kept(cluster: &str) -> usize {
    match shown(cluster) {
        all if all == cluster.len() => all,
        shown => cluster[..shown].trim_end_matches(is_suspect).len(),
    }
}

fn is_mark(character: char) -> bool {
    !character.is_ascii() && character.general_category_group() == GeneralCategoryGroup::Mark
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marked(letter: &str, mark: &str, count: usize) -> String {
        format!("{letter}{}", mark.repeat(count))
    }

    #[test]
    fn eight_marks_stay_and_the_rest_is_counted() {
        let eight = marked("z", "\u{301}", 8);
        assert!(matches!(limited(&eight), Cow::Borrowed(_)));
        let text =
            format!("a{}algo {} end", marked("z", "\u{301}", 250), marked("ก", "\u{E49}", 9));
        let shown = format!("a{eight}⟨+242⟩algo {}⟨+1⟩ end", marked("ก", "\u{E49}", 8));
        assert_eq!(limited(&text), shown);
    }

    #[test]
    fn what_stands_on_nothing_is_not_drawn_upon_what_stands_before() {
        for (text, shown) in [
            ("\u{301}x".to_owned(), "◌\u{301}x".to_owned()),
            ("a\n\u{301}".to_owned(), "a\n◌\u{301}".to_owned()),
            (marked("", "\u{301}", 10), format!("◌{}⟨+2⟩", "\u{301}".repeat(8))),
        ] {
            assert_eq!(limited(&text), shown);
            assert_eq!(limited(&shown), shown);
        }
    }

    #[test]
    fn emoji_are_joined_up_to_a_family_and_no_joiner_is_left_hanging() {
        let family = "👨🏻\u{200D}👩🏻\u{200D}👧🏻\u{200D}👦🏻";
        assert_eq!(limited(family), family);
        let chain = ["👩"; 100].join("\u{200D}");
        let six = ["👩"; 6].join("\u{200D}");
        assert_eq!(limited(&chain), format!("{six}⟨+188⟩"));
    }

    #[test]
    fn letters_that_join_without_end_are_cut_in_sight() {
        for (unit, shown) in [("\u{1100}", 12), ("\u{1100}\u{1161}", 2), ("क\u{94D}", 12)] {
            let text = unit.repeat(40);
            let limited = limited(&text).into_owned();
            let first = limited.split('⟨').next().unwrap_or_default();
            match unit.chars().count() == 2 && shown == 2 {
                true => assert_eq!(limited, text, "each is a cluster of its own"),
                false => assert_eq!(first.chars().count(), shown, "{limited}"),
            }
        }
    }
}
