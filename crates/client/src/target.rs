//! Where a daemon is: addresses as people write them, and the join line that a daemon prints.

use std::fmt;
use std::net::Ipv6Addr;
use std::path::PathBuf;
use std::str::FromStr;

use chat_proto::{DEFAULT_PORT, InvitationCode, PublicKey, RoomName};
use data_encoding::{BASE64_NOPAD, BASE64URL_NOPAD};
use sha2::{Digest, Sha256};

/// Longest host name (RFC 1035).
const HOST_BYTES_MAX: usize = 253;

/// A daemon's address.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Target {
    /// A Unix socket.
    Unix(PathBuf),
    /// A host name or IP address (v6 without brackets), and a port.
    Tcp {
        /// The host.
        host: String,
        /// The port.
        port: u16,
    },
    /// The daemon of this machine: its Unix socket in one of the usual places, else loopback.
    Local,
}

/// What `chat://HOST[:PORT]/ROOM#FINGERPRINT.INVITE` says; every part but the host may be missing.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TargetUrl {
    /// The daemon.
    pub target: Target,
    /// The room to open.
    pub room: Option<RoomName>,
    /// The identity that the daemon must have.
    pub fingerprint: Option<Fingerprint>,
    /// The invitation that lets the person in.
    pub invite: Option<InvitationCode>,
}

/// The SHA-256 of a public key in OpenSSH's form, as `ssh-keygen -l` prints it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Fingerprint(pub [u8; 32]);

/// Says why a text is no address.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum TargetError {
    /// No host is named.
    #[error("an address needs a host, as in HOST or HOST:{DEFAULT_PORT}")]
    NoHost,
    /// The host has characters that no host name has.
    #[error("{0:?} is no host name")]
    BadHost(String),
    /// The port is no number from 1 to 65535.
    #[error("{0:?} is no port; a port is a number from 1 to 65535")]
    BadPort(String),
    /// The path of a Unix socket is missing or relative.
    #[error("a Unix socket is named by its whole path, as in unix:/run/chatd/chatd.sock")]
    BadPath,
    /// The room of a join line is no room name.
    #[error("the room in the address: {0}")]
    BadRoom(#[from] chat_proto::NameError),
    /// The fingerprint of a join line is none.
    #[error("{0:?} is no fingerprint; was the line cut off?")]
    BadFingerprint(String),
    /// The invitation of a join line is none. It is not repeated: it may be nearly one.
    #[error("the invitation behind the dot is none: {0}. Was the line cut off?")]
    BadInvitation(#[from] chat_proto::ParseCodeError),
}

impl FromStr for Target {
    type Err = TargetError;

    fn from_str(text: &str) -> Result<Self, TargetError> {
        text.parse().map(|url: TargetUrl| url.target)
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
            Self::Tcp { host, port } if host.contains(':') => write!(f, "[{host}]:{port}"),
            // Bare, it would be read as the path of a socket.
            Self::Tcp { host, port } if host == "unix" => write!(f, "chat://{host}:{port}"),
            Self::Tcp { host, port } => write!(f, "{host}:{port}"),
            Self::Local => f.write_str("this machine"),
        }
    }
}

impl Target {
    /// The addresses to try, in order. Only [`Target::Local`] has more than one.
    #[must_use]
    pub fn candidates(&self) -> Vec<Self> {
        match self {
            Self::Unix(_) | Self::Tcp { .. } => vec![self.clone()],
            Self::Local => local_candidates(),
        }
    }
}

impl From<Target> for TargetUrl {
    fn from(target: Target) -> Self {
        Self { target, room: None, fingerprint: None, invite: None }
    }
}

impl FromStr for TargetUrl {
    type Err = TargetError;

    fn from_str(text: &str) -> Result<Self, TargetError> {
        let text = text.trim();
        // Copied from a terminal, a long line comes with the ends of its rows in it.
        let whole: String = text.chars().filter(|c| !matches!(c, '\n' | '\r')).collect();
        if let Some(rest) = whole.strip_prefix("chat://") {
            return parse_url(rest);
        }
        if let Some(path) = text.strip_prefix("unix:") {
            return unix(path.strip_prefix("//").unwrap_or(path)).map(Self::from);
        }
        if text.starts_with('/') {
            return unix(text).map(Self::from);
        }
        parse_host_and_port(text).map(Self::from)
    }
}

impl Fingerprint {
    /// A key's.
    #[must_use]
    pub fn of(key: &PublicKey) -> Self {
        let public = ssh_key::public::Ed25519PublicKey(key.0);
        let fingerprint = ssh_key::PublicKey::from(public).fingerprint(ssh_key::HashAlg::Sha256);
        let mut hash = [0; 32];
        hash.copy_from_slice(fingerprint.as_bytes());
        Self(hash)
    }

