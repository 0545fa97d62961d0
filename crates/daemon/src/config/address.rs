//! Addresses to listen at, as people write them.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::str::FromStr;

use chat_proto::DEFAULT_PORT;

/// A host and a port to listen at. Its text is what a resolver takes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Address(String);

/// Says why a text is no address.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum AddressError {
    /// No host is named.
    #[error("an address needs a host; 0.0.0.0 is every address of this machine")]
    NoHost,
    /// The host has characters that no host name has.
    #[error("{0:?} is no host name and no IP address")]
    BadHost(String),
    /// It is not clear where the IPv6 address ends and the port begins.
    #[error(
        "an IPv6 address stands in brackets: [{whole}], or [{host}]:{port} with the port {port}"
    )]
    Brackets {
        /// All of it.
        whole: String,
        /// What stands before the last colon.
        host: Ipv6Addr,
        /// What stands behind it.
        port: u16,
    },
    /// An IPv6 address with a port, without brackets.
    #[error("an IPv6 address with a port needs brackets: [{0}]:{1}")]
    NoBrackets(Ipv6Addr, u16),
    /// The port is none.
    #[error("{0:?} is no port; a port is a number from 0 (any free one) to 65535")]
    BadPort(String),
}

impl Default for Address {
    /// Loopback, at the default port.
    fn default() -> Self {
        Self::of_ip(Ipv4Addr::LOCALHOST.into())
    }
}

impl Address {
    fn of_ip(ip: IpAddr) -> Self {
        Self(SocketAddr::new(ip, DEFAULT_PORT).to_string())
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Address {
    type Err = AddressError;

    /// `HOST`, `HOST:PORT`, `[V6]`, `[V6]:PORT` or `V6`.
    fn from_str(text: &str) -> Result<Self, AddressError> {
        let text = text.trim();
        let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
        if let Ok(ip) = bare.parse() {
            if bare == text
                && let Some((host, port)) = v6_and_port(text)
            {
                return Err(AddressError::Brackets { whole: text.to_owned(), host, port });
            }
            return Ok(Self::of_ip(ip));
        }
        if let Ok(address) = text.parse::<SocketAddr>() {
            return Ok(Self(address.to_string()));
        }
        if let Some((host, port)) = v6_and_port(text) {
            return Err(AddressError::NoBrackets(host, port));
        }
        let (host, port) = match text.rsplit_once(':') {
            None => (text, DEFAULT_PORT),
            Some((host, port)) => {
                let number = port.parse().map_err(|_none| AddressError::BadPort(port.to_owned()));
                (host, number?)
            }
        };
        if host.is_empty() {
            return Err(AddressError::NoHost);
        }
        let is_of_hosts = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_');
        match host.chars().all(is_of_hosts) {
            true => Ok(Self(format!("{host}:{port}"))),
            false => Err(AddressError::BadHost(host.to_owned())),
        }
    }
}

/// What is an IPv6 address before the last colon, and a port behind it.
fn v6_and_port(text: &str) -> Option<(Ipv6Addr, u16)> {
    let (host, port) = text.rsplit_once(':')?;
    Some((host.parse().ok()?, port.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_without_a_port_gets_the_default_one() {
        for (text, address) in [
            ("0.0.0.0", "0.0.0.0:5018"),
            ("127.0.0.1:0", "127.0.0.1:0"),
            ("::", "[::]:5018"),
            ("[::]", "[::]:5018"),
            ("[::1]:7000", "[::1]:7000"),
            ("localhost", "localhost:5018"),
            ("chat.example.org:443", "chat.example.org:443"),
            (" 10.0.0.1 ", "10.0.0.1:5018"),
        ] {
            assert_eq!(text.parse().map(|parsed: Address| parsed.to_string()), Ok(address.into()));
        }
    }

    #[test]
    fn an_ipv6_address_that_may_end_in_a_port_is_asked_for_in_brackets() {
        for (text, hint) in [
            ("::1:7000", "[::1:7000], or [::1]:7000 with the port 7000"),
            ("2001:db8::5:22", "[2001:db8::5:22], or [2001:db8::5]:22 with the port 22"),
            (":::7000", "needs brackets: [::]:7000"),
            ("::1:50180", "needs brackets: [::1]:50180"),
        ] {
            let error = text.parse::<Address>().unwrap_err().to_string();
            assert!(error.ends_with(hint), "{text}: {error}");
        }
        for text in ["::1", "::", "2001:db8::1", "fe80::aff:1c", "[::1:7000]", "[::1]:7000"] {
            assert!(text.parse::<Address>().is_ok(), "{text}");
        }
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for text in ["", ":5018", "a b", "host:", "host:65536", "host:-1", "http://host", "[::1"] {
            assert!(text.parse::<Address>().is_err(), "{text:?}");
        }
    }
}
