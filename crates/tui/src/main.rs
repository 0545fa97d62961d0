//! `chat-tui`: reads the command line and the settings, and runs what they ask for.

use std::io::{IsTerminal, Write};
use std::process::ExitCode;
use std::time::Duration;

use chat_client::sanitize::inert_lines;
use chat_client::{Config, Identity, IdentityError};
use chat_log::Log;
use chat_tui::args::{self, Invocation, Mode};
use chat_tui::exit::Exit;
use chat_tui::headless::{self, Task, tell, tell_error, tell_panics};
use chat_tui::host::Host;
use chat_tui::reach::Reach;
use chat_tui::screen::theme::Theme;
use chat_tui::screen::{self, Note, ScreenError, ScreenOptions};
use chat_tui::settings::{self, FileSettings, Settings};
use chat_tui::token::TokenError;
use chat_tui::{linking, logging, passphrase};
use tokio::runtime::{Builder, Runtime};

/// How long what still runs may take to end when everything is said.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(1);

fn main() -> ExitCode {
    tell_panics();
    let invocation = match args::parse(std::env::args_os()) {
        Ok(invocation) => invocation,
        Err(said) if said.use_stderr() && args::wants_json(std::env::args_os()) => {
            headless::tell_in_json();
            tell_error(Exit::Usage, said.to_string().trim_end());
            return Exit::Usage.into();
        }
        // The link of an invitation comes from somebody else.
        Err(said) if said.use_stderr() && inert_lines(&said.to_string()) != said.to_string() => {
            tell(&said.to_string());
            return Exit::Usage.into();
        }
        Err(said) => {
            // Help goes to stdout, which may be closed: then nobody wants it.
            said.print().ok();
            return if said.use_stderr() { Exit::Usage.into() } else { Exit::Ok.into() };
        }
    };
    match run(invocation) {
        Ok(exit) => exit.into(),
        Err(error) => {
            tell_error(Exit::Internal, &format!("{error:#}"));
            Exit::Internal.into()
        }
    }
}

fn run(invocation: Invocation) -> anyhow::Result<Exit> {
    let Invocation { given, serve, links, mut mode } = invocation;
    if mode.prints_json() {
        headless::tell_in_json();
    }
    let config_path = settings::config_path();
    let file = config_path.as_deref().map(FileSettings::read).unwrap_or_default();
    let warnings = file.warnings.clone();
    for warning in &warnings {
        tell(&format!("{warning}"));
    }
    // Nobody looks at a script: with settings that are not what was meant, it does nothing.
    if !warnings.is_empty() && !matches!(mode, Mode::Screen | Mode::PrintConfig) {
        tell_error(Exit::Usage, "nothing was done; mend the configuration file first");
        return Ok(headless::usage(&mode));
    }
    let mut settings = match settings::resolve(given, |variable| std::env::var_os(variable), file) {
        Ok(settings) => settings,
        Err(error) => {
            tell_error(Exit::Usage, &error.to_string());
            return Ok(headless::usage(&mode));
        }
    };
    if mode == Mode::PrintConfig {
        let text = settings::config_text(&settings, config_path.as_deref());
        return Ok(print(&text));
    }
    if links {
        match linking::ask() {
            Ok(link) => settings.link = Some(link),
            Err(error) => {
                tell_error(Exit::Usage, &error.to_string());
                return Ok(Exit::Usage);
            }
        }
        mode = linking::mode_of(mode);
    }
    let log = logging::start(&settings.data_dir);
    if let Err(error) = &log {
        tell(&format!("there will be no log in {}: {error}", settings.data_dir.display()));
    }
    let runtime = runtime(serve.is_some() || mode == Mode::Screen)?;
    let notes = warnings.iter().map(|warning| Note { text: warning.to_string(), is_trouble: true });
    let notes = notes.collect();
    let exit = runtime.block_on(Box::pin(serve_and_run(settings, serve, mode, notes)));
    runtime.shutdown_timeout(SHUTDOWN_TIMEOUT);
    log.into_iter().for_each(Log::finish);
    Ok(exit)
}

/// Without a screen and a daemon, one thread is faster than several that wake each other.
fn runtime(has_much_to_do: bool) -> std::io::Result<Runtime> {
    match has_much_to_do {
        true => Builder::new_multi_thread().enable_all().build(),
        false => Builder::new_current_thread().enable_all().build(),
    }
}

