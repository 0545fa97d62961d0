//! The other end: says one request after the other at the socket, and reads the answers.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::time::Duration;

use super::answer::{Answer, ErrorKind, Page};
use super::verb::Verb;
use super::{ANSWER_BYTES_MAX, OPENING};

/// How long an answer may take: longer than the daemon waits for a commit.
const ANSWER_MAX: Duration = Duration::from_secs(15);

/// A connection to the daemon.
#[derive(Debug)]
pub(super) struct CtlClient {
    stream: BufReader<UnixStream>,
    has_opened: bool,
}

/// Why the daemon has not done it, as far as is known.
#[derive(Debug, thiserror::Error)]
pub(super) enum CtlError {
    /// Nobody answers.
    #[error("no chatd answers at {}. Is it running? --socket names another place", places(tried))]
    NoDaemon {
        /// Where.
        tried: Vec<PathBuf>,
    },
    /// The socket is not this user's to use.
    #[error(
        "the socket {path:?} is not for this user: {cause}. Ask whoever runs chatd, or run this as \
         that user"
    )]
    Forbidden {
        /// Which one.
        path: PathBuf,
        /// What the system says.
        cause: io::Error,
    },
    /// The conversation broke off.
    #[error("the daemon is gone before it answered ({0}): whether it is done is not known")]
    Broken(#[from] io::Error),
    /// What came is no answer.
    #[error("what answers there is no chatd that knows ctl, or another version of it: {0}")]
    NoAnswer(serde_json::Error),
    /// The daemon says no.
    #[error("{message}")]
    Said {
        /// What kind of no.
        kind: ErrorKind,
        /// A sentence.
        message: String,
    },
}

impl CtlClient {
    /// Connects to the first daemon that answers.
    pub(super) fn connect(sockets: &[PathBuf]) -> Result<Self, CtlError> {
        let mut forbidden = None;
        for path in sockets {
            match UnixStream::connect(path) {
                Ok(stream) => {
                    stream.set_read_timeout(Some(ANSWER_MAX))?;
                    stream.set_write_timeout(Some(ANSWER_MAX))?;
                    return Ok(Self { stream: BufReader::new(stream), has_opened: false });
                }
                Err(cause) if cause.kind() == io::ErrorKind::PermissionDenied => {
                    forbidden.get_or_insert(CtlError::Forbidden { path: path.clone(), cause });
                }
                // It is not there, or left over from a daemon that was killed.
                Err(_nobody) => {}
            }
        }
        Err(forbidden.unwrap_or_else(|| CtlError::NoDaemon { tried: sockets.to_vec() }))
    }

    /// Has one request carried out.
    pub(super) fn ask(&mut self, verb: &Verb) -> Result<Page, CtlError> {
        let mut line = match std::mem::replace(&mut self.has_opened, true) {
            false => OPENING.to_vec(),
            true => Vec::new(),
        };
        serde_json::to_writer(&mut line, verb).expect("texts and numbers are JSON");
        line.push(b'\n');
        // Who is sent away at once is told why all the same.
        let written = self.stream.get_mut().write_all(&line);
        let mut answer = Vec::new();
        let mut limited = (&mut self.stream).take(ANSWER_BYTES_MAX as u64);
        let read = limited.read_until(b'\n', &mut answer);
        if answer.is_empty() {
            written?;
            read?;
            return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
        }
        match serde_json::from_slice(&answer).map_err(CtlError::NoAnswer)? {
            Answer::Ok(page) => Ok(page),
            Answer::Error { kind, message } => Err(CtlError::Said { kind, message }),
        }
    }
}

fn places(tried: &[PathBuf]) -> String {
    let places: Vec<_> = tried.iter().map(|path| path.display().to_string()).collect();
    match places.is_empty() {
        true => "any socket (this one is set to none)".to_owned(),
        false => places.join(", "),
    }
}
