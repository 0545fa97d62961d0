//! What the account signs in with: other devices are linked and revoked.

use chat_proto::{CredentialId, Device, Devices, LinkCode, OpenLink, RevokeCredential};

use crate::answers::RequestError;
use crate::client::Client;
use crate::event::Refusal;
use crate::identity::random_bytes;

impl Client {
    /// Lets one device more sign in to the account, in the next ten minutes, with the code that this
    /// gives: a secret. A code that was given before is good for nothing from then on.
    ///
    /// # Errors
    /// [`RequestError`].
    pub async fn open_link(&self) -> Result<LinkCode, RequestError> {
        let drawn = random_bytes().map_err(|error| {
            Refusal::local(format!("the system gives no random numbers: {error}"))
        })?;
        let code = LinkCode(drawn);
        let server = self.server_key().ok_or(RequestError::NotConnected)?;
        self.ask(OpenLink { code: code.for_server(&server).hash() }).await?;
        Ok(code)
    }

    /// What the account signs in with, in the order in which it was added.
    ///
    /// # Errors
    /// [`RequestError`].
    pub async fn devices(&self) -> Result<Vec<Device>, RequestError> {
        Ok(self.ask(Devices {}).await?.devices.into_vec())
    }

    /// Takes a credential from the account: whoever is signed in with it is cut off, and signs in no
    /// more.
    ///
    /// # Errors
    /// [`RequestError`].
    pub async fn revoke(&self, credential: CredentialId) -> Result<(), RequestError> {
        self.ask(RevokeCredential { credential }).await.map(drop)
    }
}
