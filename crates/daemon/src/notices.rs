//! What the daemon says of itself: why it closes a connection or refuses a request, in a sentence for a
//! person.

use chat_core::{Closing, TooFast};
use chat_proto::{CloseReason, ErrorCode, Probe, RequestId, encode_frame};

/// What is said to whom no place is left for.
pub(crate) fn full() -> Closing {
    closing("the server has as many connections as it may have; try again later")
}

/// What is said to who has not signed in, and gives his place to somebody else.
pub(crate) fn evicted() -> Closing {
    closing("the server needs this place for somebody else, as you have not signed in; try again")
}

/// What is said to who comes from a network that has enough.
pub(crate) fn network_full() -> Closing {
    closing("your network has as many connections as it may have; close one, or try again later")
}

/// What is said to who comes from a network from which too many sign in.
pub(crate) fn too_many_sign_ins(too_fast: TooFast) -> Closing {
    let TooFast { wait_ms } = too_fast;
    let seconds = wait_ms.div_ceil(1000);
    let message = format!("too many sign in from your network; try again in {seconds} s");
    let code = Some(ErrorCode::RateLimited);
    Closing { reason: CloseReason::Full, code, message, wait_ms }
}

/// What is said to a peer that says too much before it has signed in.
pub(crate) fn too_long_before_sign_in() -> Closing {
    let message = "that is more than anybody has to say before the sign-in";
    Closing::protocol(ErrorCode::FrameTooLong, message)
}

/// What is said to a proxy that does not tell for whom it connects.
pub(crate) fn no_proxy_header(why: &str) -> Closing {
    let message = format!(
        "this address is set to be a proxy's, which has to begin with a PROXY protocol header of \
         version 2; {why}"
    );
    Closing::protocol(ErrorCode::Malformed, message)
}

/// What is said to who sends the header of a proxy, and is none.
pub(crate) fn stray_proxy_header() -> Closing {
    let message = "a PROXY protocol header is taken from the networks of proxy-protocol-from alone, \
                   and you come from none of them";
    Closing::protocol(ErrorCode::Malformed, message)
}

/// What is said to an account that has enough.
pub(crate) fn account_full() -> Closing {
    closing("this account has as many connections as it may have; close one, or try again later")
}

/// What is said when there is no memory to serve one more, or to go on with this one.
pub(crate) fn no_memory() -> Closing {
    closing("the server has no memory to spare for this connection; try again later")
}

/// What is said to a peer that speaks something that is not known here.
pub(crate) fn unknown_protocol() -> Closing {
    let message = "this port speaks the chatd protocol; connect with chat-tui";
    Closing::protocol(ErrorCode::Malformed, message)
}

/// What is said to who comes over a network without TLS.
pub(crate) fn tls_required() -> Closing {
    let message = "this server takes connections from other machines over TLS alone: update the client, \
                   or have it use TLS; whoever runs the server may allow it with --insecure-plaintext";
    Closing::protocol(ErrorCode::TlsRequired, message)
}

/// What is said to a peer that gives no sign of life.
pub(crate) fn dead() -> Closing {
    Closing::because(
        CloseReason::Dead,
        None,
        "the connection is closed: you have sent nothing for a minute, nor answered the \
                  probe",
    )
}

/// What is said to a peer that takes too long to sign in.
pub(crate) fn too_late() -> Closing {
    Closing::because(
        CloseReason::HandshakeTimeout,
        None,
        "the connection is closed: you did not sign in in time",
    )
}

/// Why a daemon that stops closes its connections.
pub(crate) fn going_away() -> Closing {
    Closing::because(
        CloseReason::GoingAway,
        None,
        "the server stops or restarts; come back in a moment",
    )
}

fn closing(message: &str) -> Closing {
    Closing::because(CloseReason::Full, None, message)
}

/// Any token will do: an answer is a sign of life, whatever it says.
pub(crate) fn probe_frame() -> Vec<u8> {
    let mut frame = Vec::new();
    encode_frame(&Probe { token: 0 }, RequestId(0), &mut frame).expect("a number fits a frame");
    frame
}
