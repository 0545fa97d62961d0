//! Lines that have no answer at the end: each is told with what sends it again by itself.

use std::time::{Duration, Instant};

use super::key::Key;
use super::quoting::quoted;
use super::record::Record;
use super::tell;
use super::telling::say;

/// How long the telling may take when nobody reads it.
const TELL_ALL_MAX: Duration = Duration::from_secs(2);

/// A line without an answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Missing {
    pub(super) line: u64,
    /// Its place in the stream of the key.
    pub(super) nth: u64,
    pub(super) text: String,
}

/// Tells each, in order. Sent again in this order, none is posted twice and none is left out.
pub(super) fn tell_all(all: &[Missing], key: &Key, room: &str) {
    let started = Instant::now();
    for (told, missing) in all.iter().enumerate() {
        if started.elapsed() > TELL_ALL_MAX {
            let rest = all.len() - told;
            return tell(&format!("{rest} more lines without an answer could not be told in time"));
        }
        let Missing { line, nth, text } = missing;
        let (id, word) = (quoted(key.id()), quoted(text));
        let sentence = format!(
            "line {line} has no answer: chat-tui --no-tui send -r {room} --id {id} --nth {nth} -- \
             {word}"
        );
        say(&sentence, &Record::unanswered((*line, *nth), key.id(), room, text));
    }
}
