//! The address space of this process, of which nobody tells.

/// Bytes of it in use.
pub(crate) fn used() -> Option<u64> {
    None
}
