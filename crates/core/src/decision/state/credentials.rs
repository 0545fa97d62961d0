//! What accounts sign in with: devices are linked and revoked.
//!
//! Owns what the hot state holds of credentials. It must not know how one is proven: that the session has
//! done.

use chat_proto::limits::{CREDENTIALS_PER_ACCOUNT_MAX, LINK_CODE_MS};
use chat_proto::{AccountId, Credential, CredentialId, LinkCodeHash, Timestamp};

use super::{Account, Answer, State, Transition};
use crate::{Content, DeviceLink, Refusal};

/// A credential of an account.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct HeldCredential {
    /// Its id is a hash: it is made once.
    pub(crate) id: CredentialId,
    pub(crate) credential: Credential,
    pub(crate) label: String,
    pub(crate) added: Timestamp,
}

/// What lets one device more sign in to an account.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct OpenLink {
    pub(crate) code: LinkCodeHash,
    pub(crate) opened: Timestamp,
    /// It has let one in, which may ask again when it was not answered.
    pub(crate) is_used: bool,
}

/// A credential as the tables of a store have it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct CredentialRow {
    /// Whose it is, or was.
    pub account: AccountId,
    /// Which one.
    pub credential: Credential,
    /// What the device calls itself; empty of the account's first.
    pub label: String,
    /// When it was added.
    pub added: Timestamp,
    /// Whether it was taken from the account: it signs in to none.
    pub is_revoked: bool,
}

/// An account's newest link code as the tables of a store have it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct LinkRow {
    /// The account that a device may sign in to.
    pub account: AccountId,
    /// What names the code.
    pub code: LinkCodeHash,
    /// When it was opened.
    pub opened: Timestamp,
    /// Whether a device was linked with it.
    pub is_used: bool,
}

impl CredentialRow {
    /// The first credential of an account.
    #[must_use]
    pub fn first(account: AccountId, credential: Credential, added: Timestamp) -> Self {
        Self { account, credential, label: String::new(), added, is_revoked: false }
    }
}

impl OpenLink {
    fn is_open(&self, now: Timestamp) -> bool {
        // One of a time that has not come yet is none: a clock was ahead when it was opened.
        let age = now.0.checked_sub(self.opened.0);
        !self.is_used && age.is_some_and(|age| age < LINK_CODE_MS)
    }
}

impl State {
    /// A credential signs in to an account, behind those that it has.
    pub(super) fn add_credential(&mut self, row: CredentialRow) {
        let CredentialRow { account, credential, label, added, is_revoked } = row;
        let id = credential.id();
        if is_revoked {
            self.revoked.insert(id, (credential, account));
            return;
        }
        self.revoked.remove(&id);
        self.account_of.insert(credential, account);
        if let Some(account) = self.accounts.get_mut(&account) {
            account.credentials.push(HeldCredential { id, credential, label, added });
        }
    }

    /// A credential signs in to nobody any more, nor does what was opened with it: it could have been opened
    /// to come back with.
    pub(super) fn remove_credential(&mut self, account: AccountId, credential: &Credential) {
        let before = self.account_of.remove(credential);
        debug_assert_eq!(before, Some(account), "it was the account's");
        self.revoked.insert(credential.id(), (*credential, account));
        if let Some(held_by) = self.accounts.get_mut(&account) {
            held_by.credentials.retain(|held| held.credential != *credential);
        }
        self.use_link(account);
    }

    /// A link code takes the place of the one before.
    pub(super) fn open_link(&mut self, row: LinkRow) {
        let LinkRow { account: id, code, opened, is_used } = row;
        let Some(account) = self.accounts.get_mut(&id) else { return };
        if let Some(before) = account.link.replace(OpenLink { code, opened, is_used }) {
            self.links.remove(&before.code);
        }
        self.links.insert(code, id);
    }

    /// The account's code is good for nobody any more: a device was linked with it, or one was revoked.
    pub(super) fn use_link(&mut self, account: AccountId) {
        let link = self.accounts.get_mut(&account).and_then(|account| account.link.as_mut());
        link.into_iter().for_each(|link| link.is_used = true);
    }

