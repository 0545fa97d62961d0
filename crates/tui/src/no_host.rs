//! The twin of `host.rs` in a client that was built without the daemon (feature `serve`): nothing is
//! ever served, and `--serve` says what to do instead.

use std::net::SocketAddr;
use std::path::Path;

use chat_client::TargetUrl;
use chat_proto::InvitationCode;

use crate::exit::Exit;
use crate::reach::Reach;

/// There is none.
#[derive(Debug)]
pub enum Host {}

/// Says why there is no daemon inside.
#[derive(Debug, thiserror::Error)]
#[error(
    "this chat-tui was built without the server in it. Start one with `chatd`, then chat-tui \
     without --serve finds it; or build chat-tui with its feature `serve`"
)]
pub struct HostError;

impl Host {
    /// Starts nothing.
    ///
    /// # Errors
    /// Always.
    #[expect(clippy::unused_async, reason = "its twin waits for the daemon")]
    pub async fn start(_data_dir: &Path, _address: SocketAddr) -> Result<Self, HostError> {
        Err(HostError)
    }

    /// How to reach it from this process.
    #[must_use]
    pub fn server(&self) -> TargetUrl {
        match *self {}
    }

    /// How others reach it.
    #[must_use]
    pub fn reach(&self) -> Reach {
        match *self {}
    }

    /// None: nobody is served.
    #[expect(clippy::unused_async, reason = "its twin asks the daemon")]
    pub async fn invitation(&self) -> Option<InvitationCode> {
        match *self {}
    }

    /// Stops it.
    #[expect(clippy::unused_async, reason = "its twin waits for the daemon")]
    pub async fn shutdown(self) {
        match self {}
    }
}

impl HostError {
    /// How the process ends.
    #[must_use]
    pub fn exit(&self) -> Exit {
        Exit::Usage
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn who_asks_to_serve_is_told_what_to_do() {
        let address = "127.0.0.1:0".parse().unwrap();
        let refused = Host::start(Path::new("unused"), address).await.unwrap_err();
        assert!(matches!(refused.exit(), Exit::Usage));
        let told = refused.to_string();
        assert!(told.contains("`chatd`") && told.contains("feature `serve`"), "{told}");
    }
}
