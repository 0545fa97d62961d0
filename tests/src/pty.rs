//! Programs in a real pseudo-terminal, with a terminal at the other end that understands them.
//!
//! A thread takes in what the program writes, so that no program ever waits for its test. Whoever
//! waits for a screen is woken by what comes, and gives up after [`PATIENCE`].

mod seat;
mod vt_screen;

use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::panic::Location;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};
use rustix::fs::{Mode, OFlags};
use rustix::process::{Pid, Signal};
use rustix::termios::{LocalModes, Termios};

pub use seat::Seat;
pub use vt_screen::{Modes, VtScreen};

use crate::process::PATIENCE;

/// How large a terminal is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Size {
    /// Cells in a row.
    pub columns: u16,
    /// Rows.
    pub rows: u16,
}

impl Size {
    /// What terminals open with.
    pub const USUAL: Self = Self { columns: 80, rows: 24 };

    fn for_pty(self) -> PtySize {
        PtySize { rows: self.rows, cols: self.columns, ..PtySize::default() }
    }
}

/// The far end of the terminal, and who waits for it to change.
struct Far {
    vt: Mutex<VtScreen>,
    changed: Condvar,
}

impl Far {
    fn vt(&self) -> MutexGuard<'_, VtScreen> {
        self.vt.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A program in a pseudo-terminal. Killed when this is dropped.
pub struct Pty {
    far: Arc<Far>,
    keys: Box<dyn Write + Send>,
    child: Box<dyn Child + Send + Sync>,
    master: Box<dyn MasterPty + Send>,
    /// Held open, so that the terminal and its modes outlive the program.
    near: OwnedFd,
    started: Instant,
}

impl Pty {
    /// Starts a program.
    ///
    /// # Errors
    /// When there is no terminal, or no such program.
    pub fn start(command: CommandBuilder, size: Size) -> Result<Self> {
        let pair = native_pty_system().openpty(size.for_pty())?;
        let path = pair.master.tty_name().context("a terminal has a name")?;
        let near = rustix::fs::open(path, OFlags::RDWR | OFlags::NOCTTY, Mode::empty())?;
        let started = Instant::now();
        let child = pair.slave.spawn_command(command)?;
        let keys = pair.master.take_writer()?;
        let mut output = pair.master.try_clone_reader()?;
        let far = Arc::new(Far { vt: Mutex::new(VtScreen::new(size)), changed: Condvar::new() });
        let sees = Arc::clone(&far);
        // Ends by itself, when the last program with this terminal has ended.
        std::thread::spawn(move || {
            let mut bytes = [0; 16 * 1024];
            while let Ok(read @ 1..) = output.read(&mut bytes) {
                sees.vt().take_in(&bytes[..read]);
                sees.changed.notify_all();
            }
        });
        Ok(Self { far, keys, child, master: pair.master, near, started })
    }

    /// Types.
    ///
    /// # Errors
    /// When the terminal takes nothing.
    pub fn types(&mut self, keys: &str) -> Result<()> {
        self.keys.write_all(keys.as_bytes())?;
        Ok(self.keys.flush()?)
    }

    /// Types a line, and Enter.
    ///
    /// # Errors
    /// When the terminal takes nothing.
    pub fn enters(&mut self, line: &str) -> Result<()> {
        self.types(&format!("{line}\r"))
    }

    /// Pastes, as a terminal does that was asked to mark what is pasted.
    ///
    /// # Errors
    /// When the terminal takes nothing.
    pub fn pastes(&mut self, text: &str) -> Result<()> {
        self.types(&format!("\x1b[200~{text}\x1b[201~"))
    }

    /// Waits until the screen is as wanted, seen between two frames; tells how long after the
    /// start of the program that was.
    ///
    /// # Errors
    /// When it does not come to that: with what was wanted, and the screen.
    #[track_caller]
    pub fn wait(&self, what: &str, wanted: impl Fn(&vt100::Screen) -> bool) -> Result<Duration> {
        self.wait_for_vt(what, |vt| wanted(vt.screen()))
    }

