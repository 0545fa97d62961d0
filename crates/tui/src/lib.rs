//! The terminal client: the screen, and headless mode.
//!
//! [`args`] and [`settings`] say what is wanted, [`host`] is the daemon inside, [`screen`] and
//! [`headless`] do it, and [`exit`] is how it ends. All of them use the same client library.

pub mod args;
pub mod exit;
pub mod headless;
#[cfg(feature = "serve")]
pub mod host;
#[cfg(not(feature = "serve"))]
#[path = "no_host.rs"]
pub mod host;
pub mod linking;
pub mod logging;
mod nearest;
pub mod passphrase;
pub mod reach;
pub mod screen;
pub mod settings;
pub mod terminal;
pub mod text;
pub mod token;
