//! Signing in and names of accounts.

use chat_proto::limits::{NAME_BYTES_MAX, NAME_GRAPHEMES_MAX};
use chat_proto::{AccountId, Credential, NameError, Nickname};

use super::{Answer, Transition};
use crate::decision::names::is_reserved;
use crate::{Content, Refusal};

/// Behind the numbers that are tried one by one for a name that is taken.
const SMALL_NUMBERS_END: u64 = 100;

/// Among so many a place is chosen then.
const LARGE_NUMBERS: u64 = 1_000_000;

impl Transition<'_> {
    /// The account of a credential; a new one gets an account, and the first to claim a name has it.
    pub(super) fn sign_in(
        &mut self,
        credential: Credential,
        name: Result<Nickname, NameError>,
        name_is_firm: bool,
    ) -> Result<Answer, Refusal> {
        if let Some(id) = self.state.account_of.get(&credential) {
            return Ok(Answer::SignedIn(*id));
        }
        let wished = name?;
        let name = match self.is_free_for(&wished, None) {
            Ok(()) => wished,
            Err(refusal) if name_is_firm => return Err(refusal),
            Err(_) => self.numbered(&wished),
        };
        let id = AccountId(self.state.next_id(self.state.secret()));
        self.append(id.into(), Content::AccountCreated { credential, name });
        Ok(Answer::SignedIn(id))
    }

    /// Another nickname. It stands in the account's log alone: names are attributes, and rooms have
    /// none of them in their logs.
    pub(super) fn rename(&mut self, id: AccountId, wished: Nickname) -> Result<Answer, Refusal> {
        self.is_free_for(&wished, Some(id))?;
        let Some(account) = self.state.accounts.get(&id) else {
            return Err(Refusal::NotReadable { log: id.0 });
        };
        if account.name != wished {
            self.append(id.into(), Content::AccountRenamed { name: wished });
        }
        Ok(Answer::Done)
    }

    /// Whether an account, or a new one, may be called so.
    fn is_free_for(&self, wished: &Nickname, id: Option<AccountId>) -> Result<(), Refusal> {
        if is_reserved(wished.as_str()) {
            return Err(Refusal::NameReserved { wished: wished.to_string() });
        }
        match self.state.account_names.holder(wished.as_str()) {
            Some(holder) if Some(holder) != id => Err(self.taken(wished, holder)),
            _ => Ok(()),
        }
    }

    fn taken(&self, wished: &Nickname, holder: AccountId) -> Refusal {
        let holder = self.state.accounts.get(&holder).map(|account| account.name.to_string());
        Refusal::NameTaken { wished: wished.to_string(), holder: holder.unwrap_or_default() }
    }

    /// The first free one of `name-2`, `name-3`, …; the name is cut where the number needs room.
    /// When the small numbers are taken, those from a place on are tried that follows from the next
    /// id: nearly always the first of them is free, so that a thousand of one name do not make the
    /// next one dear.
    fn numbered(&self, wished: &Nickname) -> Nickname {
        let next_id = self.state.next_id(self.state.secret());
        (2..SMALL_NUMBERS_END)
            .chain(SMALL_NUMBERS_END + next_id % LARGE_NUMBERS..)
            .filter_map(|number| Nickname::parse(&with_suffix(wished.as_str(), number)).ok())
            .find(|name| self.is_free_for(name, None).is_ok())
            .expect("there are more numbers than accounts")
    }
}

fn with_suffix(name: &str, number: u64) -> String {
    let suffix = format!("-{number}");
    // Characters, not graphemes: cutting inside a grapheme only drops marks from the last one.
    let mut kept: String = name.chars().take(NAME_GRAPHEMES_MAX - suffix.len()).collect();
    while kept.len() + suffix.len() > NAME_BYTES_MAX {
        kept.pop();
    }
    kept + &suffix
}
