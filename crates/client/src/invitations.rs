//! Invitations: others are let in.

use chat_proto::{
    CreateInvitation, InvitationId, InvitationInfo, InvitationMade, Invitations, List,
    RevokeInvitation, RoomId,
};

use crate::answers::RequestError;
use crate::client::Client;
use crate::listed::Listed;

/// Far more than a daemon lets one account have.
const OPEN_MAX: usize = 1_000;

impl Client {
    /// Makes an invitation, with which so many may make an account within so many seconds, and become
    /// members of these rooms (16 at the most). Its code is told this once: a secret.
    ///
    /// # Errors
    /// [`RequestError`].
    pub async fn invite(
        &self,
        uses: u32,
        seconds: u32,
        rooms: &[RoomId],
    ) -> Result<InvitationMade, RequestError> {
        let (rooms, name) = (List::first_of(rooms.iter().copied()), String::new());
        self.ask(CreateInvitation { uses, seconds, rooms, name }).await
    }

    /// One's own invitations that are open, in order of their ids; some may have expired.
    ///
    /// # Errors
    /// [`RequestError`].
    pub async fn invitations(&self) -> Result<Vec<InvitationInfo>, RequestError> {
        let (mut open, mut after) = (Listed::at_most(OPEN_MAX), InvitationId(0));
        loop {
            let page = self.ask(Invitations { after }).await?;
            match open.take(page.invitations.into_vec(), page.more)? {
                Some(InvitationInfo { invitation, .. }) => after = *invitation,
                None => return Ok(open.into_entries()),
            }
        }
    }

    /// Ends an invitation of one's own.
    ///
    /// # Errors
    /// [`RequestError`].
    pub async fn revoke_invitation(&self, invitation: InvitationId) -> Result<(), RequestError> {
        self.ask(RevokeInvitation { invitation }).await.map(drop)
    }
}
