//! What was meant by a word that is spelled almost right.

/// How many letters may be wrong, missing, too many or in the wrong order.
const DISTANCE_MAX: usize = 2;

/// The known word that is nearest, if one is near and the word is not one of them.
pub(crate) fn nearest<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let near = known.map(|known| (strsim::damerau_levenshtein(word, known), known));
    let (distance, known) = near.min()?;
    let is_near = (1..=DISTANCE_MAX).contains(&distance) && distance < word.chars().count();
    is_near.then_some(known)
}
