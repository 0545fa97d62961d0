//! The command line: what may be written, and what is refused because it could be read in two ways.
//!
//! Owns the grammar only. Where a setting comes from when it is not written here is decided in
//! [`crate::settings`].

mod check;
mod values;

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use chat_client::TargetUrl;
use chat_proto::{Nickname, RoomName};
use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand};

pub use values::{Since, room_name, switch};

/// What a valid command line asks for.
#[derive(Clone, PartialEq, Debug)]
pub struct Invocation {
    /// The settings that it has.
    pub given: Given,
    /// Where the daemon inside shall listen, if there shall be one.
    pub serve: Option<SocketAddr>,
    /// What to do.
    pub mode: Mode,
}

/// Settings as written on the command line.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Given {
    /// Which daemon.
    pub server: Option<TargetUrl>,
    /// Who.
    pub name: Option<Nickname>,
    /// Where identities, outboxes and logs are.
    pub data_dir: Option<PathBuf>,
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
    /// How long it may take altogether.
    pub timeout: Option<Duration>,
    /// How long nothing may be said.
    pub idle: Option<Duration>,
    /// Only what this person says.
    pub from: Option<Nickname>,
}

/// Where `tail` begins.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Start {
    /// With so many of the last messages of each room.
    Last(u64),
    /// With a place in the log.
    Since(Since),
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
    let matches = Cli::command().try_get_matches_from(args)?;
    let cli = Cli::from_arg_matches(&matches)?;
    check::invocation(cli).map_err(|wrong| Cli::command().error(wrong.kind(), wrong))
}

/// What scripts need to know.
const AFTER_HELP: &str = "\
Exit codes of headless mode:
  0 done                      4 not allowed
  1 something failed here     5 time over, or not what was waited for
  2 wrong command line        6 refused by the server
  3 cannot connect            7 outcome unknown: send again with the --id that is printed

JSON is described in docs/json-schema.json. The log is DATA_DIR/log/chat-tui.log; the environment
variable CHAT_LOG says what is in it, as in CHAT_LOG=debug.";

/// Chat in the terminal.
///
/// Without arguments: the screen, on the daemon of this machine. Each of --server, --name,
/// --data-dir and --room is also an environment variable and a line of the configuration file; the
/// command line counts first, then the environment, then the file.
#[derive(Parser, Debug)]
#[command(
    name = "chat-tui",
    version,
    subcommand_precedence_over_arg = true,
    after_long_help = AFTER_HELP
)]
pub(crate) struct Cli {
    /// The server: HOST, HOST:PORT, chat://HOST[:PORT]/ROOM#FINGERPRINT, or the whole path of a
    /// Unix socket
    #[arg(value_parser = values::target)]
    target: Option<TargetUrl>,

    /// Be the server as well, until you quit; without ADDR for this machine only
    #[arg(long, value_name = "ADDR", num_args = 0..=1, default_missing_value = "127.0.0.1:5018",
          value_parser = values::listen)]
    serve: Option<SocketAddr>,

    #[command(flatten)]
    common: Common,

    /// A room [env: CHAT_ROOM] [default: lobby]; in headless mode repeatable
    #[arg(short, long = "room", value_name = "ROOM", value_parser = room_name)]
    rooms: Vec<RoomName>,

    /// Whether the screen listens to the mouse: on or off [env: CHAT_MOUSE] [default: on]; off
    /// leaves it to the terminal, as Shift does while it is on
    #[arg(long, value_name = "ON", value_parser = switch)]
    mouse: Option<bool>,

    /// Print all settings with their defaults, as a configuration file
    #[arg(long)]
    print_config: bool,

    /// With --no-tui: go on listening after the end of stdin
    #[arg(long)]
    follow: bool,

    /// With --no-tui: print also what is sent from here, once it is committed
    #[arg(long)]
    echo: bool,

    /// With --no-tui: how long to wait for the server: at the start for the connection, at the end
    /// for each answer [default: 10s]
    #[arg(long, value_name = "DURATION", value_parser = values::duration)]
    timeout: Option<Duration>,

    #[command(subcommand)]
    command: Option<Command>,
}

