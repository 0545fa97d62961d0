//! Go to…: rooms by a few of their letters.
//!
//! Owns the query, what there is to choose from, and how well a name fits. It must not know how it
//! is drawn.

use chat_proto::{RoomInfo, RoomName};

use super::model::{Model, RoomIndex};
use super::shown;

/// The state of the little window.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct GoTo {
    /// What is typed.
    pub query: String,
    /// Which of the choices is chosen.
    pub chosen: usize,
    /// All rooms of the server, if they were asked for.
    pub rooms: Option<Vec<RoomInfo>>,
}

/// Something that can be chosen.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Choice {
    /// A room that is listed.
    Listed(RoomIndex),
    /// A room of the server: its place in [`GoTo::rooms`].
    Other(usize),
    /// A room that nobody was heard to be in.
    New(RoomName),
}

impl GoTo {
    /// All rooms of the server, to choose from.
    #[must_use]
    pub fn of_all(rooms: Vec<RoomInfo>) -> Self {
        Self { rooms: Some(rooms), ..Self::default() }
    }

    /// What fits, the best first, and behind it the room that the query names, if it is new.
    #[must_use]
    pub fn choices(&self, model: &Model) -> Vec<Choice> {
        let mut fitting: Vec<(usize, Choice)> = match &self.rooms {
            None => {
                let titles = model.listed().into_iter();
                let titles = titles.map(|index| (model.rooms[index].title.as_str(), index));
                self.fitting(titles, Choice::Listed)
            }
            Some(rooms) => {
                let names = rooms.iter().enumerate().map(|(nth, room)| (room.name.as_str(), nth));
                self.fitting(names, Choice::Other)
            }
        };
        fitting.sort_by_key(|(misfit, _choice)| *misfit);
        let fitting = fitting.into_iter().map(|(_misfit, choice)| choice);
        fitting.chain(self.new_room(model).map(Choice::New)).collect()
    }

    fn fitting<'a>(
        &self,
        names: impl Iterator<Item = (&'a str, usize)>,
        choice: impl Fn(usize) -> Choice,
    ) -> Vec<(usize, Choice)> {
        let query = self.query.trim_start_matches('#').to_lowercase();
        let fits =
            |(name, nth): (&str, usize)| Some((misfit(&query, &name.to_lowercase())?, choice(nth)));
        names.filter_map(fits).collect()
    }

    /// The room that the query names, if none of the known ones is called so.
    fn new_room(&self, model: &Model) -> Option<RoomName> {
        let name = RoomName::parse(self.query.trim_start_matches('#')).ok()?;
        let wanted = name.as_str().to_lowercase();
        let of_server = self.rooms.iter().flatten().map(|room| room.name.as_str());
        let listed = model.listed().into_iter().map(|index| model.rooms[index].title.as_str());
        let is_known = of_server.chain(listed).any(|known| known.to_lowercase() == wanted);
        (!is_known).then_some(name)
    }

    /// A choice as a line.
    #[must_use]
    pub fn line(&self, choice: &Choice, model: &Model) -> String {
        match choice {
            Choice::Listed(index) => {
                let room = &model.rooms[*index];
                format!("#{} {}", room.title, room.unread_label())
            }
            Choice::Other(_) => self.room(choice).map_or_else(String::new, |room| {
                let joined = if room.joined { ", you too" } else { "" };
                let (online, members) = (room.online, room.members);
                format!("#{}  {online} of {members} here{joined}", shown::line(&room.name))
            }),
            Choice::New(name) => format!("join #{name}"),
        }
    }

    /// The room of the server that a choice stands for.
    #[must_use]
    pub fn room(&self, choice: &Choice) -> Option<&RoomInfo> {
        match choice {
            Choice::Other(nth) => self.rooms.as_ref()?.get(*nth),
            Choice::Listed(_) | Choice::New(_) => None,
        }
    }

    /// Moves the choice, as far as there is something to choose.
    pub fn choose(&mut self, down: bool, choices: usize) {
        self.chosen = match down {
            true => (self.chosen + 1).min(choices.saturating_sub(1)),
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
