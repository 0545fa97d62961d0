//! Inside a real terminal multiplexer, which has an opinion of its own about widths: what scrolls
//! through leaves nothing behind in the rows that it passed.

use std::io::Write;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use chat_proto::{Ack, Join, RoomInfo};
use chat_tests::process::PATIENCE;
use chat_tests::raw::{Raw, send};

use crate::stage::Stage;
use crate::texts;

/// A server of tmux with one session in it, which is ended when this is dropped.
struct Tmux {
    socket: PathBuf,
}

impl Tmux {
    fn open(stage: &Stage, name: &str) -> Result<Self> {
        let tmux = Self { socket: stage.seat(name).runtime_dir().join("tmux") };
        let command = stage.seat(name).shell_line()?;
        tmux.run(&["-f", "/dev/null", "new-session", "-d", "-x", "80", "-y", "24", &command])?;
        Ok(tmux)
    }

    fn run(&self, arguments: &[&str]) -> Result<String> {
        let mut command = Command::new("tmux");
        command.env_remove("TMUX").env("LC_ALL", "C.UTF-8");
        command.arg("-u").arg("-S").arg(&self.socket).args(arguments);
        let output = command.output().context("tmux runs")?;
        if !output.status.success() {
            bail!("tmux {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        }
        Ok(String::from_utf8(output.stdout)?)
    }

    fn rows(&self) -> Result<Vec<String>> {
        Ok(self.run(&["capture-pane", "-p"])?.lines().map(str::to_owned).collect())
    }

    fn shows(&self, text: &str) -> Result<Vec<String>> {
        let asked = Instant::now();
        loop {
            let rows = self.rows()?;
            if rows.iter().any(|row| row.contains(text)) {
                return Ok(rows);
            }
            if asked.elapsed() > PATIENCE {
                bail!("{text:?} never came to:\n{}", rows.join("\n"));
            }
            // Polling an outside process, which tells nobody of its changes.
            std::thread::park_timeout(Duration::from_millis(5));
        }
    }

    /// Types, and waits until a frame shows it: everything before it has been drawn then.
    fn types(&self, key: &str, line: &str) -> Result<Vec<String>> {
        self.run(&["send-keys", key])?;
        self.shows(&format!("> {line}"))
    }
}

impl Drop for Tmux {
    fn drop(&mut self) {
        // It is gone already if the client has ended.
        drop(self.run(&["kill-server"]));
    }
}

fn tmux_is_there(test: &str) -> Result<bool> {
    let is_there = Command::new("tmux").arg("-V").output().is_ok();
    if !is_there {
        writeln!(std::io::stderr(), "skipped: {test}: tmux is not installed")?;
    }
    Ok(is_there)
}

#[tokio::test]
async fn nothing_stays_behind_of_a_text_whose_width_is_disputed() -> Result<()> {
    if !tmux_is_there("nothing_stays_behind_of_a_text_whose_width_is_disputed")? {
        return Ok(());
    }
    let stage = Stage::new()?;
    let daemon = stage.daemon()?;
    let (mut bob, _) = Raw::sign_in(daemon.address(), 9, "bob").await?;
    let lobby: RoomInfo = bob.ask(&Join { name: "lobby".to_owned() }).await?;
    let tmux = Tmux::open(&stage, "ada")?;
    tmux.shows("● connected")?;
    let mut n = 0;
    for text in texts::all() {
        let round = n;
        let plain = (1..=9).map(|nth| format!("plain line {nth} of {round}"));
        for line in std::iter::once(text.clone()).chain(plain) {
            n += 1;
            let _: Ack = bob.ask(&send(1, n, lobby.room, &line)).await?;
        }
        tmux.shows(&format!("plain line 9 of {round}"))?;
        let scrolled = tmux.types("x", "x")?;
        tmux.run(&["send-keys", "C-l"])?;
        let painted = tmux.types("y", "xy")?;
        for (old, new) in scrolled.iter().zip(&painted).filter(|(_, new)| !new.contains("> xy")) {
            assert_eq!(old, new, "{text:?} has altered the screen:\n{}", scrolled.join("\n"));
        }
        tmux.run(&["send-keys", "C-u"])?;
    }
    Ok(())
}
