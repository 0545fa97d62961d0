//! The invitation that a daemon shows when it starts.

use chat_core::Registration;
use chat_proto::InvitationCode;

use super::Server;
use crate::ctl::NewTerms;

/// For how many, and how many seconds long, the invitation is that is shown at the start.
const FIRST_INVITATION: (u32, u32) = (20, 7 * 24 * 60 * 60);

impl Server {
    /// Whether somebody new needs an invitation who comes over the network.
    #[must_use]
    pub fn needs_invitation(&self) -> bool {
        self.live.admission().at_network == Registration::Invite
    }

    /// An invitation for a few people in the next days, when somebody new needs one: it is as secret as
    /// where it is shown. `None`: nobody does, or it could not be made, which the log says.
    pub async fn first_invitation(&self) -> Option<InvitationCode> {
        if !self.needs_invitation() {
            return None;
        }
        let (uses, seconds) = FIRST_INVITATION;
        let terms = NewTerms { uses, seconds, rooms: Vec::new(), name: String::new() };
        match self.operator.invite(terms).await {
            Ok(made) => Some(made.code),
            Err(error) => {
                tracing::warn!(%error, "no invitation could be made; `chatd ctl invite` makes one");
                None
            }
        }
    }
}
