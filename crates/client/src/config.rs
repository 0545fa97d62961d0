//! What a client is told before it starts.

use std::path::PathBuf;
use std::time::Duration;

use chat_proto::{InvitationCode, LinkCode, Nickname};

use crate::identity::Identity;
use crate::known_servers::KnownServers;
use crate::resume::AfterReset;
use crate::start::StartError;
use crate::target::{Fingerprint, Target};
use crate::tls::TlsPolicy;

/// How long a connection may take, from the first packet to the sign-in.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// How to reach which daemon, as whom, and what to keep on disk.
#[derive(Clone, Debug)]
pub struct Config {
    /// The daemon.
    pub target: Target,
    /// The identity that it must have, when it is known before the first contact.
    pub fingerprint: Option<Fingerprint>,
    /// What lets the person in where an account is not made without. Of no use once there is one.
    pub invitation: Option<InvitationCode>,
    /// The person.
    pub name: Name,
    /// The key that is the person, when it is not the one of the name.
    pub identity: Option<Identity>,
    /// The account that the key is to be added to, when it has none yet: asked for until the first sign-in.
    pub link: Option<DeviceLink>,
    /// Where identities, known servers and outboxes are.
    pub data_dir: PathBuf,
    /// What becomes of messages that have no answer when the process ends.
    pub outbox: OutboxKind,
    /// The place of the first message in its stream, from 1. More than 1 is for a message of an
    /// explicit id that is sent again without those before it.
    pub first_n: u64,
    /// Whether the rooms that the account is a member of are followed by themselves, from what is
    /// new on. Others can be followed by [`Client::follow`](crate::Client::follow). Without it, only
    /// memberships that change while it is connected are told, of rooms whose names are known.
    pub follow_memberships: bool,
    /// Where a followed room goes on after the daemon was restored from a backup.
    pub after_reset: AfterReset,
    /// The client's name and version, for the daemon's log.
    pub agent: String,
    /// When TLS is spoken.
    pub tls: TlsPolicy,
    /// How long an attempt to connect may take.
    pub connect_timeout: Duration,
}

/// A device that is to be linked to an account.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DeviceLink {
    /// What a device of the account has shown.
    pub code: LinkCode,
    /// What the person is to know the device by; at most 64 bytes.
    pub label: String,
}

/// A nickname that is wished for. It also chooses the key: each name has its own.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Name {
    /// The nickname.
    pub wished: String,
    /// `true`: the sign-in fails when somebody else has it. `false`: it is made free with a number.
    pub firm: bool,
}

/// What becomes of messages that have no answer when the process ends.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum OutboxKind {
    /// They are on disk, and the next screen sends them.
    Screen,
    /// They are in memory only, and whoever sent them is told.
    Headless {
        /// Names the streams, one for each room: the same id and the same messages again are sent once.
        explicit_id: Option<String>,
        /// Whether the program made the id up by itself. Then what waits goes on under a stream of
        /// its own when the server has lost the end of this one; otherwise it is refused, because
        /// whoever gave the id may send everything again under it.
        renewable: bool,
    },
}

impl Config {
    /// A screen's configuration: it keeps its outbox on disk and follows its rooms.
    #[must_use]
    pub fn screen(target: Target, name: Name, data_dir: PathBuf) -> Self {
        Self {
            target,
            fingerprint: None,
            invitation: None,
            name,
            identity: None,
            link: None,
            data_dir,
            outbox: OutboxKind::Screen,
            first_n: 1,
            follow_memberships: true,
            after_reset: AfterReset::FromHead,
            agent: concat!("chat-client/", env!("CARGO_PKG_VERSION")).to_owned(),
            tls: TlsPolicy::default(),
            connect_timeout: CONNECT_TIMEOUT,
        }
    }

    /// A script's configuration: nothing is left on disk, and only what is asked for is followed.
    #[must_use]
    pub fn headless(target: Target, name: Name, data_dir: PathBuf) -> Self {
        Self {
            outbox: OutboxKind::Headless { explicit_id: None, renewable: true },
            follow_memberships: false,
            after_reset: AfterReset::FromStart,
            ..Self::screen(target, name, data_dir)
        }
    }
}

impl Config {
    /// The identity of the server, as far as it is known without asking it. Reads the list of known
    /// servers: blocking.
    ///
    /// # Errors
    /// [`StartError::KnownServers`] when that cannot be read.
    pub fn known_server(&self) -> Result<Option<Fingerprint>, StartError> {
        if self.fingerprint.is_some() {
            return Ok(self.fingerprint);
        }
        let known_servers = KnownServers::of(&self.data_dir);
        for candidate in self.target.candidates() {
            let pinned = known_servers.lookup(&candidate).map_err(|cause| {
                StartError::KnownServers { path: known_servers.path().to_owned(), cause }
            })?;
            if let Some(key) = pinned {
                return Ok(Some(Fingerprint::of(&key)));
            }
        }
        Ok(None)
    }
}

impl Name {
    /// A name that somebody asked for.
    #[must_use]
    pub fn firm(wished: impl Into<String>) -> Self {
        Self { wished: wished.into(), firm: true }
    }

    /// The login name, with what no nickname may have replaced by `-`. Timers and containers have
    /// none in their environment; then it is that of the user database.
    #[must_use]
    pub fn of_login() -> Self {
        let from = |variable| std::env::var(variable).ok().filter(|name| !name.is_empty());
        let login = from("USER").or_else(|| from("LOGNAME")).or_else(name_of_user);
        Self { wished: as_nickname(login.as_deref().unwrap_or_default()), firm: false }
    }
}

fn name_of_user() -> Option<String> {
    let user = nix::unistd::User::from_uid(nix::unistd::Uid::effective());
    // Whoever is in no database is a guest.
    user.ok().flatten().map(|user| user.name)
}

fn as_nickname(login: &str) -> String {
    let spelled = |c: char| if chat_proto::spells_like_a_name(c) { c } else { '-' };
    let name: String = login.chars().map(spelled).take(32).collect();
    match Nickname::parse(name.trim_matches('-')) {
        Ok(name) => name.to_string(),
        Err(_unusable) => "guest".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_name_becomes_a_nickname() {
        assert_eq!(as_nickname("john.doe"), "john-doe");
        assert_eq!(as_nickname("root"), "root");
        assert_eq!(as_nickname("..."), "guest");
        assert_eq!(as_nickname(""), "guest");
        assert_eq!(as_nickname("DOMAIN\\ada"), "DOMAIN-ada");
    }
}
