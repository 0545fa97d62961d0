//! The screen in a real pseudo-terminal, against a real daemon: what a person types, sees and
//! kills.

mod opening;
mod outage;
mod stage;
