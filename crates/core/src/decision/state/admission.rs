//! Invitations: who may make one, who may come in with it, and which are open.
//!
//! A code is found by its hash alone: what is used up, expired, revoked or made up is not there, and is
//! answered by the same words after the same look. It must not know where a code was drawn.

use std::collections::{BTreeMap, BTreeSet};

use chat_proto::limits::{
    INVITATION_ROOMS_MAX, INVITATION_SECONDS_MAX, INVITATION_USES_MAX, INVITATIONS_MAX,
    INVITATIONS_PER_ACCOUNT_MAX, NAME_BYTES_MAX,
};
use chat_proto::{AccountId, InvitationHash, InvitationId, LogId, RoomId, Timestamp};

use super::{Answer, Transition};
use crate::{Content, NewInvitation, Refusal, Registration};

/// An invitation that is open, as the tables of a store have it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct InvitationRow {
    /// Of its code; its id is made of it.
    pub hash: InvitationHash,
    /// Who has made it; 0: the operator.
    pub by: AccountId,
    /// How many accounts may still be made with it.
    pub uses_left: u32,
    /// It is good before this time.
    pub expires: Timestamp,
    /// The rooms that a new account is made a member of, rising.
    pub rooms: Vec<RoomId>,
    /// For whom it is; may be empty.
    pub name: String,
}

impl InvitationRow {
    /// Its id.
    #[must_use]
    pub fn id(&self) -> InvitationId {
        self.hash.id()
    }
}

/// The invitations that are open, and some that have expired: those go with the next that is made.
#[derive(Clone, Debug, Default)]
#[cfg_attr(test, derive(PartialEq))]
pub(crate) struct Invitations {
    open: BTreeMap<InvitationId, InvitationRow>,
    of_account: BTreeMap<AccountId, BTreeSet<InvitationId>>,
    by_expiry: BTreeSet<(Timestamp, InvitationId)>,
}

impl Invitations {
    /// The one of an id, when it is open.
    pub(super) fn at(&self, id: InvitationId) -> Option<&InvitationRow> {
        self.open.get(&id)
    }

    /// All of them behind an id.
    pub(super) fn after(&self, after: InvitationId) -> impl Iterator<Item = &InvitationRow> {
        self.open.range(InvitationId(after.0.saturating_add(1))..).map(|(_id, row)| row)
    }

    /// All of them, in order of their ids.
    pub(super) fn rows(&self) -> impl Iterator<Item = &InvitationRow> {
        self.open.values()
    }

    /// Those of an account, behind an id.
    pub(super) fn of(
        &self,
        account: AccountId,
        after: InvitationId,
    ) -> impl Iterator<Item = &InvitationRow> {
        let behind = InvitationId(after.0.saturating_add(1));
        let own = self.of_account.get(&account).into_iter();
        own.flat_map(move |ids| ids.range(behind..)).filter_map(|id| self.open.get(id))
    }

    /// One is made: those that have expired by then go.
    pub(super) fn begin(&mut self, row: InvitationRow, now: Timestamp) {
        while let Some((expires, id)) = self.by_expiry.first().copied()
            && expires <= now
        {
            self.end(id);
        }
        self.restore(row);
    }

    /// One is there.
    pub(super) fn restore(&mut self, row: InvitationRow) {
        let id = row.id();
        debug_assert!(!self.open.contains_key(&id), "an id is given once at a time");
        self.of_account.entry(row.by).or_default().insert(id);
        self.by_expiry.insert((row.expires, id));
        self.open.insert(id, row);
    }

    /// One was used: with its last use it ends.
    pub(super) fn count_use(&mut self, id: InvitationId) {
        let row = self.open.get_mut(&id).expect("what is used is open");
        row.uses_left -= 1;
        if row.uses_left == 0 {
            self.end(id);
        }
    }

    /// One is open no more.
    pub(super) fn end(&mut self, id: InvitationId) {
        let row = self.open.remove(&id).expect("what ends is open");
        self.by_expiry.remove(&(row.expires, id));
        if let Some(ids) = self.of_account.get_mut(&row.by) {
            ids.remove(&id);
            if ids.is_empty() {
                self.of_account.remove(&row.by);
            }
        }
    }

