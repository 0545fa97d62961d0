//! Protocols that nobody speaks here. Each is told so in a way that its clients show to a person.

use super::{Protocol, Service};
use crate::notices::stray_proxy_header;
use crate::proxy_header::SIGNATURE;

const SENTENCE: &str = "This port speaks the chatd protocol. Connect with chat-tui.";

/// All of them.
pub(super) fn all() -> [Protocol; 4] {
    let declined = |name, openings, ignores_case, words| Protocol {
        name,
        openings,
        ignores_case,
        service: Service::Declined(words),
    };
    [
        declined("HTTP", HTTP, false, http),
        declined("IRC", IRC, true, irc),
        declined("SSH", &[b"SSH-"], false, ssh),
        declined("PROXY", &[SIGNATURE], false, || stray_proxy_header().frame()),
    ]
}

/// The methods of RFC 9110 and RFC 5789, and the preface of HTTP/2 (RFC 9113).
const HTTP: &[&[u8]] = &[
    b"GET ",
    b"HEAD ",
    b"POST ",
    b"PUT ",
    b"DELETE ",
    b"CONNECT ",
    b"OPTIONS ",
    b"TRACE ",
    b"PATCH ",
    b"PRI * ",
];

/// What a client of IRC registers with (RFC 2812, section 3.1, and the IRCv3 capabilities).
const IRC: &[&[u8]] = &[b"NICK ", b"USER ", b"PASS ", b"CAP "];

fn http() -> Vec<u8> {
    format!(
        "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n{SENTENCE}\n",
        SENTENCE.len() + 1
    )
    .into_bytes()
}

/// The message with which a server of IRC ends a connection.
fn irc() -> Vec<u8> {
    format!("ERROR :{SENTENCE}\r\n").into_bytes()
}

/// A line before the version, as a server may send (RFC 4253, section 4.2).
fn ssh() -> Vec<u8> {
    format!("{SENTENCE}\r\n").into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_length_of_an_http_answer_is_that_of_its_body() {
        let answer = String::from_utf8(http()).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.contains(&format!("Content-Length: {}\r\n", body.len())), "{head}");
    }
}
