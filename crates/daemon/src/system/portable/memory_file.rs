//! Files that are in memory only: there are none.

use std::io;
use std::os::fd::OwnedFd;

/// Whether a socket takes their bytes by reference.
pub(crate) const SPARES_COPIES: bool = false;

/// Makes none.
pub(crate) fn create(_what: &str) -> io::Result<OwnedFd> {
    Err(io::ErrorKind::Unsupported.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn none_is_made() {
        assert_eq!(create("tail").unwrap_err().kind(), io::ErrorKind::Unsupported);
    }
}
