//! Listeners: where connections come in.

use std::io;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use chat_files::make_dir;
use nix::unistd::Group;
use rustix::fs::Mode;
use rustix::process::umask;
use tokio::net::{TcpSocket, UnixSocket, lookup_host};

use crate::config::SocketMode;
use crate::start_error::StartError;

/// Connections that the kernel holds until they are accepted.
const BACKLOG: u32 = 4096;

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

/// Binds a Unix socket for those whom its mode and its group let in. The data directory's lock has been
/// taken: a socket file that nobody answers at is left over from a daemon that was killed.
///
/// Nobody connects before mode and group are what they are to be: until it listens, the system refuses
/// everybody, and the file is this user's alone from its first moment on.
pub(crate) async fn bind_unix(
    path: &Path,
    mode: SocketMode,
    group: Option<&str>,
) -> Result<(Listener, SocketFile), StartError> {
    let failed = |cause| StartError::Socket { path: path.to_owned(), cause };
    let group = group.map(group_number).transpose()?;
    if let Some(parent) = path.parent() {
        make_dir(parent).map_err(failed)?;
    }
    if is_answered(path).await {
        return Err(StartError::SocketInUse { path: path.to_owned() });
    }
    remove_stale_socket(path).map_err(failed)?;
    let socket = UnixSocket::new_stream().map_err(failed)?;
    let usual = umask(Mode::XUSR | Mode::RWXG | Mode::RWXO);
    let bound = socket.bind(path);
    umask(usual);
    bound.map_err(failed)?;
    if let Some((name, number)) = &group {
        std::os::unix::fs::lchown(path, None, Some(*number)).map_err(|cause| {
            StartError::SocketGroup { path: path.to_owned(), group: name.clone(), cause }
        })?;
    }
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode.bits())).map_err(failed)?;
    if mode.is_shared() {
        warn_of_closed_dir(path);
    }
    let file = SocketFile::of(path).map_err(failed)?;
    let listener = socket.listen(BACKLOG).and_then(tokio::net::UnixListener::into_std);
    Ok((Listener::Unix(listener.map_err(failed)?), file))
}

/// A group by its name, or else by its number.
fn group_number(group: &str) -> Result<(String, u32), StartError> {
    let unknown = || StartError::NoGroup { group: group.to_owned() };
    let number = match Group::from_name(group) {
        Ok(Some(known)) => known.gid.as_raw(),
        Ok(None) | Err(_) => group.parse().map_err(|_no_number| unknown())?,
    };
    Ok((group.to_owned(), number))
}

/// Others are let in at the socket, and do not get to it: nobody else would tell why.
fn warn_of_closed_dir(socket: &Path) {
    let Some(dir) = socket.parent() else { return };
    let mode = std::fs::metadata(dir).map_or(0, |found| found.permissions().mode());
    if mode & 0o011 == 0 {
        tracing::warn!(
            dir = %dir.display(),
            "others may use the socket, and its directory lets only its owner through: chmod g+x it"
        );
    }
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
    use std::collections::BTreeSet;
    use std::os::unix::fs::MetadataExt;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

    use super::*;

    #[tokio::test]
    async fn a_directory_that_is_made_for_the_socket_is_for_this_user_alone() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("run").join("chatd.sock");
        let (_listener, _file) = bind_unix(&path, SocketMode::USER, None).await.unwrap();
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(path.parent().unwrap()), mode(&path)), (0o700, 0o600));
    }

    #[tokio::test]
    async fn a_socket_lets_nobody_else_in_from_its_first_moment_on() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("chatd.sock");
        let mode_of = |path: &Path| std::fs::metadata(path).map(|found| found.mode() & 0o777);
        let stop = Arc::new(AtomicBool::new(false));
        let looks = Arc::new(AtomicUsize::new(0));
        let (watched, stopped, looked) = (path.clone(), Arc::clone(&stop), Arc::clone(&looks));
        let watcher = std::thread::spawn(move || {
            let mut modes = BTreeSet::new();
            while !stopped.load(Ordering::Relaxed) {
                if let Ok(mode) = mode_of(&watched) {
                    modes.insert(mode);
                    looked.fetch_add(1, Ordering::Relaxed);
                }
            }
            modes
        });
        let group = rustix::process::getegid().as_raw();
        let mut bound = 0;
        while bound < 200 || looks.load(Ordering::Relaxed) < 200 {
            let (_listener, _file) =
                bind_unix(&path, SocketMode::GROUP, Some(&group.to_string())).await.unwrap();
            let found = std::fs::metadata(&path).unwrap();
            assert_eq!((found.mode() & 0o777, found.gid()), (0o660, group));
            bound += 1;
        }
        stop.store(true, Ordering::Relaxed);
        let modes = watcher.join().unwrap();
        let meant = BTreeSet::from([0o600, 0o660]);
        assert!(modes.is_subset(&meant), "{:?} let in others", modes.difference(&meant));
    }

    #[tokio::test]
    async fn a_socket_that_is_not_open_yet_lets_nobody_in() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("chatd.sock");
        let socket = UnixSocket::new_stream().unwrap();
        socket.bind(&path).unwrap();
        let early = std::os::unix::net::UnixStream::connect(&path).unwrap_err();
        assert_eq!(early.kind(), io::ErrorKind::ConnectionRefused, "so bind_unix relies on it");
        let _listener = socket.listen(BACKLOG).unwrap();
        std::os::unix::net::UnixStream::connect(&path).unwrap();
    }

    #[tokio::test]
    async fn a_group_that_is_not_there_is_told() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("chatd.sock");
        let refused = bind_unix(&path, SocketMode::GROUP, Some("no-such-group")).await.unwrap_err();
        assert!(matches!(refused, StartError::NoGroup { .. }), "{refused}");
        assert!(!path.exists());
        // By its name, as by its number.
        let own = Group::from_gid(nix::unistd::Gid::effective()).unwrap().unwrap();
        assert_eq!(group_number(&own.name).unwrap().1, own.gid.as_raw());
    }

    #[tokio::test]
    async fn a_socket_file_is_removed_by_its_owner_alone() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("chatd.sock");
        let (_first, mine) = bind_unix(&path, SocketMode::USER, None).await.unwrap();
        assert!(matches!(
            bind_unix(&path, SocketMode::USER, None).await,
            Err(StartError::SocketInUse { .. })
        ));
        std::fs::remove_file(&path).unwrap();
        let (_second, theirs) = bind_unix(&path, SocketMode::USER, None).await.unwrap();
        drop(mine);
        assert!(path.exists(), "it belongs to the second");
        drop(theirs);
        assert!(!path.exists());
    }
}
