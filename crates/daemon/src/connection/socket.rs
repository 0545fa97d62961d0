//! A stream socket, TCP or Unix, used from both directions at once through a shared reference.

use std::io::{self, ErrorKind, IoSlice};

use bytes::{BufMut, BytesMut};
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpStream, UnixStream};

/// Slices of one `writev`.
const SLICES_MAX: usize = 64;

/// One of the two.
#[derive(Debug)]
pub(crate) enum Socket {
    Tcp(TcpStream),
    Unix(UnixStream),
}

impl Socket {
    /// Waits for bytes and appends at most `bytes_max` of them; 0 at the end of the stream.
    pub(crate) async fn read(&self, into: &mut BytesMut, bytes_max: usize) -> io::Result<usize> {
        loop {
            self.readable().await?;
            into.reserve(bytes_max);
            let mut limited = into.limit(bytes_max);
            let read = match self {
                Self::Tcp(stream) => stream.try_read_buf(&mut limited),
                Self::Unix(stream) => stream.try_read_buf(&mut limited),
            };
            match read {
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                read => return read,
            }
        }
    }

    /// Writes what the peer takes now; 0 when it takes nothing.
    pub(crate) fn try_write(&self, slices: &[&[u8]]) -> io::Result<usize> {
        let slices: Vec<IoSlice<'_>> =
            slices.iter().take(SLICES_MAX).map(|slice| IoSlice::new(slice)).collect();
        let written = match self {
            Self::Tcp(stream) => stream.try_write_vectored(&slices),
            Self::Unix(stream) => stream.try_write_vectored(&slices),
        };
        match written {
            Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(0),
            Ok(0) => Err(ErrorKind::WriteZero.into()),
            written => written,
        }
    }

    /// Waits until the peer may take something.
    pub(crate) async fn writable(&self) -> io::Result<()> {
        match self {
            Self::Tcp(stream) => stream.writable().await,
            Self::Unix(stream) => stream.writable().await,
        }
    }

    /// Says that nothing more comes, and reads what the peer still had under way.
    pub(crate) async fn close_and_drain(&mut self) -> io::Result<()> {
        match self {
            Self::Tcp(stream) => stream.shutdown().await?,
            Self::Unix(stream) => stream.shutdown().await?,
        }
        let mut ignored = BytesMut::new();
        while self.read(&mut ignored, 4096).await? > 0 {
            ignored.clear();
        }
        Ok(())
    }

    async fn readable(&self) -> io::Result<()> {
        match self {
            Self::Tcp(stream) => stream.readable().await,
            Self::Unix(stream) => stream.readable().await,
        }
    }
}
