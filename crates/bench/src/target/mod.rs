//! The systems that are measured: how each is started, entered, and spoken to.
//!
//! Each module below knows one of them. What is done with the sockets is the load's business.

mod chatd;
mod mosquitto;
mod nats;
mod ngircd;
mod plain;
mod raw;
mod redis;

use std::fmt;
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};
use clap::ValueEnum;
use tempfile::TempDir;

use crate::machine::cores::Cores;
use crate::machine::host::version_in;
use crate::machine::process::Process;
use crate::net::acks::Acks;
use crate::net::framing::Framing;
use crate::net::template::Template;
use crate::relay::ACK;

pub(crate) use chatd::{ROOM, connect_all};

/// A system that is measured.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, ValueEnum)]
pub(crate) enum Target {
    /// chatd, every message fsynced before its ack
    Chatd,
    /// chatd, a message survives a kill but not a loss of power
    ChatdProcess,
    /// The limit: passes what comes in on to everybody, and looks at nothing
    Raw,
    /// The limit of a promise: the same, after an fdatasync
    RawDurable,
    /// nats-server
    Nats,
    /// redis-server, pub/sub
    Redis,
    /// redis-server, a stream with an fsync before each answer, and pub/sub
    RedisDurable,
    /// ngircd, IRC
    Ngircd,
    /// mosquitto, MQTT at quality of service 0
    Mosquitto,
}

/// Where servers run.
#[derive(Clone, Debug)]
pub(crate) struct Environment {
    pub(crate) cores: Cores,
    /// The daemon.
    pub(crate) chatd: PathBuf,
    /// Data directories are made in it, on the disk that is measured.
    pub(crate) folder: PathBuf,
    /// The daemon limits how fast an account may ask, as it does by itself. A load is an account or a
    /// few: elsewhere the limit would be what is measured, and those of the peers are off as well.
    pub(crate) limits_requests: bool,
}

/// A server that runs. It ends, and its files go, when it is dropped.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) target: Target,
    pub(crate) address: SocketAddr,
    /// From the start of the process until it could be talked to.
    pub(crate) ready_after: Duration,
    // Ends before its files go.
    process: Process,
    folder: TempDir,
}

/// How many come, and what they say.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Participants {
    pub(crate) receivers: usize,
    pub(crate) senders: usize,
    pub(crate) text_bytes: usize,
}

/// Everybody in their place, in one room.
#[derive(Debug)]
pub(crate) struct Stage {
    pub(crate) receiver_conns: Vec<ReceiverConn>,
    pub(crate) sender_conns: Vec<SenderConn>,
    pub(crate) framing: Framing,
    /// How each message gets an ack, where it gets one.
    pub(crate) acks: Option<Acks>,
}

/// A receiver.
#[derive(Debug)]
pub(crate) struct ReceiverConn {
    pub(crate) socket: TcpStream,
    /// What has come and was not looked at.
    pub(crate) rest: Vec<u8>,
    /// The last event that it has, where there are seqs.
    pub(crate) seq: u64,
}

/// A sender.
#[derive(Debug)]
pub(crate) struct SenderConn {
    pub(crate) socket: TcpStream,
    pub(crate) template: Template,
}

