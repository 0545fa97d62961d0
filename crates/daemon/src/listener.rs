//! Listeners: where connections come in.

use std::io;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use chat_files::make_dir;
use rustix::fs::Mode;
use rustix::process::umask;
use tokio::net::{TcpSocket, UnixListener, lookup_host};

use crate::start_error::StartError;

/// Connections that the kernel holds until they are accepted.
const BACKLOG: u32 = 4096;

/// Of the Unix socket.
const SOCKET_MODE: u32 = 0o600;

/// A place to listen at, which never blocks. The reactor that gets it registers it with its runtime.
#[derive(Debug)]
pub(crate) enum Listener {
    Tcp(std::net::TcpListener),
    Unix(std::os::unix::net::UnixListener),
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

fn bind_address(address: SocketAddr) -> io::Result<std::net::TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    if address.is_ipv6() {
        // Otherwise `[::]` would take the port of `0.0.0.0`, too, or not, as the system is set.
        rustix::net::sockopt::set_ipv6_v6only(&socket, true)?;
    }
    // A restart binds the port again at once, whatever the old connections are doing.
    socket.set_reuseaddr(true)?;
    // Every write is already a whole batch: waiting for more would only add latency. Connections
    // have it from their listener.
    socket.set_nodelay(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)?.into_std()
}

/// Binds a Unix socket that only this user may use. The data directory's lock has been taken: a
/// socket file that nobody answers at is left over from a daemon that was killed.
pub(crate) async fn bind_unix(path: &Path) -> Result<(Listener, SocketFile), StartError> {
    let failed = |cause| StartError::Socket { path: path.to_owned(), cause };
    if let Some(parent) = path.parent() {
        make_dir(parent).map_err(failed)?;
    }
    if is_answered(path).await {
        return Err(StartError::SocketInUse { path: path.to_owned() });
    }
    remove_stale_socket(path).map_err(failed)?;
    // It is this user's alone from its first moment on.
    let usual = umask(Mode::XUSR | Mode::RWXG | Mode::RWXO);
    let bound = UnixListener::bind(path).and_then(UnixListener::into_std);
    umask(usual);
    let listener = bound.map_err(failed)?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(SOCKET_MODE)).map_err(failed)?;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_directory_that_is_made_for_the_socket_is_for_this_user_alone() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("run").join("chatd.sock");
        let (_listener, _file) = bind_unix(&path).await.unwrap();
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(path.parent().unwrap()), mode(&path)), (0o700, 0o600));
    }

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
