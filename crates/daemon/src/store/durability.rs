//! What a commit survives, by name.

use std::fmt;
use std::str::FromStr;

/// What a commit survives.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Durability {
    /// The death of the process and a loss of power.
    #[default]
    Full,
    /// The death of the process only: faster where the disk is slow.
    Process,
}

impl Durability {
    /// Its name on a command line.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Process => "process",
        }
    }
}

impl fmt::Display for Durability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Durability {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        match name {
            "full" => Ok(Self::Full),
            "process" => Ok(Self::Process),
            other => Err(format!("durability is full or process, not {other:?}")),
        }
    }
}
