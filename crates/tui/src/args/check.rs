//! Mixtures that could be read in two ways are refused, and the right spelling is shown.

use std::time::Duration;

use chat_client::TargetUrl;
use chat_proto::RoomName;
use clap::error::ErrorKind;

use super::cli::{Cli, Command, Common, TailCli};
use super::{
    ChatArgs, Given, Invocation, ListArgs, Mode, SendArgs, Start, TailArgs, TokenChoice, TooLong,
};

/// How long to wait for the server when nobody said.
const TIMEOUT_DEFAULT: Duration = Duration::from_secs(10);

/// How many messages `tail` begins with when nobody said.
const LAST_DEFAULT: u64 = 10;

/// What is wrong with a command line that has only valid parts.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub(super) enum Wrong {
    #[error("{command} runs without the screen; write: chat-tui --no-tui {command} …")]
    CommandNeedsNoTui { command: &'static str },
    #[error(
        "the server stands behind --server in headless mode; write: chat-tui --no-tui --server \
         {target}{command} …"
    )]
    TargetInHeadless { target: String, command: String },
    #[error("the server is given twice; write either chat-tui {target} or --server {server}")]
    TargetAndServer { target: String, server: String },
    #[error(
        "--serve is the server, and another one is given; write either chat-tui --serve or \
         chat-tui {target}"
    )]
    ServeAndServer { target: String },
    #[error("{option} is given both before and after {command}; write it once, after {command}")]
    Twice { option: &'static str, command: &'static str },
    #[error("{option} goes with lines from stdin, not with {command}")]
    NotWithCommand { option: &'static str, command: &'static str },
    #[error("{option} is for headless mode; write: chat-tui --no-tui {option}")]
    NotOnScreen { option: &'static str },
    #[error("the screen opens one room; write -r once, and /join the others there")]
    SeveralRooms,
    #[error("send posts to one room; write -r once")]
    SendToSeveral,
    #[error("a device is linked by: chat-tui --no-tui --link whoami (the code comes from stdin)")]
    LinkNeedsWhoami,
    #[error("say which room to leave: chat-tui --no-tui leave -r ROOM")]
    LeaveWhat,
}

impl Wrong {
    pub(super) fn kind(&self) -> ErrorKind {
        match self {
            Self::CommandNeedsNoTui { .. } | Self::NotOnScreen { .. } | Self::LeaveWhat => {
                ErrorKind::MissingRequiredArgument
            }
            Self::SeveralRooms | Self::SendToSeveral => ErrorKind::TooManyValues,
            Self::TargetInHeadless { .. }
            | Self::TargetAndServer { .. }
            | Self::ServeAndServer { .. }
            | Self::Twice { .. }
            | Self::LinkNeedsWhoami
            | Self::NotWithCommand { .. } => ErrorKind::ArgumentConflict,
        }
    }
}

impl Command {
    fn word(&self) -> &'static str {
        match self {
            Self::Send(_) => "send",
            Self::Tail(_) => "tail",
            Self::Rooms(_) => "rooms",
            Self::Who(_) => "who",
            Self::Whoami(_) => "whoami",
            Self::Leave(_) => "leave",
        }
    }

    fn common(&self) -> &Common {
        match self {
            Self::Send(cli) => &cli.common,
            Self::Tail(cli) => &cli.common,
            Self::Rooms(cli) | Self::Whoami(cli) => &cli.common,
            Self::Who(cli) | Self::Leave(cli) => &cli.common,
        }
    }

    fn rooms(&self) -> &[RoomName] {
        match self {
            Self::Send(cli) => &cli.rooms,
            Self::Tail(cli) => &cli.rooms,
            Self::Rooms(_) | Self::Whoami(_) => &[],
            Self::Who(cli) | Self::Leave(cli) => &cli.rooms,
        }
    }

    fn timeout(&self) -> Option<Duration> {
        match self {
            Self::Send(cli) => cli.timeout,
            Self::Tail(cli) => cli.timeout,
            Self::Rooms(cli) | Self::Whoami(cli) => cli.timeout,
            Self::Who(cli) | Self::Leave(cli) => cli.timeout,
        }
    }
}

pub(super) fn invocation(mut cli: Cli) -> Result<Invocation, Wrong> {
    let command = cli.command.take();
    if let Some(command) = &command {
        merge_common(&mut cli.common, command)?;
    }
    check_server(&cli, command.as_ref())?;
    let mut given = Given {
        server: cli.target.clone().or(cli.common.server.clone()),
        name: cli.common.name.clone(),
        identity: cli.common.identity.clone(),
        token: cli.common.token_file.clone().map(TokenChoice::File),
        data_dir: cli.common.data_dir.clone(),
        tls_always: cli.common.tls,
        tls_verify: cli.common.tls_verify,
        rooms: std::mem::take(&mut cli.rooms),
        mouse: cli.mouse,
    };
    let mode = match command {
        Some(command) => headless_command(&cli, &mut given, command)?,
        None if cli.print_config => Mode::PrintConfig,
        None if cli.common.no_tui && cli.link => return Err(Wrong::LinkNeedsWhoami),
        None if cli.common.no_tui => chat(&cli),
        None => screen(&cli, &given)?,
    };
    Ok(Invocation { given, serve: cli.serve, links: cli.link, mode })
}

/// Takes over what stands behind the subcommand.
fn merge_common(common: &mut Common, command: &Command) -> Result<(), Wrong> {
    let (inner, word) = (command.common().clone(), command.word());
    let twice = |option| Wrong::Twice { option, command: word };
    common.no_tui |= inner.no_tui;
    common.json |= inner.json;
    take(&mut common.server, inner.server).map_err(|()| twice("--server"))?;
    take(&mut common.name, inner.name).map_err(|()| twice("--name"))?;
    take(&mut common.identity, inner.identity).map_err(|()| twice("--identity"))?;
    take(&mut common.token_file, inner.token_file).map_err(|()| twice("--token-file"))?;
    take(&mut common.data_dir, inner.data_dir).map_err(|()| twice("--data-dir"))
}

