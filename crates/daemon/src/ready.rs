//! What a person is told when the daemon is ready: which command to type where.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::path::Path;

use chat_files::places::usual_sockets;
use chat_proto::{DEFAULT_PORT, InvitationCode};

/// Where a daemon is, for people.
#[derive(Clone, Copy, Debug)]
pub struct Ready<'a> {
    /// The TCP addresses that it listens at.
    pub addresses: &'a [SocketAddr],
    /// Its Unix socket.
    pub socket: Option<&'a Path>,
    /// The fingerprint of its identity key.
    pub fingerprint: &'a str,
    /// Whether somebody new needs an invitation who comes from elsewhere.
    pub needs_invitation: bool,
    /// The code of one, where it may be shown.
    pub invitation: Option<InvitationCode>,
}

impl Ready<'_> {
    /// The command that reaches the daemon from its own machine.
    #[must_use]
    pub fn here(&self) -> String {
        if self.is_found_without_a_word() {
            return "chat-tui".to_owned();
        }
        if let Some(socket) = self.socket {
            return format!("chat-tui {}", shell_word(&socket.to_string_lossy()));
        }
        match self.addresses.iter().find(|address| answers_on_loopback(address)) {
            Some(address) => format!("chat-tui {}", on_loopback(*address)),
            None => match self.addresses.first() {
                Some(address) => format!("chat-tui {address}"),
                None => "chatd --listen 127.0.0.1".to_owned(),
            },
        }
    }

    /// The command that reaches the daemon from another machine, or the one that lets it listen
    /// there.
    #[must_use]
    pub fn elsewhere(&self) -> String {
        match self.addresses.iter().find(|address| !address.ip().is_loopback()) {
            Some(address) => {
                let address = seen_from_elsewhere(*address);
                match self.invitation {
                    None => format!("chat-tui {address}"),
                    code => join_line(&address, "lobby", self.fingerprint, code),
                }
            }
            None => "chatd --listen 0.0.0.0".to_owned(),
        }
    }

    /// A client without an argument looks for the usual sockets, and then at loopback.
    fn is_found_without_a_word(&self) -> bool {
        let usual = usual_sockets();
        let is_usual = self.socket.is_some_and(|socket| usual.iter().any(|path| path == socket));
        let local = SocketAddr::from((Ipv4Addr::LOCALHOST, DEFAULT_PORT));
        is_usual || self.addresses.iter().any(|address| on_loopback(*address) == local)
    }
}

impl fmt::Display for Ready<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "chatd {}, ready", env!("CARGO_PKG_VERSION"))?;
        writeln!(f, "  on this machine   {}", self.here())?;
        writeln!(f, "  from elsewhere    {}", self.elsewhere())?;
        if self.needs_invitation && self.invitation.is_none() {
            writeln!(f, "  who is new there   needs an invitation: chatd ctl invite makes one")?;
        }
        let addresses = self.addresses.iter().map(SocketAddr::to_string);
        let socket = self.socket.map(|path| path.display().to_string());
        let places: Vec<_> = addresses.chain(socket).collect();
        writeln!(f, "  listening at      {}", places.join(", "))?;
        writeln!(f, "  identity          {}", self.fingerprint)
    }
}

/// The command that leads to a room of the server with this fingerprint, with an invitation if there is
/// one. The quotes are for `#`.
#[must_use]
pub fn join_line(
    address: &str,
    room: &str,
    fingerprint: &str,
    invitation: Option<InvitationCode>,
) -> String {
    let bare = fingerprint.strip_prefix("SHA256:").unwrap_or(fingerprint);
    let fingerprint = bare.replace('+', "-").replace('/', "_");
    let invitation = invitation.map(|code| format!(".{code}")).unwrap_or_default();
    format!("chat-tui 'chat://{address}/{room}#{fingerprint}{invitation}'")
}

/// Whether others than those of this machine reach one of these addresses.
#[must_use]
pub fn has_way_for_others(addresses: &[SocketAddr]) -> bool {
    addresses.iter().any(|address| !address.ip().is_loopback())
}

fn answers_on_loopback(address: &SocketAddr) -> bool {
    address.ip().is_loopback() || address.ip().is_unspecified()
}

/// How this machine reaches a listener: one at every address is at the loopback address, too.
#[must_use]
pub fn on_loopback(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        ip if !ip.is_unspecified() => ip,
        IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
    };
    SocketAddr::new(ip, address.port())
}