/// What may stand before and after a subcommand.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct Common {
    /// The server, as TARGET [env: CHAT_SERVER] [default: the daemon of this machine]
    #[arg(long, value_name = "TARGET", value_parser = values::target)]
    server: Option<TargetUrl>,

    /// What you are called [env: CHAT_NAME] [default: the login name]
    #[arg(long, value_parser = values::nickname)]
    name: Option<Nickname>,

    /// Where your identity, the outbox and the logs are [env: CHAT_DATA_DIR]
    #[arg(long, value_name = "DIR", value_parser = crate::settings::directory)]
    data_dir: Option<PathBuf>,

    /// Headless: no screen; stdin is sent, stdout is data
    #[arg(long)]
    no_tui: bool,

    /// Headless: print JSON, one object a line
    #[arg(long)]
    json: bool,
}

#[derive(Subcommand, Debug)]
pub(crate) enum Command {
    /// Headless: post a message, and return when it is committed
    Send(SendCli),
    /// Headless: print the last messages, and with -f what is new
    Tail(TailCli),
    /// Headless: print the rooms
    Rooms(RoomsCli),
    /// Headless: print the members of rooms
    Who(WhoCli),
}

#[derive(Args, Debug)]
pub(crate) struct SendCli {
    /// What to say; without it, or with -, it comes from stdin, which is read to its end whatever
    /// happens. A text that may begin with - is written behind --, as in: send -- "$text"
    text: Option<String>,

    /// Where to [env: CHAT_ROOM] [default: lobby]
    #[arg(short, long = "room", value_name = "ROOM", value_parser = room_name)]
    rooms: Vec<RoomName>,

    /// One message a line; empty lines are left out
    #[arg(long, conflicts_with = "whole")]
    lines: bool,

    /// One message of the whole text (the default)
    #[arg(long)]
    whole: bool,

    /// Send a text that is longer than 16 KiB as several messages, cut between lines if possible
    #[arg(long, conflicts_with = "truncate")]
    split: bool,

    /// Send only the beginning of a text that is longer than 16 KiB, with a mark at its end
    #[arg(long)]
    truncate: bool,

    /// Replace what is not UTF-8, and NUL, by U+FFFD
    #[arg(long)]
    lossy: bool,

    /// A key of your choice: the same key again never posts twice
    #[arg(long, value_name = "KEY", value_parser = values::key)]
    id: Option<String>,

    /// How long it may take [default: 10s]
    #[arg(long, value_name = "DURATION", value_parser = values::duration)]
    timeout: Option<Duration>,

    #[command(flatten)]
    common: Common,
}

#[derive(Args, Debug)]
pub(crate) struct TailCli {
    /// Where; repeatable [env: CHAT_ROOM] [default: lobby]
    #[arg(short, long = "room", value_name = "ROOM", value_parser = room_name)]
    rooms: Vec<RoomName>,

    /// Go on with what is new
    #[arg(short, long)]
    follow: bool,

    /// How many of the last messages of each room [default: 10]
    #[arg(short = 'n', long = "lines", value_name = "N", conflicts_with = "since")]
    last: Option<u64>,

    /// Begin at a place in the log: seq:N
    #[arg(long, value_name = "PLACE", value_parser = values::since)]
    since: Option<Since>,

    /// Wait for and print N messages, then end
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    count: Option<u64>,

    /// How long it may take; exit 5 when that is not enough
    #[arg(long, value_name = "DURATION", value_parser = values::duration)]
    timeout: Option<Duration>,

    /// Wait for what is new, and end when nothing has been said for so long
    #[arg(long, value_name = "DURATION", value_parser = values::duration)]
    idle: Option<Duration>,

    /// Only what NAME says
    #[arg(long, value_name = "NAME", value_parser = values::nickname)]
    from: Option<Nickname>,

    #[command(flatten)]
    common: Common,
}

#[derive(Args, Debug)]
pub(crate) struct RoomsCli {
    /// How long it may take [default: 10s]
    #[arg(long, value_name = "DURATION", value_parser = values::duration)]
    timeout: Option<Duration>,

    #[command(flatten)]
    common: Common,
}

#[derive(Args, Debug)]
pub(crate) struct WhoCli {
    /// Where; repeatable [env: CHAT_ROOM] [default: lobby]
    #[arg(short, long = "room", value_name = "ROOM", value_parser = room_name)]
    rooms: Vec<RoomName>,

    /// How long it may take [default: 10s]
    #[arg(long, value_name = "DURATION", value_parser = values::duration)]
    timeout: Option<Duration>,

    #[command(flatten)]
    common: Common,
}
