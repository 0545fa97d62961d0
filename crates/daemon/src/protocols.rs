//! The protocols that may be spoken at the daemon's one port: how each begins, and who serves it.
//!
//! The first bytes of a connection decide, and nothing is made for a protocol before they have come.
//! chatd's own is served by the reactors, by itself or in TLS. Others are told in their own words that
//! nobody speaks them here, or take the socket over with all that it has said. This must not know what
//! any of them means.

mod declined;

use std::fmt::Debug;
use std::sync::Arc;

use chat_proto::MAGIC;

use crate::arrival::Transfer;
pub use crate::peer::Peer;
use crate::quotas::Place;
pub use crate::socket::Unregistered;

/// A handshake record, of the version that all hellos have (RFC 8446, section 5.1).
const TLS: &[&[u8]] = &[b"\x16\x03\x01", b"\x16\x03\x03"];

/// Says how a protocol begins and what becomes of a connection on which it is spoken.
#[derive(Clone, Debug)]
pub struct Protocol {
    /// What it is called in the log.
    pub name: &'static str,
    /// With what its clients begin: one of these. None is the beginning of another protocol's.
    pub openings: &'static [&'static [u8]],
    /// Whether `a` is as good as `A` there.
    pub ignores_case: bool,
    /// Who serves it.
    pub service: Service,
}

/// Who serves a protocol.
#[derive(Clone, Debug)]
pub enum Service {
    /// The reactors: it is chatd's own.
    Native,
    /// The reactors: what is spoken in it begins anew.
    Tls,
    /// Nobody: this is said, in the protocol's own words, and the connection ends.
    Declined(fn() -> Vec<u8>),
    /// Whoever takes the socket over.
    TakenOver(Arc<dyn TakeOver>),
}

/// Serves a protocol on sockets of its own, and ends them itself when the daemon stops.
pub trait TakeOver: Debug + Send + Sync {
    /// Whom this is not for, and what is said to him; the connection then ends. It is asked before the
    /// socket is handed over, and must not wait.
    fn decline(&self, peer: Peer) -> Option<Vec<u8>> {
        let _everybody = peer;
        None
    }

    /// Takes a connection. It is called by a reactor and must not wait: whoever serves hands it to a
    /// thread or a runtime of its own.
    ///
    /// From here on nobody else looks after the connection. Its place counts among the daemon's, but it
    /// has no deadline for its handshake any more, and is not made to leave for others: whoever serves
    /// bounds how long, and how many, peers may be there before it is known who they are.
    fn take_over(&self, connection: Handover);
}

/// A connection on its way to whoever speaks its protocol.
#[derive(Debug)]
pub struct Handover {
    /// The socket; it does not block.
    pub socket: Unregistered,
    /// Who is at its other end.
    pub peer: Peer,
    /// What it has said so far, the protocol's opening included.
    pub first_bytes: Vec<u8>,
    /// It counts among the daemon's connections for as long as this is kept.
    pub place: Place,
}

/// All that may be spoken.
#[derive(Clone, Debug)]
pub struct Protocols {
    table: Vec<Protocol>,
}

/// A place in the table.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct ProtocolId(u8);

/// What the first bytes of a connection say.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Recognised {
    /// Too few have come.
    Undecided,
    /// This is spoken.
    Protocol(ProtocolId),
    /// Nothing that is known here begins so.
    Unknown,
}

impl Default for Protocols {
    /// chatd's own, TLS, and those that are declined: HTTP, IRC and SSH.
    fn default() -> Self {
        let native = Protocol {
            name: "chatd",
            openings: &[&MAGIC],
            ignores_case: false,
            service: Service::Native,
        };
        let tls =
            Protocol { name: "TLS", openings: TLS, ignores_case: false, service: Service::Tls };
        Self { table: [native, tls].into_iter().chain(declined::all()).collect() }
    }
}

impl Protocols {
    /// The same with another one, in place of the one of its name if there is any.
    ///
    /// # Panics
    /// An opening is empty, or its beginning is that of another protocol's: peers of that one would be
    /// taken for peers of this one.
    #[must_use]
    pub fn with(mut self, protocol: Protocol) -> Self {
        for opening in protocol.openings {
            assert!(!opening.is_empty(), "every connection begins with nothing");
            let mut others = self.table.iter().filter(|known| known.name != protocol.name);
            let overlapping = others.find(|known| known.overlaps(&protocol, opening));
            assert!(overlapping.is_none(), "{opening:?} may begin {overlapping:?}");
        }
        match self.table.iter_mut().find(|known| known.name == protocol.name) {
            Some(known) => *known = protocol,
            None => self.table.push(protocol),
        }
        debug_assert!(self.table.len() <= usize::from(u8::MAX), "a number names each");
        self
    }

