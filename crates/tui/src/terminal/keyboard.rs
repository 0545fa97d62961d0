//! What a person does at the terminal: keys, pastes, the mouse, the focus.
//!
//! Owns the thread that reads the terminal, and the times after which a sequence or a paste counts
//! as ended. It must not know what a key does.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, PipeWriter, Read};
use std::os::fd::{AsFd, OwnedFd};

use rustix::event::{PollFd, PollFlags, poll};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

use super::input::{Input, Reader};

/// Bytes taken in at once. The system hands out at most so many of a terminal.
const READ_BYTES: usize = 4096;

/// Reads that wait for the program; the rest stays with the system.
const READS_MAX: usize = 64;

/// The keyboard, read by a thread until this is dropped.
#[derive(Debug)]
pub struct Keyboard {
    reads: mpsc::Receiver<Vec<u8>>,
    reader: Reader,
    ready: VecDeque<Input>,
    /// Closed with this value, which ends the thread.
    _open: PipeWriter,
}

impl Keyboard {
    /// Begins to read the terminal at standard input.
    ///
    /// # Errors
    /// Those of the system.
    pub fn listen() -> io::Result<Self> {
        let terminal = io::stdin().as_fd().try_clone_to_owned()?;
        let (closed, open) = io::pipe()?;
        let (chunks, reads) = mpsc::channel(READS_MAX);
        std::thread::Builder::new().name("keyboard".to_owned()).spawn(move || {
            if let Err(error) = read_all(terminal, &closed, &chunks) {
                tracing::debug!(%error, "the terminal is gone");
            }
        })?;
        Ok(Self { reads, reader: Reader::default(), ready: VecDeque::new(), _open: open })
    }

    /// The next thing that the person does; `None` when the terminal is gone. Cancel-safe.
    pub async fn next(&mut self) -> Option<Input> {
        loop {
            if let Some(input) = self.ready.pop_front() {
                return Some(input);
            }
            let due = self.reader.due();
            tokio::select! {
                // Bytes have come.
                bytes = self.reads.recv() => {
                    let now = Instant::now().into_std();
                    self.ready.extend(self.reader.take_in(&bytes?, now));
                }
                // Nothing followed: what has come is all.
                () = sleep_until(due.map_or_else(Instant::now, Instant::from_std)), if due.is_some() => {
                    self.ready.extend(self.reader.end(Instant::now().into_std()));
                }
            }
        }
    }

    /// The next thing that is there already.
    pub fn try_next(&mut self) -> Option<Input> {
        while self.ready.is_empty()
            && let Ok(bytes) = self.reads.try_recv()
        {
            self.ready.extend(self.reader.take_in(&bytes, Instant::now().into_std()));
        }
        self.ready.pop_front()
    }
}

/// Reads until the terminal or the other end of `closed` is gone.
fn read_all(
    terminal: OwnedFd,
    closed: &io::PipeReader,
    chunks: &mpsc::Sender<Vec<u8>>,
) -> io::Result<()> {
    let mut terminal = File::from(terminal);
    let mut bytes = [0; READ_BYTES];
    loop {
        let mut sources =
            [PollFd::new(&terminal, PollFlags::IN), PollFd::new(closed, PollFlags::IN)];
        match poll(&mut sources, None) {
            Ok(_count) => {}
            Err(rustix::io::Errno::INTR) => continue,
            Err(error) => return Err(error.into()),
        }
        if !sources[1].revents().is_empty() {
            return Ok(());
        }
        match terminal.read(&mut bytes) {
            Ok(0) => return Ok(()),
            Ok(count) if chunks.blocking_send(bytes[..count].to_vec()).is_err() => return Ok(()),
            Ok(_sent) => {}
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}