    /// The form that can be a part of a URL or a file name: base64url without a prefix.
    #[must_use]
    pub fn for_url(&self) -> String {
        BASE64URL_NOPAD.encode(&self.0)
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SHA256:{}", BASE64_NOPAD.encode(&self.0))
    }
}

impl FromStr for Fingerprint {
    type Err = TargetError;

    /// Takes both alphabets of base64, with or without `SHA256:`.
    fn from_str(text: &str) -> Result<Self, TargetError> {
        let bare = text.strip_prefix("SHA256:").unwrap_or(text);
        let plain = bare.replace('-', "+").replace('_', "/");
        BASE64_NOPAD
            .decode(plain.as_bytes())
            .ok()
            .and_then(|bytes| bytes.try_into().ok())
            .map(Self)
            .ok_or_else(|| TargetError::BadFingerprint(text.to_owned()))
    }
}

/// A short name for any text, fit to be a file name: its beginning, and a hash of it all.
pub(crate) fn as_file_name(text: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || c == '.' || c == '-' { c } else { '_' };
    let begin: String = text.chars().map(plain).take(40).collect();
    let hash: [u8; 32] = Sha256::digest(text.as_bytes()).into();
    format!("@{begin}@{}", BASE64URL_NOPAD.encode(&hash[..9]))
}

fn local_candidates() -> Vec<Target> {
    let sockets = chat_files::places::usual_sockets().into_iter().map(Target::Unix);
    let loopback = Target::Tcp { host: "127.0.0.1".into(), port: DEFAULT_PORT };
    sockets.chain([loopback]).collect()
}

fn parse_url(rest: &str) -> Result<TargetUrl, TargetError> {
    let (rest, fragment) = split_once_or_all(rest, '#');
    let (authority, path) = split_once_or_all(rest, '/');
    let (fingerprint, invite) = split_once_or_all(fragment, '.');
    let room = path.trim_end_matches('/');
    Ok(TargetUrl {
        target: parse_host_and_port(authority)?,
        room: non_empty(room).map(RoomName::parse).transpose()?,
        fingerprint: non_empty(fingerprint).map(str::parse).transpose()?,
        invite: non_empty(invite).map(str::parse).transpose()?,
    })
}

fn split_once_or_all(text: &str, separator: char) -> (&str, &str) {
    text.split_once(separator).unwrap_or((text, ""))
}

fn non_empty(text: &str) -> Option<&str> {
    Some(text).filter(|text| !text.is_empty())
}

fn unix(path: &str) -> Result<Target, TargetError> {
    // Two slashes in front would be read as those of a URL when it is written and read again.
    let bare = path.trim_start_matches('/');
    match path.starts_with('/') && !bare.is_empty() && !bare.contains('\0') {
        true => Ok(Target::Unix(format!("/{bare}").into())),
        false => Err(TargetError::BadPath),
    }
}

fn parse_host_and_port(text: &str) -> Result<Target, TargetError> {
    if text.parse::<Ipv6Addr>().is_ok() {
        return tcp(text, None);
    }
    if let Some(rest) = text.strip_prefix('[') {
        let bad = || TargetError::BadHost(text.to_owned());
        let (host, rest) = rest.split_once(']').ok_or_else(bad)?;
        let (address, zone) = host.split_once('%').unwrap_or((host, "none"));
        if address.parse::<Ipv6Addr>().is_err() || checked_host(zone).is_err() {
            return Err(bad());
        }
        return match rest.strip_prefix(':') {
            Some(port) => tcp(host, Some(port)),
            None if rest.is_empty() => tcp(host, None),
            None => Err(bad()),
        };
    }
    match text.split_once(':') {
        Some((host, port)) => tcp(checked_host(host)?, Some(port)),
        None => tcp(checked_host(text)?, None),
    }
}

fn checked_host(host: &str) -> Result<&str, TargetError> {
    let spells = |c: char| c.is_alphanumeric() || matches!(c, '-' | '.' | '_');
    if host.is_empty() {
        Err(TargetError::NoHost)
    } else if host.len() > HOST_BYTES_MAX || host.starts_with('-') || !host.chars().all(spells) {
        Err(TargetError::BadHost(host.to_owned()))
    } else {
        Ok(host)
    }
}

