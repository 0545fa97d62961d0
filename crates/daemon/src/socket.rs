//! A stream socket of the runtime, TCP or Unix.
//!
//! Reading goes through the runtime, but where nobody is to be woken. Writing goes to the system at
//! once, since a socket mostly takes what it is offered; the runtime only tells when one that was full
//! takes more. It must not know what the bytes mean.

use std::io::{self, ErrorKind};
use std::os::fd::{AsFd, BorrowedFd};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use rustix::io::retry_on_intr;
use rustix::net::{Shutdown, shutdown};
use tokio::io::{AsyncRead, Interest, ReadBuf};
use tokio::net::{TcpStream, UnixStream};

use crate::system;
use crate::tails::MemfdSlice;

/// One of the two, registered with the runtime of a reactor.
#[derive(Debug)]
pub(crate) enum Socket {
    Tcp(TcpStream),
    Unix(UnixStream),
}

/// A socket without a runtime, on its way to another thread. It does not block.
#[derive(Debug)]
pub enum Unregistered {
    /// From an address.
    Tcp(std::net::TcpStream),
    /// From this machine.
    Unix(std::os::unix::net::UnixStream),
}

impl Unregistered {
    /// Registers the socket with the runtime of the caller.
    ///
    /// # Panics
    /// Outside of a runtime.
    pub(crate) fn register(self) -> io::Result<Socket> {
        match self {
            Self::Tcp(stream) => TcpStream::from_std(stream).map(Socket::Tcp),
            Self::Unix(stream) => UnixStream::from_std(stream).map(Socket::Unix),
        }
    }
}

impl Socket {
    /// Takes the socket out of its runtime.
    pub(crate) fn unregister(self) -> io::Result<Unregistered> {
        match self {
            Self::Tcp(stream) => stream.into_std().map(Unregistered::Tcp),
            Self::Unix(stream) => stream.into_std().map(Unregistered::Unix),
        }
    }

    /// Reads what has come: 0 at the end of the stream. Pending when nothing has; the waker is woken
    /// when something does.
    pub(crate) fn poll_read(
        &mut self,
        cx: &mut Context<'_>,
        into: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let mut into = ReadBuf::new(into);
        let read = match self {
            Self::Tcp(stream) => Pin::new(stream).poll_read(cx, &mut into),
            Self::Unix(stream) => Pin::new(stream).poll_read(cx, &mut into),
        };
        ready!(read)?;
        Poll::Ready(Ok(into.filled().len()))
    }

    /// Reads what has come from the system itself, whatever the runtime knows of it: 0 at the end of
    /// the stream, `WouldBlock` when nothing has. Nobody is woken by it.
    pub(crate) fn read_now(&self, into: &mut [u8]) -> io::Result<usize> {
        Ok(retry_on_intr(|| rustix::io::read(self, &mut *into))?)
    }

    /// Whether there may be something to read, or the end of the stream. If not, the waker is woken
    /// when there is.
    pub(crate) fn is_readable(&self, cx: &mut Context<'_>) -> bool {
        let readable = match self {
            Self::Tcp(stream) => stream.poll_read_ready(cx),
            Self::Unix(stream) => stream.poll_read_ready(cx),
        };
        readable.is_ready()
    }

    /// Whether it may take something. If not, the waker is woken when it does.
    pub(crate) fn is_writable(&self, cx: &mut Context<'_>) -> bool {
        let writable = match self {
            Self::Tcp(stream) => stream.poll_write_ready(cx),
            Self::Unix(stream) => stream.poll_write_ready(cx),
        };
        writable.is_ready()
    }

    /// It has taken less than it was offered: what the runtime knew of it is over. The waker is woken
    /// when it takes more; `true` when it does already.
    pub(crate) fn was_full(&self, cx: &mut Context<'_>) -> bool {
        // That is how the runtime is told: an attempt that would have had to wait.
        let failed = || Err::<(), _>(ErrorKind::WouldBlock.into());
        let attempt = match self {
            Self::Tcp(stream) => stream.try_io(Interest::WRITABLE, failed),
            Self::Unix(stream) => stream.try_io(Interest::WRITABLE, failed),
        };
        debug_assert!(attempt.is_err(), "it cannot succeed");
        self.is_writable(cx)
    }

    /// Writes what the peer takes now, which may be nothing.
    pub(crate) fn write<'a>(
        &self,
        slices: &(impl Iterator<Item = &'a [u8]> + Clone),
    ) -> io::Result<usize> {
        unless_blocked(|| system::write(self, slices.clone()))
    }

    /// Writes what lies in a file, as far as the peer takes it now.
    pub(crate) fn send_file(&self, from: &MemfdSlice) -> io::Result<usize> {
        unless_blocked(|| system::send_file(self, &*from.file, from.offset, from.bytes))
    }

    /// Says that nothing more comes.
    pub(crate) fn say_last_word(&self) -> io::Result<()> {
        Ok(shutdown(self, Shutdown::Write)?)
    }
}

impl AsFd for Socket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Self::Tcp(stream) => stream.as_fd(),
            Self::Unix(stream) => stream.as_fd(),
        }
    }
}

/// 0 when the call would have had to wait. One that a signal interrupted says nothing about that, and
/// is made again: a socket that is not full would never be told to take more.
fn unless_blocked(mut call: impl FnMut() -> io::Result<usize>) -> io::Result<usize> {
    loop {
        match call() {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(0),
            done => return done,
        }
    }
}

#[cfg(test)]
#[path = "socket_tests.rs"]
mod tests;
