//! A person in front of `chat-tui`: how it is started, as whom, and with which home.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::Result;
use portable_pty::CommandBuilder;

use super::{Pty, Size};
use crate::process::binary;

/// How `chat-tui` is started.
#[derive(Clone, Debug)]
pub struct Seat {
    home: PathBuf,
    runtime_dir: PathBuf,
    arguments: Vec<OsString>,
    variables: Vec<(String, String)>,
    size: Size,
}

impl Seat {
    /// Under a name, with a home of its own in `dir`. What a machine has one of, such as the
    /// place where a daemon puts its socket, is in `dir` too.
    #[must_use]
    pub fn of(name: &str, dir: &Path) -> Self {
        let arguments = vec!["--name".into(), name.into()];
        let runtime_dir = dir.join("run");
        let (home, variables) = (dir.join(name), Vec::new());
        Self { home, runtime_dir, arguments, variables, size: Size::USUAL }
    }

    /// The place that daemons and clients find each other by.
    #[must_use]
    pub fn runtime_dir(&self) -> &Path {
        &self.runtime_dir
    }

    /// With an argument more, such as where the server is.
    #[must_use]
    pub fn with(mut self, argument: impl Into<OsString>) -> Self {
        self.arguments.push(argument.into());
        self
    }

    /// With another home.
    #[must_use]
    pub fn at_home(mut self, home: &Path) -> Self {
        home.clone_into(&mut self.home);
        self
    }

    /// With an environment variable set otherwise.
    #[must_use]
    pub fn variable(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    /// In a terminal of another size.
    #[must_use]
    pub fn sized(mut self, columns: u16, rows: u16) -> Self {
        self.size = Size { columns, rows };
        self
    }

    /// Starts it.
    ///
    /// # Errors
    /// When it cannot be built or started.
    pub fn open(&self) -> Result<Pty> {
        let mut command = self.surroundings(&binary("chat-tui")?)?;
        command.args(&self.arguments);
        Pty::start(command, self.size)
    }

    /// Starts it from a shell, which is asked to by a typed line.
    ///
    /// # Errors
    /// When it cannot be built or started.
    pub fn open_in_shell(&self) -> Result<Pty> {
        let mut pty = self.shell()?;
        let words = self.arguments.iter().map(|word| format!(" '{}'", word.to_string_lossy()));
        let line: String = words.collect();
        pty.enters(&format!("{}{line}", binary("chat-tui")?.display()))?;
        Ok(pty)
    }

    /// Starts a shell in which nothing was typed yet.
    ///
    /// # Errors
    /// When there is none.
    pub fn shell(&self) -> Result<Pty> {
        let mut command = self.surroundings(Path::new("/bin/sh"))?;
        command.args(["-i"]);
        command.env("PS1", "shell> ");
        let pty = Pty::start(command, self.size)?;
        pty.shows("shell> ")?;
        Ok(pty)
    }

    /// The line that starts it from any shell, with the surroundings that it would have here.
    ///
    /// # Errors
    /// When it cannot be built.
    pub fn shell_line(&self) -> Result<String> {
        let command = self.surroundings(&binary("chat-tui")?)?;
        let kept = ["HOME", "XDG_RUNTIME_DIR", "PATH", "LANG", "TZ"];
        let variables = kept.into_iter().filter_map(|name| {
            Some(format!("{name}='{}'", command.get_env(name)?.to_string_lossy()))
        });
        let words = self.arguments.iter().map(|word| format!("'{}'", word.to_string_lossy()));
        let program = format!("'{}'", binary("chat-tui")?.display());
        let words: Vec<String> = variables.chain([program]).chain(words).collect();
        Ok(format!("exec env {}", words.join(" ")))
    }

    fn surroundings(&self, program: &Path) -> Result<CommandBuilder> {
        std::fs::create_dir_all(&self.home)?;
        std::fs::create_dir_all(&self.runtime_dir)?;
        let mut command = CommandBuilder::new(program);
        command.env_clear();
        command.cwd(&self.home);
        command.env("HOME", &self.home);
        command.env("XDG_RUNTIME_DIR", &self.runtime_dir);
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.env("TERM", "xterm-256color");
        command.env("LANG", "C.UTF-8");
        command.env("TZ", "UTC");
        for (name, value) in &self.variables {
            command.env(name, value);
        }
        Ok(command)
    }
}
