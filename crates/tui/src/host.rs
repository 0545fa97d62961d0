//! The daemon inside: `--serve` makes this terminal the server and a client of it at once.
//!
//! The only file that uses chatd. It must not know what else the process does.

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use chat_client::{Fingerprint, Target, TargetUrl};
use chat_proto::InvitationCode;
use chatd::ready::{Ready, has_way_for_others, on_loopback, seen_from_elsewhere};
use chatd::{Durability, Server, StartError};

use crate::exit::Exit;
use crate::reach::{Reach, SERVE_FOR_OTHERS};

/// Longest path of a Unix socket that every system takes, in bytes.
const SOCKET_PATH_BYTES_MAX: usize = 100;

/// A daemon that runs as long as this is there.
#[derive(Debug)]
pub struct Host {
    server: Server,
}

/// Says why there is no daemon inside.
#[derive(Debug, thiserror::Error)]
pub enum HostError {
    /// Somebody else listens there.
    #[error(
        "{address} is taken; a server may be running here already, and chat-tui without --serve \
         finds it. For a second one: chat-tui --serve {}:0", address.ip()
    )]
    Taken {
        /// The address that was asked for.
        address: SocketAddr,
    },
    /// Any other reason.
    #[error(transparent)]
    Start(#[from] StartError),
}

impl HostError {
    /// How the process ends.
    #[must_use]
    pub fn exit(&self) -> Exit {
        Exit::Internal
    }
}

impl Host {
    /// Starts the daemon, with its data under `DATA_DIR/server`.
    ///
    /// # Errors
    /// [`HostError`].
    pub async fn start(data_dir: &Path, address: SocketAddr) -> Result<Self, HostError> {
        let data_dir = data_dir.join("server");
        let config = chatd::Config {
            listen: vec![address.to_string()],
            socket: socket_in(&data_dir),
            data_dir,
            durability: Durability::Full,
            log: String::new(),
            ..chatd::Config::default()
        };
        match Server::start(config).await {
            Ok(server) => Ok(Self { server }),
            Err(StartError::Listen { cause, .. }) if cause.kind() == io::ErrorKind::AddrInUse => {
                Err(HostError::Taken { address })
            }
            Err(error) => Err(error.into()),
        }
    }

    /// How to reach it from this process. By its socket, if it has one: that is nobody else's,
    /// while the address may have been another server's before.
    #[must_use]
    pub fn server(&self) -> TargetUrl {
        let tcp = self.server.addresses().first().map(|address| {
            let address = on_loopback(*address);
            Target::Tcp { host: address.ip().to_string(), port: address.port() }
        });
        let socket = self.server.socket().map(|path| Target::Unix(path.to_owned()));
        TargetUrl {
            fingerprint: self.fingerprint(),
            ..TargetUrl::from(socket.or(tcp).unwrap_or(Target::Local))
        }
    }

    /// How others reach it.
    #[must_use]
    pub fn reach(&self) -> Reach {
        let addresses = self.server.addresses();
        let fingerprint = self.server.fingerprint();
        // An address is shorter than the path of a socket that lies with the data.
        let socket = self.server.socket().filter(|_socket| addresses.is_empty());
        let (needs_invitation, invitation) = (false, None);
        let ready = Ready { addresses, socket, fingerprint, needs_invitation, invitation };
        let here = ready.here();
        let address = addresses.iter().find(|address| !address.ip().is_loopback());
        Reach {
            here,
            address: address.map(|address| seen_from_elsewhere(*address)),
            fingerprint: self.fingerprint(),
            otherwise: SERVE_FOR_OTHERS,
        }
    }

    /// An invitation, when somebody new needs one who comes from elsewhere.
    pub async fn invitation(&self) -> Option<InvitationCode> {
        match has_way_for_others(self.server.addresses()) {
            true => self.server.first_invitation().await,
            false => None,
        }
    }

    /// Stops the daemon in order.
    pub async fn shutdown(self) {
        self.server.shutdown().await;
    }

    fn fingerprint(&self) -> Option<Fingerprint> {
        self.server.fingerprint().parse().ok()
    }
}

/// The socket, unless the system would not take its path.
fn socket_in(data_dir: &Path) -> Option<PathBuf> {
    let absolute = std::path::absolute(data_dir).ok()?;
    let path = absolute.join("chatd.sock");
    (path.as_os_str().len() <= SOCKET_PATH_BYTES_MAX).then_some(path)
}
