//! The settings that bound what strangers, networks and accounts may do. All of them are taken anew by a
//! reload.

use std::fmt::Write;
use std::str::FromStr;

use chat_core::{AccountPaces, Pace};
use chat_proto::Nickname;
use clap::Args;
use serde::Deserialize;

use super::file::File;
use crate::ip_network::IpNetwork;
use crate::network_limits::NetworkPaces;

/// Who signs in too often is not read for so long at the most before it is refused, in milliseconds: it
/// leaves the other half of the time for the handshake.
const SIGN_IN_PATIENCE_MS: u64 = 5_000;

const MINUTE_MS: u64 = 60_000;
const HOUR_MS: u64 = 60 * MINUTE_MS;

/// How many, and how often.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Limits {
    /// Connections of one network at once.
    pub connections_per_network: usize,
    /// Sign-ins of one network in a minute, and as many at once.
    pub sign_ins_per_minute: u64,
    /// Accounts that are made from one network in an hour, and as many at once.
    pub accounts_per_hour: u64,
    /// Joins of one account in a minute.
    pub joins_per_minute: u64,
    /// Rooms that one account makes in an hour.
    pub new_rooms_per_hour: u64,
    /// The names of accounts that have no rate limit.
    pub bulk_accounts: Vec<String>,
    /// From where the PROXY protocol is spoken, and nothing without it.
    pub proxy_protocol_from: Vec<IpNetwork>,
}

impl Default for Limits {
    /// What an office behind one address does not feel when everybody comes back at once.
    fn default() -> Self {
        Self {
            connections_per_network: 2_000,
            sign_ins_per_minute: 1_200,
            accounts_per_hour: 120,
            joins_per_minute: 600,
            new_rooms_per_hour: 360,
            bulk_accounts: Vec::new(),
            proxy_protocol_from: Vec::new(),
        }
    }
}

impl Limits {
    pub(crate) fn account_paces(&self) -> AccountPaces {
        let bulk = self.bulk_accounts.iter().cloned().collect();
        AccountPaces { bulk, ..AccountPaces::new(self.joins_per_minute, self.new_rooms_per_hour) }
    }

    pub(crate) fn network_paces(&self) -> NetworkPaces {
        NetworkPaces {
            connections_max: self.connections_per_network,
            sign_ins: Pace::per(MINUTE_MS, self.sign_ins_per_minute)
                .with_patience(SIGN_IN_PATIENCE_MS),
            accounts: Pace::per(HOUR_MS, self.accounts_per_hour),
        }
    }

    /// The settings as a part of a file for `--config`.
    pub(super) fn to_toml(&self) -> String {
        let list = |texts: &mut dyn Iterator<Item = String>| {
            toml::Value::Array(texts.map(toml::Value::String).collect())
        };
        let bulk = list(&mut self.bulk_accounts.iter().cloned());
        let proxies = list(&mut self.proxy_protocol_from.iter().map(IpNetwork::to_string));
        let Self { connections_per_network, sign_ins_per_minute, accounts_per_hour, .. } = self;
        let Self { joins_per_minute, new_rooms_per_hour, .. } = self;
        let mut text = String::new();
        let written = write!(
            text,
            "\
# Limits of a network: an IPv4 address, or a /64 of IPv6; a /48 has eight times as much. This machine
# (loopback and the Unix socket) has none. Connections at once; sign-ins in a minute; accounts that are
# made in an hour. Of the last two as many at once, then evenly. Who signs in too often is read later,
# for up to five seconds, and told beyond that when to come again. SIGHUP reads all of these anew.
# Flags --connections-per-network, --sign-ins-per-minute, --accounts-per-hour, environment
# CHATD_CONNECTIONS_PER_NETWORK and so on.
connections-per-network = {connections_per_network}
sign-ins-per-minute = {sign_ins_per_minute}
accounts-per-hour = {accounts_per_hour}

# How many rooms an account may join in a minute, and make in an hour; of both 1000 at once. Beyond that it
# is told when to ask again. SIGHUP reads both anew.
# Flags --joins-per-minute, --new-rooms-per-hour, environment CHATD_JOINS_PER_MINUTE and so on.
joins-per-minute = {joins_per_minute}
new-rooms-per-hour = {new_rooms_per_hour}

# Names of accounts that have no rate limit at all. Who has such a name has the right, so have the
# account made before you write it here. It counts from the next sign-in on. SIGHUP reads it anew.
# Flag --bulk-accounts, environment CHATD_BULK_ACCOUNTS (separated by commas).
bulk-accounts = {bulk}

# Networks of proxies that say in a PROXY protocol header (version 2) for whom they connect: \"10.0.0.0/8\".
# From there nothing is taken without it; from anywhere else it is refused. SIGHUP reads it anew.
# Flag --proxy-protocol-from, environment CHATD_PROXY_PROTOCOL_FROM (separated by commas).
proxy-protocol-from = {proxies}
"
        );
        debug_assert!(written.is_ok(), "a text takes all that is written");
        text
    }
}

