//! Headless mode: the client as a pipe. stdout carries data only; stderr, the rest.
//!
//! Owns what scripts rely on: what is printed, and how the process ends. It is not a second client:
//! everything that concerns the server is [`chat_client`]'s.

mod account;
mod backwards;
mod chat;
mod failure;
mod finding;
mod input;
mod key;
mod link;
mod list;
mod missing;
mod output;
mod pieces;
mod printer;
mod quoting;
mod record;
mod send;
mod send_summary;
mod sending;
mod signals;
mod speaker;
mod tail;
mod telling;
mod time;

use std::io::{self, IsTerminal};
use std::time::Duration;

use chat_client::{Config, Identity};
use chat_proto::RoomName;
use tokio::time::timeout;

use crate::args::{ChatArgs, ListArgs, Mode, SendArgs, TailArgs};
use crate::exit::Exit;
use crate::settings::Settings;

use failure::Failure;
use output::Output;
use signals::Signals;
pub use telling::{tell, tell_error, tell_in_json, tell_panics};

/// How long a client that is told to end may take.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(2);

/// How long the writing of what has been printed may take after a signal.
const FLUSH_TIMEOUT: Duration = Duration::from_millis(500);

/// What to do without a screen.
#[derive(Clone, PartialEq, Debug)]
pub enum Task {
    /// Lines in, messages out.
    Chat(ChatArgs),
    /// Post what the arguments or stdin say.
    Send(SendArgs),
    /// Print messages.
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

/// The exit for settings that are of no use. Whoever writes into the pipe of a `send` is not killed
/// for them.
#[must_use]
pub fn usage(mode: &Mode) -> Exit {
    read_all(mode);
    Exit::Usage
}

/// Reads the input of a `send` that is not carried out, so that whoever writes into its pipe is not
/// killed for it.
pub fn read_all(mode: &Mode) {
    let reads_all = matches!(mode, Mode::Send(SendArgs { text: None, .. }));
    if reads_all && !io::stdin().is_terminal() {
        // What cannot be read is the end.
        io::copy(&mut io::stdin().lock(), &mut io::sink()).ok();
    }
}

/// What every task needs.
struct Context {
    config: Config,
    rooms: Vec<RoomName>,
    output: Output,
    signals: Signals,
}

/// Runs a task to its end, with a key that somebody chose, and says on stderr why it failed, if it
/// failed.
pub async fn run(settings: &Settings, identity: Option<Identity>, task: Task) -> Exit {
    let mut context = match Context::new(settings, identity) {
        Ok(context) => context,
        Err(failure) => return failure.told(),
    };
    let done = context.run(task).await;
    // What has been printed is written also after a failure.
    let Context { output, mut signals, .. } = context;
    let flushed = match &done {
        Err(failure) if failure.is_signal() => {
            // A reader that takes nothing does not keep the process from ending.
            timeout(FLUSH_TIMEOUT, output.finish()).await.unwrap_or(Ok(()))
        }
        Ok(()) | Err(_) => tokio::select! {
            flushed = output.finish() => flushed,
            signal = signals.next() => Err(signal),
        },
    };
    match done.and(flushed) {
        Ok(()) => Exit::Ok,
        Err(failure) => failure.told(),
    }
}

impl Context {
    fn new(settings: &Settings, identity: Option<Identity>) -> Result<Self, Failure> {
        let server = &settings.server;
        let (name, data_dir) = (settings.name.clone(), settings.data_dir.clone());
        Ok(Self {
            config: Config {
                tls: settings.tls,
                fingerprint: server.fingerprint,
                invitation: server.invite,
                identity,
                link: settings.link.clone(),
                agent: concat!("chat-tui/", env!("CARGO_PKG_VERSION"), " headless").to_owned(),
                ..Config::headless(server.target.clone(), name, data_dir)
            },
            rooms: settings.rooms.clone(),
            output: Output::start().map_err(Failure::internal)?,
            signals: Signals::new().map_err(Failure::internal)?,
        })
    }

    async fn run(&mut self, task: Task) -> Result<(), Failure> {
        match task {
            Task::Chat(args) => chat::run(self, &args).await,
            Task::Send(args) => send::run(self, args).await,
            Task::Tail(args) => tail::run(self, &args).await,
            Task::Rooms(args) => list::rooms(self, &args).await,
            Task::Who(args) => list::who(self, &args).await,
            Task::WhoAmI(args) => account::whoami(self, &args).await,
            Task::Leave(args) => account::leave(self, &args).await,
        }
    }
}
