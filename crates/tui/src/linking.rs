//! Linking this device: the code comes from a person at the terminal, or from stdin; never from the command
//! line, which others can read.

use std::io::{self, BufRead, IsTerminal, Read};
use std::time::Duration;

use chat_client::{DeviceLink, PassphraseError};
use chat_proto::LinkCode;

use crate::args::{ListArgs, Mode};
use crate::passphrase;

/// A line that is longer is no code.
const LINE_BYTES_MAX: u64 = 256;

/// How long the server may take when nobody looks.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Why there is no code.
#[derive(Debug, thiserror::Error)]
pub enum NoCode {
    /// The person gave none, or cannot be asked.
    #[error("no code: {0}")]
    NotAsked(#[from] PassphraseError),
    /// Stdin cannot be read.
    #[error("stdin cannot be read: {0}")]
    Unread(#[from] io::Error),
    /// It is no code.
    #[error("this is no code: it has 26 digits and letters, as /link shows it on the other device")]
    NotOne,
}

/// The account that this device is to be linked to, as a person says it.
///
/// # Errors
/// [`NoCode`].
pub fn ask() -> Result<DeviceLink, NoCode> {
    let typed = match io::stdin().is_terminal() {
        true => passphrase::ask("Code that /link shows on the other device (not shown here): ")?,
        false => {
            let mut line = String::new();
            io::stdin().lock().take(LINE_BYTES_MAX).read_line(&mut line)?;
            line
        }
    };
    let code = LinkCode::of_typed(&typed).ok_or(NoCode::NotOne)?;
    Ok(DeviceLink { code, label: label() })
}

/// What is done beside linking: where stdin was the code's, nobody types at a screen, and who this is now
/// is told.
#[must_use]
pub fn mode_of(mode: Mode) -> Mode {
    match mode == Mode::Screen && !io::stdin().is_terminal() {
        true => Mode::WhoAmI(ListArgs { json: false, timeout: TIMEOUT }),
        false => mode,
    }
}

/// What this device calls itself: the machine's name, where that can be read.
fn label() -> String {
    let read = |path| std::fs::read_to_string(path).ok().filter(|name| !name.trim().is_empty());
    let name = read("/proc/sys/kernel/hostname").or_else(|| read("/etc/hostname"));
    name.map_or_else(|| "another device".to_owned(), |name| name.trim().to_owned())
}
