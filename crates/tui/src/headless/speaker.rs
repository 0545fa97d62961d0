//! The one person that `--from` listens to.

use std::cell::Cell;

use chat_client::Message;
use chat_proto::{AccountId, Nickname, RoomInfo, names_collide};

use super::failure::Failure;
use super::finding::request_deadline;
use super::link::Link;
use crate::exit::Exit;

/// A person that is known by a name, as far as one can be told.
#[derive(Debug)]
pub(super) struct Speaker {
    name: Nickname,
    /// Who that is among the members of the rooms.
    account: Option<AccountId>,
    was_heard: Cell<bool>,
}

impl Speaker {
    /// Looks for the person among the members.
    pub(super) async fn find(
        link: &mut Link,
        rooms: &[RoomInfo],
        name: &Nickname,
    ) -> Result<Self, Failure> {
        let mut account = None;
        for room in rooms {
            let client = link.client.clone();
            let members = link.answer(request_deadline(), client.members(room.room)).await?;
            let found = members.iter().find(|member| names_collide(&member.name, name.as_str()));
            account = account.or(found.map(|member| member.account));
        }
        Ok(Self { name: name.clone(), account, was_heard: Cell::new(false) })
    }

    /// Whether the person has said this. Whoever is no member any more is known by the name alone.
    pub(super) fn said(&self, message: &Message) -> bool {
        let is_the_one = match self.account {
            Some(account) => account == message.from,
            None => names_collide(&message.from_name, self.name.as_str()),
        };
        self.was_heard.set(self.was_heard.get() || is_the_one);
        is_the_one
    }

    /// A name that nobody has is a mistake of whoever wrote it.
    pub(super) fn check(&self, rooms: &[String]) -> Result<(), Failure> {
        if self.account.is_some() || self.was_heard.get() {
            return Ok(());
        }
        let (name, rooms) = (&self.name, rooms.join(" or "));
        let sentence =
            format!("nobody in {rooms} is called {name}; chat-tui --no-tui who lists who is there");
        Err(Failure::new(Exit::Usage, sentence))
    }
}
