//! A real daemon, seen from outside: how it listens, serves slow readers, stops and starts.

mod clock;
// Limits a process that runs (prlimit), and reads its memory in `/proc`.
#[cfg(target_os = "linux")]
mod crowded;
#[cfg(target_os = "linux")]
mod descriptors;
mod encrypted;
mod fair;
mod following;
mod inviting;
mod joining;
mod linking;
mod listening;
// A stream that is always full is `/dev/full`.
#[cfg(target_os = "linux")]
mod logging;
mod moderating;
mod networks;
mod new_rooms;
mod operating;
mod rates;
mod refusing;
mod reloading;
mod renaming;
mod returning;
mod signals;
// The memory of a process is in `/proc`.
#[cfg(target_os = "linux")]
mod slow;
mod speaking;
mod stopping;
mod telling;
mod walls;
