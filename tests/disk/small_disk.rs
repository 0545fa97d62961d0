//! A disk with little room: a file system in memory, mounted where only the daemon sees it.
//!
//! The mount is in a namespace of its own, which needs no root where user namespaces are allowed,
//! and is gone with the process that holds it: nothing is left behind, whatever becomes of a test.

use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, ensure};
use chat_tests::process::Launch;

/// A mebibyte.
const MIB: u64 = 1024 * 1024;

/// The file that takes the room.
const BALLAST: &str = "ballast";

/// The disk.
#[derive(Debug)]
pub(crate) struct SmallDisk {
    /// Ends when its standard input is closed, and the namespaces with it.
    holder: Child,
    mount: PathBuf,
    /// How a program gets into the namespaces.
    enter: Vec<String>,
}

/// Why there can be no such disk here.
pub(crate) type WhyNot = String;

impl SmallDisk {
    /// A disk of so many MiB at a directory.
    pub(crate) fn mount(mount: &Path, size_mib: u64) -> Result<Result<Self, WhyNot>> {
        let mount = mount.canonicalize()?;
        let as_user = Self::mount_by(&mount, size_mib, &["-r", "-m"], &["-U", "-m"])?;
        match as_user {
            Ok(disk) => Ok(Ok(disk)),
            // A root without user namespaces needs none.
            Err(why_not) => Ok(Self::mount_by(&mount, size_mib, &["-m"], &["-m"])?
                .map_err(|as_root| format!("no file system can be mounted: {why_not}; {as_root}"))),
        }
    }

    fn mount_by(
        mount: &Path,
        size_mib: u64,
        unshare: &[&str],
        nsenter: &[&str],
    ) -> Result<Result<Self, WhyNot>> {
        let script = format!(
            "mount -t tmpfs -o size={size_mib}m,mode=0700 tmpfs \"$0\" && echo mounted && exec cat"
        );
        let spawned = Command::new("unshare")
            .args(unshare)
            .args(["sh", "-c", &script])
            .arg(mount)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn();
        let mut holder = match spawned {
            Ok(holder) => holder,
            Err(error) => return Ok(Err(format!("unshare cannot be run ({error})"))),
        };
        let mut said = String::new();
        let stdout = holder.stdout.as_mut().context("stdout is a pipe")?;
        BufReader::new(stdout).read_line(&mut said)?;
        if said != "mounted\n" {
            let output = holder.wait_with_output()?;
            return Ok(Err(String::from_utf8_lossy(&output.stderr).trim().to_owned()));
        }
        let mut enter = vec!["nsenter".to_owned(), "--preserve-credentials".to_owned()];
        enter.extend(nsenter.iter().map(|flag| (*flag).to_owned()));
        enter.extend(["-t".to_owned(), holder.id().to_string(), "--".to_owned()]);
        Ok(Ok(Self { holder, mount: mount.to_owned(), enter }))
    }

    /// A daemon whose data directory is on this disk, and its socket elsewhere.
    pub(crate) fn launch(&self, socket: &Path) -> Launch {
        let data = self.mount.join("data");
        Launch::new(&data).socket(socket).within(self.enter.clone())
    }

    /// The data directory as it is seen from outside.
    pub(crate) fn data(&self) -> PathBuf {
        self.seen().join("data")
    }

    /// Takes room until only so many MiB are left; 0: not a byte.
    pub(crate) fn leave(&self, left_mib: u64) -> Result<()> {
        let mut ballast = File::options().create(true).append(true).open(self.ballast())?;
        let block = [0; 4096];
        while left_mib == 0 || self.bytes_free()? > left_mib * MIB {
            match ballast.write_all(&block) {
                Err(error) if error.kind() == std::io::ErrorKind::StorageFull => break,
                written => written?,
            }
        }
        Ok(())
    }

    /// Gives the room back.
    pub(crate) fn empty(&self) -> Result<()> {
        Ok(std::fs::remove_file(self.ballast())?)
    }

    /// Makes the disk larger.
    pub(crate) fn grow(&self, size_mib: u64) -> Result<()> {
        let (enter, flags) = self.enter.split_first().context("a program")?;
        let size = format!("remount,size={size_mib}m");
        let mut mount = Command::new(enter);
        // With its source, or options that no namespace of a user takes would come along.
        mount.args(flags).args(["mount", "-o", &size, "tmpfs"]).arg(&self.mount);
        ensure!(mount.status()?.success(), "the disk cannot grow");
        Ok(())
    }

    fn bytes_free(&self) -> Result<u64> {
        let disk = rustix::fs::statvfs(self.seen())?;
        Ok(disk.f_bfree * disk.f_frsize)
    }

    fn ballast(&self) -> PathBuf {
        self.seen().join(BALLAST)
    }

    fn seen(&self) -> PathBuf {
        let root = PathBuf::from(format!("/proc/{}/root", self.holder.id()));
        root.join(self.mount.strip_prefix("/").unwrap_or(&self.mount))
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        drop(self.holder.stdin.take());
        // A child of ours cannot fail to be waited for.
        drop(self.holder.wait());
    }
}
