//! Slices for one write, whoever makes it.

use std::io::IoSlice;

use rustix::io::Result;

/// Writes slices with one call: `one` for a single slice, which is the most frequent and takes nothing
/// else, and `all` for more. Nothing is written where there are none.
///
/// # Errors
/// Those of the call.
pub(super) fn write_with<'a>(
    mut slices: impl Iterator<Item = &'a [u8]>,
    one: impl FnOnce(&[u8]) -> Result<usize>,
    all: impl FnOnce(&[IoSlice<'_>]) -> Result<usize>,
) -> Result<usize> {
    let Some(first) = slices.next() else { return Ok(0) };
    match slices.next() {
        None => one(first),
        Some(second) => {
            let slices = [first, second].into_iter().chain(slices);
            all(&slices.map(IoSlice::new).collect::<Vec<_>>())
        }
    }
}
