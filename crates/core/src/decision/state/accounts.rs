//! Signing in and names of accounts.

use chat_proto::{AccountId, Credential, CredentialKind, InvitationHash, NameError, Nickname, Seq};

use super::{Answer, InvitationRow, Transition};
use crate::{Content, NameStem, Named, Refusal, Registration, WishedName};

/// Behind the numbers that are tried one by one for a name that is taken.
const SMALL_NUMBERS_END: u64 = 100;

/// Among so many a place is chosen then.
const LARGE_NUMBERS: u64 = 1_000_000;

/// An account as the tables of a store have it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AccountRow {
    /// Its id.
    pub id: AccountId,
    /// Its nickname.
    pub name: Named<Nickname>,
    /// The head of its log.
    pub head: Seq,
    /// Why nobody signs in to it; `None`: its owner does.
    pub disabled: Option<Box<str>>,
    /// Whether it is an administrator of the server.
    pub is_administrator: bool,
    /// Whether the log of a public room has told of it: everybody may know its name.
    pub is_known: bool,
}

impl AccountRow {
    /// An account of which nothing else has been said.
    #[must_use]
    pub fn new(id: AccountId, name: Named<Nickname>, head: Seq) -> Self {
        Self { id, name, head, disabled: None, is_administrator: false, is_known: false }
    }
}

impl Transition<'_> {
    /// The account of a credential; a new one gets an account where it is admitted.
    pub(super) fn sign_in(
        &mut self,
        credential: Credential,
        (name, name_is_firm): (Result<Box<WishedName>, NameError>, bool),
        registration: Registration,
        invitation: Option<&InvitationHash>,
    ) -> Result<Answer, Refusal> {
        match self.state.account_of.get(&credential) {
            Some(known) if self.state.has_ended(*known, self.now) => return Err(Refusal::BadToken),
            Some(known) => {
                self.state.access(*known).may_act()?;
                return Ok(Answer::SignedIn(*known));
            }
            // Nobody learns what is wrong with a token.
            None if credential.kind() == CredentialKind::Token => return Err(Refusal::BadToken),
            None => {}
        }
        self.state.accepts(credential.id())?;
        // Before the name is looked at: who is not let in learns of none.
        let admitted = self.admit(registration, invitation)?;
        self.register(credential, name, name_is_firm, admitted.as_ref())
    }

    /// A credential gets an account; the first to claim a name has it. `invitation` is what it was
    /// admitted with.
    fn register(
        &mut self,
        credential: Credential,
        name: Result<Box<WishedName>, NameError>,
        name_is_firm: bool,
        invitation: Option<&InvitationRow>,
    ) -> Result<Answer, Refusal> {
        let WishedName { named, is_reserved, stem } = *name?;
        let name = match self.is_free_for(&named, is_reserved, None) {
            Ok(()) => named,
            Err(refusal) if name_is_firm => return Err(refusal),
            Err(_) => self.numbered(&stem),
        };
        let id = AccountId(self.state.next_id(self.state.secret()));
        self.append(id.into(), Content::AccountCreated { credential, name });
        if let Some(invitation) = invitation {
            self.use_invitation(id, invitation);
        }
        Ok(Answer::SignedIn(id))
    }

    /// Another nickname. It stands in the account's log alone: names are attributes, and rooms have
    /// none of them in their logs.
    pub(super) fn rename(
        &mut self,
        id: AccountId,
        wished: Named<Nickname>,
        is_reserved: bool,
    ) -> Result<Answer, Refusal> {
        self.state.access(id).can_change_itself()?;
        self.is_free_for(&wished, is_reserved, Some(id))?;
        let Some(account) = self.state.accounts.get(&id) else {
            return Err(Refusal::NotReadable { log: id.0 });
        };
        if account.name != wished.name {
            self.append(id.into(), Content::AccountRenamed { by: id, name: wished });
        }
        Ok(Answer::Done)
    }

    /// Whether an account, or a new one, may be called so.
    pub(super) fn is_free_for(
        &self,
        wished: &Named<Nickname>,
        is_reserved: bool,
        id: Option<AccountId>,
    ) -> Result<(), Refusal> {
        let wish = || wished.name.to_string();
        if is_reserved {
            return Err(Refusal::NameReserved { wished: wish() });
        }
        match self.state.account_names.holder(&wished.keys) {
            Some(holder) if Some(holder) != id => {
                let holder = self.state.accounts.get(&holder);
                let holder = holder.map(|account| account.name.to_string()).unwrap_or_default();
                Err(Refusal::NameTaken { wished: wish(), holder })
            }
            _ => Ok(()),
        }
    }

    /// The first free one of `name-2`, `name-3`, …; the name is cut where the number needs room.
    /// When the small numbers are taken, those from a place on are tried that follows from the next
    /// id: nearly always the first of them is free, so that a thousand of one name do not make the
    /// next one dear.
    fn numbered(&self, stem: &NameStem) -> Named<Nickname> {
        let next_id = self.state.next_id(self.state.secret());
        (2..SMALL_NUMBERS_END)
            .chain(SMALL_NUMBERS_END + next_id % LARGE_NUMBERS..NameStem::NUMBERS_END)
            .map(|number| stem.numbered(number))
            .find(|named| self.state.account_names.holder(&named.keys).is_none())
            .expect("there are more numbers than accounts of one name")
    }
}
