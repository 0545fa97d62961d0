//! Settings: the command line counts first, then the environment, then the configuration file.
//!
//! Owns where each setting comes from and what it is when nobody said. It must not know what is
//! done with it.

mod file;
mod looks;
mod print;

use std::ffi::OsString;
use std::path::PathBuf;

use chat_client::{DeviceLink, IdentityChoice, Name, Target, TargetUrl, TlsPolicy};
use chat_proto::{Nickname, RoomName};
use etcetera::BaseStrategy;

use crate::args::{Given, TokenChoice, room_name, switch, tls_always, tls_verify};

pub use file::{FileSettings, Warning};
pub(crate) use file::{directory, identity};
pub use looks::Looks;
pub use print::config_text;

/// The room when nobody named one.
const ROOM_DEFAULT: &str = "lobby";

/// Everything that the command line, the environment and the file can set, decided.
#[derive(Clone, PartialEq, Debug)]
pub struct Settings {
    /// Which daemon, and the identity that it must have, if that is known.
    pub server: TargetUrl,
    /// What the reader is called, and whether that is a wish only.
    pub name: Name,
    /// One's key, when it is not the one of the name.
    pub identity: Option<IdentityChoice>,
    /// A key that was chosen less closely than the name, and so is not that of the name.
    pub identity_passed_over: Option<IdentityChoice>,
    /// What a program signs in with, in place of a key.
    pub token: Option<TokenChoice>,
    /// The account that this device is to be linked to. No setting says it: a code is asked for.
    pub link: Option<DeviceLink>,
    /// Where identities, outboxes and logs are.
    pub data_dir: PathBuf,
    /// When TLS is spoken, and what is asked of a certificate.
    pub tls: TlsPolicy,
    /// Where to speak and listen: at least one room.
    pub rooms: Vec<RoomName>,
    /// Whether somebody chose the rooms; else it is the default one.
    pub rooms_are_chosen: bool,
    /// Whether the screen listens to the mouse.
    pub mouse: bool,
    /// The keys and colours of the screen.
    pub looks: Looks,
}

/// Says why there are no settings.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// An environment variable has no usable value.
    #[error("the environment variable {variable}: {cause}")]
    Environment {
        /// Its name.
        variable: &'static str,
        /// What is wrong with it.
        cause: String,
    },
    /// Neither `--data-dir` nor a home directory is known.
    #[error("there is no home directory; say where to keep things with --data-dir DIR")]
    NoHome,
}

/// Decides every setting. `environment` answers what a variable is set to.
///
/// # Errors
/// [`SettingsError`].
pub fn resolve(
    given: Given,
    environment: impl Fn(&str) -> Option<OsString>,
    file: FileSettings,
) -> Result<Settings, SettingsError> {
    let variables = Variables { lookup: environment };
    let from_environment = Given {
        server: variables.parsed("CHAT_SERVER", |text| text.parse::<TargetUrl>())?,
        name: variables.parsed("CHAT_NAME", Nickname::parse)?,
        identity: variables.parsed("CHAT_IDENTITY", identity)?,
        token: variables.parsed("CHAT_TOKEN", TokenChoice::parse)?,
        data_dir: variables.parsed("CHAT_DATA_DIR", directory)?,
        tls_always: variables.parsed("CHAT_TLS", tls_always)?,
        tls_verify: variables.parsed("CHAT_TLS_VERIFY", tls_verify)?,
        rooms: variables.parsed("CHAT_ROOM", room_name)?.into_iter().collect(),
        mouse: variables.parsed("CHAT_MOUSE", switch)?,
    };
    let mut levels = [given, from_environment, file.given];
    let rooms = levels.iter_mut().find_map(rooms_of);
    let rooms_are_chosen = rooms.is_some();
    let rooms = rooms.unwrap_or_else(|| vec![lobby()]);
    let server = levels.iter_mut().find_map(|level| level.server.take());
    let (identity, identity_passed_over) = identity_of(&mut levels);
    let name = levels.iter_mut().find_map(|level| level.name.take());
    let data_dir = levels.iter_mut().find_map(|level| level.data_dir.take());
    let first = |of: fn(&Given) -> Option<bool>| levels.iter().find_map(of).unwrap_or_default();
    let (always, checks_certificate) = (first(|of| of.tls_always), first(|of| of.tls_verify));
    Ok(Settings {
        server: server.unwrap_or_else(|| Target::Local.into()),
        name: name.map_or_else(Name::of_login, |name| Name::firm(name.as_str())),
        identity,
        identity_passed_over,
        token: levels.iter_mut().find_map(|level| level.token.take()),
        link: None,
        data_dir: data_dir.or_else(data_dir_default).ok_or(SettingsError::NoHome)?,
        tls: TlsPolicy { always, checks_certificate },
        rooms,
        rooms_are_chosen,
        mouse: levels.iter().find_map(|level| level.mouse).unwrap_or(true),
        looks: file.looks,
    })
}

/// Where the configuration file is, when there is a home directory.
#[must_use]
pub fn config_path() -> Option<PathBuf> {
    let strategy = etcetera::choose_base_strategy().ok()?;
    Some(strategy.config_dir().join("chat-tui").join("config.toml"))
}

fn data_dir_default() -> Option<PathBuf> {
    let strategy = etcetera::choose_base_strategy().ok()?;
    Some(strategy.data_dir().join("chat-tui"))
}

fn lobby() -> RoomName {
    RoomName::parse(ROOM_DEFAULT).expect("the default room has a valid name")
}

/// The rooms of one level, or the room that the address of the same level names.
fn rooms_of(level: &mut Given) -> Option<Vec<RoomName>> {
    let named = std::mem::take(&mut level.rooms);
    let in_address = || level.server.as_ref()?.room.clone().map(|room| vec![room]);
    if named.is_empty() { in_address() } else { Some(named) }
}

/// The key that was chosen, and one that is passed over. Who says a name more closely than a key means
/// another person: two names never share a key by accident.
fn identity_of(levels: &mut [Given]) -> (Option<IdentityChoice>, Option<IdentityChoice>) {
    let named_at = levels.iter().position(|level| level.name.is_some());
    let chosen_at = levels.iter().position(|level| level.identity.is_some());
    let chosen = chosen_at.and_then(|at| levels[at].identity.take());
    match named_at < chosen_at && named_at.is_some() {
        true => (None, chosen),
        false => (chosen, None),
    }
}

struct Variables<F> {
    lookup: F,
}

impl<F: Fn(&str) -> Option<OsString>> Variables<F> {
    /// A variable that is set to nothing is not set.
    fn text(&self, variable: &'static str) -> Result<Option<String>, SettingsError> {
        let value = (self.lookup)(variable).filter(|value| !value.is_empty());
        let text = value.map(OsString::into_string).transpose();
        text.map_err(|_not_utf8| SettingsError::Environment {
            variable,
            cause: "its value is not UTF-8".to_owned(),
        })
    }

    fn parsed<T, E: std::fmt::Display>(
        &self,
        variable: &'static str,
        parse: impl Fn(&str) -> Result<T, E>,
    ) -> Result<Option<T>, SettingsError> {
        let parsed = self.text(variable)?.map(|text| parse(&text)).transpose();
        parsed.map_err(|cause| SettingsError::Environment { variable, cause: cause.to_string() })
    }
}
