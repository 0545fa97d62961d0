//! When typed texts are written down: soon after a key, one file job at a time.
//!
//! Owns the deadline and the job under way. It must not know what the texts are.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use chat_client::Config;
use tokio::task::{JoinHandle, spawn_blocking};
use tokio::time::{Instant, sleep_until};

use super::draft_file::DraftFile;
use super::typed::Typed;

/// How long after a key what is typed is written down.
const WRITE_AFTER: Duration = Duration::from_millis(400);

/// The keeper of what is typed. The default one keeps nothing.
#[derive(Debug, Default)]
pub(super) struct Drafts {
    file: Option<Arc<DraftFile>>,
    written: Typed,
    due: Option<Instant>,
    writing: Option<JoinHandle<io::Result<()>>>,
    told: bool,
}

/// What is due.
#[derive(Debug)]
pub(super) enum Due {
    /// What is typed is to be given to [`Drafts::write`].
    Write,
    /// It could not be written down. Told once.
    Failed(io::Error),
}

impl Drafts {
    /// Opens the file of a person on a server; gives what was left there. The server is its
    /// identity; before the first contact it is its address, and what was typed then goes over.
    pub(super) async fn open(config: &Config) -> (Self, io::Result<Typed>) {
        let config = config.clone();
        let opened = spawn_blocking(move || {
            let of_address = dir(&config, &config.target.to_string());
            match config.known_server().map_err(io::Error::other)? {
                None => DraftFile::open(&of_address),
                Some(server) => {
                    let (file, mut typed) = DraftFile::open(&dir(&config, &server.for_url()))?;
                    file.take_over(&of_address, &mut typed)?;
                    Ok((file, typed))
                }
            }
        })
        .await;
        match opened.map_err(io::Error::other).flatten() {
            Ok((file, typed)) => {
                let file = Some(Arc::new(file));
                (Self { file, written: typed.clone(), ..Self::default() }, Ok(typed))
            }
            Err(error) => (Self::default(), Err(error)),
        }
    }

    /// Something may have been typed.
    pub(super) fn touch(&mut self) {
        if self.file.is_some() {
            self.due.get_or_insert_with(|| Instant::now() + WRITE_AFTER);
        }
    }

    /// Waits until something is due. Cancel-safe.
    pub(super) async fn next(&mut self) -> Due {
        if let Some(writing) = &mut self.writing {
            let done = writing.await.map_err(io::Error::other).flatten();
            self.writing = None;
            if let Err(error) = self.note(done) {
                return Due::Failed(error);
            }
        }
        match self.due {
            Some(at) => sleep_until(at).await,
            None => std::future::pending().await,
        }
        self.due = None;
        Due::Write
    }

    /// Writes what is typed, if it has changed.
    pub(super) fn write(&mut self, typed: Typed) {
        debug_assert!(self.writing.is_none(), "one file job at a time: a later text is the last");
        if let Some(file) = &self.file
            && typed != self.written
        {
            let file = Arc::clone(file);
            self.written = typed.clone();
            self.writing = Some(spawn_blocking(move || file.write(&typed)));
        }
    }

    /// Writes what is typed at the end.
    pub(super) async fn close(mut self, typed: Typed) {
        if let Some(writing) = self.writing.take() {
            let done = writing.await.map_err(io::Error::other).flatten();
            drop(self.note(done));
        }
        self.write(typed);
        if let Some(writing) = self.writing.take() {
            let done = writing.await.map_err(io::Error::other).flatten();
            drop(self.note(done));
        }
    }

    /// After a failure the text counts as not written, and the next key tries again.
    fn note(&mut self, done: io::Result<()>) -> io::Result<()> {
        let Err(error) = done else {
            self.told = false;
            return Ok(());
        };
        tracing::warn!(%error, "what is typed could not be written down");
        self.written = Typed::default();
        if std::mem::replace(&mut self.told, true) { Ok(()) } else { Err(error) }
    }
}

/// Where the drafts of a person on a server are.
fn dir(config: &Config, server: &str) -> PathBuf {
    let person = format!("{} {server}", config.name.wished);
    let plain = |c: char| if c.is_ascii_alphanumeric() || c == '.' { c } else { '_' };
    let begin: String = person.chars().map(plain).take(40).collect();
    config.data_dir.join("drafts").join(format!("{begin}-{:016x}", hash(&person)))
}

/// FNV-1a: stable over versions, and two persons of one machine seldom share a directory.
fn hash(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
