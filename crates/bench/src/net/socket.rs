//! TCP sockets that never wait.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketFlags, SocketType, connect, socket_with, sockopt};

/// What became of a read or write.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Moved {
    /// So many bytes, at least one.
    Bytes(usize),
    /// Not now.
    Nothing,
    /// The peer has ended the connection.
    Ended,
}

/// Begins to connect; the socket can be written to once the connection is there.
pub(crate) fn begin_to_connect(address: SocketAddr) -> io::Result<TcpStream> {
    let family = if address.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
    let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
    let socket = socket_with(family, SocketType::STREAM, flags, None)?;
    sockopt::set_tcp_nodelay(&socket, true)?;
    match connect(&socket, &address) {
        Ok(()) | Err(Errno::INPROGRESS) => Ok(socket.into()),
        Err(error) => Err(error.into()),
    }
}

/// Closes without the farewell that would keep the port for a minute.
pub(crate) fn cut(socket: TcpStream) -> io::Result<()> {
    sockopt::set_socket_linger(&socket, Some(Duration::ZERO))?;
    drop(socket);
    Ok(())
}

/// Reads what is there.
pub(crate) fn read(mut socket: &TcpStream, into: &mut [u8]) -> io::Result<Moved> {
    moved(socket.read(into))
}

/// Writes what there is room for.
pub(crate) fn write(mut socket: &TcpStream, bytes: &[u8]) -> io::Result<Moved> {
    moved(socket.write(bytes))
}

fn moved(result: io::Result<usize>) -> io::Result<Moved> {
    match result {
        Ok(0) => Ok(Moved::Ended),
        Ok(bytes) => Ok(Moved::Bytes(bytes)),
        Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(Moved::Nothing),
        Err(error) => Err(error),
    }
}