/// Runs the daemon inside, if there shall be one, as long as the rest.
async fn serve_and_run(
    mut settings: Settings,
    serve: Option<std::net::SocketAddr>,
    mode: Mode,
    mut notes: Vec<Note>,
) -> Exit {
    if let Err(error) = chat_files::limit::survive() {
        tell(&format!("a limit on the length of files (`ulimit -f`) would end this: {error}"));
    }
    let host = match serve {
        None => None,
        Some(address) => match Host::start(&settings.data_dir, address).await {
            Ok(host) => Some(host),
            Err(error) => {
                tell(&error.to_string());
                return error.exit();
            }
        },
    };
    if let Some(host) = &host {
        settings.server = host.server();
        // What is written on a terminal is seen by whoever sits there; elsewhere it would stay.
        let invitation = match std::io::stdout().is_terminal() {
            true => host.invitation().await,
            false => None,
        };
        let line = host.reach().join_line(settings.rooms.first(), invitation);
        if !matches!(mode, Mode::Screen) {
            tell(&line);
        }
        notes.push(Note { text: format!("{line}\n/invite shows it again"), is_trouble: false });
    }
    let reach = host.as_ref().map(Host::reach);
    let exit = Box::pin(dispatch(&settings, mode, notes, reach)).await;
    if let Some(host) = host {
        host.shutdown().await;
    }
    exit
}

async fn dispatch(
    settings: &Settings,
    mode: Mode,
    mut notes: Vec<Note>,
    host: Option<Reach>,
) -> Exit {
    let identity = match chosen_identity(settings).await {
        Ok(identity) => identity,
        Err(error) => {
            tell_error(Exit::Internal, &error.to_string());
            headless::read_all(&mode);
            return Exit::Internal;
        }
    };
    let task = match mode {
        Mode::Screen => {
            notes.extend(notes_of_key(settings, identity.as_ref()));
            return open_screen(settings, identity, notes, host).await;
        }
        Mode::PrintConfig => return Exit::Ok,
        Mode::Chat(args) => Task::Chat(args),
        Mode::Send(args) => Task::Send(args),
        Mode::Tail(args) => Task::Tail(args),
        Mode::Rooms(args) => Task::Rooms(args),
        Mode::Who(args) => Task::Who(args),
        Mode::WhoAmI(args) => Task::WhoAmI(args),
        Mode::Leave(args) => Task::Leave(args),
    };
    headless::run(settings, identity, task).await
}

/// The key that somebody chose, for which its passphrase may have to be asked.
async fn chosen_identity(settings: &Settings) -> Result<Option<Identity>, NoIdentity> {
    match (&settings.token, &settings.identity) {
        (Some(token), _) => Ok(Some(Identity::of_token(&token.read()?))),
        (None, Some(choice)) => Ok(Some(Identity::choose(choice, passphrase::ask).await?)),
        (None, None) => Ok(None),
    }
}

/// Why it cannot be had.
#[derive(Debug, thiserror::Error)]
enum NoIdentity {
    #[error(transparent)]
    Key(#[from] IdentityError),
    #[error(transparent)]
    Token(#[from] TokenError),
}

/// Which key is used, where that is not plain from what was said.
fn notes_of_key(settings: &Settings, identity: Option<&Identity>) -> Vec<Note> {
    let agents = identity.and_then(Identity::agents_key);
    let agents = agents.map(|key| format!("you sign in with the agent's key {key}"));
    let passed_over = settings.identity_passed_over.as_ref().map(|choice| {
        format!(
            "{} has a key of its own; say --identity, too, to sign in with {choice}",
            settings.name.wished
        )
    });
    let said = agents.into_iter().chain(passed_over);
    said.map(|text| Note { text, is_trouble: false }).collect()
}

async fn open_screen(
    settings: &Settings,
    identity: Option<Identity>,
    notes: Vec<Note>,
    host: Option<Reach>,
) -> Exit {
    let (server, name) = (&settings.server, settings.name.clone());
    let config = Config {
        tls: settings.tls,
        fingerprint: server.fingerprint,
        invitation: server.invite,
        identity,
        link: settings.link.clone(),
        agent: concat!("chat-tui/", env!("CARGO_PKG_VERSION")).to_owned(),
        ..Config::screen(server.target.clone(), name, settings.data_dir.clone())
    };
    let Some(room) = settings.rooms.first().cloned() else {
        return Exit::Usage;
    };
    let looks = &settings.looks;
    let options = ScreenOptions {
        config,
        room,
        notes,
        host,
        mouse: settings.mouse,
        keymap: looks.keymap.clone(),
        theme: Theme::of_environment(&looks.colors),
    };
    match screen::run(options).await {
        Ok(ended) => {
            for text in &ended.unsaved {
                tell(&format!("not sent and not kept: {text}"));
            }
            match ended.waiting {
                0 => {}
                1 => tell("1 message has no answer yet; it is sent when you come back"),
                some => tell(&format!(
                    "{some} messages have no answer yet; they are sent when you come back"
                )),
            }
            Exit::Ok
        }
        Err(error @ (ScreenError::NotATerminal | ScreenError::Unfit(_))) => {
            tell(&error.to_string());
            Exit::Usage
        }
        Err(error) => {
            tell(&error.to_string());
            Exit::Internal
        }
    }
}

fn print(text: &str) -> Exit {
    match std::io::stdout().write_all(text.as_bytes()) {
        Ok(()) => Exit::Ok,
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Exit::BrokenPipe,
        Err(_unwritable) => Exit::Internal,
    }
}
