//! Another client in the place of one that was refused: under another name, or with an invitation.

use chat_client::{Name, TargetUrl};
use chat_proto::Nickname;
use tokio::time::timeout;

use super::{Runtime, SHUTDOWN_TIMEOUT};
use crate::screen::ScreenError;
use crate::screen::update::Msg;

/// What everything begins anew with.
pub(super) enum Wish {
    /// Another name.
    Name(Nickname),
    /// The invitation of a join line.
    Invitation(Box<TargetUrl>),
}

impl Runtime {
    /// Ends the client, and begins another: under a name of its own, whose identity and outbox are others,
    /// or with an invitation.
    pub(super) async fn sign_in_anew(&mut self, wish: Wish) -> Result<(), ScreenError> {
        if timeout(SHUTDOWN_TIMEOUT, self.client.clone().shutdown()).await.is_err() {
            tracing::warn!("the client did not end in time");
        }
        match wish {
            Wish::Name(name) => {
                self.config.name = Name::firm(name.as_str());
                // It was for the account of before.
                self.config.link = None;
            }
            Wish::Invitation(line) if self.is_for_here(&line)? => {
                self.config.invitation = line.invite;
            }
            Wish::Invitation(_) => {
                let text = "that line is for another server: start chat-tui with it".to_owned();
                self.feed([Msg::Tell(text, true)])?;
            }
        }
        (self.client, self.events) = chat_client::start(self.config.clone())?;
        Ok(())
    }

    /// Whether a join line leads to this server: an invitation is shown to no other.
    fn is_for_here(&self, line: &TargetUrl) -> Result<bool, ScreenError> {
        Ok(match (line.fingerprint, self.config.known_server()?) {
            (Some(meant), Some(known)) => meant == known,
            _ => line.target == self.config.target,
        })
    }
}
