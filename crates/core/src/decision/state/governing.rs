//! What is done to accounts by whoever runs the server.

use chat_proto::{AccountId, Credential, Nickname};

use super::{Account, Answer, State, Transition};
use crate::{AccountChange, AccountOrder, AccountSetting, Content, Named, Refusal};

impl State {
    /// How many accounts and rooms there are.
    pub(crate) fn counts(&self) -> (usize, usize) {
        (self.accounts.len(), self.rooms.len())
    }

    /// The accounts that nobody may be signed in to.
    pub(crate) fn disabled_accounts(&self) -> impl Iterator<Item = AccountId> {
        let disabled = self.accounts.iter().filter(|(_id, account)| account.disabled.is_some());
        disabled.map(|(id, _account)| *id)
    }

    /// The event says what whoever runs the server has set.
    pub(super) fn set_account(&mut self, id: AccountId, setting: AccountSetting<'_>) {
        let account = self.accounts.get_mut(&id).expect("an account that was made is set");
        match setting {
            AccountSetting::Disabled(why) => {
                account.disabled = why.map(Into::into);
                // Nor does what was opened before come back with it.
                self.use_link(id);
            }
            AccountSetting::Administrator(is_set) => account.is_administrator = is_set,
        }
    }
}

impl Transition<'_> {
    /// Carries an order about an account out.
    pub(super) fn govern(&mut self, order: AccountOrder) -> Result<Answer, Refusal> {
        let AccountOrder { by, name, change } = order;
        let access = self.state.access(by);
        access.can_govern()?;
        match change {
            AccountChange::Create { credential, fingerprint, is_reserved } => {
                // The same file may be imported again.
                let is_there = access.account_named(&name).is_ok_and(|(named, _account)| {
                    self.state.account_of.get(&credential) == Some(&named)
                });
                if !is_there {
                    self.create(by, (name, is_reserved), credential, fingerprint)?;
                }
            }
            AccountChange::ReplaceKey { credential, fingerprint } => {
                let (id, account) = access.account_named(&name)?;
                self.replace_key(by, (id, account), credential, fingerprint)?;
            }
            AccountChange::Rename { to, is_reserved } => {
                let (id, account) = access.account_named(&name)?;
                self.is_free_for(&to, is_reserved, Some(id))?;
                if account.name != to.name {
                    self.append(id.into(), Content::AccountRenamed { by, name: to });
                }
            }
            AccountChange::Disable { reason } => {
                let (id, account) = access.account_named(&name)?;
                if account.disabled.as_deref() != Some(&*reason) {
                    self.append(id.into(), Content::AccountDisabled { by, reason });
                }
            }
            AccountChange::Enable => {
                let (id, account) = access.account_named(&name)?;
                if account.disabled.is_some() {
                    self.append(id.into(), Content::AccountEnabled { by });
                }
            }
            AccountChange::SetAdministrator { is_set } => {
                let (id, account) = access.account_named(&name)?;
                if account.is_administrator != is_set {
                    self.append(id.into(), Content::AdministratorSet { by, is_set });
                }
            }
        }
        Ok(Answer::Done)
    }

    /// An account for whoever has a key. No name is invented for one that is taken.
    fn create(
        &mut self,
        by: AccountId,
        (name, is_reserved): (Named<Nickname>, bool),
        credential: Credential,
        fingerprint: String,
    ) -> Result<(), Refusal> {
        self.is_nobodys(&credential)?;
        self.is_free_for(&name, is_reserved, None)?;
        let id = AccountId(self.state.next_id(self.state.secret()));
        self.append(id.into(), Content::AccountCreated { credential, name });
        self.append(id.into(), Content::KeySet { by, fingerprint });
        Ok(())
    }

    /// A key takes the place of all that has signed in to an account, which may have been stolen.
    fn replace_key(
        &mut self,
        by: AccountId,
        (id, account): (AccountId, &Account),
        credential: Credential,
        fingerprint: String,
    ) -> Result<(), Refusal> {
        let (own, others): (Vec<_>, Vec<_>) =
            account.credentials.iter().partition(|held| held.credential == credential);
        if own.is_empty() {
            self.is_nobodys(&credential)?;
        } else if others.is_empty() {
            return Ok(());
        }
        for held in others {
            let credential = held.credential;
            self.append(id.into(), Content::CredentialRemoved { credential });
        }
        if own.is_empty() {
            let label = String::new();
            self.append(id.into(), Content::CredentialAdded { credential, label });
        }
        self.append(id.into(), Content::KeySet { by, fingerprint });
        Ok(())
    }

    fn is_nobodys(&self, credential: &Credential) -> Result<(), Refusal> {
        let Some(holder) = self.state.account_of.get(credential) else { return Ok(()) };
        let holder = self.state.accounts.get(holder);
        Err(Refusal::KeyTaken {
            holder: holder.map(|held| held.name.to_string()).unwrap_or_default(),
        })
    }
}