    /// Tells which protocol begins with these bytes.
    pub(crate) fn recognise(&self, first: &[u8]) -> Recognised {
        let mut seen = Recognised::Unknown;
        for (id, protocol) in (0..).map(ProtocolId).zip(&self.table) {
            for opening in protocol.openings {
                match protocol.begins(opening, first) {
                    true if first.len() >= opening.len() => return Recognised::Protocol(id),
                    true => seen = Recognised::Undecided,
                    false => {}
                }
            }
        }
        seen
    }

    pub(crate) fn get(&self, id: ProtocolId) -> &Protocol {
        &self.table[usize::from(id.0)]
    }
}

impl Protocol {
    /// Whether an opening of another one is an opening of this one as far as both go.
    fn overlaps(&self, other: &Self, opening: &[u8]) -> bool {
        let is_theirs = |own: &&[u8]| self.begins(own, opening) || other.begins(opening, own);
        self.openings.iter().any(is_theirs)
    }

    /// Whether the two are the same as far as both go.
    fn begins(&self, opening: &[u8], first: &[u8]) -> bool {
        let both = opening.len().min(first.len());
        let (opening, first) = (&opening[..both], &first[..both]);
        opening == first || self.ignores_case && opening.eq_ignore_ascii_case(first)
    }
}

impl Handover {
    pub(crate) fn new(transfer: Transfer, first_bytes: Vec<u8>, place: Place) -> Self {
        let Transfer { socket, peer, is_proxy: _ } = transfer;
        Self { socket, peer, first_bytes, place }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name_of(first: &[u8]) -> Result<&'static str, Recognised> {
        let protocols = Protocols::default();
        match protocols.recognise(first) {
            Recognised::Protocol(id) => Ok(protocols.get(id).name),
            other @ (Recognised::Undecided | Recognised::Unknown) => Err(other),
        }
    }

    #[test]
    fn the_first_bytes_tell_the_protocol() {
        const UNDECIDED: Result<&str, Recognised> = Err(Recognised::Undecided);
        const UNKNOWN: Result<&str, Recognised> = Err(Recognised::Unknown);
        for (first, seen) in [
            (&b""[..], UNDECIDED),
            (b"\x89C", UNDECIDED),
            (b"\x89CHT\x01", Ok("chatd")),
            (b"\x89cht", UNKNOWN),
            (b"\x89PNG", UNKNOWN),
            (b"GE", UNDECIDED),
            (b"GET / HTTP/1.1", Ok("HTTP")),
            (b"GETTING", UNKNOWN),
            (b"POST /", Ok("HTTP")),
            (b"PRI * HTTP/2.0", Ok("HTTP")),
            (b"P", UNDECIDED),
            (b"PASS secret", Ok("IRC")),
            (b"NICK ada", Ok("IRC")),
            (b"user ada 0 * :ada", Ok("IRC")),
            (b"CAP LS 302", Ok("IRC")),
            (b"NICK", UNDECIDED),
            (b"get / http/1.1", UNKNOWN),
            (b"SSH-2.0-OpenSSH_9.9", Ok("SSH")),
            (b"\x16\x03\x01\x02", Ok("TLS")),
            (b"EHLO me", UNKNOWN),
            (b"\0\0\0\0", UNKNOWN),
        ] {
            assert_eq!(name_of(first), seen, "{}", first.escape_ascii());
        }
    }

    fn declined(name: &'static str, openings: &'static [&'static [u8]]) -> Protocol {
        Protocol { name, openings, ignores_case: true, service: Service::Declined(Vec::new) }
    }

    #[test]
    fn another_protocol_comes_beside_the_others_or_in_place_of_its_namesake() {
        let protocols = Protocols::default();
        let known = protocols.table.len();
        let protocols = protocols.with(declined("SMTP", &[b"EHLO ", b"HELO "]));
        let protocols = protocols.with(declined("IRC", &[b"NICK ", b"USER "]));
        assert_eq!(protocols.table.len(), known + 1);
        assert!(matches!(protocols.recognise(b"ehlo me"), Recognised::Protocol(_)));
        assert_eq!(protocols.recognise(b"PASS secret"), Recognised::Unknown);
    }

    #[test]
    #[should_panic = "every connection begins with nothing"]
    fn no_protocol_begins_with_nothing() {
        let _all = Protocols::default().with(declined("all", &[b""]));
    }

    #[test]
    #[should_panic = "may begin"]
    fn no_protocol_begins_with_the_beginning_of_another() {
        let _http = Protocols::default().with(declined("G", &[b"get"]));
    }

    #[test]
    #[should_panic = "may begin"]
    fn no_protocol_goes_on_from_the_opening_of_another() {
        let _native = Protocols::default().with(declined("longer", &[b"\x89CHT1"]));
    }

    #[test]
    fn no_opening_is_the_beginning_of_another() {
        let protocols = Protocols::default();
        let all: Vec<_> = protocols.table.iter().flat_map(|known| known.openings).collect();
        for (at, opening) in all.iter().enumerate() {
            for other in &all[at + 1..] {
                let both = opening.len().min(other.len());
                assert!(!opening[..both].eq_ignore_ascii_case(&other[..both]), "{opening:?}");
            }
        }
    }
}
