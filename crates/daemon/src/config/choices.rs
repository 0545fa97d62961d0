//! What a setting may be: values that are checked as they are read, from a flag, the environment or the
//! file alike.

use std::num::ParseIntError;
use std::path::PathBuf;
use std::str::FromStr;

use serde::Deserialize;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;

use super::{Address, AddressError};

/// Where to listen, if anywhere.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum ListenChoice {
    At(Address),
    None,
}

impl FromStr for ListenChoice {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "none" => Ok(Self::None),
            address => address.parse().map(Self::At),
        }
    }
}

/// Where the Unix socket is to be, if anywhere.
#[derive(Clone, Debug)]
pub(super) enum SocketChoice {
    At(PathBuf),
    None,
}

impl FromStr for SocketChoice {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "none" => Ok(Self::None),
            "" => Err("a socket is a path, or none"),
            path => Ok(Self::At(path.into())),
        }
    }
}

/// How many requests a second.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(try_from = "u64")]
pub(super) struct RequestRate(pub(super) u64);

impl TryFrom<u64> for RequestRate {
    type Error = &'static str;

    fn try_from(rate: u64) -> Result<Self, Self::Error> {
        match rate {
            // A token for each nanosecond is the finest that is counted.
            1..=1_000_000_000 => Ok(Self(rate)),
            _ => Err("the requests of a second are 1 to 1000000000"),
        }
    }
}

impl FromStr for RequestRate {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let rate: u64 = text.parse().map_err(|error: ParseIntError| error.to_string())?;
        Self::try_from(rate).map_err(str::to_owned)
    }
}

/// How many connections.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(try_from = "usize")]
pub(super) struct ConnectionCount(pub(super) usize);

impl TryFrom<usize> for ConnectionCount {
    type Error = &'static str;

    fn try_from(count: usize) -> Result<Self, Self::Error> {
        match count {
            0 => Err("with no connection nobody can be served"),
            _ => Ok(Self(count)),
        }
    }
}

impl FromStr for ConnectionCount {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let count: usize = text.parse().map_err(|error: ParseIntError| error.to_string())?;
        Self::try_from(count).map_err(str::to_owned)
    }
}

/// Which log lines are written; checked, so that a typing error is told at the start.
#[derive(Clone, Debug)]
pub(super) struct LogFilter(pub(super) String);

impl FromStr for LogFilter {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let is_level = |part: &str| part.contains('=') || part.parse::<LevelFilter>().is_ok();
        match EnvFilter::try_new(text) {
            Ok(_) if text.split(',').all(is_level) => Ok(Self(text.to_owned())),
            // A word alone would be the name of a part, which nobody means by it.
            Ok(_) => Err("a level is off, error, warn, info, debug or trace".to_owned()),
            Err(error) => Err(error.to_string()),
        }
    }
}
