//! Which file a name leads to.

use rustix::fd::AsFd;
use rustix::fs::{AtFlags, statat};
use rustix::io::Errno;
use rustix::path::Arg;

/// The device and inode, from a directory on.
#[allow(clippy::unnecessary_cast, reason = "the numbers have other types on other systems")]
pub(crate) fn device_and_inode(dir: impl AsFd, name: impl Arg) -> Result<(u64, u64), Errno> {
    let found = statat(dir, name, AtFlags::empty())?;
    Ok((found.st_dev as u64, found.st_ino as u64))
}

#[cfg(test)]
#[path = "../found_file_tests.rs"]
mod tests;
