//! A text that is inert, as a type: what is to be shown asks for it, so that nobody can forget.

use std::borrow::Borrow;
use std::fmt;
use std::ops::Deref;

use crate::{inert, inert_lines};

/// A text that can do nothing but be seen. There is no other way to one than through this module.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Inert(String);

impl Inert {
    /// A text of one line.
    #[must_use]
    pub fn line(text: &str) -> Self {
        Self(inert(text).into_owned())
    }

    /// A text of several lines, with tabs.
    #[must_use]
    pub fn lines(text: &str) -> Self {
        Self(inert_lines(text).into_owned())
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Deref for Inert {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

/// It is ordered and compared as its text is.
impl Borrow<str> for Inert {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Inert {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl From<&str> for Inert {
    fn from(text: &str) -> Self {
        Self::line(text)
    }
}

impl From<String> for Inert {
    fn from(text: String) -> Self {
        Self::line(&text)
    }
}

impl From<Inert> for String {
    fn from(text: Inert) -> Self {
        text.0
    }
}

impl PartialEq<str> for Inert {
    fn eq(&self, other: &str) -> bool {
        self.0 == other
    }
}

impl PartialEq<&str> for Inert {
    fn eq(&self, other: &&str) -> bool {
        self.0 == *other
    }
}
