//! What reads bytes of strangers, each with what must hold whatever the bytes are.

mod bodies;
mod commands;
mod frames;
mod names;
mod session;
mod ssh;
mod urls;

/// Something that reads bytes.
pub(crate) struct Target {
    pub(crate) name: &'static str,
    /// Inputs that failed once, a line of hexadecimal each.
    pub(crate) corpus: &'static str,
    /// Inputs that it takes.
    pub(crate) valid: Vec<Vec<u8>>,
    /// What must hold of each input.
    pub(crate) check: fn(&[u8]) -> Result<(), String>,
    /// Whether an input is one that it takes.
    pub(crate) is_taken: fn(&[u8]) -> bool,
}

pub(crate) fn all() -> Vec<Target> {
    vec![
        frames::target(),
        bodies::target(),
        session::target(),
        names::target(),
        ssh::keys(),
        ssh::signatures(),
        ssh::agent(),
        commands::target(),
        urls::target(),
    ]
}

/// Fails with a sentence unless it holds.
fn holds(it: bool, what: impl FnOnce() -> String) -> Result<(), String> {
    it.then_some(()).ok_or_else(what)
}