impl Target {
    /// The program, where it is another one's.
    fn program(self) -> Option<&'static str> {
        match self {
            Self::Chatd | Self::ChatdProcess | Self::Raw | Self::RawDurable => None,
            Self::Nats => Some("nats-server"),
            Self::Redis | Self::RedisDurable => Some("redis-server"),
            Self::Ngircd => Some("ngircd"),
            Self::Mosquitto => Some("mosquitto"),
        }
    }

    /// Whether it can be started here.
    pub(crate) fn is_installed(self) -> bool {
        self.program().is_none_or(|program| find(program).is_some())
    }

    /// Whether it promises that a message survives a loss of power.
    pub(crate) fn is_durable(self) -> bool {
        matches!(self, Self::Chatd | Self::RawDurable | Self::RedisDurable)
    }

    /// The name and the version of its program, where it is another one's.
    pub(crate) fn version(self) -> Option<(String, String)> {
        let program = self.program()?;
        // One of them knows no --version, but says it beside its options.
        let ask = if self == Self::Mosquitto { "-h" } else { "--version" };
        let said = Command::new(find(program)?).arg(ask).output().ok()?;
        let version = version_in(&String::from_utf8_lossy(&said.stdout))?;
        Some((program.to_owned(), version))
    }

    /// Whether it is chatd, whatever it promises.
    pub(crate) fn is_chatd(self) -> bool {
        matches!(self, Self::Chatd | Self::ChatdProcess)
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.to_possible_value().map(|value| value.get_name().to_owned());
        f.pad(&name.unwrap_or_default())
    }
}

impl Server {
    /// Starts a server on fresh files.
    pub(crate) fn start(target: Target, environment: &Environment) -> Result<Self> {
        let folder = TempDir::with_prefix_in("chat-bench-", &environment.folder)
            .context("no folder for the server's files")?;
        Self::start_in(target, environment, folder)
    }

    /// The same server again, on the files that it left when it was asked to end.
    pub(crate) fn restart(self, environment: &Environment) -> Result<Self> {
        let Self { target, process, folder, .. } = self;
        process.terminate()?;
        Self::start_in(target, environment, folder)
    }

    /// The same server again, on the files that it left when it was killed.
    pub(crate) fn restart_after_kill(self, environment: &Environment) -> Result<Self> {
        let Self { target, process, folder, .. } = self;
        drop(process);
        Self::start_in(target, environment, folder)
    }

    fn start_in(target: Target, environment: &Environment, folder: TempDir) -> Result<Self> {
        let began = std::time::Instant::now();
        let (process, address) = match target {
            Target::Chatd => chatd::start(environment, folder.path(), "full"),
            Target::ChatdProcess => chatd::start(environment, folder.path(), "process"),
            Target::Raw => raw::start(environment, folder.path(), false),
            Target::RawDurable => raw::start(environment, folder.path(), true),
            Target::Nats => nats::start(environment, folder.path()),
            Target::Redis => redis::start(environment, folder.path(), false),
            Target::RedisDurable => redis::start(environment, folder.path(), true),
            Target::Ngircd => ngircd::start(environment, folder.path()),
            Target::Mosquitto => mosquitto::start(environment, folder.path()),
        }
        .with_context(|| format!("{target} did not start"))?;
        Ok(Self { target, address, ready_after: began.elapsed(), process, folder })
    }

    /// Brings everybody in.
    pub(crate) fn set(&self, participants: &Participants) -> Result<Stage> {
        match self.target {
            Target::Chatd | Target::ChatdProcess => chatd::set(self.address, participants),
            Target::Raw => raw::set(self.address, participants, None),
            Target::RawDurable => raw::set(self.address, participants, Some(Acks::Byte(ACK))),
            Target::Nats => nats::set(self.address, participants),
            Target::Redis => redis::set(self.address, participants, false),
            Target::RedisDurable => redis::set(self.address, participants, true),
            Target::Ngircd => ngircd::set(self.address, participants),
            Target::Mosquitto => mosquitto::set(self.address, participants),
        }
        .with_context(|| format!("{} could not be entered: {}", self.target, self.last_words()))
    }

    pub(crate) fn pid(&self) -> u32 {
        self.process.pid()
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn last_words(&self) -> String {
        self.process.last_words()
    }
}

/// A program of the system; some are where only root looks.
fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let usual = ["/usr/sbin", "/usr/local/sbin", "/sbin"].map(PathBuf::from);
    let mut folders = std::env::split_paths(&path).chain(usual);
    folders.find_map(|folder| Some(folder.join(program)).filter(|found| found.is_file()))
}

fn found(program: &str) -> Result<PathBuf> {
    find(program).with_context(|| format!("{program} is not installed"))
}