    /// The one with this code, when it is good.
    fn good(&self, hash: &InvitationHash, now: Timestamp) -> Option<&InvitationRow> {
        let found = self.open.get(&hash.id());
        found.filter(|row| row.hash == *hash && row.expires > now && row.uses_left > 0)
    }

    /// Whether there is no room for one more, also when those go that have expired.
    fn is_full(&self, now: Timestamp) -> bool {
        let oldest = self.by_expiry.first();
        self.open.len() >= INVITATIONS_MAX && oldest.is_none_or(|(expires, _id)| *expires > now)
    }
}

impl Transition<'_> {
    /// Makes an invitation into rooms of the account's own.
    pub(super) fn create_invitation(
        &mut self,
        by: AccountId,
        new: NewInvitation,
    ) -> Result<Answer, Refusal> {
        let NewInvitation { hash, uses, seconds, mut rooms, name } = new;
        rooms.sort_unstable();
        rooms.dedup();
        let access = self.state.access(by);
        access.can_invite()?;
        rooms.iter().try_for_each(|room| access.can_invite_into(*room).map(drop))?;
        let is_bounded = (1..=INVITATION_USES_MAX).contains(&uses)
            && (1..=INVITATION_SECONDS_MAX).contains(&seconds)
            && rooms.len() <= INVITATION_ROOMS_MAX
            && name.len() <= NAME_BYTES_MAX;
        if !is_bounded {
            return Err(Refusal::BadTerms);
        }
        let (invitations, now) = (&self.state.invitations, self.now);
        let own = invitations.of(by, InvitationId(0)).filter(|row| row.expires > now).count();
        if own >= INVITATIONS_PER_ACCOUNT_MAX || invitations.is_full(now) {
            return Err(Refusal::TooManyInvitations);
        }
        let id = hash.id();
        if invitations.open.contains_key(&id) {
            // Of two codes in 2^48 that are open together. The next one is another.
            return Err(Refusal::Busy);
        }
        let expires = Timestamp(now.0.saturating_add(u64::from(seconds) * 1000));
        let (rooms, name) = (rooms.into(), name.into());
        let content = Content::InvitationCreated { by, hash, uses, expires, rooms, name };
        self.append(LogId::SERVER, content);
        Ok(Answer::Invitation { id, expires })
    }

    /// Ends an invitation of the account's own.
    pub(super) fn revoke_invitation(
        &mut self,
        by: AccountId,
        id: InvitationId,
    ) -> Result<Answer, Refusal> {
        self.state.access(by).can_revoke(id)?;
        self.append(LogId::SERVER, Content::InvitationRevoked { id, by });
        Ok(Answer::Done)
    }

    /// Whether somebody without an account gets one; the invitation that this takes, where there is a
    /// good one.
    pub(super) fn admit(
        &self,
        registration: Registration,
        invitation: Option<&InvitationHash>,
    ) -> Result<Option<InvitationRow>, Refusal> {
        let good = invitation.and_then(|hash| self.state.invitations.good(hash, self.now));
        // Whoever is not let in any more lets nobody in.
        let good = good.filter(|row| self.state.access(row.by).may_act().is_ok());
        match (registration, good, invitation) {
            (Registration::Closed, _, _) | (Registration::Invite, None, None) => {
                Err(Refusal::NotAdmitted { registration })
            }
            (Registration::Invite, None, Some(_)) => Err(Refusal::BadInvitation),
            (Registration::Open, None, _) => Ok(None),
            (Registration::Open | Registration::Invite, Some(row), _) => Ok(Some(row.clone())),
        }
    }

    /// A new account has come in with an invitation: it becomes a member where the inviter is one still.
    pub(super) fn use_invitation(&mut self, account: AccountId, invitation: &InvitationRow) {
        let id = invitation.id();
        self.append(LogId::SERVER, Content::InvitationUsed { id, account });
        let access = self.state.access(invitation.by);
        for room in invitation.rooms.iter().copied() {
            if access.can_invite_into(room).is_ok() {
                self.append(room.into(), Content::Joined { account });
                self.take_over(room, account);
                self.append(account.into(), Content::RoomJoined { room });
            }
        }
    }
}
