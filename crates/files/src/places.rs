//! Where a daemon's data and its socket are when nobody says where: the one rule by which a daemon
//! chooses them, and a client finds them.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// The socket's name in every directory.
const SOCKET_NAME: &str = "chatd.sock";

/// Of the data, and of the directory in `/run` that a service has for its socket.
const DIR_NAME: &str = "chatd";

/// What this process knows of its user.
struct Places<Variable, IsDir> {
    variable: Variable,
    is_dir: IsDir,
    user: u32,
}

/// `$XDG_STATE_HOME/chatd`, else `~/.local/state/chatd`, and for a service without a home
/// `/var/lib/chatd` (XDG Base Directory Specification, and the Filesystem Hierarchy Standard).
#[must_use]
pub fn data_dir() -> PathBuf {
    with_places(|places| places.data_dir())
}

/// The home directory, as far as the environment tells.
#[must_use]
pub fn home() -> Option<PathBuf> {
    with_places(|places| places.directory("HOME"))
}

/// Where a daemon with this data puts its socket: in the directory that the system has for what
/// this user runs, else beside the data.
#[must_use]
pub fn socket(data_dir: &Path) -> PathBuf {
    with_places(|places| places.socket(data_dir))
}

/// Where a client looks for the daemon of its machine without being told, in order: this user's
/// own, then the one that is there for all.
#[must_use]
pub fn usual_sockets() -> Vec<PathBuf> {
    with_places(|places| places.usual_sockets())
}

type ThisProcess = Places<fn(&str) -> Option<OsString>, fn(&Path) -> bool>;

fn with_places<T>(ask: impl FnOnce(&ThisProcess) -> T) -> T {
    ask(&Places {
        variable: |name| std::env::var_os(name),
        is_dir: |path| path.is_dir(),
        user: rustix::process::getuid().as_raw(),
    })
}

impl<Variable, IsDir> Places<Variable, IsDir>
where
    Variable: Fn(&str) -> Option<OsString>,
    IsDir: Fn(&Path) -> bool,
{
    fn data_dir(&self) -> PathBuf {
        let in_home = || self.directory("HOME").map(|home| home.join(".local/state"));
        match self.directory("XDG_STATE_HOME").or_else(in_home) {
            Some(state) => state.join(DIR_NAME),
            None => Path::new("/var/lib").join(DIR_NAME),
        }
    }

    fn socket(&self, data_dir: &Path) -> PathBuf {
        let dir = self.runtime_dirs().next().unwrap_or_else(|| data_dir.to_owned());
        dir.join(SOCKET_NAME)
    }

    fn usual_sockets(&self) -> Vec<PathBuf> {
        let all = [self.data_dir(), Path::new("/run").join(DIR_NAME)];
        let mut sockets: Vec<_> =
            self.runtime_dirs().chain(all).map(|dir| dir.join(SOCKET_NAME)).collect();
        sockets.dedup();
        sockets
    }

    /// That of the session, and that of the user, which is there for a daemon without a session.
    fn runtime_dirs(&self) -> impl Iterator<Item = PathBuf> {
        let of_user = PathBuf::from(format!("/run/user/{}", self.user));
        let of_user = Some(of_user).filter(|dir| (self.is_dir)(dir));
        self.directory("XDG_RUNTIME_DIR").into_iter().chain(of_user)
    }

    /// The directory that a variable names; one that is empty or relative counts as none.
    fn directory(&self, variable: &str) -> Option<PathBuf> {
        (self.variable)(variable).map(PathBuf::from).filter(|path| path.is_absolute())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The usual sockets, and where a daemon puts its own, with these variables.
    fn found(variables: &[(&str, &str)], has_user_dir: bool) -> (Vec<PathBuf>, PathBuf) {
        let places = Places {
            variable: |name: &str| {
                let set = variables.iter().find(|(set, _value)| *set == name);
                set.map(|(_name, value)| OsString::from(value))
            },
            is_dir: |path: &Path| has_user_dir && path == Path::new("/run/user/7"),
            user: 7,
        };
        (places.usual_sockets(), places.socket(&places.data_dir()))
    }

    #[test]
    fn a_client_looks_where_a_daemon_of_its_user_listens() {
        let runtime = [("XDG_RUNTIME_DIR", "/session"), ("XDG_RUNTIME_DIR", "relative")];
        let home = [("HOME", "/home/ada"), ("XDG_STATE_HOME", "/state"), ("HOME", "")];
        for runtime in runtime {
            for home in home {
                for has_user_dir in [true, false] {
                    let (usual, own) = found(&[runtime, home], has_user_dir);
                    assert!(usual.contains(&own), "{runtime:?} {home:?} {has_user_dir}");
                }
            }
        }
    }

    #[test]
    fn sockets_are_looked_for_from_the_nearest_to_the_one_for_all() {
        let (usual, own) = found(&[("XDG_RUNTIME_DIR", "/session"), ("HOME", "/home/ada")], true);
        let expected = [
            "/session/chatd.sock",
            "/run/user/7/chatd.sock",
            "/home/ada/.local/state/chatd/chatd.sock",
            "/run/chatd/chatd.sock",
        ];
        assert_eq!(usual, expected.map(PathBuf::from));
        assert_eq!(own, usual[0]);
    }

    #[test]
    fn without_a_directory_of_the_session_the_users_counts_and_then_the_data() {
        let (usual, own) = found(&[("XDG_RUNTIME_DIR", "")], true);
        assert_eq!((usual.len(), own), (3, PathBuf::from("/run/user/7/chatd.sock")));
        let (usual, own) = found(&[], false);
        assert_eq!(usual[1..], [PathBuf::from("/run/chatd/chatd.sock")]);
        assert_eq!(own, PathBuf::from("/var/lib/chatd/chatd.sock"));
        let (usual, _own) = found(&[("XDG_RUNTIME_DIR", "/run/user/7")], true);
        assert_eq!(usual.len(), 3, "the same one is not tried twice");
    }
}
