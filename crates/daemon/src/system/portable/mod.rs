//! What every Unix has: the twin of `linux`, with the same meaning.

pub(crate) mod address_space;
pub(crate) mod allocator;
pub(crate) mod boot;
pub(crate) mod dir_watch;
pub(crate) mod found_file;
pub(crate) mod memory_file;
#[path = "../slices.rs"]
mod slices;

use std::io;
use std::os::fd::AsFd;

use rustix::io::{pread, write as write_one, writev};

/// How much of a file is copied at once.
const COPY_BYTES: usize = 64 * 1024;

/// Writes slices to a socket that does not block, as far as it takes them. Gives the bytes taken.
///
/// # Errors
/// `WouldBlock` when it takes none. A peer that is gone raises a signal, which every Rust program
/// ignores unless it chose otherwise.
pub(crate) fn write<'a>(
    socket: impl AsFd,
    slices: impl Iterator<Item = &'a [u8]>,
) -> io::Result<usize> {
    Ok(slices::write_with(slices, |one| write_one(&socket, one), |all| writev(&socket, all))?)
}

/// Writes `bytes` of a file, from `offset` on, to a socket that does not block, as far as it takes
/// them. They are copied. Gives the bytes taken.
///
/// # Errors
/// `WouldBlock` when it takes none.
pub(crate) fn send_file(
    socket: impl AsFd,
    file: impl AsFd,
    offset: u64,
    bytes: usize,
) -> io::Result<usize> {
    let mut buffer = vec![0; COPY_BYTES.min(bytes)];
    let mut taken = 0;
    while taken < bytes {
        let most = buffer.len().min(bytes - taken);
        let read = pread(&file, &mut buffer[..most], offset + taken as u64)?;
        match write_one(&socket, &buffer[..read]) {
            Ok(written) => taken += written,
            Err(_full) if taken > 0 => break,
            Err(error) => return Err(error.into()),
        }
        if read == 0 {
            break;
        }
    }
    Ok(taken)
}

#[cfg(test)]
#[path = "../tests.rs"]
mod tests;