fn take<T>(outer: &mut Option<T>, inner: Option<T>) -> Result<(), ()> {
    if outer.is_some() && inner.is_some() {
        return Err(());
    }
    *outer = outer.take().or(inner);
    Ok(())
}

fn check_server(cli: &Cli, command: Option<&Command>) -> Result<(), Wrong> {
    let headless = cli.common.no_tui || command.is_some();
    let word = command.map(Command::word);
    match (&cli.target, &cli.common.server) {
        (Some(target), _) if headless => Err(Wrong::TargetInHeadless {
            target: target.target.to_string(),
            command: word.map(|word| format!(" {word}")).unwrap_or_default(),
        }),
        (Some(target), Some(server)) => {
            Err(Wrong::TargetAndServer { target: shown(target), server: shown(server) })
        }
        (Some(server), None) | (None, Some(server)) if cli.serve.is_some() => {
            Err(Wrong::ServeAndServer { target: shown(server) })
        }
        _ => Ok(()),
    }
}

fn shown(url: &TargetUrl) -> String {
    url.target.to_string()
}

fn screen(cli: &Cli, given: &Given) -> Result<Mode, Wrong> {
    let headless_only = [
        ("--json", cli.common.json),
        ("--follow", cli.follow),
        ("--echo", cli.echo),
        ("--timeout", cli.timeout.is_some()),
    ];
    match headless_only.into_iter().find(|(_option, given)| *given) {
        Some((option, _)) => Err(Wrong::NotOnScreen { option }),
        None if given.rooms.len() > 1 => Err(Wrong::SeveralRooms),
        None => Ok(Mode::Screen),
    }
}

fn chat(cli: &Cli) -> Mode {
    Mode::Chat(ChatArgs {
        json: cli.common.json,
        follow: cli.follow,
        echo: cli.echo,
        timeout: cli.timeout.unwrap_or(TIMEOUT_DEFAULT),
    })
}

fn headless_command(cli: &Cli, given: &mut Given, command: Command) -> Result<Mode, Wrong> {
    let word = command.word();
    if !cli.common.no_tui {
        return Err(Wrong::CommandNeedsNoTui { command: word });
    }
    let chat_only = [
        ("--print-config", cli.print_config),
        ("--follow", cli.follow && !matches!(command, Command::Tail(_))),
        ("--echo", cli.echo),
        ("--mouse", cli.mouse.is_some()),
        ("--link", cli.link && !matches!(command, Command::Whoami(_))),
    ];
    if let Some((option, _)) = chat_only.into_iter().find(|(_option, given)| *given) {
        return Err(Wrong::NotWithCommand { option, command: word });
    }
    if !given.rooms.is_empty() && !command.rooms().is_empty() {
        return Err(Wrong::Twice { option: "-r", command: word });
    }
    let mut timeout = cli.timeout;
    take(&mut timeout, command.timeout())
        .map_err(|()| Wrong::Twice { option: "--timeout", command: word })?;
    given.rooms.extend(command.rooms().iter().cloned());
    mode_of(command, cli, timeout, given)
}

fn mode_of(
    command: Command,
    cli: &Cli,
    timeout: Option<Duration>,
    given: &Given,
) -> Result<Mode, Wrong> {
    let json = cli.common.json;
    Ok(match command {
        Command::Send(_) if given.rooms.len() > 1 => return Err(Wrong::SendToSeveral),
        Command::Send(send) => Mode::Send(SendArgs {
            text: send.text.filter(|text| text != "-"),
            lines: send.lines,
            too_long: match (send.split, send.truncate) {
                (true, _) => TooLong::Split,
                (false, true) => TooLong::Truncate,
                (false, false) => TooLong::Refuse,
            },
            lossy: send.lossy,
            id: send.id,
            nth: send.nth.unwrap_or(1),
            timeout: timeout.unwrap_or(TIMEOUT_DEFAULT),
            json,
        }),
        Command::Tail(tail) => Mode::Tail(tail_args(tail, cli, timeout)),
        Command::Leave(_) if given.rooms.is_empty() => return Err(Wrong::LeaveWhat),
        Command::Leave(_) => Mode::Leave(list_args(json, timeout)),
        Command::Rooms(_) => Mode::Rooms(list_args(json, timeout)),
        Command::Who(_) => Mode::Who(list_args(json, timeout)),
        Command::Whoami(_) => Mode::WhoAmI(list_args(json, timeout)),
    })
}

fn list_args(json: bool, timeout: Option<Duration>) -> ListArgs {
    ListArgs { json, timeout: timeout.unwrap_or(TIMEOUT_DEFAULT) }
}

fn tail_args(tail: TailCli, cli: &Cli, timeout: Option<Duration>) -> TailArgs {
    let follows = tail.follow || cli.follow;
    // Whoever counts, or looks for silence, waits for what is not there yet.
    let waits = tail.count.is_some() || tail.idle.is_some();
    let count = tail.count.filter(|_| !follows);
    let last_default = tail.since.is_none().then_some(count.unwrap_or(LAST_DEFAULT));
    TailArgs {
        json: cli.common.json,
        follow: follows || waits,
        start: Start { last: tail.last.or(last_default), since: tail.since },
        count: tail.count,
        counts_new: follows,
        timeout,
        idle: tail.idle,
        from: tail.from,
    }
}
