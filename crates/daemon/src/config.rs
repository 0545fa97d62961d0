//! Configuration: what a daemon is told before it starts.
//!
//! Each setting is a flag, an environment variable and a line of a TOML file, and has a default;
//! the first of them that is there counts. What is not understood is refused, never ignored.

mod address;
mod args;
mod file;
mod print;

use std::path::PathBuf;

use chat_files::places;

use crate::store::Durability;

pub use address::{Address, AddressError};
pub use args::{Order, from_command_line};
pub use file::FileError;

/// What a daemon is told before it starts.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Config {
    /// Where to listen for TCP, each as `HOST:PORT`; port 0 is any free one. None: nowhere.
    pub listen: Vec<String>,
    /// Where to listen for this machine's own clients, if at all.
    pub socket: Option<PathBuf>,
    /// Where the store, the identity and the lock are.
    pub data_dir: PathBuf,
    /// What an acknowledged message survives.
    pub durability: Durability,
    /// Whether a new store may begin where there was one that is missing now.
    pub new_store: bool,
    /// Whether times in the future are corrected at this start, before anything else.
    pub correct_times: bool,
    /// Which log lines are written, as in `info` or `chatd=debug`.
    pub log: String,
}

impl Default for Config {
    /// What counts when nothing else is said, for whoever runs this process.
    fn default() -> Self {
        let data_dir = places::data_dir();
        Self {
            listen: vec![Address::default().to_string()],
            socket: Some(places::socket(&data_dir)),
            data_dir,
            durability: Durability::default(),
            new_store: false,
            correct_times: false,
            log: "info".to_owned(),
        }
    }
}
