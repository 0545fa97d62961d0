//! Which daemon answered at which address: trust on first use.
//!
//! `known_servers` has a line for each address, `ADDRESS ssh-ed25519 AAAA…`, that a person can
//! read, copy and delete. Lines are only ever appended; the last one of an address counts.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use chat_files::create_dir;
use chat_proto::PublicKey;

use crate::target::{Fingerprint, Target};

/// What is behind so many bytes of the file is not read.
const FILE_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// The file of known servers.
#[derive(Clone, Debug)]
pub(crate) struct KnownServers {
    path: PathBuf,
}

/// What the identity of a daemon is to this client.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Contact {
    /// It is taken on trust.
    First,
    /// It was there before, or whoever gave the address has vouched for it.
    Known,
}

/// Says why a daemon is not trusted.
#[derive(Debug, thiserror::Error)]
pub(crate) enum UntrustedServer {
    #[error(
        "the server at {address} is not the one that was there before: it shows {shown}, known is \
         {known}. Either it was set up anew, or somebody is in between. If you know that it was \
         set up anew, delete the line of {address} from {path}"
    )]
    Changed { address: String, shown: Fingerprint, known: Fingerprint, path: String },
    #[error(
        "the server at {address} is not the one that was asked for: it shows {shown}, and not \
         {wanted}"
    )]
    NotTheOne { address: String, shown: Fingerprint, wanted: Fingerprint },
    #[error("the list of known servers in {path} cannot be used: {cause}")]
    Io { path: String, cause: io::Error },
}