    /// The same, with everything that the terminal was told.
    ///
    /// # Errors
    /// When it does not come to that.
    #[track_caller]
    pub fn wait_for_vt(&self, what: &str, wanted: impl Fn(&VtScreen) -> bool) -> Result<Duration> {
        let asked = Instant::now();
        let mut vt = self.far.vt();
        loop {
            if !vt.is_drawing() && wanted(&vt) {
                return Ok(self.started.elapsed());
            }
            let Some(left) = PATIENCE.checked_sub(asked.elapsed()) else {
                let contents = vt.screen().contents();
                bail!("{}: {what} never came to:\n{contents}", Location::caller());
            };
            let waited = self.far.changed.wait_timeout(vt, left);
            (vt, _) = waited.unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Waits until a text is on the screen, in one row or wrapped.
    ///
    /// # Errors
    /// When it does not come.
    #[track_caller]
    pub fn shows(&self, text: &str) -> Result<Duration> {
        self.wait(&format!("{text:?}"), |screen| vt_screen::has(screen, text))
    }

    /// Waits until a text is not on the screen.
    ///
    /// # Errors
    /// When it stays.
    #[track_caller]
    pub fn hides(&self, text: &str) -> Result<Duration> {
        self.wait(&format!("no {text:?}"), |screen| !vt_screen::has(screen, text))
    }

    /// Waits for anything to be written, at most so long; tells whether something was.
    #[must_use]
    pub fn stirs(&self, within: Duration) -> bool {
        let vt = self.far.vt();
        let before = vt.taken_in();
        let is_still = |vt: &mut VtScreen| vt.taken_in() == before;
        let waited = self.far.changed.wait_timeout_while(vt, within, is_still);
        !waited.unwrap_or_else(PoisonError::into_inner).1.timed_out()
    }

    /// Looks at the terminal as it is now.
    pub fn look<R>(&self, look: impl FnOnce(&VtScreen) -> R) -> R {
        look(&self.far.vt())
    }

    /// What is on the screen now, as text.
    #[must_use]
    pub fn contents(&self) -> String {
        self.look(|vt| vt.screen().contents())
    }

    /// Gives the terminal another size.
    ///
    /// # Errors
    /// When it cannot be resized.
    pub fn resize(&self, size: Size) -> Result<()> {
        // The far end first: what the program then writes is for the new size.
        self.far.vt().resize(size);
        self.master.resize(size.for_pty())
    }

    /// The modes of the terminal: what a shell would find.
    ///
    /// # Errors
    /// Those of the terminal.
    pub fn modes(&self) -> Result<Termios> {
        Ok(rustix::termios::tcgetattr(&self.near)?)
    }

    /// Waits until the terminal is as a shell wants it: no alternate screen, the cursor shown,
    /// nothing marked or reported, lines edited and echoed by the system.
    ///
    /// # Errors
    /// When it is not given back.
    #[track_caller]
    pub fn is_given_back(&self) -> Result<()> {
        self.wait_for_vt("the terminal as it was", |vt| vt.modes() == Modes::default())?;
        let asked = Instant::now();
        let cooked = LocalModes::ICANON | LocalModes::ECHO | LocalModes::ISIG;
        while !self.modes()?.local_modes.contains(cooked) {
            if asked.elapsed() > PATIENCE {
                bail!("{}: the terminal stays raw", Location::caller());
            }
            // Nobody tells of a change of these modes.
            std::thread::park_timeout(Duration::from_millis(2));
        }
        Ok(())
    }

    /// The number of the process.
    ///
    /// # Errors
    /// When it has ended.
    pub fn pid(&self) -> Result<Pid> {
        let pid = self.child.process_id().and_then(|pid| i32::try_from(pid).ok());
        pid.and_then(Pid::from_raw).context("the program runs")
    }

    /// Sends a signal.
    ///
    /// # Errors
    /// When there is no such process.
    pub fn signal(&self, signal: Signal) -> Result<()> {
        Ok(rustix::process::kill_process(self.pid()?, signal)?)
    }

    /// SIGKILL, and waits for the end.
    ///
    /// # Errors
    /// When the process cannot be killed.
    pub fn kill(mut self) -> Result<()> {
        self.signal(Signal::KILL)?;
        self.child.wait()?;
        Ok(())
    }

    /// Waits for the end that was asked for; tells the exit code.
    ///
    /// # Errors
    /// When it does not end in time.
    pub fn ends(&mut self) -> Result<u32> {
        let asked = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait()? {
                return Ok(status.exit_code());
            }
            if asked.elapsed() > PATIENCE {
                bail!("it did not end:\n{}", self.contents());
            }
            // Polling an outside process, not synchronising with it.
            std::thread::park_timeout(Duration::from_millis(2));
        }
    }
}

impl Drop for Pty {
    fn drop(&mut self) {
        if let Ok(None) = self.child.try_wait() {
            // It may end by itself meanwhile; nothing else can go wrong with a child of ours.
            drop(self.signal(Signal::KILL));
            drop(self.child.wait());
        }
    }
}
