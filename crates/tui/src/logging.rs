//! The log: a file under the data directory, never the screen and never stdout.
//!
//! `CHAT_LOG` says what is written, as in `CHAT_LOG=chat_client=debug`; `info` when it is not set.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use chat_log::Log;
use tracing_subscriber::EnvFilter;

/// Longest log file. The one before it is kept, so twice as much is on disk.
const FILE_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// Writes the log from now on, until [`Log::finish`].
///
/// # Errors
/// The file or its directory cannot be made.
pub fn start(data_dir: &Path) -> io::Result<Log> {
    let dir = data_dir.join("log");
    chat_files::create_dir(&dir)?;
    let file = LogFile::open(dir.join("chat-tui.log"))?;
    let filter = EnvFilter::try_from_env("CHAT_LOG").unwrap_or_else(|_unset| "info".into());
    Log::start(filter, false, file)
}

/// A file that begins anew when it is full. Several processes append to the same one; each of them
/// may be the one that moves it away.
struct LogFile {
    path: PathBuf,
    file: File,
    bytes: u64,
}

impl LogFile {
    fn open(path: PathBuf) -> io::Result<Self> {
        let file = chat_files::open(&path, OpenOptions::new().append(true).create(true))?;
        let bytes = file.metadata()?.len();
        Ok(Self { path, file, bytes })
    }

    fn begin_anew(&mut self) -> io::Result<()> {
        fs::rename(&self.path, self.path.with_extension("log.old"))?;
        *self = Self::open(std::mem::take(&mut self.path))?;
        Ok(())
    }
}

impl Write for LogFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.bytes >= FILE_BYTES_MAX {
            self.begin_anew()?;
        }
        let written = self.file.write(bytes)?;
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}