/// The flags of these settings, and their environment variables.
#[derive(Debug, Args)]
pub(super) struct LimitArgs {
    /// How many connections one network may have (an IPv4 address, a /64 of IPv6; a /48 has eight
    /// times as many) [default: 2000]
    #[arg(long, value_name = "N", env = "CHATD_CONNECTIONS_PER_NETWORK", hide_env_values = true)]
    connections_per_network: Option<LimitCount>,

    /// How many sign-ins one network may make in a minute, and as many at once [default: 1200]
    #[arg(long, value_name = "N", env = "CHATD_SIGN_INS_PER_MINUTE", hide_env_values = true)]
    sign_ins_per_minute: Option<LimitCount>,

    /// How many accounts may be made from one network in an hour, and as many at once [default: 120]
    #[arg(long, value_name = "N", env = "CHATD_ACCOUNTS_PER_HOUR", hide_env_values = true)]
    accounts_per_hour: Option<LimitCount>,

    /// How many rooms an account may join in a minute, and 1000 at once [default: 600]
    #[arg(long, value_name = "N", env = "CHATD_JOINS_PER_MINUTE", hide_env_values = true)]
    joins_per_minute: Option<LimitCount>,

    /// How many rooms an account may make in an hour, and 1000 at once [default: 360]
    #[arg(long, value_name = "N", env = "CHATD_NEW_ROOMS_PER_HOUR", hide_env_values = true)]
    new_rooms_per_hour: Option<LimitCount>,

    /// Name of an account that has no rate limit, repeatable
    #[arg(long, value_name = "NAME", env = "CHATD_BULK_ACCOUNTS", hide_env_values = true)]
    #[arg(value_delimiter = ',')]
    bulk_accounts: Option<Vec<AccountName>>,

    /// Network of a proxy that speaks the PROXY protocol (version 2), repeatable, as in 10.0.0.0/8
    #[arg(long, value_name = "NET", env = "CHATD_PROXY_PROTOCOL_FROM", hide_env_values = true)]
    #[arg(value_delimiter = ',')]
    proxy_protocol_from: Option<Vec<IpNetwork>>,
}

impl LimitArgs {
    /// The settings in force, with those of a file.
    pub(super) fn resolve(self, file: &mut File) -> Limits {
        let defaults = Limits::default();
        let count = |flag: Option<LimitCount>, file: Option<LimitCount>, default| {
            flag.or(file).map_or(default, |count| count.0)
        };
        let connections = self.connections_per_network.or(file.connections_per_network);
        let connections = connections.and_then(|count| usize::try_from(count.0).ok());
        let bulk = self.bulk_accounts.or(file.bulk_accounts.take()).unwrap_or_default();
        let proxies = self.proxy_protocol_from.or(file.proxy_protocol_from.take());
        Limits {
            connections_per_network: connections.unwrap_or(defaults.connections_per_network),
            sign_ins_per_minute: count(
                self.sign_ins_per_minute,
                file.sign_ins_per_minute,
                defaults.sign_ins_per_minute,
            ),
            accounts_per_hour: count(
                self.accounts_per_hour,
                file.accounts_per_hour,
                defaults.accounts_per_hour,
            ),
            joins_per_minute: count(
                self.joins_per_minute,
                file.joins_per_minute,
                defaults.joins_per_minute,
            ),
            new_rooms_per_hour: count(
                self.new_rooms_per_hour,
                file.new_rooms_per_hour,
                defaults.new_rooms_per_hour,
            ),
            bulk_accounts: bulk.into_iter().map(|name| name.0).collect(),
            proxy_protocol_from: proxies.unwrap_or_default(),
        }
    }
}

/// How many, of what is bounded.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(try_from = "u64")]
pub(super) struct LimitCount(u64);

impl TryFrom<u64> for LimitCount {
    type Error = &'static str;

    fn try_from(count: u64) -> Result<Self, Self::Error> {
        match count {
            1..=1_000_000_000 => Ok(Self(count)),
            _ => Err("a limit is 1 to 1000000000; the last is as good as none"),
        }
    }
}

impl FromStr for LimitCount {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let count: u64 =
            text.parse().map_err(|error: std::num::ParseIntError| error.to_string())?;
        Self::try_from(count).map_err(str::to_owned)
    }
}

/// The name of an account, as the daemon writes it.
#[derive(Clone, Debug)]
pub(super) struct AccountName(String);

impl FromStr for AccountName {
    type Err = chat_proto::NameError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Nickname::parse(text.trim()).map(|name| Self(name.as_str().to_owned()))
    }
}
