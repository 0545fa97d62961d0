//! Version 2 of the PROXY protocol: what a proxy says in front of a connection that it passes on.
//!
//! After "The PROXY protocol, versions 1 and 2" by Willy Tarreau, section 2.2. Version 1, which is text, is
//! not spoken. This must not know who may say so.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

use crate::peer::Peer;

/// With what it begins, which no other protocol does.
pub(crate) const SIGNATURE: &[u8; 12] = b"\r\n\r\n\0\r\nQUIT\n";

/// The signature, the command, the family and the length.
const FIXED_BYTES: usize = 16;

/// The longest header, with all that may stand behind the addresses. Proxies send less than half of it.
const HEADER_BYTES_MAX: usize = 536;

/// What the first bytes of a connection from a proxy say.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum ProxyHeader {
    /// Too few have come.
    Incomplete,
    /// Who is behind the proxy, and how many bytes say so.
    From { peer: Peer, bytes: usize },
    /// The proxy speaks for itself, or does not tell for whom, in so many bytes.
    Itself { bytes: usize },
    /// It is no such header, or one of which this is not taken.
    Refused(&'static str),
}

impl ProxyHeader {
    /// Reads the header off the first bytes of a connection.
    pub(crate) fn read(first: &[u8]) -> Self {
        let compared = first.len().min(SIGNATURE.len());
        if first[..compared] != SIGNATURE[..compared] {
            return Self::Refused("it does not begin with a header of version 2");
        }
        let Some((fixed, rest)) = first.split_at_checked(FIXED_BYTES) else {
            return Self::Incomplete;
        };
        let length = usize::from(u16::from_be_bytes([fixed[14], fixed[15]]));
        let bytes = FIXED_BYTES + length;
        if bytes > HEADER_BYTES_MAX {
            return Self::Refused("its header is longer than 536 bytes");
        }
        let Some(addresses) = rest.get(..length) else { return Self::Incomplete };
        match (fixed[12], fixed[13]) {
            (0x20, _) | (0x21, 0x00) => Self::Itself { bytes },
            (0x21, 0x11) => of_v4(addresses, bytes),
            (0x21, 0x21) => of_v6(addresses, bytes),
            (0x21, _) => Self::Refused("its header is of no TCP connection"),
            _ => Self::Refused("its header is of another version, or has an unknown command"),
        }
    }
}

const TOO_SHORT: ProxyHeader = ProxyHeader::Refused("its header is too short for its addresses");

/// Two addresses and two ports: what stands behind them says nothing that is needed.
fn of_v4(addresses: &[u8], bytes: usize) -> ProxyHeader {
    let Some([a, b, c, d, _, _, _, _, high, low, _, _]) = addresses.first_chunk() else {
        return TOO_SHORT;
    };
    let ip = Ipv4Addr::new(*a, *b, *c, *d);
    let port = u16::from_be_bytes([*high, *low]);
    ProxyHeader::From { peer: SocketAddr::new(ip.into(), port).into(), bytes }
}

fn of_v6(addresses: &[u8], bytes: usize) -> ProxyHeader {
    let Some(both) = addresses.first_chunk::<36>() else { return TOO_SHORT };
    let Some(source) = both.first_chunk::<16>() else { return TOO_SHORT };
    let port = u16::from_be_bytes([both[32], both[33]]);
    let address = SocketAddr::new(Ipv6Addr::from(*source).into(), port);
    ProxyHeader::From { peer: address.into(), bytes }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(command: u8, family: u8, behind: &[u8]) -> Vec<u8> {
        let length = u16::try_from(behind.len()).unwrap().to_be_bytes();
        [SIGNATURE.as_slice(), &[command, family], &length, behind].concat()
    }

    fn v4(extra: &[u8]) -> Vec<u8> {
        let addresses = [192, 0, 2, 1, 198, 51, 100, 2, 0xC0, 0x01, 0x13, 0x9A];
        header(0x21, 0x11, &[&addresses, extra].concat())
    }

    fn v6() -> Vec<u8> {
        let (source, here) = (Ipv6Addr::new(0x2001, 0xDB8, 0, 0, 0, 0, 0, 7), Ipv6Addr::LOCALHOST);
        let ports = [0xC0, 0x01, 0x13, 0x9A];
        header(0x21, 0x21, &[&source.octets()[..], &here.octets(), &ports].concat())
    }

    #[test]
    fn the_address_of_who_is_behind_the_proxy_is_read_at_whatever_split() {
        for (header, peer) in [
            (v4(&[]), "192.0.2.1:49153"),
            (v4(&[0x04, 0, 1, 0]), "192.0.2.1:49153"),
            (v6(), "[2001:db8::7]:49153"),
        ] {
            let peer = Peer::from(peer.parse::<SocketAddr>().unwrap());
            let whole = [&header[..], b"\x89CHT"].concat();
            for cut in 0..=whole.len() {
                let wanted = match cut < header.len() {
                    true => ProxyHeader::Incomplete,
                    false => ProxyHeader::From { peer, bytes: header.len() },
                };
                assert_eq!(ProxyHeader::read(&whole[..cut]), wanted, "cut at {cut}");
            }
        }
    }

    #[test]
    fn a_proxy_may_speak_for_itself() {
        for (command, family, behind) in [
            (0x20, 0x00, &[][..]),
            (0x20, 0x11, &[1; 12]),
            (0x20, 0xFF, &[1; 3]),
            (0x21, 0x00, &[9; 520]),
        ] {
            let header = header(command, family, behind);
            let bytes = header.len();
            assert_eq!(ProxyHeader::read(&header), ProxyHeader::Itself { bytes });
        }
    }

    #[test]
    fn what_is_no_such_header_is_refused_as_soon_as_it_can_be_told() {
        let refused = |first: &[u8]| matches!(ProxyHeader::read(first), ProxyHeader::Refused(_));
        assert!(refused(b"PROXY TCP4 192.0.2.1 198.51.100.2 1 2\r\n"), "version 1");
        assert!(refused(b"\x89CHT") && refused(b"G") && refused(b"\r\n\r\nX"));
        assert!(refused(&header(0x11, 0x11, &[0; 12])), "version 1 in binary");
        assert!(refused(&header(0x22, 0x11, &[0; 12])), "an unknown command");
        for (family, what) in [(0x12, "UDP"), (0x22, "UDP"), (0x31, "Unix"), (0x41, "unknown")] {
            assert!(refused(&header(0x21, family, &[0; 216])), "{what}");
        }
        assert!(refused(&header(0x21, 0x11, &[0; 11])) && refused(&header(0x21, 0x21, &[0; 35])));
        assert!(refused(&[SIGNATURE.as_slice(), &[0x21, 0x11, 0x02, 0x09]].concat()), "537 bytes");
        assert!(!refused(&[SIGNATURE.as_slice(), &[0x21, 0x11, 0x02, 0x08]].concat()));
    }
}
