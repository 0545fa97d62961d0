//! Where things are when nobody says where.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// The socket's name in every directory.
const SOCKET_NAME: &str = "chatd.sock";

/// `$XDG_STATE_HOME/chatd`, else `~/.local/state/chatd`, and for a service without a home
/// `/var/lib/chatd` (XDG Base Directory Specification, and the Filesystem Hierarchy Standard).
pub(super) fn data_dir() -> PathBuf {
    let in_home = || home().map(|home| home.join(".local/state"));
    match directory("XDG_STATE_HOME").or_else(in_home) {
        Some(state) => state.join("chatd"),
        None => PathBuf::from("/var/lib/chatd"),
    }
}

/// The home directory, as far as the environment tells.
pub(super) fn home() -> Option<PathBuf> {
    directory("HOME")
}

/// The first of the usual sockets whose directory is this user's own, else one beside the data.
pub(super) fn socket(data_dir: &Path) -> PathBuf {
    match runtime_dir() {
        Some(dir) => dir.join(SOCKET_NAME),
        None => data_dir.join(SOCKET_NAME),
    }
}

/// Where a client looks for the daemon of its machine without being told.
#[must_use]
pub fn usual_sockets() -> Vec<PathBuf> {
    let shared = PathBuf::from("/run/chatd");
    let dirs = runtime_dir().into_iter().chain([shared]);
    dirs.map(|dir| dir.join(SOCKET_NAME)).collect()
}

fn runtime_dir() -> Option<PathBuf> {
    let of_user = || PathBuf::from(format!("/run/user/{}", rustix::process::getuid().as_raw()));
    directory("XDG_RUNTIME_DIR").or_else(|| Some(of_user()).filter(|dir| dir.is_dir()))
}

/// The directory that a variable names; one that is empty or relative counts as none.
fn directory(variable: &str) -> Option<PathBuf> {
    std::env::var_os(variable)
        .filter(|value: &OsString| !value.is_empty())
        .map(PathBuf::from)
        .filter(|path| path.is_absolute())
}
