//! A standard stream, written to without the lock that the standard library holds meanwhile.

use std::fs::File;
use std::io::{self, ErrorKind, Write};
use std::os::fd::AsFd;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;

/// A copy of a file descriptor. Each write is one system call.
#[derive(Debug)]
pub struct Descriptor(File);

impl Descriptor {
    /// A copy of one that somebody else holds: `Descriptor::of(std::io::stderr())`.
    ///
    /// # Errors
    /// There is no descriptor left.
    pub fn of(held: impl AsFd) -> io::Result<Self> {
        Ok(Self(held.as_fd().try_clone_to_owned()?.into()))
    }

    fn wait_until_writable(&self) -> io::Result<()> {
        match poll(&mut [PollFd::new(&self.0, PollFlags::OUT)], None) {
            Ok(_) | Err(Errno::INTR) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

impl Write for Descriptor {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        loop {
            match self.0.write(bytes) {
                // Another process that shares the terminal has set it not to block.
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    self.wait_until_writable()?;
                }
                done => return done,
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
