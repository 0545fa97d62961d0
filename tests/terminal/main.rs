//! The screen in a real pseudo-terminal, against a real daemon: what a person types, sees and
//! kills.

mod leaving;
mod opening;
mod outage;
mod resizing;
mod stage;
mod talking;
mod typing;
