//! The daemon as a process: settings in, a line for people out, and an orderly end.

mod notify;
mod reload;
mod signals;

use std::error::Error;
use std::fs::File;
use std::io::{self, IsTerminal, Write};
use std::os::fd::AsFd;
use std::process::ExitCode;
use std::time::Duration;

use chat_log::{Descriptor, Log, log_panics};
use chatd::config::{Config, Order, from_command_line};
use chatd::ready::{Ready, has_way_for_others};
use chatd::{Server, ctl};
use tokio::time::timeout;
use tracing_subscriber::EnvFilter;

use crate::reload::SettingsReader;
use crate::signals::{Request, Signals};

/// How long the end may take at the most.
const DRAIN_MAX: Duration = Duration::from_secs(10);

fn main() -> ExitCode {
    match from_command_line() {
        Order::Print(config) => print(&config.to_toml()),
        Order::Ctl(order) => ctl::cli::run(order),
        Order::Serve(config) => match log_to_stderr(&config.log) {
            Ok(log) => {
                let code = run(config, &log);
                log.finish();
                code
            }
            Err(error) => {
                // There is nobody left to tell when this fails.
                let _told = writeln!(io::stderr(), "chatd: there can be no log: {error}");
                ExitCode::FAILURE
            }
        },
    }
}

fn run(config: Config, log: &Log) -> ExitCode {
    let fail = |error: &dyn Error| {
        log.say(&format!("chatd: {error}"));
        ExitCode::FAILURE
    };
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&error),
    };
    let ended = runtime.block_on(serve(config, log));
    // Whatever still runs has had its time.
    runtime.shutdown_background();
    match ended {
        Ok(code) => code,
        Err(error) => fail(&*error),
    }
}

async fn serve(config: Config, log: &Log) -> Result<ExitCode, Box<dyn Error>> {
    // From here on a signal is an orderly end, also while the daemon starts.
    let mut signals = Signals::listen()?;
    let server = tokio::select! {
        server = Server::start(config.clone()) => server?,
        () = signals.end() => return Ok(ExitCode::SUCCESS),
    };
    let ready = Ready {
        addresses: server.addresses(),
        socket: server.socket(),
        fingerprint: server.fingerprint(),
        needs_invitation: server.needs_invitation(),
        // It would stay in a journal, and without an address for others there is no line for it.
        invitation: match io::stdout().is_terminal() && has_way_for_others(server.addresses()) {
            true => server.first_invitation().await,
            false => None,
        },
    };
    say_on_stdout(ready.to_string());
    notify::notify(notify::READY);

    let code = tokio::select! {
        () = answer_until_stop(&mut signals, config, &server, log) => ExitCode::SUCCESS,
        part = server.failed() => {
            tracing::error!(%part, "a part of the daemon has ended by a fault; the daemon stops");
            ExitCode::FAILURE
        }
    };
    notify::notify(notify::STOPPING);
    tokio::select! {
        drained = timeout(DRAIN_MAX, server.shutdown()) => match drained {
            Ok(()) => Ok(code),
            Err(_elapsed) => {
                tracing::warn!("not everything came to its end in time");
                Ok(code)
            }
        },
        () = signals.end() => {
            tracing::warn!("a second signal: the daemon ends at once");
            Ok(ExitCode::FAILURE)
        }
    }
}

/// Does what is asked for by signals until that is the end.
async fn answer_until_stop(signals: &mut Signals, config: Config, server: &Server, log: &Log) {
    let (mut config, mut settings) = (config, SettingsReader::default());
    loop {
        match signals.next().await {
            Request::Stop => return,
            // A disk that hangs must not keep the daemon from its end.
            Request::Reload => tokio::select! {
                read = settings.read() => config = reload::reload(config, read, server, log),
                () = signals.end() => return,
            },
            Request::Report => reload::report(server, log),
        }
    }
}

fn log_to_stderr(filter: &str) -> io::Result<Log> {
    let filter = EnvFilter::new(filter);
    let has_colours = io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let log = Log::start(filter, has_colours, Descriptor::of(io::stderr())?)?;
    log_panics();
    Ok(log)
}

/// Says something that nobody has to read. The thread ends when it is read, or with the process.
fn say_on_stdout(text: String) {
    let say = move || {
        let stdout = io::stdout().as_fd().try_clone_to_owned();
        if let Err(error) = stdout.and_then(|stdout| File::from(stdout).write_all(text.as_bytes()))
        {
            tracing::warn!(%error, "standard output cannot be written");
        }
    };
    if let Err(error) = std::thread::Builder::new().name("stdout".to_owned()).spawn(say) {
        tracing::warn!(%error, "standard output cannot be written");
    }
}

/// Prints data; a reader that has gone is no error.
fn print(text: &str) -> ExitCode {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            // There is nobody left to tell when this fails.
            let _told = writeln!(io::stderr(), "chatd: {error}");
            ExitCode::FAILURE
        }
        Ok(()) | Err(_) => ExitCode::SUCCESS,
    }
}
