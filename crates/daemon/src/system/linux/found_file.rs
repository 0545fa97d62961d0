//! Which file a name leads to.

use rustix::fd::AsFd;
use rustix::fs::{AtFlags, StatxFlags, makedev, statx};
use rustix::io::Errno;
use rustix::path::Arg;

/// The device and inode, from a directory on.
///
/// Asks for nothing else: once somebody has asked for a file's times, Linux gives the next write a
/// time of its own, which the file system has to keep
/// (<https://docs.kernel.org/filesystems/multigrain-ts.html>).
pub(crate) fn device_and_inode(dir: impl AsFd, name: impl Arg) -> Result<(u64, u64), Errno> {
    let found = statx(dir, name, AtFlags::STATX_DONT_SYNC, StatxFlags::INO)?;
    Ok((makedev(found.stx_dev_major, found.stx_dev_minor), found.stx_ino))
}

#[cfg(test)]
#[path = "../found_file_tests.rs"]
mod tests;
