//! stdin as lines, or as one text.
//!
//! A read of stdin cannot be called back, so it has a thread of its own, which ends with the input
//! or with the process. The queue of lines is bounded: who writes into the pipe waits when the
//! server is slower.

use std::io::{self, BufRead, BufReader, Read};

use chat_proto::limits::TEXT_BYTES_MAX;
use tokio::sync::{mpsc, oneshot};

use super::tell;

/// Lines that have been read and not sent yet.
const LINES_MAX: usize = 256;

/// One line of the input.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Line {
    /// Its number, from 1.
    pub(super) number: u64,
    /// What stands there, or why that cannot be sent.
    pub(super) text: Result<String, String>,
}

/// How the input ended.
#[derive(Debug, Default)]
pub(super) struct End {
    /// Empty lines, which are not sent.
    pub(super) empty: u64,
    /// Why there is no more to read, if it is not simply the end.
    pub(super) error: Option<io::Error>,
}

impl End {
    /// Says what is missing of the input, if something is.
    pub(super) fn tell(&self) {
        match self.empty {
            0 => {}
            1 => tell("1 empty line was not sent"),
            some => tell(&format!("{some} empty lines were not sent")),
        }
        if let Some(error) = &self.error {
            tell(&format!("stdin could not be read to its end: {error}"));
        }
    }
}

/// The lines of the input.
pub(super) struct Lines {
    lines: mpsc::Receiver<Line>,
    end: oneshot::Receiver<End>,
}

impl Lines {
    /// The lines of stdin.
    pub(super) fn of_stdin() -> io::Result<Self> {
        Self::of(io::stdin())
    }

    /// The lines of a text.
    pub(super) fn of_text(text: String) -> io::Result<Self> {
        Self::of(io::Cursor::new(text))
    }

    /// One message.
    pub(super) fn of_whole(text: String) -> Self {
        let (to, lines) = mpsc::channel(1);
        let (_no_more, end) = oneshot::channel();
        to.try_send(Line { number: 1, text: Ok(text) }).expect("an empty queue has room");
        Self { lines, end }
    }

    fn of(input: impl Read + Send + 'static) -> io::Result<Self> {
        let (to, lines) = mpsc::channel(LINES_MAX);
        let (told, end) = oneshot::channel();
        std::thread::Builder::new().name("stdin".into()).spawn(move || {
            let ended = read_lines(BufReader::new(input), &to);
            // Nobody listens any more: the process is about to end.
            told.send(ended).ok();
        })?;
        Ok(Self { lines, end })
    }

    /// The next lines that are not empty, at most `limit`; none at the end. Cancel-safe.
    pub(super) async fn next(&mut self, limit: usize) -> Vec<Line> {
        let mut lines = Vec::with_capacity(limit);
        self.lines.recv_many(&mut lines, limit).await;
        lines
    }

    /// How the input ended, when there is no next line.
    pub(super) async fn end(self) -> End {
        self.end.await.unwrap_or_default()
    }
}

/// All of stdin, without the line break at its end.
pub(super) async fn whole_stdin() -> io::Result<String> {
    let (told, text) = oneshot::channel();
    std::thread::Builder::new().name("stdin".into()).spawn(move || {
        told.send(read_whole(io::stdin())).ok();
    })?;
    text.await.map_err(io::Error::other)?
}

fn read_whole(input: impl Read) -> io::Result<String> {
    // A little more than any server takes: what is too long is refused, and need not be in memory.
    let mut bytes = Vec::new();
    input.take(TEXT_BYTES_MAX as u64 + 3).read_to_end(&mut bytes)?;
    let length = without_line_break(&bytes).len();
    bytes.truncate(length);
    // A character may have been cut off at the end of what is too long anyway.
    match String::from_utf8(bytes) {
        Ok(text) => Ok(text),
        Err(error) if error.as_bytes().len() > TEXT_BYTES_MAX => {
            Ok(String::from_utf8_lossy(error.as_bytes()).into_owned())
        }
        Err(_not_utf8) => Err(io::Error::new(io::ErrorKind::InvalidData, "it is not UTF-8")),
    }
}

fn read_lines(mut input: impl BufRead, to: &mpsc::Sender<Line>) -> End {
    let mut end = End::default();
    let mut bytes = Vec::new();
    for number in 1.. {
        bytes.clear();
        let text = match read_line(&mut input, &mut bytes) {
            Ok(Some(text)) => text,
            Ok(None) => break,
            Err(error) => {
                end.error = Some(error);
                break;
            }
        };
        if text.as_deref() == Ok("") {
            end.empty += 1;
        } else if to.blocking_send(Line { number, text }).is_err() {
            break;
        }
    }
    end
}

/// Reads one line without ever holding more of it than a message may have.
fn read_line(
    input: &mut impl BufRead,
    bytes: &mut Vec<u8>,
) -> io::Result<Option<Result<String, String>>> {
    let longest_line = TEXT_BYTES_MAX as u64 + 2;
    if input.by_ref().take(longest_line).read_until(b'\n', bytes)? == 0 {
        return Ok(None);
    }
    let line = without_line_break(bytes);
    if line.len() > TEXT_BYTES_MAX {
        if !bytes.ends_with(b"\n") {
            input.skip_until(b'\n')?;
        }
        let reason = format!("is longer than {TEXT_BYTES_MAX} bytes; not sent");
        return Ok(Some(Err(reason)));
    }
    let text = std::str::from_utf8(line).map(str::to_owned);
    Ok(Some(text.map_err(|_error| "is not UTF-8; not sent".to_owned())))
}

fn without_line_break(bytes: &[u8]) -> &[u8] {
    let line = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    match line.len() < bytes.len() {
        true => line.strip_suffix(b"\r").unwrap_or(line),
        false => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(input: &[u8]) -> (Vec<Line>, End) {
        let (to, mut from) = mpsc::channel(64);
        let end = read_lines(input, &to);
        drop(to);
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

    #[test]
    fn the_longest_line_is_read_and_a_longer_one_is_skipped_whole() {
        for line_break in ["\n", "\r\n"] {
            let longest = "x".repeat(TEXT_BYTES_MAX);
            let input = format!(
                "{longest}{line_break}{longest}x{line_break}{longest}{longest}{longest}\nb"
            );
            let (lines, _end) = lines(input.as_bytes());
            assert_eq!(lines.len(), 4);
            assert_eq!(lines[0].text, Ok(longest));
            assert!(lines[1].text.is_err() && lines[2].text.is_err());
            assert_eq!(lines[3], Line { number: 4, text: Ok("b".to_owned()) });
        }
    }

    #[test]
    fn a_line_that_is_no_text_harms_no_other() {
        let (lines, _end) = lines(b"a\n\xff\nb\n");
        assert!(lines[0].text.is_ok() && lines[1].text.is_err() && lines[2].text.is_ok());
    }

    #[test]
    fn a_whole_text_loses_one_line_break() {
        assert_eq!(read_whole(&b"a\n\n"[..]).unwrap(), "a\n");
        assert_eq!(read_whole(&b"a"[..]).unwrap(), "a");
        assert!(read_whole(&b"\xff"[..]).is_err());
        assert!(read_whole(&vec![b'x'; 1 << 20][..]).unwrap().len() > TEXT_BYTES_MAX);
    }
}
