//! Networks, as people write them: an address and how many of its bits count.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// A network: all addresses that begin with the same bits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct IpNetwork {
    /// Its first address.
    first: IpAddr,
    bits: u8,
}

/// Says why a text is no network.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum IpNetworkError {
    /// It begins with no address.
    #[error("{0:?} is no network; one is written 10.0.0.0/8, 2001:db8::/32 or 192.0.2.7")]
    NoAddress(String),
    /// So many bits have no address.
    #[error("{text:?} is no network: an address has at most {most} bits")]
    BadBits {
        /// What was written.
        text: String,
        /// How many there are.
        most: u8,
    },
    /// The address has bits behind those that count: one of the two is a mistake.
    #[error("{text:?} is an address in the network {network}: write that, or the address alone")]
    NotTheFirst {
        /// What was written.
        text: String,
        /// The network that it is in.
        network: IpNetwork,
    },
}

impl IpNetwork {
    /// The network of so many bits that an address is in.
    fn around(address: IpAddr, bits: u8) -> Self {
        let first = match address {
            IpAddr::V4(ip) => {
                let mask = u32::MAX.checked_shl(32 - u32::from(bits)).unwrap_or(0);
                Ipv4Addr::from_bits(ip.to_bits() & mask).into()
            }
            IpAddr::V6(ip) => {
                let mask = u128::MAX.checked_shl(128 - u32::from(bits)).unwrap_or(0);
                Ipv6Addr::from_bits(ip.to_bits() & mask).into()
            }
        };
        Self { first, bits }
    }

    /// Whether an address is in it. One of IPv4 is the same however it is written.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        address.is_ipv4() == self.first.is_ipv4() && Self::around(address, self.bits) == *self
    }
}

impl fmt::Display for IpNetwork {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.first, self.bits)
    }
}

impl FromStr for IpNetwork {
    type Err = IpNetworkError;

    /// `ADDRESS` or `ADDRESS/BITS`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (address, bits) = match text.trim().split_once('/') {
            Some((address, bits)) => (address, Some(bits)),
            None => (text.trim(), None),
        };
        let no_address = |_none| IpNetworkError::NoAddress(text.to_owned());
        let address: IpAddr = address.parse().map_err(no_address)?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let bits = bits.map_or(Ok(most), str::parse).ok().filter(|bits| *bits <= most);
        let bad_bits = || IpNetworkError::BadBits { text: text.to_owned(), most };
        let network = Self::around(address, bits.ok_or_else(bad_bits)?);
        if network.first != address {
            return Err(IpNetworkError::NotTheFirst { text: text.to_owned(), network });
        }
        Ok(network)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_has_the_addresses_that_begin_like_it() {
        for (network, within, outside) in [
            ("10.0.0.0/8", "10.255.0.1", "11.0.0.1"),
            ("10.0.0.0/8", "::ffff:10.1.2.3", "::10.1.2.3"),
            ("192.0.2.7", "192.0.2.7", "192.0.2.6"),
            ("2001:db8::/32", "2001:db8:ffff::1", "2001:db9::"),
            ("::1", "::1", "::2"),
            ("0.0.0.0/0", "203.0.113.9", "2001:db8::1"),
            ("::/0", "2001:db8::1", "203.0.113.9"),
        ] {
            let parsed: IpNetwork = network.parse().unwrap();
            assert!(parsed.contains(within.parse().unwrap()), "{within} in {network}");
            assert!(!parsed.contains(outside.parse().unwrap()), "{outside} in {network}");
            assert!(parsed.to_string().starts_with(network));
        }
    }

    #[test]
    fn what_is_no_network_is_refused_with_what_may_be_meant() {
        for (text, hint) in [
            ("10.0.0.1/8", "in the network 10.0.0.0/8"),
            ("10.0.0.0/33", "at most 32 bits"),
            ("::/129", "at most 128 bits"),
            ("10.0.0.0/-1", "at most 32 bits"),
            ("10.0.0/8", "is no network"),
            ("localhost", "is no network"),
            ("", "is no network"),
        ] {
            let error = text.parse::<IpNetwork>().unwrap_err().to_string();
            assert!(error.contains(hint), "{text}: {error}");
        }
    }
}
