//! The one writer of stdout.
//!
//! Lines go through a bounded queue to a thread of its own, so that a slow reader of stdout stops
//! nothing but printing. When nobody reads any more, the process gets to know at once, not with the
//! next message: `chat-tui --no-tui tail -f | head -1` ends after the first line.

use std::io::{self, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::sync::{Arc, OnceLock};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::fs::{FileType, fstat};
use rustix::io::Errno;
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use super::failure::Failure;

/// Lines on their way to stdout; past it whoever prints waits.
const LINES_MAX: usize = 1024;

/// How much is gathered for one write when more lines wait than one.
const WRITE_BYTES: usize = 64 * 1024;

/// stdout.
pub(super) struct Output {
    lines: mpsc::Sender<String>,
    broken: Arc<Broken>,
    written: oneshot::Receiver<()>,
}

/// A place for one line in the queue.
pub(super) struct Slot<'a> {
    place: mpsc::Permit<'a, String>,
}

/// That stdout failed, and how.
#[derive(Default)]
struct Broken {
    error: OnceLock<io::Error>,
    happened: CancellationToken,
}

impl Output {
    /// Starts the thread. It ends with [`Self::finish`], with the first failed write, or with the
    /// process, should it hang in a write then.
    pub(super) fn start() -> io::Result<Self> {
        let (lines, waiting) = mpsc::channel(LINES_MAX);
        let (done, written) = oneshot::channel();
        let broken = Arc::new(Broken::default());
        let in_thread = Arc::clone(&broken);
        std::thread::Builder::new().name("stdout".into()).spawn(move || {
            if let Err(error) = write_all(waiting) {
                in_thread.is(error);
            }
            drop(done);
        })?;
        watch_reader(Arc::clone(&broken))?;
        Ok(Self { lines, broken, written })
    }

    /// Waits until there is room for a line. Cancel-safe.
    pub(super) async fn slot(&self) -> Result<Slot<'_>, Failure> {
        match self.lines.reserve().await {
            Ok(place) => Ok(Slot { place }),
            Err(_closed) => Err(self.broken.failure().await),
        }
    }

    /// Prints a line, when there is room in the queue.
    pub(super) async fn print(&self, line: String) -> Result<(), Failure> {
        self.slot().await?.print(line);
        Ok(())
    }

    /// Waits until stdout is of no use any more. Cancel-safe.
    pub(super) async fn gone(&self) -> Failure {
        self.broken.failure().await
    }

    /// Waits until everything is written.
    pub(super) async fn finish(self) -> Result<(), Failure> {
        drop(self.lines);
        // The thread says nothing, it only ends.
        self.written.await.ok();
        match self.broken.error.get() {
            Some(error) => Err(Failure::of_stdout(error)),
            None => Ok(()),
        }
    }
}

impl Slot<'_> {
    /// Prints a line in the place that was held for it.
    pub(super) fn print(self, line: String) {
        self.place.send(line);
    }
}

impl Broken {
    fn is(&self, error: io::Error) {
        self.error.get_or_init(|| error);
        self.happened.cancel();
    }

    async fn failure(&self) -> Failure {
        self.happened.cancelled().await;
        let unknown = || io::Error::from(io::ErrorKind::BrokenPipe);
        Failure::of_stdout(self.error.get().unwrap_or(&unknown()))
    }
}

/// Writes lines as they come, each at once, those that wait together.
fn write_all(mut lines: mpsc::Receiver<String>) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    let mut bytes = Vec::with_capacity(WRITE_BYTES);
    while let Some(line) = lines.blocking_recv() {
        push_line(&mut bytes, &line);
        while bytes.len() < WRITE_BYTES
            && let Ok(line) = lines.try_recv()
        {
            push_line(&mut bytes, &line);
        }
        stdout.write_all(&bytes)?;
        stdout.flush()?;
        bytes.clear();
    }
    Ok(())
}

fn push_line(bytes: &mut Vec<u8>, line: &str) {
    bytes.extend_from_slice(line.as_bytes());
    bytes.push(b'\n');
}

/// Has a thread that waits until nobody can read stdout any more, if its other end can go away.
/// The wait cannot be called back; it ends with the process at the latest.
fn watch_reader(broken: Arc<Broken>) -> io::Result<()> {
    let stdout = io::stdout().as_fd().try_clone_to_owned()?;
    let kind = FileType::from_raw_mode(fstat(&stdout)?.st_mode);
    if matches!(kind, FileType::Fifo | FileType::Socket) {
        let builder = std::thread::Builder::new().name("stdout reader".into());
        builder.spawn(move || {
            if reader_is_gone(&stdout) {
                broken.is(io::ErrorKind::BrokenPipe.into());
            }
        })?;
    }
    Ok(())
}

fn reader_is_gone(stdout: &OwnedFd) -> bool {
    // Errors are reported without being asked for, and nothing else is.
    let mut watched = [PollFd::new(stdout, PollFlags::empty())];
    loop {
        match poll(&mut watched, None) {
            Ok(_) => return true,
            Err(Errno::INTR) => {}
            Err(_not_to_be_watched) => return false,
        }
    }
}
