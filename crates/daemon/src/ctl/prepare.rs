//! What becomes of a verb on the command line before the daemon hears of it: one that names a file is
//! asked for each of its lines, and one that takes a key reads it.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use super::verb::{AccountVerb, Verb};

/// Bytes of a file that is read: some ten thousand keys.
const FILE_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// A request, and what it is about where there are many.
pub(super) struct Prepared {
    pub(super) verb: Verb,
    /// The line of the file that it is about, counted from 1.
    pub(super) line: Option<usize>,
}

/// A file that cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("{path:?} cannot be read: {cause}")]
pub(super) struct FileError {
    path: PathBuf,
    cause: io::Error,
}

/// The requests that a verb of the command line stands for.
pub(super) fn prepare(verb: Verb) -> Result<Vec<Prepared>, FileError> {
    let file = match verb {
        Verb::Account(AccountVerb::Import { file, line: _ }) => file,
        Verb::Account(AccountVerb::SetKey { name, line: _ }) => {
            let stdin = PathBuf::from("-");
            let lines = lines_of(&stdin).map_err(|cause| FileError { path: stdin, cause })?;
            let line = lines.join("\n");
            let verb = Verb::Account(AccountVerb::SetKey { name, line });
            return Ok(vec![Prepared { verb, line: None }]);
        }
        verb @ (Verb::Status {}
        | Verb::Accounts { .. }
        | Verb::Audit { .. }
        | Verb::Invite { .. }
        | Verb::Invitations { .. }
        | Verb::RevokeInvitation { .. }
        | Verb::TokenCreate(_)
        | Verb::TokenRevoke { .. }
        | Verb::Account(_)
        | Verb::Admin(_)) => return Ok(vec![Prepared { verb, line: None }]),
    };
    let lines = lines_of(&file).map_err(|cause| FileError { path: file, cause })?;
    let keys = (1..).zip(lines).filter(|(_number, line)| {
        let line = line.trim();
        !line.is_empty() && !line.starts_with('#')
    });
    let requests = keys.map(|(number, line)| {
        let verb = Verb::Account(AccountVerb::Import { file: PathBuf::new(), line });
        Prepared { verb, line: Some(number) }
    });
    Ok(requests.collect())
}

fn lines_of(path: &Path) -> io::Result<Vec<String>> {
    let file: Box<dyn Read> = match path.as_os_str() == "-" {
        true => Box::new(io::stdin()),
        false => Box::new(File::open(path)?),
    };
    let mut text = String::new();
    let mut limited = BufReader::new(file.take(FILE_BYTES_MAX + 1));
    limited.read_to_string(&mut text)?;
    if text.len() as u64 > FILE_BYTES_MAX {
        return Err(io::Error::other(format!("it has more than {FILE_BYTES_MAX} bytes")));
    }
    text.as_bytes().lines().collect()
}
