//! The screen in a real pseudo-terminal, against a real daemon: what a person types, sees and
//! kills.

mod hostile;
// CPU time and switches of each thread are in `/proc`.
#[cfg(target_os = "linux")]
mod idle;
mod leaving;
mod multiplexer;
mod noticing;
mod opening;
mod outage;
mod resizing;
mod scrolling;
mod serving;
mod stage;
mod talking;
mod texts;
mod typing;
