//! Single values of a command line.

use std::io::Read;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::os::fd::AsFd;
use std::time::Duration;

use chat_client::{TargetError, TargetUrl};
use chat_proto::{DEFAULT_PORT, NameError, Nickname, RoomName, Seq};
use jiff::SignedDuration;

/// Longest line that names a server, in bytes.
const LINE_BYTES_MAX: usize = 4096;

/// Longest `--id`, in bytes.
const KEY_BYTES_MAX: usize = 256;

/// A place in a log to begin at.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Since {
    /// With this seq.
    Seq(Seq),
}

/// A room's name, with or without its `#`, which a shell would eat.
///
/// # Errors
/// [`NameError`] says which rule is broken.
pub fn room_name(text: &str) -> Result<RoomName, NameError> {
    RoomName::parse(text.strip_prefix('#').unwrap_or(text))
}

/// `on` or `off`.
///
/// # Errors
/// When it is neither.
pub fn switch(text: &str) -> Result<bool, &'static str> {
    match text {
        "on" | "true" => Ok(true),
        "off" | "false" => Ok(false),
        _ => Err("it is on or off"),
    }
}

/// When TLS is spoken, as people write it: whether also on this machine.
///
/// # Errors
/// When it is neither.
pub fn tls_always(text: &str) -> Result<bool, &'static str> {
    match text {
        "auto" => Ok(false),
        "always" => Ok(true),
        _ => Err("it is auto or always"),
    }
}

/// What is asked of a certificate, as people write it: whether it is checked.
///
/// # Errors
/// When it is neither.
pub fn tls_verify(text: &str) -> Result<bool, &'static str> {
    match text {
        "none" => Ok(false),
        "webpki" => Ok(true),
        _ => Err("it is none or webpki"),
    }
}

pub(super) fn nickname(text: &str) -> Result<Nickname, NameError> {
    Nickname::parse(text.strip_prefix('@').unwrap_or(text))
}

/// `-`: the line comes from stdin, where no list of processes shows it.
pub(super) fn target(text: &str) -> Result<TargetUrl, TargetError> {
    match text {
        "-" => line_of(&std::io::stdin()).parse(),
        _ => text.parse(),
    }
}

/// A line, byte by byte: what is behind it is for somebody else. One that cannot be read is empty.
fn line_of(input: &impl AsFd) -> String {
    let mut line = Vec::new();
    let Ok(input) = input.as_fd().try_clone_to_owned() else { return String::new() };
    let (mut input, mut byte) = (std::fs::File::from(input), [0]);
    while line.len() < LINE_BYTES_MAX
        && input.read(&mut byte).is_ok_and(|read| read == 1)
        && byte != *b"\n"
    {
        line.extend(byte);
    }
    String::from_utf8_lossy(&line).into_owned()
}

/// `IP`, `IP:PORT` or `localhost[:PORT]`.
pub(super) fn listen(text: &str) -> Result<SocketAddr, String> {
    let loopback = |port| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    if let Ok(address) = text.parse::<SocketAddr>() {
        return Ok(address);
    }
    if let Ok(ip) = text.trim_matches(['[', ']']).parse::<IpAddr>() {
        return Ok(SocketAddr::new(ip, DEFAULT_PORT));
    }
    let port = match text.strip_prefix("localhost") {
        Some("") => Some(DEFAULT_PORT),
        Some(rest) => rest.strip_prefix(':').and_then(|port| port.parse().ok()),
        None => None,
    };
    port.map(loopback).ok_or_else(|| {
        format!("an address to listen on is IP or IP:PORT, as in 0.0.0.0:{DEFAULT_PORT}")
    })
}

/// `10s`, `1m30s`, `500ms`; a bare number is seconds.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let seconds = text.parse::<u32>().map(|seconds| Duration::from_secs(seconds.into()));
    let friendly = || {
        let parsed = text.parse::<SignedDuration>();
        parsed.ok().and_then(|duration| Duration::try_from(duration).ok())
    };
    match seconds.ok().or_else(friendly) {
        Some(duration) if !duration.is_zero() => Ok(duration),
        _ => Err("a duration is written as 500ms, 10s or 1m30s, and is more than nothing".into()),
    }
}

pub(super) fn since(text: &str) -> Result<Since, String> {
    let seq = text.strip_prefix("seq:").and_then(|seq| seq.parse().ok());
    seq.map(|seq| Since::Seq(Seq(seq))).ok_or_else(|| "a place in the log is seq:N".to_owned())
}

pub(super) fn key(text: &str) -> Result<String, String> {
    match text.len() {
        0 => Err("the key is empty".to_owned()),
        1..=KEY_BYTES_MAX => Ok(text.to_owned()),
        bytes => Err(format!("a key has at most {KEY_BYTES_MAX} bytes; this one has {bytes}")),
    }
}
