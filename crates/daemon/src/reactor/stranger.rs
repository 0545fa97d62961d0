//! The first four bytes: whether the peer speaks this protocol at all.

use chat_core::Closing;
use chat_proto::{ErrorCode, MAGIC};

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
    let seen = bytes.len().min(MAGIC.len());
    if bytes[..seen] == MAGIC[..seen] {
        return if seen == MAGIC.len() { FirstBytes::Native } else { FirstBytes::Undecided };
    }
    match bytes[..seen].iter().all(u8::is_ascii_uppercase) {
        true if seen < MAGIC.len() => FirstBytes::Undecided,
        true => FirstBytes::Http,
        false if bytes.starts_with(b"PUT ") || bytes.starts_with(b"GET ") => FirstBytes::Http,
        false => FirstBytes::Unknown,
    }
}

/// What is said to a peer that speaks something else.
pub(super) fn farewell(seen: FirstBytes) -> Vec<u8> {
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
            (b"SSH-2.0", FirstBytes::Unknown),
            (b"\x16\x03\x01", FirstBytes::Unknown),
            (b"\0\0\0\0", FirstBytes::Unknown),
        ] {
            assert_eq!(look(bytes), seen, "{bytes:?}");
        }
    }
}
