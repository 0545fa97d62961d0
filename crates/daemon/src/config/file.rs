//! The TOML file: the same settings under the names of their flags.

use std::fmt::Display;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use rustix::fs::{Mode, OFlags};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

use super::choices::{ConnectionCount, LogFilter, RequestRate, SocketChoice};
use super::limits::{AccountName, LimitCount};
use super::{Address, IpNetwork, RegistrationSetting, SocketMode};
use crate::store::Durability;

/// What a file says.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct File {
    #[serde(default, deserialize_with = "each_parsed")]
    pub(super) listen: Option<Vec<Address>>,
    #[serde(default, deserialize_with = "parsed")]
    pub(super) socket: Option<SocketChoice>,
    #[serde(default, deserialize_with = "parsed")]
    pub(super) socket_mode: Option<SocketMode>,
    pub(super) socket_group: Option<String>,
    pub(super) data_dir: Option<PathBuf>,
    #[serde(default, deserialize_with = "parsed")]
    pub(super) durability: Option<Durability>,
    pub(super) new_store: Option<bool>,
    pub(super) requests_per_second: Option<RequestRate>,
    pub(super) tls_certificate: Option<PathBuf>,
    pub(super) tls_key: Option<PathBuf>,
    pub(super) insecure_plaintext: Option<bool>,
    pub(super) connections: Option<ConnectionCount>,
    pub(super) connections_per_network: Option<LimitCount>,
    pub(super) sign_ins_per_minute: Option<LimitCount>,
    pub(super) accounts_per_hour: Option<LimitCount>,
    pub(super) joins_per_minute: Option<LimitCount>,
    pub(super) new_rooms_per_hour: Option<LimitCount>,
    #[serde(default, deserialize_with = "each_parsed")]
    pub(super) bulk_accounts: Option<Vec<AccountName>>,
    #[serde(default, deserialize_with = "each_parsed")]
    pub(super) proxy_protocol_from: Option<Vec<IpNetwork>>,
    #[serde(default, deserialize_with = "parsed")]
    pub(super) registration: Option<RegistrationSetting>,
    #[serde(default, deserialize_with = "parsed")]
    pub(super) log: Option<LogFilter>,
}

/// Says what is wrong with a file.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// It cannot be read.
    #[error("the config file {path:?} cannot be read: {cause}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why not.
        cause: io::Error,
    },
    /// A line of it is not understood.
    #[error("the config file {path:?}, line {line}: {message}")]
    Line {
        /// The file.
        path: PathBuf,
        /// Counted from 1.
        line: usize,
        /// What is wrong there.
        message: String,
    },
}

impl File {
    /// Reads a file; every line must be understood.
    pub(super) fn read(path: &Path) -> Result<Self, FileError> {
        Self::parse(path, std::fs::read_to_string(path))
    }

    /// Reads it while the daemon runs: a pipe, which has nobody at its other end by now, is refused.
    pub(super) fn read_again(path: &Path) -> Result<Self, FileError> {
        Self::parse(path, read_regular(path))
    }

    fn parse(path: &Path, text: io::Result<String>) -> Result<Self, FileError> {
        let text = text.map_err(|cause| FileError::Unreadable { path: path.to_owned(), cause })?;
        toml::from_str(&text).map_err(|error| {
            let start = error.span().map_or(0, |span| span.start);
            let line = 1 + text.bytes().take(start).filter(|byte| *byte == b'\n').count();
            FileError::Line { path: path.to_owned(), line, message: error.message().to_owned() }
        })
    }
}

/// Opens without waiting for whoever would write into a pipe.
fn read_regular(path: &Path) -> io::Result<String> {
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let mut file = std::fs::File::from(rustix::fs::open(path, flags, Mode::empty())?);
    if !file.metadata()?.is_file() {
        return Err(io::Error::other("it is no regular file; only such a one is read again"));
    }
    let mut text = String::new();
    file.read_to_string(&mut text)?;
    Ok(text)
}

fn parsed<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: FromStr<Err: Display>,
{
    let text = String::deserialize(deserializer)?;
    text.parse().map(Some).map_err(D::Error::custom)
}

fn each_parsed<'de, D, T>(deserializer: D) -> Result<Option<Vec<T>>, D::Error>
where
    D: Deserializer<'de>,
    T: FromStr<Err: Display>,
{
    let texts = Vec::<String>::deserialize(deserializer)?;
    let parsed = texts.iter().map(|text| text.parse()).collect::<Result<_, _>>();
    parsed.map(Some).map_err(D::Error::custom)
}
