//! What a message may say, for the end that sends it and for the one that takes it.

use crate::ErrorCode;
use crate::limits::{REASON_BYTES_MAX, TEXT_BYTES_MAX};

/// Why a text is no message.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum TextError {
    /// Nothing is said.
    #[error("the message is empty. Nothing was sent")]
    Empty,
    /// Too much is said.
    #[error("the message has {bytes} bytes; at most {TEXT_BYTES_MAX} are possible. Split it")]
    TooLong {
        /// Its bytes of UTF-8.
        bytes: usize,
    },
    /// A reason is too long.
    #[error("the reason has {bytes} bytes; at most {REASON_BYTES_MAX} are possible. Shorten it")]
    ReasonTooLong {
        /// Its bytes of UTF-8.
        bytes: usize,
    },
    /// A NUL is said.
    #[error("the message contains a NUL character, which no terminal can show. Remove it")]
    Nul,
}

impl TextError {
    /// The number that a peer sees.
    #[must_use]
    pub fn code(self) -> ErrorCode {
        match self {
            Self::Empty => ErrorCode::EmptyText,
            Self::TooLong { .. } | Self::ReasonTooLong { .. } => ErrorCode::TextTooLong,
            Self::Nul => ErrorCode::NulInText,
        }
    }
}

/// Whether a text can be a message.
///
/// # Errors
/// The rule that it breaks.
pub fn check_text(text: &str) -> Result<(), TextError> {
    match text.len() {
        0 => Err(TextError::Empty),
        bytes if bytes > TEXT_BYTES_MAX => Err(TextError::TooLong { bytes }),
        _ if text.contains('\0') => Err(TextError::Nul),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_some_bytes_not_too_many_and_no_nul() {
        let longest = "x".repeat(TEXT_BYTES_MAX);
        assert_eq!(check_text(&longest), Ok(()));
        assert_eq!(check_text(" "), Ok(()));
        assert_eq!(check_text(""), Err(TextError::Empty));
        assert_eq!(check_text("a\0b"), Err(TextError::Nul));
        let too_long = check_text(&(longest + "y")).unwrap_err();
        assert_eq!(too_long, TextError::TooLong { bytes: TEXT_BYTES_MAX + 1 });
        assert_eq!(too_long.code(), ErrorCode::TextTooLong);
    }
}
