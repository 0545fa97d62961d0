//! The same texts in everything that a peer can make a log say.

use std::error::Error;
use std::fmt;
use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

use tracing_subscriber::layer::SubscriberExt;

use crate::oracle::can_only_be_seen;

/// A log in memory. A copy is the same one.
#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<u8>>>);

impl Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// An error with the text in its words, in its own cause, and in what `Debug` makes of it.
#[derive(Debug)]
struct Cause(String, Option<Box<Self>>);

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error for Cause {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.1.as_deref().map(|cause| cause as _)
    }
}

/// Events that say a text in every way are one line each, of what can be read and nothing else.
pub(crate) fn is_one_line(text: &str) -> Result<(), String> {
    let kept = Kept::default();
    let writer = kept.clone();
    let subscriber =
        tracing_subscriber::registry().with(chat_log::layer(move || writer.clone(), false));
    tracing::subscriber::with_default(subscriber, || say(text));
    let log = std::mem::take(&mut *kept.0.lock().unwrap_or_else(PoisonError::into_inner));
    let log = String::from_utf8(log).map_err(|error| error.to_string())?;
    let lines: Vec<&str> = log.split('\n').collect();
    if lines.len() != EVENTS + 1 || lines.last() != Some(&"") {
        return Err(format!("{EVENTS} events are {} lines: {log:?}", lines.len() - 1));
    }
    // What begins with a mark joins to the log's own words before it.
    lines.into_iter().try_for_each(|line| can_only_be_seen("the log", line, "", 1))
}

/// What [`say`] says.
const EVENTS: usize = 4;

fn say(text: &str) {
    let cause = Cause(text.to_owned(), Some(Box::new(Cause(text.to_owned(), None))));
    let error: &(dyn Error + 'static) = &cause;
    let span = tracing::info_span!("conn", peer = %text, name = ?text);
    span.in_scope(|| {
        tracing::info!("{text}");
        tracing::info!(%text, debugged = ?text, raw = text, "it came");
        tracing::warn!(%cause, debugged = ?cause, "it failed");
        tracing::error!(error, "it failed");
    });
}