impl KnownServers {
    pub(crate) fn of(data_dir: &Path) -> Self {
        Self { path: data_dir.join("known_servers") }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The identity of the daemon at an address, when it is known.
    pub(crate) fn lookup(&self, target: &Target) -> io::Result<Option<PublicKey>> {
        match chat_files::open_to_read(&self.path) {
            Ok(file) => find(file, &address_of(target)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Compares the identity that a daemon has shown (and proved) with the one that is `wanted` and
    /// the one that is written down; writes it down at the first contact.
    ///
    /// A Unix socket is as good as its directory's permissions, and daemons behind it come and go:
    /// another identity there is written down, not refused.
    pub(crate) fn check(
        &self,
        target: &Target,
        shown: &PublicKey,
        wanted: Option<Fingerprint>,
    ) -> Result<Contact, UntrustedServer> {
        if let Some(wanted) = wanted
            && wanted != Fingerprint::of(shown)
        {
            return Err(UntrustedServer::NotTheOne {
                address: target.to_string(),
                shown: Fingerprint::of(shown),
                wanted,
            });
        }
        // What is written down already needs no writing: the directory may be read-only.
        if let Ok(Some(known)) = self.lookup(target)
            && known == *shown
        {
            return Ok(Contact::Known);
        }
        // A join line with the fingerprint says who is there: nothing is taken on trust then.
        let newcomer = if wanted.is_some() { Contact::Known } else { Contact::First };
        let known = self.compare_and_write(target, shown);
        let known = known.map_err(|cause| UntrustedServer::Io {
            path: self.path.display().to_string(),
            cause,
        })?;
        match (known, target) {
            (None, _) => Ok(newcomer),
            (Some(known), _) if known == *shown => Ok(Contact::Known),
            (Some(_other), Target::Unix(_)) => Ok(newcomer),
            (Some(known), Target::Tcp { .. } | Target::Local) => Err(UntrustedServer::Changed {
                address: target.to_string(),
                shown: Fingerprint::of(shown),
                known: Fingerprint::of(&known),
                path: self.path.display().to_string(),
            }),
        }
    }

    /// Returns what was known before. One process at a time: two first contacts write one line.
    fn compare_and_write(
        &self,
        target: &Target,
        shown: &PublicKey,
    ) -> io::Result<Option<PublicKey>> {
        if let Some(dir) = self.path.parent() {
            create_dir(dir)?;
        }
        let mut options = OpenOptions::new();
        let options = options.read(true).append(true).create(true);
        let mut file = chat_files::open(&self.path, options)?;
        file.lock()?;
        let address = address_of(target);
        let known = find(&file, &address)?;
        let replace = matches!(target, Target::Unix(_)) && known.is_some_and(|key| key != *shown);
        if known.is_none() || replace {
            // A line that another program left without its end must not swallow this one.
            let line = format!("{address} {}\n", as_openssh(shown)?);
            let line = if ends_open(&file)? { format!("\n{line}") } else { line };
            file.write_all(line.as_bytes())?;
            file.sync_all()?;
        }
        Ok(known)
    }
}

/// The address as one word.
fn address_of(target: &Target) -> String {
    let text = target.to_string().to_lowercase();
    let text = if let Target::Unix(_) = target { target.to_string() } else { text };
    let escape = |c: char| match c {
        c if c.is_whitespace() || c.is_control() || c == '%' => {
            let mut bytes = [0; 4];
            c.encode_utf8(&mut bytes).bytes().map(|byte| format!("%{byte:02X}")).collect()
        }
        c => c.to_string(),
    };
    text.chars().map(escape).collect()
}

fn as_openssh(key: &PublicKey) -> io::Result<String> {
    let public = ssh_key::public::Ed25519PublicKey(key.0);
    ssh_key::PublicKey::from(public).to_openssh().map_err(io::Error::other)
}

fn ends_open(file: &File) -> io::Result<bool> {
    let Some(last) = file.metadata()?.len().checked_sub(1) else {
        return Ok(false);
    };
    let mut byte = [0];
    file.read_exact_at(&mut byte, last)?;
    Ok(byte != *b"\n")
}

/// Lines that name no server (comments, other kinds of keys) are passed over.
fn find(file: impl Read, address: &str) -> io::Result<Option<PublicKey>> {
    let mut bytes = Vec::new();
    file.take(FILE_BYTES_MAX).read_to_end(&mut bytes)?;
    let text = String::from_utf8_lossy(&bytes);
    let key_of = |line: &str| {
        let (host, key) = line.trim().split_once(' ')?;
        if host != address {
            return None;
        }
        let key = ssh_key::PublicKey::from_openssh(key.trim()).ok()?;
        key.key_data().ed25519().map(|key| PublicKey(key.0))
    };
    Ok(text.lines().rev().find_map(key_of))
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: PublicKey = PublicKey([1; 32]);
    const OTHER: PublicKey = PublicKey([2; 32]);

    fn host() -> Target {
        "example.org".parse().unwrap()
    }

    #[test]
    fn the_first_contact_is_written_down_and_the_next_is_known() {
        let dir = tempfile::tempdir().unwrap();
        let known_servers = KnownServers::of(dir.path());
        assert_eq!(known_servers.lookup(&host()).unwrap(), None);
        assert_eq!(known_servers.check(&host(), &KEY, None).unwrap(), Contact::First);
        assert_eq!(known_servers.check(&host(), &KEY, None).unwrap(), Contact::Known);
        assert_eq!(known_servers.lookup(&host()).unwrap(), Some(KEY));
        let text = std::fs::read_to_string(known_servers.path()).unwrap();
        assert!(text.starts_with("example.org:5018 ssh-ed25519 AAAA"), "{text}");
        assert_eq!(text.lines().count(), 1);
    }

    #[test]
    fn another_identity_at_the_same_address_is_refused_and_not_written() {
        let dir = tempfile::tempdir().unwrap();
        let known_servers = KnownServers::of(dir.path());
        known_servers.check(&host(), &KEY, None).unwrap();
        let refused = known_servers.check(&host(), &OTHER, None).unwrap_err();
        assert!(matches!(refused, UntrustedServer::Changed { .. }));
        assert_eq!(known_servers.lookup(&host()).unwrap(), Some(KEY));
    }

    #[test]
    fn a_fingerprint_that_was_asked_for_is_held_to_before_anything_is_written() {
        let dir = tempfile::tempdir().unwrap();
        let known_servers = KnownServers::of(dir.path());
        let wanted = Some(Fingerprint::of(&KEY));
        let refused = known_servers.check(&host(), &OTHER, wanted).unwrap_err();
        assert!(matches!(refused, UntrustedServer::NotTheOne { .. }));
        assert_eq!(known_servers.lookup(&host()).unwrap(), None);
        // The line vouches for it, and it is known from then on without the line.
        assert_eq!(known_servers.check(&host(), &KEY, wanted).unwrap(), Contact::Known);
        assert_eq!(known_servers.lookup(&host()).unwrap(), Some(KEY));
        assert!(matches!(
            known_servers.check(&host(), &OTHER, None),
            Err(UntrustedServer::Changed { .. })
        ));
    }

    #[test]
    fn a_server_that_is_known_needs_no_writing() {
        let dir = tempfile::tempdir().unwrap();
        let known_servers = KnownServers::of(dir.path());
        known_servers.check(&host(), &KEY, None).unwrap();
        // Whoever wanted to write would wait for this.
        let file = File::open(known_servers.path()).unwrap();
        file.lock().unwrap();
        let (done, is_done) = std::sync::mpsc::sync_channel(1);
        std::thread::spawn(move || done.send(known_servers.check(&host(), &KEY, None)).ok());
        let checked = is_done.recv_timeout(std::time::Duration::from_secs(60));
        assert_eq!(checked.expect("nothing is waited for").unwrap(), Contact::Known);
    }

    #[test]
    fn a_unix_socket_may_have_another_daemon_tomorrow() {
        let dir = tempfile::tempdir().unwrap();
        let known_servers = KnownServers::of(dir.path());
        let socket = Target::Unix("/run/a b.sock".into());
        known_servers.check(&socket, &KEY, None).unwrap();
        assert_eq!(known_servers.check(&socket, &OTHER, None).unwrap(), Contact::First);
        assert_eq!(known_servers.lookup(&socket).unwrap(), Some(OTHER));
    }

    #[test]
    fn a_line_that_is_no_pin_harms_no_other() {
        let dir = tempfile::tempdir().unwrap();
        let known_servers = KnownServers::of(dir.path());
        std::fs::write(
            known_servers.path(),
            b"# mine\nexample.org:5018 nonsense\n\xff\xff half a li",
        )
        .unwrap();
        assert_eq!(known_servers.check(&host(), &KEY, None).unwrap(), Contact::First);
        assert_eq!(known_servers.lookup(&host()).unwrap(), Some(KEY));
    }

    #[test]
    fn nothing_is_pinned_through_a_link() {
        let dir = tempfile::tempdir().unwrap();
        let (known_servers, elsewhere) =
            (KnownServers::of(dir.path()), dir.path().join("elsewhere"));
        std::os::unix::fs::symlink(&elsewhere, known_servers.path()).unwrap();
        let target = "example.org".parse().unwrap();
        assert!(known_servers.lookup(&target).is_err());
        let refused =
            known_servers.check(&target, &PublicKey([1; 32]), None).unwrap_err().to_string();
        assert!(refused.contains("symbolic link"), "{refused}");
        assert!(!elsewhere.exists());
    }
}
