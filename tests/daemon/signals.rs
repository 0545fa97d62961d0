//! Signals that mean something elsewhere do not end the daemon, and neither does its terminal.

use anyhow::{Context, Result};
use chat_proto::{Ping, Pong};
use chat_tests::process::{Daemon, Launch};
use chat_tests::raw::Raw;
use portable_pty::{CommandBuilder, PtySize, native_pty_system};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

#[tokio::test]
async fn a_hangup_and_the_user_signals_end_nothing() -> Result<()> {
    let dir = TempDir::new()?;
    let daemon = Daemon::start(&dir.path().join("data"))?;
    let (mut ada, _) = Raw::sign_in(daemon.address(), 1, "ada").await?;
    for (name, signal) in
        [("read again", Signal::HUP), ("metrics", Signal::USR1), ("SIGUSR2", Signal::USR2)]
    {
        daemon.signal(signal)?;
        daemon.log().wait_for(name, 1).await?;
        let _: Pong = ada.ask(&Ping { token: 1 }).await.context(name)?;
    }
    assert_eq!(daemon.terminate()?.0.code(), Some(0));
    Ok(())
}

#[tokio::test]
async fn a_daemon_outlives_the_terminal_that_it_was_started_from() -> Result<()> {
    let dir = TempDir::new()?;
    let launch = Launch::new(&dir.path().join("data"));
    let started = launch.command()?;
    let mut command = CommandBuilder::new(started.get_program());
    command.args(started.get_args());
    let terminal = native_pty_system().openpty(PtySize::default())?;
    let mut child = terminal.slave.spawn_command(command)?;
    let connection = Raw::connect_unix_when_served(launch.socket_path()).await?;
    let (mut ada, _) = connection.introduce(1, "ada").await?;
    // The system sends SIGHUP to whoever was started there.
    drop(terminal);
    for token in 0..1_000 {
        let _: Pong = ada.ask(&Ping { token }).await.context("it goes on")?;
    }
    let (_another, _) = Raw::connect_unix(launch.socket_path()).await?.introduce(2, "bob").await?;
    let pid = child.process_id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?));
    kill_process(pid.context("a process id")?, Signal::TERM)?;
    assert_eq!(child.wait()?.exit_code(), 0);
    Ok(())
}
