//! The screen: what a person sees and does in a terminal.
//!
//! Model, update and view: [`model`] is the state, [`update`] the one place where it changes, and
//! [`view`] draws it. All three are pure; `runtime` brings them events and carries out effects.

pub mod areas;
pub mod clock;
pub mod commands;
mod draft_file;
mod drafts;
pub mod history;
pub mod input;
pub mod keymap;
pub mod keys;
pub mod layers;
pub mod model;
pub mod moderating;
pub mod outage;
pub mod page_retry;
mod requests;
pub mod room;
mod runtime;
pub mod sanitize;
pub mod sends;
pub mod server;
mod signals;
mod stage;
pub mod theme;
pub mod typed;
pub mod update;
pub mod view;

use std::io;

use chat_proto::RoomName;

use crate::reach::Reach;

/// What the screen is opened with.
#[derive(Clone, Debug)]
pub struct ScreenOptions {
    /// Which daemon, as whom, and where things are kept.
    pub config: chat_client::Config,
    /// The room that is joined and open at first.
    pub room: RoomName,
    /// What to show at first, such as what is wrong in the configuration file.
    pub notes: Vec<Note>,
    /// How others reach the server, when it is inside this program.
    pub host: Option<Reach>,
    /// Whether it listens to the mouse.
    pub mouse: bool,
    /// Which key does what.
    pub keymap: keymap::Keymap,
    /// How it is painted.
    pub theme: theme::Theme,
}

/// Something to show at first.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Note {
    /// The text, of one line or more.
    pub text: String,
    /// Whether something went wrong.
    pub is_trouble: bool,
}

/// How the screen ended.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ScreenExit {
    /// Messages that have no answer of the server yet; the next screen sends them.
    pub waiting: usize,
    /// Messages that the outbox could not note down. Nobody else has them.
    pub unsaved: Vec<String>,
}

/// Why the screen could not go on.
#[derive(Debug, thiserror::Error)]
pub enum ScreenError {
    /// There is no person to talk with.
    #[error("this is no terminal; for scripts there is --no-tui")]
    NotATerminal,
    /// The terminal cannot show it.
    #[error("{0}")]
    Unfit(&'static str),
    /// The terminal failed.
    #[error("the terminal failed: {0}")]
    Terminal(#[source] io::Error),
    /// The client could not start.
    #[error(transparent)]
    Start(#[from] chat_client::StartError),
    /// The client ended by itself, which it must not.
    #[error("the connection's task has ended; this is a bug")]
    ClientEnded,
    /// Something panicked; what it said is above.
    #[error("a part of the program has failed; this is a bug")]
    Panicked,
}

/// Runs the screen until the person quits or the program is told to end. The terminal is given
/// back in any case. Opens before anything is connected.
///
/// # Errors
/// [`ScreenError`].
pub async fn run(options: ScreenOptions) -> Result<ScreenExit, ScreenError> {
    Box::pin(runtime::run(options)).await
}
