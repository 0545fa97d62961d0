//! Listeners: where connections come in.

use std::io;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use chat_core::{Closing, Conn};
use chat_proto::CloseReason;
use tokio::net::{TcpListener, TcpSocket, UnixListener, lookup_host};
use tokio::time::{Duration, sleep};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::connection::{Shared, Socket, admit};
use crate::sequencer::Sequencer;
use crate::server::StartError;

/// Connections that the kernel holds until they are accepted.
const BACKLOG: u32 = 4096;

/// How long accepting rests when the process has no file descriptors left.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// A place to listen at.
#[derive(Debug)]
pub(crate) enum Listener {
    Tcp(TcpListener),
    Unix(UnixListener),
}

/// What every listener needs.
#[derive(Clone, Debug)]
pub(crate) struct Intake {
    pub(crate) shared: Arc<Shared>,
    pub(crate) sequencer: Sequencer,
    pub(crate) connections: TaskTracker,
    pub(crate) connections_max: usize,
    pub(crate) next_conn: Arc<AtomicU64>,
}

/// Binds every address that `listen` names.
pub(crate) async fn bind_tcp(listen: &str) -> Result<Vec<(Listener, SocketAddr)>, StartError> {
    let failed = |cause| StartError::Listen { address: listen.to_owned(), cause };
    let addresses = lookup_host(listen).await.map_err(failed)?;
    let mut listeners = Vec::new();
    for address in addresses {
        let listener = bind_address(address).map_err(failed)?;
        let bound = listener.local_addr().map_err(failed)?;
        listeners.push((Listener::Tcp(listener), bound));
    }
    Ok(listeners)
}

fn bind_address(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    // A restart binds the port again at once, whatever the old connections are doing.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// Binds a Unix socket that only this user may use. The data directory's lock has been taken: a
/// socket file that nobody answers at is left over from a daemon that was killed.
pub(crate) async fn bind_unix(path: &Path) -> Result<(Listener, SocketFile), StartError> {
    let failed = |cause| StartError::Socket { path: path.to_owned(), cause };
    if let Some(parent) = path.parent() {
        std::fs::create_dir_all(parent).map_err(failed)?;
    }
    if is_answered(path).await {
        return Err(StartError::SocketInUse { path: path.to_owned() });
    }
    remove_stale_socket(path).map_err(failed)?;
    let listener = UnixListener::bind(path).map_err(failed)?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).map_err(failed)?;
    let file = SocketFile::of(path).map_err(failed)?;
    Ok((Listener::Unix(listener), file))
}

/// Whether somebody listens at a socket, also when he is too busy to answer.
async fn is_answered(path: &Path) -> bool {
    match tokio::net::UnixStream::connect(path).await {
        Ok(_) => true,
        Err(error) => error.kind() == io::ErrorKind::WouldBlock,
    }
}

fn remove_stale_socket(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::FileTypeExt;
    match std::fs::symlink_metadata(path) {
        Ok(found) if found.file_type().is_socket() => std::fs::remove_file(path),
        Ok(_) => Err(io::Error::new(
            io::ErrorKind::AlreadyExists,
            "something else than a socket is there",
        )),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

/// Removes the socket file when it is dropped, unless somebody else's stands in its place.
#[derive(Debug)]
pub(crate) struct SocketFile {
    path: PathBuf,
    file: FileId,
}

/// Device, inode, and when it was made: a number of an inode is soon used again.
type FileId = (u64, u64, i64, i64);

impl SocketFile {
    fn of(path: &Path) -> io::Result<Self> {
        Ok(Self { path: path.to_owned(), file: file_id(path)? })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        let is_ours = file_id(&self.path).is_ok_and(|found| found == self.file);
        if !is_ours || std::fs::remove_file(&self.path).is_err() {
            tracing::debug!(path = %self.path.display(), "the socket file is already gone");
        }
    }
}

fn file_id(path: &Path) -> io::Result<FileId> {
    use std::os::unix::fs::MetadataExt;
    let found = std::fs::symlink_metadata(path)?;
    Ok((found.dev(), found.ino(), found.ctime(), found.ctime_nsec()))
}

impl Intake {
    /// Accepts connections until the daemon stops.
    pub(crate) async fn accept(self, listener: Listener, stop: CancellationToken) {
        loop {
            let accepted = tokio::select! {
                () = stop.cancelled() => return,
                accepted = listener.accept() => accepted,
            };
            match accepted {
                Ok(socket) => self.take_in(socket).await,
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }

    async fn take_in(&self, socket: Socket) {
        if self.shared.hub.connections() >= self.connections_max {
            return turn_away(&socket).await;
        }
        let conn = Conn(self.next_conn.fetch_add(1, Ordering::Relaxed));
        let (shared, sequencer) = (Arc::clone(&self.shared), self.sequencer.clone());
        match admit(socket, conn, shared, sequencer) {
            Ok(served) => drop(self.connections.spawn(served)),
            Err(error) => tracing::error!(%error, "no random numbers for a challenge"),
        }
    }
}

impl Listener {
    async fn accept(&self) -> io::Result<Socket> {
        match self {
            Self::Tcp(listener) => {
                let (stream, _peer) = listener.accept().await?;
                // Every write is already a whole batch: waiting for more would only add latency.
                if let Err(error) = stream.set_nodelay(true) {
                    // Accepting must not rest because a peer is gone already.
                    tracing::debug!(%error, "a connection stays as it came");
                }
                Ok(Socket::Tcp(stream))
            }
            Self::Unix(listener) => {
                listener.accept().await.map(|(stream, _peer)| Socket::Unix(stream))
            }
        }
    }
}

async fn turn_away(socket: &Socket) {
    tracing::warn!("a connection was turned away: there are as many as there may be");
    let closing = Closing {
        reason: CloseReason::Full,
        code: None,
        message: "the server has as many connections as it may have; try again later".to_owned(),
    };
    // A fresh socket takes one small frame at once; one that does not is closed all the same.
    if socket.writable().await.and_then(|()| socket.try_write(&[&closing.frame()])).is_err() {
        tracing::debug!("a peer that was turned away is already gone");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_socket_file_is_removed_by_its_owner_alone() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("chatd.sock");
        let (_first, mine) = bind_unix(&path).await.unwrap();
        assert!(matches!(bind_unix(&path).await, Err(StartError::SocketInUse { .. })));
        std::fs::remove_file(&path).unwrap();
        let (_second, theirs) = bind_unix(&path).await.unwrap();
        drop(mine);
        assert!(path.exists(), "it belongs to the second");
        drop(theirs);
        assert!(!path.exists());
    }
}
