//! How others reach the server: the commands that people pass on.
//!
//! Owns how these are written. It must not know who shows them, or where.

use chat_client::{Connected, Fingerprint, Target};
use chat_proto::{InvitationCode, RoomName};

/// How others reach a server.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Reach {
    /// The command on the server's own machine.
    pub here: String,
    /// The address for other machines, as in `HOST:PORT`, if one is known.
    pub address: Option<String>,
    /// The identity that the server has.
    pub fingerprint: Option<Fingerprint>,
    /// What to do for an address that others can use, when there is none.
    pub otherwise: &'static str,
}

/// How the one who serves gets an address for others.
pub const SERVE_FOR_OTHERS: &str = "not now; start with --serve 0.0.0.0 for that";

/// The same for somebody who reached a server on the same machine.
const ASK_THE_SERVER: &str =
    "chatd prints the line for other machines when it starts with --listen 0.0.0.0";

impl Reach {
    /// What a guest knows: the way that led to the server.
    #[must_use]
    pub fn of(connected: &Connected) -> Self {
        let is_for_others = match connected.address.parse() {
            Ok(Target::Tcp { host, .. }) => !is_loopback(&host),
            Ok(Target::Unix(_) | Target::Local) | Err(_) => false,
        };
        Self {
            here: format!("chat-tui {}", shell_word(&connected.address)),
            address: is_for_others.then(|| connected.address.clone()),
            fingerprint: Some(Fingerprint::of(&connected.server_key)),
            otherwise: ASK_THE_SERVER,
        }
    }

    /// The command on another machine, if there can be one. The quotes are for `#`, and for a line
    /// that was broken by being copied.
    #[must_use]
    pub fn elsewhere(&self, room: Option<&RoomName>) -> Option<String> {
        self.inviting(room, None)
    }

    /// The same with an invitation in it.
    #[must_use]
    pub fn inviting(
        &self,
        room: Option<&RoomName>,
        invitation: Option<InvitationCode>,
    ) -> Option<String> {
        let address = self.address.as_ref()?;
        let room = room.map(RoomName::as_str).unwrap_or_default();
        let fingerprint = self.fingerprint.map(|print| print.for_url()).unwrap_or_default();
        let invitation = invitation.map(|code| format!(".{code}")).unwrap_or_default();
        Some(format!("chat-tui 'chat://{address}/{room}#{fingerprint}{invitation}'"))
    }

    /// Both in two lines, the one for others with an invitation where there is one.
    #[must_use]
    pub fn join_line(&self, room: Option<&RoomName>, invitation: Option<InvitationCode>) -> String {
        let elsewhere = self.inviting(room, invitation);
        let elsewhere = elsewhere.unwrap_or_else(|| self.otherwise.to_owned());
        format!("join on this machine: {}\nfrom elsewhere: {elsewhere}", self.here)
    }
}

fn is_loopback(host: &str) -> bool {
    let ip = host.parse::<std::net::IpAddr>();
    host.eq_ignore_ascii_case("localhost") || ip.is_ok_and(|ip| ip.to_canonical().is_loopback())
}

fn shell_word(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "._-/:@+,".contains(c);
    match text.chars().all(is_plain) {
        true => text.to_owned(),
        false => format!("'{}'", text.replace('\'', r"'\''")),
    }
}

#[cfg(test)]
mod tests {
    use chat_proto::{AccountId, Epoch, PublicKey, SessionId};

    use super::*;

    fn reached(address: &str) -> Reach {
        Reach::of(&Connected {
            account: AccountId(1),
            name: "ada".into(),
            server_key: PublicKey([9; 32]),
            epoch: Epoch(1),
            session: SessionId(1),
            address: address.into(),
            encrypted: false,
            first_contact: false,
        })
    }

    #[test]
    fn an_address_of_this_machine_is_nothing_for_others() {
        for address in ["127.0.0.1:5018", "[::1]:5018", "localhost:1", "unix:/run/a b.sock"] {
            assert_eq!(reached(address).elsewhere(None), None, "{address}");
        }
        assert_eq!(reached("unix:/run/a b.sock").here, "chat-tui 'unix:/run/a b.sock'");
        assert_eq!(reached("127.0.0.1:9").here, "chat-tui 127.0.0.1:9");
    }

    #[test]
    fn what_others_type_leads_to_the_same_server_and_room() {
        let lobby = RoomName::parse("lobby").unwrap();
        for address in ["example.org:5018", "[2001:db8::1]:5018"] {
            let command = reached(address).elsewhere(Some(&lobby)).unwrap();
            let url = command.strip_prefix("chat-tui '").and_then(|url| url.strip_suffix('\''));
            let url: chat_client::TargetUrl = url.unwrap().parse().unwrap();
            assert_eq!(url.target.to_string(), address);
            assert_eq!(url.room, Some(lobby.clone()));
            assert_eq!(url.fingerprint, Some(Fingerprint::of(&PublicKey([9; 32]))));
        }
    }
}
