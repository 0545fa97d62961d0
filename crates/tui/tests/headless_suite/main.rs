//! Headless mode as scripts see it: real processes against a real server, their exit codes, what
//! they print and what is posted then.

mod account;
mod chat;
mod choosing;
mod inviting;
mod keys;
mod liar;
mod linking;
mod pipe;
mod restored;
mod send;
mod serve;
mod stage;
mod tail;
mod tokens;
mod usage;
mod veil;
