//! Go to…: rooms by a few of their letters.
//!
//! Owns the query, what there is to choose from, how well a name fits, and the little window. It
//! must not know how a room is opened or joined.

use chat_proto::{Nickname, RoomInfo, RoomName};
use crossterm::event::KeyCode;
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::widgets::{Block, Clear, Widget};

use super::{Context, Decision, Layer, Outcome, Press};
use crate::screen::keys::{self, Action, Edit};
use crate::screen::room::RoomIndex;
use crate::screen::sanitize;
use crate::text;

/// The widest window, in columns.
const COLUMNS_MAX: u16 = 44;
/// All rooms in their frame, as far as this goes.
const ROWS_MAX: u16 = 12;
/// The lowest window, in rows.
const ROWS_MIN: u16 = 5;

/// The state of the little window.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct GoTo {
    /// Letters of the room that is looked for, as they are typed.
    pub query: String,
    /// Which of the choices is chosen.
    pub chosen: usize,
    /// All rooms of the server, if they were asked for.
    pub rooms: Option<Vec<RoomInfo>>,
}

/// Something that can be chosen.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Choice {
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
    fn choices(&self, context: &Context<'_>) -> Vec<Choice> {
        let mut fitting: Vec<(usize, Choice)> = match &self.rooms {
            None => {
                let titles = context.listed.iter();
                let titles = titles.map(|&index| (context.rooms[index].title.as_str(), index));
                self.fitting(titles, Choice::Listed)
            }
            Some(rooms) => {
                let names = rooms.iter().enumerate().map(|(nth, room)| (room.name.as_str(), nth));
                self.fitting(names, Choice::Other)
            }
        };
        fitting.sort_by_key(|(misfit, _choice)| *misfit);
        let fitting = fitting.into_iter().map(|(_misfit, choice)| choice);
        fitting.chain(self.new_room(context).map(Choice::New)).collect()
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
    fn new_room(&self, context: &Context<'_>) -> Option<RoomName> {
        let name = RoomName::parse(self.query.trim_start_matches('#')).ok()?;
        let wanted = name.as_str().to_lowercase();
        let of_server = self.rooms.iter().flatten().map(|room| room.name.as_str());
        let listed = context.listed.iter().map(|&index| context.rooms[index].title.as_str());
        let is_known = of_server.chain(listed).any(|known| known.to_lowercase() == wanted);
        (!is_known).then_some(name)
    }

    /// What it means to choose this.
    fn decision(&self, choice: &Choice) -> Option<Decision> {
        match choice {
            Choice::Listed(index) => Some(Decision::Open(*index)),
            Choice::New(name) => Some(Decision::Join(name.clone())),
            Choice::Other(_) => {
                let name = &self.room(choice)?.name;
                match name.strip_prefix('@') {
                    Some(other) => Nickname::parse(other).ok().map(Decision::Talk),
                    None => RoomName::parse(name).ok().map(Decision::Join),
                }
            }
        }
    }

    fn title(&self) -> String {
        match self.rooms.as_ref().map(Vec::len) {
            None => " go to… ".to_owned(),
            Some(1) => " 1 room ".to_owned(),
            Some(count) => format!(" {count} rooms "),
        }
    }

    /// A choice as a line.
    fn line(&self, choice: &Choice, context: &Context<'_>) -> String {
        match choice {
            Choice::Listed(index) => {
                let room = &context.rooms[*index];
                format!("{} {}", room.label(), room.unread_label())
            }
            Choice::Other(_) => self.room(choice).map_or_else(String::new, described),
            Choice::New(name) => format!("join #{name}"),
        }
    }

    /// The room of the server that a choice stands for.
    fn room(&self, choice: &Choice) -> Option<&RoomInfo> {
        match choice {
            Choice::Other(nth) => self.rooms.as_ref()?.get(*nth),
            Choice::Listed(_) | Choice::New(_) => None,
        }
    }

    /// Moves the choice, as far as there is something to choose.
    fn choose(&mut self, down: bool, choices: usize) {
        self.chosen = match down {
            true => (self.chosen + 1).min(choices.saturating_sub(1)),
            false => self.chosen.saturating_sub(1),
        };
    }
}

