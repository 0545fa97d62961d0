//! A real daemon, seen from outside: how it listens, serves slow readers, stops and starts.

mod clock;
mod crowded;
mod dual_stack;
mod fair;
mod following;
mod joining;
mod listening;
mod logging;
mod new_rooms;
mod refusing;
mod renaming;
mod returning;
mod signals;
mod slow;
mod stopping;
mod telling;
