//! The file system of a folder: which it is, and whether an fsync there keeps anything.

use std::ffi::OsString;
use std::fs;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use rustix::fs::statfs;

/// Numbers of file systems (statfs(2)).
const TMPFS: u32 = 0x0102_1994;
const RAMFS: u32 = 0x8584_58F6;
const OVERLAY: u32 = 0x794C_7630;

/// A file system where it is mounted.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Mount {
    kind: String,
    /// Those of the mount and those of the file system, each once.
    options: Vec<String>,
}

impl Mount {
    /// That of a folder.
    pub(crate) fn of(folder: &Path) -> Result<Self> {
        let folder = folder
            .canonicalize()
            .with_context(|| format!("there is no folder {}", folder.display()))?;
        let mounts = fs::read_to_string("/proc/self/mountinfo")?;
        Self::find(&mounts, &folder)
            .with_context(|| format!("no mount has the folder {}", folder.display()))
    }

    /// The one in a `/proc/PID/mountinfo` (proc(5)): of those that lie around the folder the
    /// innermost, of those at one place the last.
    fn find(mounts: &str, folder: &Path) -> Option<Self> {
        let around = mounts.lines().filter_map(|line| {
            let at = unescaped(line.split(' ').nth(4)?);
            folder.starts_with(&at).then_some((at.components().count(), line))
        });
        let (_depth, line) = around.max_by_key(|(depth, _line)| *depth)?;
        let (head, tail) = line.split_once(" - ")?;
        let mut tail = tail.split(' ');
        let kind = tail.next()?.to_owned();
        let mut options: Vec<String> = Vec::new();
        let both = [head.split(' ').nth(5)?, tail.nth(1)?];
        for option in both.into_iter().flat_map(|options| options.split(',')) {
            if !options.iter().any(|known| known == option) {
                options.push(option.to_owned());
            }
        }
        Some(Self { kind, options })
    }

    /// For people: its name and its options, without those that are paths.
    pub(crate) fn describe(&self) -> String {
        let options: Vec<&str> = self
            .options
            .iter()
            .map(String::as_str)
            .filter(|option| !option.contains('/'))
            .collect();
        format!("{} ({})", self.kind, options.join(","))
    }

    fn option(&self, name: &str) -> Option<&str> {
        let value = |option: &str| option.strip_prefix(name)?.strip_prefix('=').map(str::len);
        let option = self.options.iter().find(|option| value(option).is_some())?;
        Some(&option[name.len() + 1..])
    }
}

/// Why what is fsynced in a folder does not survive a loss of power; `None` where it may.
pub(crate) fn what_forgets(folder: &Path) -> Result<Option<&'static str>> {
    let number = statfs(folder).with_context(|| format!("there is no {}", folder.display()))?;
    // The kernel's numbers have 32 bits, whatever they are passed in.
    let number = number.f_type as u32;
    if number != OVERLAY {
        return Ok(memory(number));
    }
    let mount = Mount::of(folder)?;
    if mount.options.iter().any(|option| option == "volatile") {
        return Ok(Some("an overlay that is mounted volatile, which leaves every fsync out"));
    }
    // What is written lies in the upper folder, which may not be in sight from here.
    let upper = mount.option("upperdir").map(unescaped).and_then(|at| statfs(&at).ok());
    Ok(upper.and_then(|upper| memory(upper.f_type as u32)))
}

fn memory(number: u32) -> Option<&'static str> {
    match number {
        TMPFS => Some("a tmpfs, which is memory"),
        RAMFS => Some("a ramfs, which is memory"),
        _ => None,
    }
}

/// Spaces and the like are octal numbers behind a backslash.
fn unescaped(path: &str) -> PathBuf {
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path.as_bytes();
    while let Some((byte, behind)) = rest.split_first() {
        let digits = behind.get(..3).and_then(|digits| std::str::from_utf8(digits).ok());
        let code = digits.and_then(|digits| u8::from_str_radix(digits, 8).ok());
        match (byte, code) {
            (b'\\', Some(code)) => {
                bytes.push(code);
                rest = &behind[3..];
            }
            _ => {
                bytes.push(*byte);
                rest = behind;
            }
        }
    }
    OsString::from_vec(bytes).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOUNTS: &str = "\
27 1 254:0 / / rw,relatime - ext4 /dev/vda rw,discard\n\
30 27 0:27 / /dev/shm rw,nosuid - tmpfs tmpfs rw,size=24684084k\n\
31 27 8:1 / /srv/my\\040disk rw,noatime shared:5 - xfs /dev/sda1 rw,attr2\n\
32 27 0:31 / /srv/box rw - tmpfs first rw\n\
33 32 0:32 / /srv/box rw,relatime - overlay overlay rw,lowerdir=/a:/b,upperdir=/up,volatile\n";

    fn found(folder: &str) -> Mount {
        Mount::find(MOUNTS, Path::new(folder)).unwrap()
    }

    #[test]
    fn the_innermost_and_last_mount_is_that_of_a_folder() {
        assert_eq!(found("/dev/shmem").describe(), "ext4 (rw,relatime,discard)");
        assert_eq!(found("/dev/shm/x").describe(), "tmpfs (rw,nosuid,size=24684084k)");
        assert_eq!(found("/srv/my disk/data").describe(), "xfs (rw,noatime,attr2)");
        let overlay = found("/srv/box/data");
        assert_eq!(overlay.describe(), "overlay (rw,relatime,volatile)");
        assert_eq!(overlay.option("upperdir"), Some("/up"));
        assert_eq!(overlay.option("workdir"), None);
    }

    #[test]
    fn memory_is_told_from_disks() {
        let told = what_forgets(Path::new("/dev/shm")).unwrap();
        assert!(told.is_some_and(|why| why.contains("tmpfs")), "{told:?}");
        assert_eq!(memory(0xEF53), None, "ext4");
        what_forgets(Path::new("/no/such/folder")).unwrap_err();
        assert!(!Mount::of(Path::new("/")).unwrap().kind.is_empty());
    }
}
