//! One machine: a daemon's data, its socket where clients look for it, and people's homes.

use std::path::PathBuf;

use anyhow::Result;
use chat_tests::history::What;
use chat_tests::process::{Daemon, Launch};
use chat_tests::pty::{Pty, Seat};
use chat_tests::truth;
use tempfile::TempDir;

/// One machine.
pub(crate) struct Stage {
    dir: TempDir,
}

impl Stage {
    pub(crate) fn new() -> Result<Self> {
        let dir = TempDir::new()?;
        std::fs::create_dir(dir.path().join("run"))?;
        Ok(Self { dir })
    }

    /// A daemon where clients find it by themselves.
    pub(crate) fn launch(&self) -> Launch {
        Launch::new(&self.data()).socket(&self.dir.path().join("run/chatd.sock"))
    }

    /// The daemon, started.
    pub(crate) fn daemon(&self) -> Result<Daemon> {
        self.launch().start()
    }

    /// Somebody with a home of their own.
    pub(crate) fn seat(&self, name: &str) -> Seat {
        Seat::of(name, self.dir.path())
    }

    /// Writes the configuration file of somebody with a home of their own.
    pub(crate) fn write_config(&self, name: &str, text: &str) -> Result<()> {
        let dir = self.dir.path().join(name).join(".config/chat-tui");
        std::fs::create_dir_all(&dir)?;
        Ok(std::fs::write(dir.join("config.toml"), text)?)
    }

    /// Somebody under a name that has another home.
    pub(crate) fn seat_at(&self, name: &str, home: &str) -> Seat {
        self.seat(name).at_home(&self.dir.path().join(home))
    }

    /// Somebody who has started the client and is connected.
    pub(crate) fn enter(&self, name: &str) -> Result<Pty> {
        let pty = self.seat(name).open()?;
        pty.shows("● connected")?;
        Ok(pty)
    }

    /// Every text that the database has in the lobby, in order.
    pub(crate) fn said(&self) -> Result<Vec<String>> {
        let truth = truth::read(&self.data().join("chatd.db"))?;
        let texts = truth::room(&truth, "lobby")?.events.iter().filter_map(|event| {
            match &event.seen.what {
                What::Posted { text, .. } => Some(text.clone()),
                What::Notice(_) => None,
            }
        });
        Ok(texts.collect())
    }

    /// A socket at which nobody listens.
    pub(crate) fn nobody(&self) -> PathBuf {
        self.dir.path().join("nobody.sock")
    }

    /// The daemon's data directory.
    pub(crate) fn data(&self) -> PathBuf {
        self.dir.path().join("data")
    }
}

/// How often a text is on the screen.
pub(crate) fn times(screen: &vt100::Screen, text: &str) -> usize {
    screen.contents().matches(text).count()
}