    /// What a store would say of credentials and codes, in order of their accounts.
    pub(super) fn credential_rows(&self) -> Vec<CredentialRow> {
        let held = |(id, account): (&AccountId, &Account)| {
            let account_id = *id;
            let row = move |held: &HeldCredential| CredentialRow {
                account: account_id,
                credential: held.credential,
                label: held.label.clone(),
                added: held.added,
                is_revoked: false,
            };
            account.credentials.iter().map(row).collect::<Vec<_>>()
        };
        let revoked = self.revoked.values().map(|(credential, account)| CredentialRow {
            is_revoked: true,
            ..CredentialRow::first(*account, *credential, Timestamp(0))
        });
        let mut rows: Vec<_> = self.accounts.iter().flat_map(held).chain(revoked).collect();
        rows.sort_by_key(|row| row.account);
        rows
    }

    /// The same of link codes.
    pub(super) fn link_rows(&self) -> Vec<LinkRow> {
        let row = |(id, account): (&AccountId, &Account)| {
            let OpenLink { code, opened, is_used } = account.link?;
            Some(LinkRow { account: *id, code, opened, is_used })
        };
        let mut rows: Vec<_> = self.accounts.iter().filter_map(row).collect();
        rows.sort_unstable();
        rows
    }

    /// The account that a device signs in to which was linked to it with this code, however often it asks.
    pub(super) fn linked_before(&self, link: &DeviceLink) -> Option<AccountId> {
        let account = self.account_of.get(&link.credential)?;
        let open = self.accounts.get(account)?.link.as_ref()?;
        (open.code == link.code && open.is_used).then_some(*account)
    }
}

impl Transition<'_> {
    /// Adds a proven credential to the account of a code. What is wrong with a code, nobody learns.
    pub(super) fn link_device(&mut self, link: DeviceLink) -> Result<Answer, Refusal> {
        if let Some(account) = self.state.linked_before(&link) {
            self.state.access(account).may_act()?;
            return Ok(Answer::SignedIn(account));
        }
        let DeviceLink { credential, code, label } = link;
        let id = *self.state.links.get(&code).ok_or(Refusal::BadLinkCode)?;
        let account = self.state.accounts.get(&id).ok_or(Refusal::BadLinkCode)?;
        if !account.link.is_some_and(|open| open.is_open(self.now)) {
            return Err(Refusal::BadLinkCode);
        }
        // Whoever has a code that is good for nothing does not learn how the account stands.
        self.state.access(id).may_act()?;
        if self.state.account_of.contains_key(&credential) {
            return Err(Refusal::CredentialInUse);
        }
        // One that the account itself has revoked comes back with the code: its person has it.
        if self.state.revoked.get(&credential.id()).is_some_and(|(_held, of)| *of != id) {
            return Err(Refusal::CredentialRevoked);
        }
        if account.credentials.len() >= CREDENTIALS_PER_ACCOUNT_MAX {
            return Err(Refusal::TooManyCredentials);
        }
        self.append(id.into(), Content::CredentialAdded { credential, label });
        Ok(Answer::SignedIn(id))
    }

    /// Opens an account for one device more. The same code again changes nothing.
    pub(super) fn open_link(
        &mut self,
        id: AccountId,
        code: LinkCodeHash,
    ) -> Result<Answer, Refusal> {
        self.state.access(id).can_change_itself()?;
        let account = self.state.access(id).own_account()?;
        if account.link.is_some_and(|open| open.code == code) {
            return Ok(Answer::Done);
        }
        // Somebody else's: there is one in 2^256, or somebody has told theirs.
        if self.state.links.contains_key(&code) {
            return Err(Refusal::BadLinkCode);
        }
        if account.credentials.len() >= CREDENTIALS_PER_ACCOUNT_MAX {
            return Err(Refusal::TooManyCredentials);
        }
        self.append(id.into(), Content::LinkOpened { code });
        Ok(Answer::Done)
    }

    /// Takes a credential from its account. One that was taken already is gone.
    pub(super) fn revoke_credential(
        &mut self,
        id: AccountId,
        credential: CredentialId,
    ) -> Result<Answer, Refusal> {
        if self.state.revoked.get(&credential).is_some_and(|(_held, of)| *of == id) {
            return Ok(Answer::Done);
        }
        self.state.access(id).can_change_itself()?;
        let held = &self.state.access(id).own_account()?.credentials;
        let found = held.iter().find(|held| held.id == credential);
        let found = found.ok_or(Refusal::UnknownCredential)?;
        if held.len() == 1 {
            return Err(Refusal::LastCredential);
        }
        let credential = found.credential;
        self.append(id.into(), Content::CredentialRemoved { credential });
        Ok(Answer::Done)
    }
}

#[cfg(test)]
#[path = "credentials_tests.rs"]
mod tests;
