//! A stream socket, TCP or Unix, that never blocks.

use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};

use rustix::net::sockopt::socket_peercred;
use rustix::net::{Shutdown, getpeername, shutdown};

use crate::fanout::Mirrored;
use crate::system;

/// One of the two: what is asked of them here is the same.
#[derive(Debug)]
pub(crate) struct Socket(OwnedFd);

impl Socket {
    /// A socket that has been set not to block.
    pub(crate) fn new(descriptor: OwnedFd) -> Self {
        Self(descriptor)
    }

    /// Who is at the other end, for the log.
    pub(super) fn peer(&self) -> String {
        match getpeername(&self.0) {
            Ok(Some(name)) => match SocketAddr::try_from(name) {
                Ok(address) => address.to_string(),
                Err(_a_path) => self.process(),
            },
            // It has left.
            Ok(None) | Err(_) => String::new(),
        }
    }

    /// The process at the other end of a Unix socket.
    fn process(&self) -> String {
        match socket_peercred(&self.0) {
            Ok(peer) => format!("process {} of user {}", peer.pid.as_raw_pid(), peer.uid.as_raw()),
            Err(_unknown) => String::new(),
        }
    }

    /// Reads what has come; `None` when nothing has, 0 at the end of the stream.
    pub(super) fn read(&self, into: &mut [u8]) -> io::Result<Option<usize>> {
        unless_blocked(rustix::io::read(&self.0, into).map_err(io::Error::from))
    }

    /// Writes what the peer takes now, which may be nothing.
    pub(super) fn write<'a>(&self, slices: impl Iterator<Item = &'a [u8]>) -> io::Result<usize> {
        Ok(unless_blocked(system::write(&self.0, slices))?.unwrap_or(0))
    }

    /// Writes what lies in a file, as far as the peer takes it now.
    pub(super) fn send_file(&self, from: &Mirrored) -> io::Result<usize> {
        let sent = system::send_file(&self.0, &*from.file, from.offset, from.bytes);
        Ok(unless_blocked(sent)?.unwrap_or(0))
    }

    /// Says that nothing more comes.
    pub(super) fn say_last_word(&self) -> io::Result<()> {
        Ok(shutdown(&self.0, Shutdown::Write)?)
    }
}

impl AsRawFd for Socket {
    fn as_raw_fd(&self) -> RawFd {
        self.0.as_raw_fd()
    }
}

/// `None` when the call would have had to wait.
fn unless_blocked(done: io::Result<usize>) -> io::Result<Option<usize>> {
    match done {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {
            Ok(None)
        }
        Err(error) => Err(error),
    }
}
