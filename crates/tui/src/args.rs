//! The command line: what may be written, and what is refused because it could be read in two ways.
//!
//! Owns the grammar only. Where a setting comes from when it is not written here is decided in
//! [`crate::settings`].

mod check;
mod cli;
mod spelling;
mod values;

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use chat_client::{IdentityChoice, TargetUrl};
use chat_proto::{Nickname, RoomName};
use clap::error::ErrorKind;
use clap::{CommandFactory, FromArgMatches};

pub use crate::token::TokenChoice;
use cli::Cli;
pub use values::{Since, room_name, switch, tls_always, tls_verify};

/// What a valid command line asks for.
#[derive(Clone, PartialEq, Debug)]
pub struct Invocation {
    /// The settings that it has.
    pub given: Given,
    /// Where the daemon inside shall listen, if there shall be one.
    pub serve: Option<SocketAddr>,
    /// Whether this device is to be linked to an account, with a code that is asked for.
    pub links: bool,
    /// What to do.
    pub mode: Mode,
}

/// Settings as written on the command line.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Given {
    /// Which daemon.
    pub server: Option<TargetUrl>,
    /// What the reader is called.
    pub name: Option<Nickname>,
    /// One's key.
    pub identity: Option<IdentityChoice>,
    /// What a program signs in with.
    pub token: Option<TokenChoice>,
    /// Where identities, outboxes and logs are.
    pub data_dir: Option<PathBuf>,
    /// Whether TLS is spoken on this machine, too.
    pub tls_always: Option<bool>,
    /// Whether the server's certificate is checked.
    pub tls_verify: Option<bool>,
    /// Where to speak and listen.
    pub rooms: Vec<RoomName>,
    /// Whether the screen listens to the mouse.
    pub mouse: Option<bool>,
}

/// What to do.
#[derive(Clone, PartialEq, Debug)]
pub enum Mode {
    /// Open the screen.
    Screen,
    /// Print the settings.
    PrintConfig,
    /// Lines in, messages out.
    Chat(ChatArgs),
    /// Post.
    Send(SendArgs),
    /// Print what was said and is said.
    Tail(TailArgs),
    /// Print the rooms.
    Rooms(ListArgs),
    /// Print the members of rooms.
    Who(ListArgs),
    /// Print who this is.
    WhoAmI(ListArgs),
    /// End memberships.
    Leave(ListArgs),
}

/// Lines in, messages out.
#[derive(Clone, PartialEq, Debug)]
pub struct ChatArgs {
    /// Print JSON.
    pub json: bool,
    /// Go on after the end of stdin.
    pub follow: bool,
    /// Print what was sent, too.
    pub echo: bool,
    /// How long to wait for the server.
    pub timeout: Duration,
}

/// Post messages.
#[derive(Clone, PartialEq, Debug)]
pub struct SendArgs {
    /// What is said; `None`: it comes from stdin.
    pub text: Option<String>,
    /// One message a line.
    pub lines: bool,
    /// What becomes of a text that is longer than a message.
    pub too_long: TooLong,
    /// Whether what no text can have is replaced.
    pub lossy: bool,
    /// Names the stream of these messages.
    pub id: Option<String>,
    /// The place of the first of them in that stream, from 1.
    pub nth: u64,
    /// How long it may take altogether.
    pub timeout: Duration,
    /// Print JSON.
    pub json: bool,
}

/// What becomes of a text that is longer than a message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TooLong {
    /// It is not sent.
    Refuse,
    /// It becomes several messages.
    Split,
    /// Its beginning is sent, with a mark.
    Truncate,
}

/// Print messages.
#[derive(Clone, PartialEq, Debug)]
pub struct TailArgs {
    /// Print JSON.
    pub json: bool,
    /// Go on with what is new.
    pub follow: bool,
    /// Where to begin.
    pub start: Start,
    /// How many to print.
    pub count: Option<u64>,
    /// Whether only what is new is counted.
    pub counts_new: bool,
    /// How long it may take altogether.
    pub timeout: Option<Duration>,
    /// How long nothing may be said.
    pub idle: Option<Duration>,
    /// Only what this person says.
    pub from: Option<Nickname>,
}

/// Where `tail` begins.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Start {
    /// With so many of the last messages of each room; `None`: with all.
    pub last: Option<u64>,
    /// Not before a place in the log.
    pub since: Option<Since>,
}

/// Print a list.
#[derive(Clone, PartialEq, Debug)]
pub struct ListArgs {
    /// Print JSON.
    pub json: bool,
    /// How long it may take altogether.
    pub timeout: Duration,
}

/// Reads a command line, the program's name first.
///
/// # Errors
/// What clap has to say: help, the version, or what is wrong and the right spelling. Its exit code
/// fits.
pub fn parse(
    args: impl IntoIterator<Item = impl Into<OsString> + Clone>,
) -> Result<Invocation, clap::Error> {
    let args: Vec<OsString> = args.into_iter().map(Into::into).collect();
    let parsed = parse_words(&args);
    parsed.map_err(|error| match spelling::misspelt_command(&args) {
        Some(wrong) if error.use_stderr() => {
            Cli::command().error(ErrorKind::InvalidSubcommand, wrong)
        }
        _ => error,
    })
}

/// Whether a command line that is wrong asks for JSON all the same.
#[must_use]
pub fn wants_json(args: impl IntoIterator<Item = OsString>) -> bool {
    args.into_iter().take_while(|arg| arg != "--").any(|arg| arg == "--json")
}

fn parse_words(args: &[OsString]) -> Result<Invocation, clap::Error> {
    let matches = Cli::command().try_get_matches_from(args)?;
    let cli = Cli::from_arg_matches(&matches)?;
    check::invocation(cli).map_err(|wrong| Cli::command().error(wrong.kind(), wrong))
}

impl Mode {
    /// Whether it prints JSON.
    #[must_use]
    pub fn prints_json(&self) -> bool {
        match self {
            Self::Screen | Self::PrintConfig => false,
            Self::Chat(args) => args.json,
            Self::Send(args) => args.json,
            Self::Tail(args) => args.json,
            Self::Rooms(args) | Self::Who(args) | Self::WhoAmI(args) | Self::Leave(args) => {
                args.json
            }
        }
    }
}