impl Layer for GoTo {
    fn kind(&self) -> &'static str {
        "go to"
    }

    /// Chooses a room, or adds to what it is looked for by.
    fn on_key(&mut self, Press { key, action }: Press, context: &Context<'_>) -> Outcome {
        let choices = self.choices(context);
        match (key.code, action) {
            (KeyCode::Enter, _) => {
                let chosen = choices.get(self.chosen);
                let decision = chosen.and_then(|choice| self.decision(choice));
                return decision.map_or(Outcome::Closed, Outcome::Decided);
            }
            (KeyCode::Esc, _) | (_, Some(Action::GoTo | Action::Interrupt)) => {
                return Outcome::Closed;
            }
            (KeyCode::Up | KeyCode::BackTab, _) => self.choose(false, choices.len()),
            (KeyCode::Down | KeyCode::Tab, _) => self.choose(true, choices.len()),
            (_, Some(Action::Edit(Edit::KillToStart))) => self.query.clear(),
            (KeyCode::Backspace, _) => {
                self.query.pop();
                self.chosen = 0;
            }
            _ => {
                self.query.extend(keys::character_of(key));
                self.chosen = 0;
            }
        }
        Outcome::Consumed
    }

    fn on_click(&mut self) -> Outcome {
        Outcome::Closed
    }

    fn on_paste(&mut self, text: &str) -> Outcome {
        self.query.extend(text.chars().filter(|character| !character.is_control()));
        Outcome::Consumed
    }

    fn view(&self, context: &Context<'_>, whole: Rect, buffer: &mut Buffer) -> Option<Position> {
        let choices = self.choices(context);
        let all = self.rooms.as_ref().map_or_else(|| context.listed.len(), Vec::len);
        let wanted = u16::try_from(all + 3).unwrap_or(u16::MAX);
        let height = whole.height.min(wanted.clamp(ROWS_MIN, ROWS_MAX));
        let width = whole.width.min(COLUMNS_MAX);
        let x = whole.x + (whole.width - width) / 2;
        let area = Rect { x, y: whole.y, width, height };
        Clear.render(area, buffer);
        let framed = width > 12 && height > 4;
        let block = Block::bordered().title(self.title()).border_style(context.theme.quiet);
        let inner = if framed { block.inner(area) } else { area };
        if framed {
            block.render(area, buffer);
        }
        let typed = sanitize::line(&format!("#{}", self.query.trim_start_matches('#')));
        let end = text::put(buffer, inner.x, inner.y, &typed, inner.width, context.theme.text);
        let shown = usize::from(inner.height.saturating_sub(1));
        let first = (self.chosen + 1).saturating_sub(shown);
        let rows = inner.y + 1..inner.bottom();
        for (y, (nth, choice)) in rows.zip(choices.iter().enumerate().skip(first)) {
            let style = if nth == self.chosen { context.theme.chosen } else { context.theme.text };
            let line = format!(" {}", self.line(choice, context));
            let line = text::fit(&line, usize::from(inner.width));
            text::put(buffer, inner.x, y, &line, inner.width, style);
        }
        Some(Position::new(end.min(area.right().saturating_sub(1)), inner.y))
    }
}

/// A room of the server in a line.
fn described(room: &RoomInfo) -> String {
    let RoomInfo { online, members, .. } = room;
    let joined = if room.joined { ", you too" } else { "" };
    if room.name.starts_with('@') {
        return format!("{}  {online} of {members} here{joined}", sanitize::line(&room.name));
    }
    let name = sanitize::line(&room.name);
    let private = if room.is_private { ", private" } else { "" };
    let topic = if room.topic.is_empty() { "" } else { "  · " };
    let about = sanitize::line(&room.topic);
    format!("#{name}  {online} of {members} here{joined}{private}{topic}{about}")
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
