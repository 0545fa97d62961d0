//! Commands that would change nothing.

use chat_proto::Credential;

use super::{Answer, State};
use crate::Action;

impl State {
    /// The answer to a command that would change nothing: somebody known signs in, a member joins
    /// again, an account takes the name that it has. It needs no place in the order. What it tells of is
    /// as durable as the state.
    #[must_use]
    pub fn answer_without_change(&self, action: &Action) -> Option<Answer> {
        if action.account().is_some_and(|asker| self.access(asker).may_act().is_err()) {
            return None;
        }
        match action {
            // Whether a token has ended is asked of the time.
            Action::SignIn { credential: Credential::Token(_), .. } => None,
            Action::SignIn { credential, .. } => {
                let known = self.account_of.get(credential).copied();
                known.filter(|id| self.access(*id).may_act().is_ok()).map(Answer::SignedIn)
            }
            Action::Join { account, name } => {
                let room = self.access(*account).room_named(name).ok()?;
                let joined = self.accounts.get(account)?.rooms.contains(room);
                joined.then_some(Answer::Room(room))
            }
            Action::Leave { account, room } => {
                let known = self.access(*account).can_leave(*room).ok()?;
                let is_concerned =
                    known.members.contains(*account) || known.invited.contains(*account);
                (!is_concerned).then_some(Answer::Done)
            }
            Action::Rename { account, name, .. } => {
                (self.accounts.get(account)?.name == name.name).then_some(Answer::Done)
            }
            Action::Genesis { .. } => self.has_begun().then_some(Answer::Done),
            Action::OpenDirect { account, with } => {
                let (id, room) = self.direct_between(*account, *with)?;
                let is_open = [account, with].iter().all(|member| room.members.contains(**member));
                is_open.then_some(Answer::Room(id))
            }
            Action::LinkDevice(link) => {
                let known = self.linked_before(link);
                known.filter(|id| self.access(*id).may_act().is_ok()).map(Answer::SignedIn)
            }
            Action::Authenticated { credential, action } => {
                self.accepts(*credential).ok()?;
                self.answer_without_change(action)
            }
            // They are seldom asked for in vain.
            Action::CreateRoom { .. }
            | Action::ChangeRoom { .. }
            | Action::Moderate { .. }
            | Action::CreateBot(_)
            | Action::RevokeToken { .. }
            | Action::OpenLink { .. }
            | Action::RevokeCredential { .. }
            | Action::CreateInvitation { .. }
            | Action::RevokeInvitation { .. }
            | Action::Govern(_)
            | Action::Post { .. } => None,
        }
    }
}