fn tcp(host: &str, port: Option<&str>) -> Result<Target, TargetError> {
    let port = match port {
        None => DEFAULT_PORT,
        Some(text) => match text.parse() {
            Ok(port) if port != 0 && text.bytes().all(|digit| digit.is_ascii_digit()) => port,
            _ => return Err(TargetError::BadPort(text.to_owned())),
        },
    };
    Ok(Target::Tcp { host: host.to_owned(), port })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tcp(host: &str, port: u16) -> Result<Target, TargetError> {
        Ok(Target::Tcp { host: host.into(), port })
    }

    #[test]
    fn addresses_are_read_as_people_write_them() {
        assert_eq!("example.org".parse(), tcp("example.org", 5018));
        assert_eq!(" example.org:7 ".parse(), tcp("example.org", 7));
        assert_eq!("127.0.0.1".parse(), tcp("127.0.0.1", 5018));
        assert_eq!("::1".parse(), tcp("::1", 5018));
        assert_eq!("[::1]".parse(), tcp("::1", 5018));
        assert_eq!("[fe80::1%eth0]:9".parse(), tcp("fe80::1%eth0", 9));
        for unix in ["/run/a.sock", "unix:/run/a.sock", "unix:///run/a.sock"] {
            assert_eq!(unix.parse(), Ok(Target::Unix("/run/a.sock".into())));
        }
    }

    #[test]
    fn what_is_no_address_is_refused_with_its_reason() {
        let refused = |text: &str| text.parse::<Target>().unwrap_err();
        assert_eq!(refused(""), TargetError::NoHost);
        assert_eq!(refused(":5018"), TargetError::NoHost);
        assert_eq!(refused("a:0"), TargetError::BadPort("0".into()));
        assert_eq!(refused("a:+5"), TargetError::BadPort("+5".into()));
        assert_eq!(refused("a:65536"), TargetError::BadPort("65536".into()));
        assert_eq!(refused("a b"), TargetError::BadHost("a b".into()));
        assert_eq!(refused("-v"), TargetError::BadHost("-v".into()));
        assert_eq!(refused("[::1"), TargetError::BadHost("[::1".into()));
        // The address is passed on as a command: a zone is no place for quotes.
        for zone in ["", "eth0'", "e\u{1b}[2J"] {
            let host = format!("[fe80::1%{zone}]");
            assert_eq!(refused(&host), TargetError::BadHost(host.clone()));
        }
        assert_eq!(refused("unix:a.sock"), TargetError::BadPath);
        assert!(matches!(refused("chat://h/a b"), TargetError::BadRoom(_)));
        assert!(matches!(refused("chat://h/#abc"), TargetError::BadFingerprint(_)));
    }

    #[test]
    fn a_join_line_brings_room_fingerprint_and_invitation() {
        let fingerprint = Fingerprint::of(&PublicKey([1; 32]));
        let code = InvitationCode([7; 16]);
        let line = format!("chat://h:9/lobby#{}.{code}", fingerprint.for_url());
        let url: TargetUrl = line.parse().unwrap();
        let (rows, rest) = line.split_at(20);
        assert_eq!(format!("{rows}\n{rest}").parse(), Ok(url.clone()), "copied over two rows");
        assert_eq!(url.target, tcp("h", 9).unwrap());
        assert_eq!(url.room.unwrap().as_str(), "lobby");
        assert_eq!(url.fingerprint, Some(fingerprint));
        assert_eq!(url.invite, Some(code));
        let cut = line[..line.len() - 1].parse::<TargetUrl>().unwrap_err();
        assert!(matches!(cut, TargetError::BadInvitation(_)), "{cut}");
        let bare: TargetUrl = "chat://h".parse().unwrap();
        assert_eq!(bare, TargetUrl::from(tcp("h", 5018).unwrap()));
    }

    #[test]
    fn fingerprints_are_read_in_every_form_that_is_written() {
        let fingerprint = Fingerprint::of(&PublicKey([3; 32]));
        assert_eq!(fingerprint.to_string().parse(), Ok(fingerprint));
        assert_eq!(fingerprint.for_url().parse(), Ok(fingerprint));
    }

    #[test]
    fn file_names_of_texts_are_plain_and_differ() {
        let (a, b) = (as_file_name("unix:/tmp/a"), as_file_name("unix:/tmp_a"));
        assert_ne!(a, b);
        assert!(!a.contains('/'));
    }

    #[test]
    fn this_machine_is_looked_for_on_its_socket_first() {
        let candidates = Target::Local.candidates();
        assert!(matches!(candidates.first(), Some(Target::Unix(_))));
        assert!(matches!(candidates.last(), Some(Target::Tcp { port: DEFAULT_PORT, .. })));
    }
}
