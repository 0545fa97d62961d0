//! What the hot state holds of a room, and what a store has of it.

use chat_proto::{AccountId, Role, RoomId, RoomName, Seq};

use super::sanctions::Sanctions;
use crate::decision::idset::IdSet;
use crate::{NameKeys, Named};

/// Events that a room may have and go with its last member: a store deletes them in one transaction.
const REMOVED_EVENTS_MAX: u64 = 1_000;

#[derive(Clone, Debug)]
#[cfg_attr(test, derive(PartialEq))]
pub(crate) struct Room {
    pub(crate) name: RoomName,
    pub(crate) keys: NameKeys,
    pub(crate) head: Seq,
    pub(crate) members: IdSet<AccountId>,
    /// The members that are more than that, in the order in which they became it.
    pub(crate) roles: Vec<(AccountId, Role)>,
    /// What it keeps accounts from.
    pub(crate) sanctions: Sanctions,
    /// Those who may join it though they do not know of it otherwise.
    pub(crate) invited: IdSet<AccountId>,
    /// While it is not public: whom its log tells of, but for those whose name everybody may know.
    pub(crate) named: IdSet<AccountId>,
    /// Whether others than its members, and who is invited, know of it.
    pub(crate) is_public: bool,
    /// Whether only its moderators and owners post.
    pub(crate) is_read_only: bool,
    /// What it is about.
    pub(crate) topic: String,
    /// Who is in it, and nobody else ever; `None`: it is no conversation of two.
    pub(crate) direct: Option<[AccountId; 2]>,
    /// It stays also when nobody is in it and nothing was said.
    pub(crate) is_permanent: bool,
    /// Whether anything was ever said in it.
    pub(crate) has_posts: bool,
}

/// A room as the tables of a store have it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RoomRow {
    /// Its id.
    pub id: RoomId,
    /// Its name.
    pub name: Named<RoomName>,
    /// The head of its log.
    pub head: Seq,
    /// Whether others than its members, and who is invited, know of it.
    pub is_public: bool,
    /// Whether only its moderators and owners post.
    pub is_read_only: bool,
    /// What it is about.
    pub topic: String,
    /// Whether it stays also when nobody is in it and nothing was said.
    pub is_permanent: bool,
    /// Whether anything was ever said in it.
    pub has_posts: bool,
}

impl RoomRow {
    /// A room of which nothing else has been said: everybody knows of it.
    #[must_use]
    pub fn new(id: RoomId, name: Named<RoomName>, head: Seq) -> Self {
        let (is_public, is_permanent, has_posts) = (true, false, false);
        let (is_read_only, topic) = (false, String::new());
        Self { id, name, head, is_public, is_read_only, topic, is_permanent, has_posts }
    }
}

impl Room {
    /// Whether it goes with the membership of this account: nobody else is in it, nothing was ever
    /// said, and there are not too many events to be deleted with one commit.
    pub(crate) fn ends_with(&self, account: AccountId) -> bool {
        let is_last = self.members.len() == 1 && self.members.contains(account);
        let is_empty = !self.has_posts && !self.is_permanent;
        is_last && is_empty && self.head.0 <= REMOVED_EVENTS_MAX
    }
}
