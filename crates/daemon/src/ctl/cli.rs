//! `chatd ctl` on the command line: asks, shows, and ends with a status that a script can tell apart.

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use chat_inert::{inert, to_json};

use super::answer::{ErrorKind, Record};
use super::client::{CtlClient, CtlError};
use super::prepare::{FileError, Prepared, prepare};
use super::table::{fields, table};
use super::token;
use super::verb::{Shape, Verb};

/// It was not done.
const FAILED: u8 = 1;
/// The daemon does not know the request. The command line itself ends so, too.
const USAGE: u8 = 2;
/// No daemon answers.
const NO_DAEMON: u8 = 3;
/// Only the operator may.
const NOT_ALLOWED: u8 = 4;

/// What is to be asked, where, and how the answer is shown.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CtlOrder {
    /// Where a daemon may be, the likeliest first.
    pub sockets: Vec<PathBuf>,
    /// What is asked.
    pub verb: Verb,
    /// Each record as a line of JSON, in place of a table.
    pub is_json: bool,
}

/// Why it ends badly.
#[derive(Debug, thiserror::Error)]
enum RunError {
    #[error(transparent)]
    Ctl(#[from] CtlError),
    #[error(transparent)]
    File(#[from] FileError),
    #[error("the answer cannot be written: {0}")]
    Output(io::Error),
    #[error(
        "lines that were skipped: {lines}. The others are done; the same file can be imported again"
    )]
    Skipped { lines: usize },
}

/// Carries the order out, and shows what comes of it.
#[must_use]
pub fn run(order: CtlOrder) -> ExitCode {
    match ask_and_show(order) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tell(&error.to_string());
            ExitCode::from(status_of(&error))
        }
    }
}

fn ask_and_show(order: CtlOrder) -> Result<(), RunError> {
    let CtlOrder { sockets, mut verb, is_json } = order;
    let token = token::draw(&mut verb).map_err(CtlError::Broken)?;
    let shape = verb.shape();
    let requests = prepare(verb)?;
    let mut client = CtlClient::connect(&sockets)?;
    let (mut records, mut refused) = (Vec::new(), 0);
    for Prepared { verb, line } in requests {
        let told = match (ask_all(&mut client, verb), line) {
            (Err(CtlError::Said { message, .. }), Some(line)) => {
                tell(&format!("line {line} is skipped: {message}"));
                refused += 1;
                continue;
            }
            (told, _) => told?,
        };
        // It is shown here, once, and is nowhere else.
        let told = match &token {
            Some(token) => {
                told.into_iter().map(|record| record.with("token", token.reveal())).collect()
            }
            None => told,
        };
        match is_json {
            true => print(&json_lines(&told))?,
            // A table is as wide as its widest row.
            false => records.extend(told),
        }
    }
    match shape {
        Shape::Fields => print(&fields(&records))?,
        Shape::Table => print(&table(&records))?,
    }
    match refused {
        0 => Ok(()),
        lines => Err(RunError::Skipped { lines }),
    }
}

/// All pages of an answer.
fn ask_all(client: &mut CtlClient, mut verb: Verb) -> Result<Vec<Record>, CtlError> {
    let mut records = Vec::new();
    loop {
        let page = client.ask(&verb)?;
        records.extend(page.records);
        let Some(next) = page.next else { return Ok(records) };
        verb.for_page(next);
    }
}

/// Says something for people that is not the answer.
fn tell(message: &str) {
    // There is nobody left to tell when this fails.
    let _told = writeln!(io::stderr(), "chatd: {}", inert(message));
}

fn json_lines(records: &[Record]) -> String {
    let line = |record| to_json(record).expect("texts and numbers are JSON") + "\n";
    records.iter().map(line).collect()
}

/// A reader that has gone is no error.
fn print(text: &str) -> Result<(), RunError> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(RunError::Output(error)),
        Ok(()) | Err(_) => Ok(()),
    }
}

fn status_of(error: &RunError) -> u8 {
    match error {
        RunError::Ctl(CtlError::NoDaemon { .. }) => NO_DAEMON,
        RunError::Ctl(CtlError::Forbidden { .. }) => NOT_ALLOWED,
        RunError::Ctl(CtlError::Said { kind, .. }) => match kind {
            ErrorKind::Usage => USAGE,
            ErrorKind::NotAllowed => NOT_ALLOWED,
            ErrorKind::Refused | ErrorKind::Retry => FAILED,
        },
        RunError::Ctl(CtlError::Broken(_) | CtlError::NoAnswer(_))
        | RunError::File(_)
        | RunError::Output(_)
        | RunError::Skipped { .. } => FAILED,
    }
}
