//! What Linux does, or does better than a Unix that is only known by its standard: socket calls
//! here, and beside them one module for each other concern.
//!
//! Its twin, `portable`, offers the same. With the feature `portable` the twin is taken on Linux,
//! too, so that it is tested there. Neither knows what the bytes mean, nor whether a socket
//! is ready: they try, and say how far they came.

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

use rustix::fs::sendfile;
use rustix::net::{SendAncillaryBuffer, SendFlags, send, sendmsg};

/// Writes slices to a socket that does not block, as far as it takes them. Gives the bytes taken.
///
/// # Errors
/// `WouldBlock` when it takes none. A peer that is gone raises no signal.
pub(crate) fn write<'a>(
    socket: impl AsFd,
    slices: impl Iterator<Item = &'a [u8]>,
) -> io::Result<usize> {
    let written = slices::write_with(
        slices,
        |one| send(&socket, one, SendFlags::NOSIGNAL),
        |all| {
            let nothing_else = &mut SendAncillaryBuffer::default();
            sendmsg(&socket, all, nothing_else, SendFlags::NOSIGNAL)
        },
    );
    Ok(written?)
}

/// Writes `bytes` of a file, from `offset` on, to a socket that does not block, as far as it takes
/// them. They are handed over by reference. Gives the bytes taken.
///
/// # Errors
/// `WouldBlock` when it takes none.
pub(crate) fn send_file(
    socket: impl AsFd,
    file: impl AsFd,
    mut offset: u64,
    bytes: usize,
) -> io::Result<usize> {
    Ok(sendfile(socket, file, Some(&mut offset), bytes)?)
}

#[cfg(test)]
#[path = "../tests.rs"]
mod tests;
