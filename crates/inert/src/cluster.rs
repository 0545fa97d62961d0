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

/// What a placeholder begins with. It is part of no cluster before it, but for one that ends in a
/// character that stands before another (a number sign of Arabic).
const OPENING: char = '⟨';

/// The text with a placeholder in each cluster that is longer than may be.
pub(crate) fn limited(text: &str) -> Cow<'_, str> {
    if !text.is_ascii() {
        let mut clusters = text.grapheme_indices(true);
        if let Some((at, first)) = clusters.find(|(_at, cluster)| shown(cluster) < cluster.len()) {
            debug_assert!(kept(first) < first.len(), "one that is longer than may be is cut");
            let mut limited = text[..at].to_owned();
            push_limited(&mut limited, first);
            clusters.for_each(|(_at, cluster)| push_limited(&mut limited, cluster));
            return Cow::Owned(limited);
        }
    }
    Cow::Borrowed(text)
}

fn push_limited(limited: &mut String, cluster: &str) {
    let (kept, rest) = cluster.split_at(kept(cluster));
    limited.push_str(kept);
    match rest.chars().count() {
        0 => {}
        left_out => limited.push_str(&format!("{OPENING}+{left_out}⟩")),
    }
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

/// The same, and what is kept stands by itself: it needs nothing behind it, and what comes behind
/// it is no part of it.
fn kept(cluster: &str) -> usize {
    let shown = shown(cluster);
    if shown == cluster.len() {
        return shown;
    }
    let mut kept = cluster[..shown].to_owned();
    while let Some(last) = kept.chars().next_back() {
        let followed = format!("{kept}{OPENING}");
        let stands =
            followed.graphemes(true).next_back().is_some_and(|end| end.starts_with(OPENING));
        if stands && !is_suspect(last) {
            break;
        }
        kept.pop();
    }
    debug_assert!(cluster.starts_with(&kept), "what is kept is the cluster's beginning");
    kept.len()
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
        assert_eq!(limited(&marked("", "\u{301}", 10)), format!("{}⟨+2⟩", "\u{301}".repeat(8)));
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
            let first = limited.split(OPENING).next().unwrap_or_default();
            match unit.chars().count() == 2 && shown == 2 {
                true => assert_eq!(limited, text, "each is a cluster of its own"),
                false => assert_eq!(first.chars().count(), shown, "{limited}"),
            }
        }
    }

    #[test]
    fn what_joins_to_the_placeholder_is_left_out_with_the_rest() {
        let signs = "\u{600}".repeat(40);
        assert_eq!(limited(&signs), "⟨+40⟩");
    }
}
