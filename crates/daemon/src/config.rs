//! Configuration: what a daemon is told before it starts.
//!
//! Each setting is a flag, an environment variable and a line of a TOML file, and has a default;
//! the first of them that is there counts. What is not understood is refused, never ignored.

mod address;
mod args;
mod choices;
mod file;
mod limits;
mod print;
mod registration;
mod socket_mode;

use std::net::SocketAddr;
use std::path::PathBuf;

use chat_core::{Rate, Registration};
use chat_files::places;

use crate::store::Durability;
use crate::tls::CertificateFiles;

pub use address::{Address, AddressError};
pub use args::{Order, from_command_line, read_again};
pub use file::FileError;
pub use limits::Limits;
pub use registration::RegistrationSetting;
pub use socket_mode::SocketMode;

pub use crate::ip_network::{IpNetwork, IpNetworkError};

/// What is far above what people and programs ask for, and so little that nobody else feels it
/// (docs/adr/0017).
const REQUESTS_PER_SECOND: u64 = 5_000;

/// Who has asked nothing for so long may ask at once what the rate allows in that time.
const BURST_SECONDS: u64 = 4;

/// What a daemon is told before it starts.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Config {
    /// Where to listen for TCP, each as `HOST:PORT`; port 0 is any free one. None: nowhere.
    pub listen: Vec<String>,
    /// Where to listen for this machine's own clients, if at all.
    pub socket: Option<PathBuf>,
    /// Who may use the socket.
    pub socket_mode: SocketMode,
    /// The group of the socket, by name or number; `None`: that of the user who runs the daemon.
    pub socket_group: Option<String>,
    /// Where the store, the identity and the lock are.
    pub data_dir: PathBuf,
    /// What an acknowledged message survives.
    pub durability: Durability,
    /// Whether a new store may begin where there was one that is missing now.
    pub new_store: bool,
    /// Whether times in the future are corrected at this start, before anything else.
    pub correct_times: bool,
    /// How many requests an account may make in a second, over all its connections; at once it is
    /// those of four seconds.
    pub requests_per_second: u64,
    /// The certificate that is shown to whoever comes over TLS; without one, the daemon makes its own.
    pub certificate: Option<CertificateFiles>,
    /// Whether clients of other machines are served without TLS, too.
    pub insecure_plaintext: bool,
    /// How many connections there may be; never more than there are file descriptors for.
    pub connections: Option<usize>,
    /// Who gets an account.
    pub registration: RegistrationSetting,
    /// What strangers, networks and accounts may do.
    pub limits: Limits,
    /// Which log lines are written, as in `info` or `chatd=debug`.
    pub log: String,
}

impl Config {
    /// How fast an account may ask.
    pub(crate) fn rate(&self) -> Rate {
        let per_second = self.requests_per_second;
        Rate { per_second, burst: per_second.saturating_mul(BURST_SECONDS) }
    }

    /// Who gets an account over TCP, for a daemon that listens at these addresses. With a proxy in front,
    /// who comes by loopback may come from anywhere.
    pub(crate) fn registration_over_tcp(&self, addresses: &[SocketAddr]) -> Registration {
        let anywhere = SocketAddr::from(([0, 0, 0, 0], 0));
        let has_proxies = !self.limits.proxy_protocol_from.is_empty();
        let from: Vec<_> =
            addresses.iter().copied().chain(has_proxies.then_some(anywhere)).collect();
        self.registration.at_network(&from)
    }

    /// How many connections there may be, where the system allows so many.
    pub(crate) fn connections_within(&self, limit: usize) -> usize {
        self.connections.map_or(limit, |most| most.min(limit))
    }

    /// The names of those settings in which `new` differs and that count at a start only.
    #[must_use]
    pub fn changed_for_next_start(&self, new: &Self) -> Vec<&'static str> {
        let Self { listen, socket, data_dir, durability, new_store, .. } = self;
        let differ = [
            ("listen", *listen != new.listen),
            ("socket", *socket != new.socket),
            ("socket-mode", self.socket_mode != new.socket_mode),
            ("socket-group", self.socket_group != new.socket_group),
            ("data-dir", *data_dir != new.data_dir),
            ("durability", *durability != new.durability),
            ("new-store", *new_store != new.new_store),
        ];
        differ.into_iter().filter(|(_name, differs)| *differs).map(|(name, _)| name).collect()
    }
}

impl Default for Config {
    /// What counts when nothing else is said, for whoever runs this process.
    fn default() -> Self {
        let data_dir = places::data_dir();
        Self {
            listen: vec![Address::default().to_string()],
            socket: Some(places::socket(&data_dir)),
            socket_mode: SocketMode::USER,
            socket_group: None,
            data_dir,
            durability: Durability::default(),
            new_store: false,
            correct_times: false,
            requests_per_second: REQUESTS_PER_SECOND,
            certificate: None,
            insecure_plaintext: false,
            connections: None,
            registration: RegistrationSetting::Auto,
            limits: Limits::default(),
            log: "info".to_owned(),
        }
    }
}
