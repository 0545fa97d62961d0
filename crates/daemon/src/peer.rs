//! Who is at the other end of a connection, and with whom it shares what it may have.
//!
//! It must not know what is spoken there, nor who has signed in.

use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use chat_core::WayIn;
use tokio::net::unix::UCred;

/// Who is at the other end of a connection, as the system knows it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Peer {
    /// A user of this machine, at the Unix socket, and the process where the system tells.
    User {
        /// Its number.
        uid: u32,
        /// The process that connected.
        process: Option<i32>,
    },
    /// Somebody at the Unix socket whom the system does not know any more.
    Unknown,
    /// Somebody at an IPv4 address and port.
    V4(Ipv4Addr, u16),
    /// Somebody at an IPv6 address and port. Its interface and flow label are left out: a whole
    /// `SocketAddrV6` would make each connection larger.
    V6(Ipv6Addr, u16),
}

impl Peer {
    /// Who was at the other end of a Unix socket when it was connected.
    pub(crate) fn of(credentials: io::Result<UCred>) -> Self {
        credentials.map_or(Self::Unknown, |of| Self::User { uid: of.uid(), process: of.pid() })
    }

    /// By which way it came.
    pub(crate) fn way_in(self) -> WayIn {
        match self {
            Self::User { .. } | Self::Unknown => WayIn::Socket,
            Self::V4(..) | Self::V6(..) => WayIn::Network,
        }
    }

    /// Its address, where it has one.
    pub(crate) fn ip(self) -> Option<IpAddr> {
        match self {
            Self::User { .. } | Self::Unknown => None,
            Self::V4(ip, _port) => Some(ip.into()),
            Self::V6(ip, _port) => Some(ip.into()),
        }
    }

    /// Who is at the other end of what this proxy passes on, as its header tells. A proxy elsewhere knows
    /// nobody on this machine: its own loopback counts as the proxy itself.
    pub(crate) fn passes_on(self, told: Self) -> Self {
        if self.is_elsewhere() && !told.is_elsewhere() { self } else { told }
    }

    /// Whether what it says comes over a network.
    pub(crate) fn is_elsewhere(self) -> bool {
        match self {
            Self::User { .. } | Self::Unknown => false,
            Self::V4(ip, _port) => !ip.is_loopback(),
            Self::V6(ip, _port) => !ip.to_canonical().is_loopback(),
        }
    }

    /// With whom it shares its share.
    pub(crate) fn network(self) -> Network {
        self.ip().map_or(Network::Local, Network::of)
    }
}

impl From<SocketAddr> for Peer {
    fn from(address: SocketAddr) -> Self {
        match address.ip() {
            IpAddr::V4(ip) => Self::V4(ip, address.port()),
            IpAddr::V6(ip) => Self::V6(ip, address.port()),
        }
    }
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User { uid, process: Some(process) } => {
                write!(f, "process {process} of user {uid}")
            }
            Self::User { uid, process: None } => write!(f, "user {uid}"),
            Self::Unknown => f.write_str("a process that is gone"),
            Self::V4(ip, port) => write!(f, "{ip}:{port}"),
            Self::V6(ip, port) => write!(f, "[{ip}]:{port}"),
        }
    }
}

/// Where a connection comes from, as far as those who share one are told apart from others.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) enum Network {
    /// The Unix socket.
    Local,
    /// An IPv4 address.
    V4(u32),
    /// The first half of an IPv6 address: who has one has all of the second half.
    V6(u64),
    /// The first 48 bits of an IPv6 address: what one customer has at the most.
    V6Site(u64),
    /// A proxy that has not told yet for whom it connects.
    Proxy,
}

impl Network {
    /// That of an address; one of IPv4 is the same however it is written.
    fn of(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(ip) => Self::V4(ip.to_bits()),
            IpAddr::V6(ip) => Self::V6((ip.to_bits() >> 64) as u64),
        }
    }

    /// The wider one around it, where there is one.
    pub(crate) fn site(self) -> Option<Self> {
        match self {
            Self::V6(prefix) => Some(Self::V6Site(prefix >> 16)),
            Self::Local | Self::V4(_) | Self::V6Site(_) | Self::Proxy => None,
        }
    }

    /// Whether it has limits of its own: this machine has none, whichever way it comes.
    pub(crate) fn is_limited(self) -> bool {
        match self {
            Self::Local | Self::Proxy => false,
            Self::V4(ip) => !Ipv4Addr::from_bits(ip).is_loopback(),
            Self::V6(prefix) => prefix != 0,
            Self::V6Site(_) => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_shares_a_network_is_told_apart_from_others() {
        let of = |address: &str| Network::of(address.parse().unwrap());
        assert_eq!(of("::ffff:192.0.2.1"), of("192.0.2.1"));
        assert_eq!(of("2001:db8::1"), of("2001:db8::ffff:0:0:2"));
        assert_ne!(of("2001:db8::1"), of("2001:db8:0:1::1"));
        assert_ne!(of("192.0.2.1"), of("192.0.2.2"));
    }

    #[test]
    fn a_proxy_elsewhere_passes_nobody_on_who_is_on_this_machine() {
        let peer = |of: &str| Peer::from(of.parse::<SocketAddr>().unwrap());
        let (proxy, here) = (peer("192.0.2.1:9"), peer("127.0.0.1:8"));
        for told in [here, peer("[::1]:7"), peer("[::ffff:127.0.0.1]:6")] {
            assert_eq!(proxy.passes_on(told), proxy, "{told}");
            assert_eq!(here.passes_on(told), told, "a proxy on this machine does");
        }
        let stranger = peer("198.51.100.7:5");
        assert_eq!(proxy.passes_on(stranger), stranger);
        assert_eq!(here.passes_on(stranger), stranger);
    }

    #[test]
    fn who_is_on_this_machine_is_told_apart_from_who_is_elsewhere() {
        let is_elsewhere = |of: &str| Peer::from(of.parse::<SocketAddr>().unwrap()).is_elsewhere();
        for here in ["127.0.0.1:1", "127.9.9.9:1", "[::1]:1", "[::ffff:127.0.0.1]:1"] {
            assert!(!is_elsewhere(here), "{here}");
        }
        for there in ["192.0.2.1:1", "[2001:db8::1]:1", "[::ffff:192.0.2.1]:1", "[fe80::1]:1"] {
            assert!(is_elsewhere(there), "{there}");
        }
        assert!(!Peer::Unknown.is_elsewhere(), "the Unix socket");
    }

    #[test]
    fn a_peer_is_small_and_told_as_its_address() {
        assert!(size_of::<Peer>() <= 20, "{} bytes", size_of::<Peer>());
        for address in ["192.0.2.1:9", "[2001:db8::1]:65535"] {
            assert_eq!(Peer::from(address.parse::<SocketAddr>().unwrap()).to_string(), address);
        }
    }
}
