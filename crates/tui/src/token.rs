//! The token that a program signs in with: from a file or the environment, never from the command line, which
//! others can read.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

use chat_proto::Token;

/// A longer file has no token.
const FILE_BYTES_MAX: u64 = 1024;

/// What anybody but the owner may do with a file.
const OTHERS: u32 = 0o077;

/// Where the token comes from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum TokenChoice {
    /// A file.
    File(PathBuf),
    /// It was given itself.
    Given(Token),
}

/// Why there is no token.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// The file cannot be read.
    #[error("the file {path:?} with the token cannot be read: {cause}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        cause: io::Error,
    },
    /// Others can read it.
    #[error(
        "others can read {path:?} (mode {mode:04o}), and with it the token: chmod 600 {path:?}, and have \
         another token made if they may have"
    )]
    Exposed {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// It has something else in it.
    #[error("{path:?} has no token in it: chatd ctl token-create shows one, as chatd-token-…")]
    NotOne {
        /// The file.
        path: PathBuf,
    },
}

impl TokenChoice {
    /// A token as it stands in the environment.
    ///
    /// # Errors
    /// It is none. What it is, is not repeated.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let token = Token::of_text(text);
        token.map(Self::Given).ok_or("it is no token: those begin with chatd-token-")
    }

    /// The file, when it is one.
    #[must_use]
    pub fn path(&self) -> Option<String> {
        match self {
            Self::File(path) => Some(path.display().to_string()),
            Self::Given(_) => None,
        }
    }

    /// The token itself.
    ///
    /// # Errors
    /// [`TokenError`].
    pub fn read(&self) -> Result<Token, TokenError> {
        let path = match self {
            Self::Given(token) => return Ok(*token),
            Self::File(path) => path,
        };
        let failed = |cause| TokenError::Io { path: path.clone(), cause };
        let file = File::open(path).map_err(failed)?;
        let mode = file.metadata().map_err(failed)?.mode() & 0o7777;
        if mode & OTHERS != 0 {
            return Err(TokenError::Exposed { path: path.clone(), mode });
        }
        let mut text = String::new();
        file.take(FILE_BYTES_MAX).read_to_string(&mut text).map_err(failed)?;
        Token::of_text(&text).ok_or_else(|| TokenError::NotOne { path: path.clone() })
    }
}
