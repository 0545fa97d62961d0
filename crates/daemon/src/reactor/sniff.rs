//! The first four bytes: whether the peer speaks this protocol at all.

use chat_core::Closing;
use chat_proto::{ErrorCode, MAGIC};

/// How requests of HTTP begin: the methods of RFC 9110 and RFC 5789, and the preface of HTTP/2.
/// Other text protocols begin with capitals, too.
const HTTP: [&[u8; 4]; 10] =
    [b"GET ", b"HEAD", b"POST", b"PUT ", b"DELE", b"CONN", b"OPTI", b"TRAC", b"PATC", b"PRI "];

/// What the first bytes say of a peer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum FirstBytes {
    /// The magic, whole.
    Native,
    /// A beginning of the magic.
    Undecided,
    /// Something that a web browser would send.
    Http,
    /// Anything else.
    Unknown,
}

/// Looks at the first bytes of a connection.
pub(super) fn look(bytes: &[u8]) -> FirstBytes {
    let first = &bytes[..bytes.len().min(MAGIC.len())];
    if MAGIC.starts_with(first) {
        return if first.len() == MAGIC.len() { FirstBytes::Native } else { FirstBytes::Undecided };
    }
    match HTTP.iter().any(|method| method.starts_with(first)) {
        true if first.len() < MAGIC.len() => FirstBytes::Undecided,
        true => FirstBytes::Http,
        false => FirstBytes::Unknown,
    }
}

/// What is said to a peer that speaks something else.
pub(super) fn rejection(seen: FirstBytes) -> Vec<u8> {
    let sentence = "This port speaks the chatd protocol. Connect with chat-tui.\n";
    match seen {
        FirstBytes::Http => format!(
            "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\n\
             Content-Length: {}\r\nConnection: close\r\n\r\n{sentence}",
            sentence.len()
        )
        .into_bytes(),
        FirstBytes::Native | FirstBytes::Undecided | FirstBytes::Unknown => {
            Closing::protocol(ErrorCode::Malformed, sentence.trim_end()).frame()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_magic_is_native() {
        for (bytes, seen) in [
            (&b""[..], FirstBytes::Undecided),
            (b"\x89C", FirstBytes::Undecided),
            (b"\x89CHT\x01", FirstBytes::Native),
            (b"\x89PNG", FirstBytes::Unknown),
            (b"GE", FirstBytes::Undecided),
            (b"GET / HTTP/1.1", FirstBytes::Http),
            (b"POST /", FirstBytes::Http),
            (b"PRI * HTTP/2.0", FirstBytes::Http),
            (b"P", FirstBytes::Undecided),
            (b"NICK ada", FirstBytes::Unknown),
            (b"EHLO me", FirstBytes::Unknown),
            (b"CAP LS", FirstBytes::Unknown),
            (b"SSH-2.0", FirstBytes::Unknown),
            (b"\x16\x03\x01", FirstBytes::Unknown),
            (b"\0\0\0\0", FirstBytes::Unknown),
        ] {
            assert_eq!(look(bytes), seen, "{bytes:?}");
        }
    }
}
