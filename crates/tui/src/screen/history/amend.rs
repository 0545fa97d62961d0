//! An entry gets another text after it was shown: it is laid out anew, and the line that is read
//! stays where it is.

use chat_proto::Seq;

use super::span::Change;
use super::{Anchor, Bound, Entry, History, Kind, Place};

impl History {
    /// Gives a logged message another text and kind. Says whether it is here: what is not loaded
    /// comes from the server as it is by then.
    pub fn amend(&mut self, seq: Seq, kind: Kind, text: &str) -> bool {
        let place = Place::of(seq);
        if let Some(entry) = self.paging.stashed(place) {
            entry.amend(kind, text);
            return true;
        }
        let Ok(index) = self.entries.find(place) else {
            return false;
        };
        self.amend_at(index, kind, text);
        self.trim(Bound::OPEN);
        true
    }

    /// Puts a notice in the place of each message that is meant. Tells how many are here.
    pub fn remove_messages(&mut self, is_meant: impl Fn(&Entry) -> bool, told: &str) -> usize {
        let stashed = self.paging.stashed_messages().filter(|entry| is_meant(entry));
        let stashed = stashed.map(|entry| entry.amend(Kind::Notice, told)).count();
        let meant: Vec<_> =
            (0..self.entries.len()).filter(|index| is_meant(&self.entries[*index])).collect();
        for index in &meant {
            self.amend_at(*index, Kind::Notice, told);
        }
        self.trim(Bound::OPEN);
        stashed + meant.len()
    }

    /// The same for what stands at an index. The anchor means the same part of the text as before.
    pub(super) fn amend_at(&mut self, index: usize, kind: Kind, text: &str) {
        let Some(entry) = self.entries.get(index) else {
            return;
        };
        let (place, old) = (entry.place, entry.text().to_owned());
        self.entries.change(index, |entry| entry.amend(kind, text));
        if let Anchor::Line { place: anchored, byte, .. } = &mut self.anchor
            && *anchored == place
        {
            let new = self.entries[index].text();
            *byte = Change::between(&old, new).place_of(*byte);
            debug_assert!(new.is_char_boundary(*byte), "the anchor is a character of the text");
        }
    }
}
