//! Lists that come in pages: all of one, or an error.
//!
//! That each page rises behind the one before is checked where replies are read.

use crate::answers::RequestError;
use crate::event::Refusal;

/// What has come of a list. It has no more than so many entries: a server that means harm would have
/// no end of them.
#[derive(Debug)]
pub(crate) struct Listed<T> {
    entries: Vec<T>,
    max: usize,
}

impl<T> Listed<T> {
    pub(crate) fn at_most(max: usize) -> Self {
        Self { entries: Vec::new(), max }
    }

    /// Takes a page. Gives the entry behind which the next one begins, where there is one.
    pub(crate) fn take(&mut self, page: Vec<T>, more: bool) -> Result<Option<&T>, RequestError> {
        self.entries.extend(page);
        if self.entries.len() > self.max {
            return Err(RequestError::Refused(Refusal::local(format!(
                "the server's list does not end: it has more than {} entries",
                self.max
            ))));
        }
        Ok(self.entries.last().filter(|_| more))
    }

    pub(crate) fn into_entries(self) -> Vec<T> {
        self.entries
    }
}
