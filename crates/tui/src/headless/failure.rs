//! Why a task did not succeed, and the exit code of each reason.

use std::fmt::Display;
use std::io;

use chat_client::{Refusal, RequestError, StartError};
use chat_proto::ErrorCode;

use super::telling::tell_error;
use crate::exit::Exit;

/// Why a task did not succeed: a sentence for a person, and what a script gets to know.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{sentence}")]
pub(super) struct Failure {
    pub(super) exit: Exit,
    /// Empty: there is nothing to say.
    sentence: String,
}

impl Failure {
    pub(super) fn new(exit: Exit, sentence: impl Into<String>) -> Self {
        Self { exit, sentence: sentence.into() }
    }

    /// A signal, or a reader that went away: nothing is said.
    pub(super) fn silent(exit: Exit) -> Self {
        Self::new(exit, "")
    }

    pub(super) fn internal(cause: impl Display) -> Self {
        Self::new(Exit::Internal, cause.to_string())
    }

    pub(super) fn cannot_connect(cause: impl Into<String>) -> Self {
        Self::new(Exit::CannotConnect, cause)
    }

    pub(super) fn timeout(sentence: impl Into<String>) -> Self {
        Self::new(Exit::Timeout, sentence)
    }

    /// A sign-in that was refused, or a server that is not the right one.
    pub(super) fn of_sign_in(refusal: &Refusal) -> Self {
        match refusal.code {
            Some(ErrorCode::VersionNotSpoken) | None => Self::cannot_connect(&refusal.reason),
            Some(_) => Self::new(Exit::NotAllowed, &refusal.reason),
        }
    }

    pub(super) fn of_stdout(error: &io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe {
            return Self::silent(Exit::BrokenPipe);
        }
        Self::internal(format!("stdout cannot be written: {error}"))
    }

    /// Whether the process was told to end.
    pub(super) fn is_signal(&self) -> bool {
        matches!(self.exit, Exit::Interrupted | Exit::Terminated)
    }

    /// What to end with when something ended a task while lines were under way. A signal or a
    /// closed stdout stays the reason; else the lines are.
    pub(super) fn with_lines(self, lines: Option<Self>) -> Self {
        let Some(lines) = lines else {
            return self;
        };
        if self.exit == Exit::BrokenPipe {
            self
        } else if self.is_signal() {
            lines.told();
            self
        } else {
            self.told();
            lines
        }
    }

    /// Says the sentence, and gives the exit code.
    pub(super) fn told(&self) -> Exit {
        if !self.sentence.is_empty() {
            tell_error(self.exit, &self.sentence);
        }
        self.exit
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        let not_allowed = [ErrorCode::NotMember, ErrorCode::NotReadable, ErrorCode::BadSignature];
        let exit = match refusal.code {
            Some(code) if not_allowed.contains(&code) => Exit::NotAllowed,
            _ => Exit::Refused,
        };
        Self::new(exit, refusal.reason)
    }
}

impl From<RequestError> for Failure {
    fn from(error: RequestError) -> Self {
        match error {
            RequestError::Refused(refusal) => refusal.into(),
            RequestError::TimedOut => Self::timeout(error.to_string()),
            RequestError::NotConnected | RequestError::Ended => {
                Self::cannot_connect(error.to_string())
            }
        }
    }
}

impl From<StartError> for Failure {
    fn from(error: StartError) -> Self {
        match error {
            StartError::BadName { .. } => Self::new(Exit::Usage, error.to_string()),
            StartError::Identity(_)
            | StartError::Exposed { .. }
            | StartError::Outbox { .. }
            | StartError::KnownServers { .. }
            | StartError::NoRuntime => Self::internal(error),
        }
    }
}
