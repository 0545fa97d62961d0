//! What a person has typed and not sent, room by room, and what was sent before: as it is kept
//! over the end of the program.
//!
//! Owns the form and its bounds. It must not know where it is kept.

use std::collections::{BTreeMap, VecDeque};

use serde::{Deserialize, Serialize};

use super::input::SENT_MAX;
use super::layers::Layer;
use super::model::Model;

/// Bytes of sent texts that are kept over the end of the program; the newest matter most.
const SENT_BYTES_MAX: usize = 512 * 1024;

/// What was typed.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Typed {
    /// Half-typed texts, by the names of their rooms.
    #[serde(default)]
    pub drafts: BTreeMap<String, String>,
    /// What was sent, the newest last.
    #[serde(default)]
    pub sent: VecDeque<String>,
}

impl Typed {
    /// Adds what another screen has left. No text is lost: where both have a draft for the same
    /// room, the other one can be recalled like a sent text.
    pub fn adopt(&mut self, left: Self) {
        let mut sent = left.sent;
        sent.append(&mut self.sent);
        self.sent = sent;
        for (room, draft) in left.drafts {
            let mine = self.drafts.entry(room).or_default();
            if mine.is_empty() {
                *mine = draft;
            } else if *mine != draft {
                self.remember(draft);
            }
        }
        self.bound();
    }

    /// Adds a text as the newest sent one.
    pub fn remember(&mut self, text: String) {
        if !text.trim().is_empty() && self.sent.back() != Some(&text) {
            self.sent.push_back(text);
        }
    }

    /// Forgets the oldest sent texts past the bounds.
    fn bound(&mut self) {
        let mut bytes: usize = self.sent.iter().map(String::len).sum();
        while self.sent.len() > SENT_MAX || bytes > SENT_BYTES_MAX {
            bytes -= self.sent.pop_front().map_or(0, |oldest| oldest.len());
        }
    }
}

impl Model {
    /// What is typed and not sent now, and what was sent. A text that the outbox has not taken yet
    /// is among the sent ones.
    #[must_use]
    pub fn typed(&self) -> Typed {
        let mut typed = Typed { drafts: BTreeMap::new(), sent: self.input.sent().clone() };
        let server = self.server();
        for (index, room) in server.rooms.iter().enumerate() {
            let draft = match index == server.current {
                true => self.input.draft(),
                false => room.draft.clone(),
            };
            if !draft.is_empty() {
                typed.drafts.insert(room.title.to_string(), draft);
            }
        }
        if let Some(aside) = self.input.put_aside() {
            typed.remember(aside.to_owned());
        }
        for unsent in self.layers.iter().filter_map(Layer::unsent) {
            typed.remember(unsent.to_owned());
        }
        typed.bound();
        typed
    }

    /// Brings back what an earlier screen has kept.
    pub fn restore_typed(&mut self, typed: Typed) {
        for (title, draft) in typed.drafts {
            let server = &mut self.servers[self.focus.0];
            let index = server.room_by_title(&title);
            match index == server.current {
                true => self.input.put(&draft),
                false => server.rooms[index].draft = draft,
            }
        }
        for text in typed.sent {
            self.input.remember(&text);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(room: &str, draft: &str, sent: &[&str]) -> Typed {
        let drafts = BTreeMap::from([(room.to_owned(), draft.to_owned())]);
        Typed { drafts, sent: sent.iter().map(|text| (*text).to_owned()).collect() }
    }

    #[test]
    fn two_drafts_for_one_room_are_both_kept() {
        let mut mine = typed("lobby", "mine", &["b"]);
        mine.adopt(typed("lobby", "left", &["a"]));
        mine.adopt(typed("dev", "other", &[]));
        assert_eq!(mine.drafts["lobby"], "mine");
        assert_eq!(mine.drafts["dev"], "other");
        assert_eq!(mine.sent, ["a", "b", "left"]);
    }

    #[test]
    fn what_was_sent_is_kept_in_bounds() {
        let mut mine = typed("lobby", "", &[]);
        for n in 0..300 {
            mine.remember(format!("{n} {}", "x".repeat(8192)));
        }
        mine.bound();
        let bytes: usize = mine.sent.iter().map(String::len).sum();
        assert!(bytes <= SENT_BYTES_MAX && mine.sent.len() > 50);
        assert!(mine.sent.back().unwrap().starts_with("299 "));
    }
}