/// How other machines reach a listener, as far as the routes of this one tell; else with a word in the
/// place of the host.
#[must_use]
pub fn seen_from_elsewhere(address: SocketAddr) -> String {
    match (address.ip().is_unspecified(), outward_ip(address.is_ipv4())) {
        (false, _) => address.to_string(),
        (true, Some(ip)) => SocketAddr::new(ip, address.port()).to_string(),
        (true, None) => format!("HOST:{}", address.port()),
    }
}

/// The address that this machine would send from. Nothing is sent: a datagram socket only looks
/// its route up when it is connected.
fn outward_ip(is_v4: bool) -> Option<IpAddr> {
    // Addresses for documentation (RFC 5737, RFC 3849): outside of every machine's own network.
    let (from, to) =
        if is_v4 { ("0.0.0.0:0", "192.0.2.1:9") } else { ("[::]:0", "[2001:db8::1]:9") };
    let socket = UdpSocket::bind(from).ok()?;
    socket.connect(to).ok()?;
    socket.local_addr().ok().map(|address| address.ip()).filter(|ip| !ip.is_loopback())
}

/// Quotes what a shell would not take as one word.
fn shell_word(text: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || "/._-+:@%,".contains(c);
    match text.chars().all(is_plain) {
        true => text.to_owned(),
        false => format!("'{}'", text.replace('\'', r"'\''")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ready<'a>(addresses: &'a [SocketAddr], socket: Option<&'a str>) -> Ready<'a> {
        let (needs_invitation, invitation) = (false, None);
        let socket = socket.map(Path::new);
        Ready { addresses, socket, fingerprint: "SHA256:x+/y", needs_invitation, invitation }
    }

    fn at(address: &str) -> [SocketAddr; 1] {
        [address.parse().unwrap()]
    }

    #[test]
    fn the_default_port_on_loopback_needs_no_argument() {
        for address in ["127.0.0.1:5018", "0.0.0.0:5018"] {
            assert_eq!(ready(&at(address), None).here(), "chat-tui");
        }
        assert_eq!(ready(&[], Some("/run/chatd/chatd.sock")).here(), "chat-tui");
    }

    #[test]
    fn everything_else_is_named() {
        assert_eq!(ready(&at("127.0.0.1:7000"), None).here(), "chat-tui 127.0.0.1:7000");
        assert_eq!(ready(&at("0.0.0.0:7000"), None).here(), "chat-tui 127.0.0.1:7000");
        assert_eq!(ready(&at("[::]:5018"), None).here(), "chat-tui [::1]:5018");
        assert_eq!(ready(&at("192.0.2.7:5018"), None).here(), "chat-tui 192.0.2.7:5018");
        assert_eq!(
            ready(&[], Some("/tmp/my chat/c.sock")).here(),
            "chat-tui '/tmp/my chat/c.sock'"
        );
    }

    #[test]
    fn who_is_elsewhere_is_told_an_address_or_how_to_get_one() {
        assert_eq!(ready(&at("127.0.0.1:5018"), None).elsewhere(), "chatd --listen 0.0.0.0");
        assert_eq!(ready(&at("192.0.2.7:7000"), None).elsewhere(), "chat-tui 192.0.2.7:7000");
        let every = ready(&at("0.0.0.0:7000"), None).elsewhere();
        assert!(every.starts_with("chat-tui ") && every.ends_with(":7000"), "{every}");
    }

    #[test]
    fn who_needs_an_invitation_is_given_one_where_it_may_be_shown_and_else_told_who_makes_it() {
        let addresses = at("192.0.2.7:7000");
        let shut = Ready { needs_invitation: true, ..ready(&addresses, None) };
        assert_eq!(shut.elsewhere(), "chat-tui 192.0.2.7:7000");
        assert!(shut.to_string().contains("chatd ctl invite"), "{shut}");
        let code = InvitationCode([7; 16]);
        let shown = Ready { invitation: Some(code), ..shut };
        let expected = format!("chat-tui 'chat://192.0.2.7:7000/lobby#x-_y.{code}'");
        assert_eq!(shown.elsewhere(), expected);
        assert!(!shown.to_string().contains("chatd ctl invite"), "{shown}");
    }
}
