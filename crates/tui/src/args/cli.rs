//! The words of the command line, as clap reads them.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use chat_client::{IdentityChoice, TargetUrl};
use chat_proto::{Nickname, RoomName};
use clap::{Args, Parser, Subcommand};

use super::values::{self, Since, room_name, switch};

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
pub(super) struct Cli {
    /// The server: HOST, HOST:PORT, chat://HOST[:PORT]/ROOM#FINGERPRINT.INVITATION, the whole path of
    /// a Unix socket, or - for a line of stdin: who sees the list of processes does not see it there
    #[arg(value_parser = values::target)]
    pub(super) target: Option<TargetUrl>,

    /// Be the server as well, until you quit; without ADDR for this machine only
    #[arg(long, value_name = "ADDR", num_args = 0..=1, default_missing_value = "127.0.0.1:5018",
          value_parser = values::listen)]
    pub(super) serve: Option<SocketAddr>,

    #[command(flatten)]
    pub(super) common: Common,

    /// A room [env: CHAT_ROOM] [default: lobby]; in headless mode repeatable
    #[arg(short, long = "room", value_name = "ROOM", value_parser = room_name)]
    pub(super) rooms: Vec<RoomName>,

    /// Whether the screen listens to the mouse: on or off [env: CHAT_MOUSE] [default: on]; off
    /// leaves it to the terminal, as Shift does while it is on
    #[arg(long, value_name = "ON", value_parser = switch)]
    pub(super) mouse: Option<bool>,

    /// Sign in as somebody who is signed in elsewhere: asks for the code that /link shows there. Not
    /// from a terminal, its line comes from stdin, and no screen is opened
    #[arg(long)]
    pub(super) link: bool,

    /// Print all settings with their defaults, as a configuration file
    #[arg(long)]
    pub(super) print_config: bool,

    /// With --no-tui: go on listening after the end of stdin
    #[arg(long)]
    pub(super) follow: bool,

    /// With --no-tui: print also what is sent from here, once it is committed
    #[arg(long)]
    pub(super) echo: bool,

    /// With --no-tui: how long to wait for the server: at the start for the connection, at the end
    /// for each answer [default: 10s]
    #[arg(long, value_name = "DURATION", value_parser = values::duration)]
    pub(super) timeout: Option<Duration>,

    #[command(subcommand)]
    pub(super) command: Option<Command>,
}

/// What may stand before and after a subcommand.
#[derive(Args, Clone, Debug, Default)]
pub(super) struct Common {
    /// The server, as TARGET [env: CHAT_SERVER] [default: the daemon of this machine]
    #[arg(long, value_name = "TARGET", value_parser = values::target)]
    pub(super) server: Option<TargetUrl>,

    /// What you are called [env: CHAT_NAME] [default: the login name]
    #[arg(long, value_parser = values::nickname)]
    pub(super) name: Option<Nickname>,

    /// The key that is you: a file of ssh-keygen's (Ed25519, ECDSA on P-256, sk-ssh-ed25519), or of an ssh-agent:
    /// agent, agent:COMMENT or SHA256:FINGERPRINT [env: CHAT_IDENTITY]
    /// [default: DATA_DIR/identity/NAME.key]
    #[arg(long, value_name = "KEY", value_parser = crate::settings::identity)]
    pub(super) identity: Option<IdentityChoice>,

    /// File with the token that a program signs in with, for its owner alone
    /// [env: CHAT_TOKEN, the token itself]
    #[arg(long, value_name = "FILE", value_parser = crate::settings::directory)]
    pub(super) token_file: Option<PathBuf>,

    /// Where your identity, the outbox and the logs are [env: CHAT_DATA_DIR]
    #[arg(long, value_name = "DIR", value_parser = crate::settings::directory)]
    pub(super) data_dir: Option<PathBuf>,

    /// Whether TLS is spoken to a server of this machine, too, as through ssh -L: auto or always
    /// [env: CHAT_TLS] [default: auto]
    #[arg(long, value_name = "WHEN", value_parser = values::tls_always)]
    pub(super) tls: Option<bool>,

    /// Whether the server's certificate has to be one of an authority that this system trusts, besides
    /// its identity: none or webpki [env: CHAT_TLS_VERIFY] [default: none]
    #[arg(long, value_name = "BY", value_parser = values::tls_verify)]
    pub(super) tls_verify: Option<bool>,

    /// Headless: no screen; stdin is sent, stdout is data
    #[arg(long)]
    pub(super) no_tui: bool,

