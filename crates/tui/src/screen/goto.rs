//! Go to…: rooms by a few of their letters.
//!
//! Owns the query, the choice, and how well a name fits. It must not know how it is drawn.

use super::model::{Model, RoomIndex};

/// The state of the little window.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct GoTo {
    /// What is typed.
    pub query: String,
    /// Which of the matches is chosen.
    pub chosen: usize,
}

impl GoTo {
    /// The rooms that fit, the best first.
    #[must_use]
    pub fn matches(&self, model: &Model) -> Vec<RoomIndex> {
        let query = self.query.trim_start_matches('#').to_lowercase();
        let mut fitting: Vec<(usize, RoomIndex)> = model
            .listed()
            .into_iter()
            .filter_map(|index| {
                let misfit = misfit(&query, &model.rooms[index].title.to_lowercase())?;
                Some((misfit, index))
            })
            .collect();
        fitting.sort_by_key(|(misfit, _index)| *misfit);
        fitting.into_iter().map(|(_misfit, index)| index).collect()
    }

    /// Moves the choice, as far as there is something to choose.
    pub fn choose(&mut self, down: bool, matches: usize) {
        self.chosen = match down {
            true => (self.chosen + 1).min(matches.saturating_sub(1)),
            false => self.chosen.saturating_sub(1),
        };
    }
}

/// How badly a name fits a query, 0 at best; nothing if the query's letters are not in it in
/// order.
fn misfit(query: &str, name: &str) -> Option<usize> {
    let mut rest = name.char_indices();
    let (mut misfit, mut last) = (0, None);
    for wanted in query.chars() {
        let (at, _) = rest.find(|(_, character)| *character == wanted)?;
        misfit += last.map_or(at, |last: usize| at - last - 1);
        last = Some(at + wanted.len_utf8() - 1);
    }
    Some(misfit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_in_order_fit_and_neighbours_fit_best() {
        assert_eq!(misfit("dev", "dev"), Some(0));
        assert_eq!(misfit("dv", "dev"), Some(1));
        assert_eq!(misfit("ve", "dev"), None);
        assert_eq!(misfit("", "dev"), Some(0));
        assert!(misfit("op", "ops") < misfit("op", "shop"));
    }
}
