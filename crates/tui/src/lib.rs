//! The terminal client: the screen, and headless mode.

pub mod screen;
pub mod terminal;
pub mod text;
