//! A subcommand that is spelled almost right.

use std::ffi::OsString;

use clap::CommandFactory;

use super::cli::Cli;
use crate::nearest::nearest;

/// Says what was meant.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("there is no subcommand {word}; did you mean {command}?")]
pub(super) struct Misspelt {
    word: String,
    command: String,
}

/// The first word of a headless command line that is no option and no value of one, if it is almost
/// a subcommand.
pub(super) fn misspelt_command(args: &[OsString]) -> Option<Misspelt> {
    let words: Vec<&str> = args.iter().skip(1).map(|arg| arg.to_str().unwrap_or("-")).collect();
    if !words.contains(&"--no-tui") {
        return None;
    }
    let takes_value = |option: &str| {
        let command = Cli::command();
        let long = option.strip_prefix("--");
        let short = option.strip_prefix('-').and_then(|short| short.chars().next());
        let found = command.get_arguments().find(|arg| match long {
            Some(long) => arg.get_long() == Some(long),
            None => short.is_some() && arg.get_short() == short && option.len() == 2,
        });
        found.is_some_and(|arg| arg.get_action().takes_values())
    };
    let mut rest = words.into_iter();
    let word = loop {
        match rest.next()? {
            option if option.starts_with('-') => {
                if takes_value(option) {
                    rest.next();
                }
            }
            word => break word,
        }
    };
    let command = Cli::command();
    let near = nearest(word, command.get_subcommands().map(clap::Command::get_name))?;
    Some(Misspelt { word: word.to_owned(), command: near.to_owned() })
}
