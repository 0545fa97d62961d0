//! stdin, or a text, as messages.
//!
//! A read of stdin cannot be called back, so it has a thread of its own, which ends with the input
//! or with the process. The queue of messages is bounded: who writes into the pipe waits when the
//! server is slower. When nobody wants the messages any more, the thread goes on reading: who writes
//! is not killed by SIGPIPE for what happens here.

use std::io::{self, BufReader, Read};

use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use super::pieces::{Cutter, Shape};
use super::tell;

/// Messages that have been read and not sent yet.
const LINES_MAX: usize = 256;

/// One message of the input.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Line {
    /// The number of its line, or of the piece of the whole, from 1.
    pub(super) number: u64,
    /// What stands there, or why that cannot be sent.
    pub(super) text: Result<String, String>,
}

/// How the input ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct End {
    /// Empty lines, which are not sent.
    pub(super) empty: u64,
}

impl End {
    /// Says what is missing of the input, if something is.
    pub(super) fn tell(self) {
        match self.empty {
            0 => {}
            1 => tell("1 empty line was not sent"),
            some => tell(&format!("{some} empty lines were not sent")),
        }
    }
}

/// The messages of the input.
pub(super) struct Lines {
    lines: mpsc::Receiver<Line>,
    /// The first of them, when it was waited for.
    first: Option<Line>,
    end: oneshot::Receiver<End>,
    drained: CancellationToken,
}

/// The part of the input that nobody wants.
#[derive(Clone, Debug)]
pub(super) struct Rest {
    drained: CancellationToken,
}

impl Rest {
    /// Waits until the input is read to its end. Cancel-safe.
    pub(super) async fn read(&self) {
        self.drained.cancelled().await;
    }
}

impl Lines {
    /// Reads the messages from stdin.
    pub(super) fn of_stdin(shape: Shape) -> io::Result<Self> {
        Self::of(io::stdin(), shape)
    }

    /// Those of a text.
    pub(super) fn of_text(text: String, shape: Shape) -> io::Result<Self> {
        Self::of(io::Cursor::new(text), shape)
    }

    fn of(input: impl Read + Send + 'static, shape: Shape) -> io::Result<Self> {
        let (to, lines) = mpsc::channel(LINES_MAX);
        let (told, end) = oneshot::channel();
        let drained = CancellationToken::new();
        let at_end = drained.clone().drop_guard();
        std::thread::Builder::new().name("stdin".into()).spawn(move || {
            let _at_end = at_end;
            let ended = read_all(BufReader::new(input), shape, to);
            // Nobody listens any more: the process is about to end.
            told.send(ended).ok();
        })?;
        Ok(Self { lines, first: None, end, drained })
    }

    /// Waits until there is a message, or the end.
    pub(super) async fn wait_for_first(&mut self) {
        if self.first.is_none() {
            self.first = self.lines.recv().await;
        }
    }

    /// What is left when nobody wants it any more.
    pub(super) fn rest(&self) -> Rest {
        Rest { drained: self.drained.clone() }
    }

    /// The next messages, at most `limit`; none at the end. Cancel-safe.
    pub(super) async fn next(&mut self, limit: usize) -> Vec<Line> {
        if let Some(first) = self.first.take() {
            return vec![first];
        }
        let mut lines = Vec::with_capacity(limit);
        self.lines.recv_many(&mut lines, limit).await;
        lines
    }

    /// How the input ended, when there is no next message.
    pub(super) async fn end(self) -> End {
        self.end.await.unwrap_or_default()
    }
}

/// Takes the sender, so that it is gone when everything that is wanted has been read.
fn read_all(input: impl io::BufRead, shape: Shape, to: mpsc::Sender<Line>) -> End {
    let mut end = End::default();
    let mut cutter = Cutter::new(input, shape);
    let mut number = 0;
    while !to.is_closed() {
        number += u64::from(shape.by_line);
        let read = cutter.next_unit(&mut |text| {
            number += u64::from(!shape.by_line);
            if shape.by_line && text.as_deref() == Ok("") {
                end.empty += 1;
            } else {
                // When nobody wants it, the rest is only read.
                to.blocking_send(Line { number, text }).ok();
            }
        });
        match read {
            Ok(true) if shape.by_line => {}
            Ok(_) => break,
            Err(error) => {
                let text =
                    Err(format!("cannot be sent: stdin could not be read to its end: {error}"));
                to.blocking_send(Line { number, text }).ok();
                break;
            }
        }
    }
    drop(to);
    cutter.drain();
    end
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::TooLong;

    const BY_LINE: Shape = Shape { by_line: true, too_long: TooLong::Refuse, lossy: false };

    fn lines(input: &[u8]) -> (Vec<Line>, End) {
        let (to, mut from) = mpsc::channel(64);
        let end = read_all(input, BY_LINE, to);
        let mut lines = Vec::new();
        while let Ok(line) = from.try_recv() {
            lines.push(line);
        }
        (lines, end)
    }

    #[test]
    fn lines_lose_their_ends_and_empty_ones_are_counted() {
        let (lines, end) = lines(b"a\r\n\n b \n\r\nc");
        let texts = [(1, "a"), (3, " b "), (5, "c")];
        assert_eq!(lines, texts.map(|(number, text)| Line { number, text: Ok(text.to_owned()) }));
        assert_eq!(end.empty, 2);
    }

    #[tokio::test]
    async fn what_nobody_wants_is_read_to_its_end() {
        let text = "a line\n".repeat(100_000);
        let lines = Lines::of_text(text, BY_LINE).unwrap();
        let rest = lines.rest();
        drop(lines);
        let limit = std::time::Duration::from_secs(60);
        tokio::time::timeout(limit, rest.read()).await.expect("it is read");
    }
}
