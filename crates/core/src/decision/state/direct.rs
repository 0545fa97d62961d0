//! Conversations of two: a room that two accounts are in, and nobody else ever.
//!
//! Its name is made of both ids. No name that anybody can ask for is written so, and since names are
//! unique, it is the same room whoever begins.

use chat_proto::limits::ROOMS_PER_ACCOUNT_MAX;
use chat_proto::{AccountId, RoomId, RoomName};

use super::{Answer, Room, State, Transition};
use crate::{Content, NameKey, NameKeys, Named, Refusal};

/// Memberships up to which others may bring an account into a conversation: those who come unasked do
/// not take all that it may have.
const UNASKED_ROOMS_MAX: usize = ROOMS_PER_ACCOUNT_MAX / 2;

/// What stands for the name of a conversation. It is plain ASCII: its keys are the same for every version
/// of Unicode.
#[must_use]
pub fn direct_name(between: [AccountId; 2]) -> Named<RoomName> {
    let [one, other] = between;
    let text = format!("@{}@{}", one.min(other), one.max(other));
    let key = NameKey::of(&text);
    let name = RoomName::from_judged(&text).expect("two numbers are no long name");
    Named { name, keys: Box::new(NameKeys { looks: [key; 2], spelling: key }) }
}

/// Whom the name of a conversation was made of; `None`: it is no conversation.
pub(super) fn direct_of(name: &RoomName) -> Option<[AccountId; 2]> {
    let (one, other) = name.as_str().strip_prefix('@')?.split_once('@')?;
    Some([AccountId(one.parse().ok()?), AccountId(other.parse().ok()?)])
}

impl Room {
    /// Who is at the other end of a conversation.
    pub(crate) fn other_than(&self, account: AccountId) -> Option<AccountId> {
        let [one, other] = self.direct?;
        Some(if one == account { other } else { one })
    }
}

impl State {
    /// The conversation of two, when it has begun.
    pub(super) fn direct_between(
        &self,
        one: AccountId,
        other: AccountId,
    ) -> Option<(RoomId, &Room)> {
        let id = self.room_names.holder(&direct_name([one, other]).keys)?;
        self.rooms.get(&id).map(|room| (id, room))
    }
}

impl Transition<'_> {
    /// Opens the conversation of two: both are members of it from then on.
    pub(super) fn open_direct(
        &mut self,
        account: AccountId,
        with: AccountId,
    ) -> Result<Answer, Refusal> {
        let accounts = &self.state.accounts;
        let (Some(own), Some(other)) = (accounts.get(&account), accounts.get(&with)) else {
            return Err(Refusal::NoSuchAccount);
        };
        self.access(account).can_talk()?;
        if account == with {
            return Err(Refusal::NotPossible { what: "a conversation with yourself" });
        }
        let begun = self.state.direct_between(account, with);
        let is_in = |member| begun.is_some_and(|(_id, room)| room.members.contains(member));
        if !is_in(account) && own.rooms.len() >= ROOMS_PER_ACCOUNT_MAX
            || !is_in(with) && other.rooms.len() >= UNASKED_ROOMS_MAX
        {
            return Err(Refusal::TooManyRooms);
        }
        let newcomers = [account, with].map(|member| (!is_in(member)).then_some(member));
        let room = match begun {
            Some((id, _room)) => id,
            None => {
                let id = RoomId(self.state.next_id(self.state.secret()));
                self.append(id.into(), Content::DirectBegun { by: account, account: with });
                id
            }
        };
        for account in newcomers.into_iter().flatten() {
            self.append(room.into(), Content::Joined { account });
            self.append(account.into(), Content::RoomJoined { room });
        }
        Ok(Answer::Room(room))
    }
}