    /// Headless: print JSON, one object a line
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Subcommand, Debug)]
pub(super) enum Command {
    /// Headless: post a message, and return when it is committed
    Send(SendCli),
    /// Headless: print the last messages, and with -f what is new
    Tail(TailCli),
    /// Headless: print the rooms
    Rooms(RoomsCli),
    /// Headless: print the members of rooms
    Who(WhoCli),
    /// Headless: print your name, the fingerprint of your key, and the server
    Whoami(RoomsCli),
    /// Headless: be no member of a room any more
    Leave(WhoCli),
}

#[derive(Args, Debug)]
pub(super) struct SendCli {
    /// What to say; without it, or with -, it comes from stdin, which is read to its end whatever
    /// happens. A text that may begin with - is written behind --, as in: send -- "$text"
    pub(super) text: Option<String>,

    /// Where to [env: CHAT_ROOM] [default: lobby]
    #[arg(short, long = "room", value_name = "ROOM", value_parser = room_name)]
    pub(super) rooms: Vec<RoomName>,

    /// One message a line; empty lines are left out
    #[arg(long, conflicts_with = "whole")]
    pub(super) lines: bool,

    /// One message of the whole text (the default)
    #[arg(long)]
    pub(super) whole: bool,

    /// Send a text that is longer than 16 KiB as several messages, cut between lines if possible
    #[arg(long, conflicts_with = "truncate")]
    pub(super) split: bool,

    /// Send only the beginning of a text that is longer than 16 KiB, with a mark at its end
    #[arg(long)]
    pub(super) truncate: bool,

    /// Replace what is not UTF-8, and NUL, by U+FFFD
    #[arg(long)]
    pub(super) lossy: bool,

    /// A key of your choice: the same key again never posts twice in the room
    #[arg(long, value_name = "KEY", value_parser = values::key)]
    pub(super) id: Option<String>,

    /// With --id: this is message N of those with the key, from 1; sends one that is missing again,
    /// without those before it
    #[arg(long, value_name = "N", requires = "id",
          value_parser = clap::value_parser!(u64).range(1..))]
    pub(super) nth: Option<u64>,

    /// How long it may take [default: 10s]
    #[arg(long, value_name = "DURATION", value_parser = values::duration)]
    pub(super) timeout: Option<Duration>,

    #[command(flatten)]
    pub(super) common: Common,
}

#[derive(Args, Debug)]
pub(super) struct TailCli {
    /// Where; repeatable [env: CHAT_ROOM] [default: lobby]
    #[arg(short, long = "room", value_name = "ROOM", value_parser = room_name)]
    pub(super) rooms: Vec<RoomName>,

    /// Go on with what is new; a room that is not there yet is waited for
    #[arg(short, long)]
    pub(super) follow: bool,

    /// How many of the last messages of each room [default: 10; with --since: all from there]
    #[arg(short = 'n', long = "lines", value_name = "N")]
    pub(super) last: Option<u64>,

    /// Begin at a place in the log: seq:N
    #[arg(long, value_name = "PLACE", value_parser = values::since)]
    pub(super) since: Option<Since>,

    /// End when N messages are printed: with -f new ones, else the newest that there are, and new
    /// ones if those are not enough
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(super) count: Option<u64>,

    /// How long it may take; exit 5 when that is not enough
    #[arg(long, value_name = "DURATION", value_parser = values::duration)]
    pub(super) timeout: Option<Duration>,

    /// Wait for what is new, and end when nothing has been said for so long
    #[arg(long, value_name = "DURATION", value_parser = values::duration)]
    pub(super) idle: Option<Duration>,

    /// Only what NAME says; exit 2 if nobody there is called so
    #[arg(long, value_name = "NAME", value_parser = values::nickname)]
    pub(super) from: Option<Nickname>,

    #[command(flatten)]
    pub(super) common: Common,
}

#[derive(Args, Debug)]
pub(super) struct RoomsCli {
    /// How long it may take [default: 10s]
    #[arg(long, value_name = "DURATION", value_parser = values::duration)]
    pub(super) timeout: Option<Duration>,

    #[command(flatten)]
    pub(super) common: Common,
}

#[derive(Args, Debug)]
pub(super) struct WhoCli {
    /// Where; repeatable [env: CHAT_ROOM] [default: lobby]
    #[arg(short, long = "room", value_name = "ROOM", value_parser = room_name)]
    pub(super) rooms: Vec<RoomName>,

    /// How long it may take [default: 10s]
    #[arg(long, value_name = "DURATION", value_parser = values::duration)]
    pub(super) timeout: Option<Duration>,

    #[command(flatten)]
    pub(super) common: Common,
}
