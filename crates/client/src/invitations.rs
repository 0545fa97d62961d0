//! Invitations: others are let in.

use chat_proto::{
    CreateInvitation, InvitationId, InvitationInfo, InvitationMade, Invitations, List,
    RevokeInvitation, RoomId,
};

use crate::answers::RequestError;
use crate::client::Client;

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
        let (mut open, mut after) = (Vec::new(), InvitationId(0));
        loop {
            let page = self.ask(Invitations { after }).await?;
            open.extend(page.invitations.into_vec());
            match open.last() {
                Some(InvitationInfo { invitation, .. }) if page.more => after = *invitation,
                _ => return Ok(open),
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
