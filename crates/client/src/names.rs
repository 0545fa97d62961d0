//! Names of accounts and rooms: frames carry ids only.
//!
//! Owns what is known, how fresh it is, and which names must be asked for.

use std::collections::{BTreeSet, HashMap};

use chat_proto::limits::PAGE_ITEMS_MAX;
use chat_proto::{AccountId, RoomId};

/// Names that are kept; past it all are forgotten, and asked for again when they are needed.
const NAMES_MAX: usize = 65_536;

/// The account that stands for the daemon itself.
const DAEMON: AccountId = AccountId(0);

/// What accounts and rooms are called.
#[derive(Debug, Default)]
pub struct Names {
    accounts: HashMap<AccountId, String>,
    rooms: HashMap<RoomId, String>,
    wanted: BTreeSet<AccountId>,
    asked: BTreeSet<AccountId>,
    /// Whether a name has come that was wanted.
    news: bool,
}

impl Names {
    /// An account's name, when it is known. The daemon's is empty.
    #[must_use]
    pub fn account(&self, account: AccountId) -> Option<&str> {
        match self.accounts.get(&account) {
            Some(known) => Some(known),
            None if account == DAEMON => Some(""),
            None => None,
        }
    }

    /// A room's name, when it is known, else a stand-in that no room can have.
    pub(crate) fn room(&self, room: RoomId) -> String {
        self.rooms.get(&room).cloned().unwrap_or_else(|| format!("?{room}"))
    }

    pub(crate) fn knows_room(&self, room: RoomId) -> bool {
        self.rooms.contains_key(&room)
    }

    pub(crate) fn learn_room(&mut self, room: RoomId, name: &str) {
        if self.rooms.len() >= NAMES_MAX {
            self.rooms.clear();
        }
        self.rooms.insert(room, name.to_owned());
    }

    /// An account has this name now, whoever says so.
    pub fn learn_account(&mut self, account: AccountId, name: String) {
        if self.accounts.len() >= NAMES_MAX {
            self.accounts.clear();
        }
        self.news |= self.wanted.remove(&account) || self.asked.contains(&account);
        self.accounts.insert(account, name);
        debug_assert!(self.accounts.len() <= NAMES_MAX, "names are bounded");
    }

    /// Whether names have come that something waits for, by whatever way: an answer, a subscription,
    /// an event.
    pub fn take_news(&mut self) -> bool {
        std::mem::take(&mut self.news)
    }

    /// An account has another name from now on. The old one comes back, if anybody was told it.
    pub fn rename(&mut self, account: AccountId, name: &str) -> Option<String> {
        let known = self.accounts.get_mut(&account).filter(|known| *known != name)?;
        Some(std::mem::replace(known, name.to_owned()))
    }

    /// An account may have been renamed while nobody told of it.
    pub fn forget_account(&mut self, account: AccountId) {
        self.accounts.remove(&account);
    }

    /// Any account may have been.
    pub fn forget_accounts(&mut self) {
        self.accounts.clear();
    }

    /// The name of an account is needed.
    pub fn want(&mut self, account: AccountId) {
        if self.account(account).is_none() && !self.asked.contains(&account) {
            self.wanted.insert(account);
        }
    }

    /// The next accounts to ask for, when no question is out.
    pub fn next_question(&mut self) -> Option<Vec<AccountId>> {
        if self.wanted.is_empty() || !self.asked.is_empty() {
            return None;
        }
        let page: Vec<_> = self.wanted.iter().copied().take(PAGE_ITEMS_MAX).collect();
        debug_assert!(!page.is_empty(), "a question asks for somebody");
        for account in &page {
            self.wanted.remove(account);
            self.asked.insert(*account);
        }
        debug_assert!(self.wanted.is_disjoint(&self.asked), "nobody is asked for twice at a time");
        Some(page)
    }

    /// The answer: whoever is not in it does not exist, and gets a stand-in.
    pub fn answered(&mut self, accounts: Vec<chat_proto::AccountInfo>) {
        for info in accounts {
            self.learn_account(info.account, info.name);
            self.asked.remove(&info.account);
        }
        // A stand-in, or whatever waits for that name would wait for ever.
        for nobody in std::mem::take(&mut self.asked) {
            self.news = true;
            self.learn_account(nobody, format!("?{nobody}"));
        }
    }

    /// There is no answer, but later there may be one.
    pub fn unanswered(&mut self) {
        self.wanted.append(&mut self.asked);
    }
}

#[cfg(test)]
mod tests {
    use chat_proto::AccountInfo;

    use super::*;

    #[test]
    fn a_name_is_asked_for_once_and_nobody_gets_a_stand_in() {
        let mut names = Names::default();
        names.want(AccountId(1));
        names.want(AccountId(2));
        assert_eq!(names.next_question(), Some(vec![AccountId(1), AccountId(2)]));
        names.want(AccountId(1));
        assert_eq!(names.next_question(), None);
        let ada = AccountInfo { account: AccountId(1), name: "ada".into() };
        names.answered(vec![ada]);
        assert_eq!(names.account(AccountId(1)), Some("ada"));
        assert_eq!(names.account(AccountId(2)), Some("?2"));
        assert_eq!(names.account(DAEMON), Some(""));
    }

    #[test]
    fn a_question_that_was_lost_is_asked_again() {
        let mut names = Names::default();
        names.want(AccountId(1));
        names.next_question().unwrap();
        names.unanswered();
        assert_eq!(names.next_question(), Some(vec![AccountId(1)]));
    }

    #[test]
    fn many_names_are_asked_for_page_by_page() {
        let mut names = Names::default();
        (1..=300).for_each(|id| names.want(AccountId(id)));
        assert_eq!(names.next_question().unwrap().len(), PAGE_ITEMS_MAX);
        names.answered(Vec::new());
        assert_eq!(names.next_question().unwrap().len(), 300 - PAGE_ITEMS_MAX);
    }
}
