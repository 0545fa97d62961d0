//! A real daemon, seen from outside: how it listens, serves slow readers, stops and starts.

mod fair;
mod listening;
mod slow;
mod stopping;
