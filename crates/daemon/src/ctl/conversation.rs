//! One conversation: lines come in, one answer goes out for each, and nothing takes long.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::answer::{Answer, ErrorKind};
use super::carry_out::carry_out;
use super::verb::Verb;
use super::{OPENING, Operator, REQUEST_BYTES_MAX};

/// How long a request may be under way, and how long the next may be awaited.
const REQUEST_MAX: Duration = Duration::from_secs(10);

/// How long the client may take to take an answer.
const ANSWER_TAKEN_MAX: Duration = Duration::from_secs(10);

/// What the daemon may take to say that it stops.
const GOODBYE_MAX: Duration = Duration::from_secs(1);

/// Read at once.
const READ_BYTES: usize = 4 * 1024;

/// What comes of waiting for a line.
#[derive(Debug, PartialEq, Eq)]
enum Line {
    /// A whole one, without its end.
    Whole(Vec<u8>),
    /// It is longer than any request.
    TooLong,
    /// The client says no more.
    End,
}

/// What has come and is not a whole line yet.
#[derive(Debug, Default)]
struct Lines {
    unread: Vec<u8>,
    /// So much of it has no end of a line.
    looked_at: usize,
}

/// Answers until the client leaves, says something that is no request, or the daemon stops.
pub(super) async fn converse(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    first_bytes: Vec<u8>,
    daemon: &Operator,
    stop: &CancellationToken,
) -> io::Result<()> {
    debug_assert!(first_bytes.starts_with(OPENING), "that is how it is told from others");
    let mut lines = Lines { unread: first_bytes, looked_at: 0 };
    lines.unread.drain(..OPENING.len());
    loop {
        let next = timeout(REQUEST_MAX, lines.next(&mut stream));
        let line = tokio::select! {
            biased; // What has come is answered, also when the daemon stops.
            line = next => line,
            () = stop.cancelled() => {
                let goodbye = Answer::error(ErrorKind::Retry, "the daemon stops");
                return say(&mut stream, &goodbye, GOODBYE_MAX).await;
            }
        };
        let (answer, is_last) = match line {
            Ok(Ok(Line::Whole(line))) => answer_to(&line, daemon).await,
            Ok(Ok(Line::End)) => return Ok(()),
            Ok(Ok(Line::TooLong)) => {
                let message = format!("a request has at most {REQUEST_BYTES_MAX} bytes");
                (Answer::error(ErrorKind::Usage, message), true)
            }
            Ok(Err(error)) => return Err(error),
            Err(_elapsed) => {
                let message = format!("no request has come within {} s", REQUEST_MAX.as_secs());
                (Answer::error(ErrorKind::Usage, message), true)
            }
        };
        say(&mut stream, &answer, ANSWER_TAKEN_MAX).await?;
        if is_last {
            return Ok(());
        }
    }
}

/// The answer to a line, and whether it is the last word.
async fn answer_to(line: &[u8], daemon: &Operator) -> (Answer, bool) {
    match serde_json::from_slice::<Verb>(line) {
        Ok(verb) => (carry_out(verb, daemon).await, false),
        Err(error) => {
            let message = format!("this daemon does not know such a request: {error}");
            (Answer::error(ErrorKind::Usage, message), true)
        }
    }
}

async fn say(
    stream: &mut (impl AsyncWrite + Unpin),
    answer: &Answer,
    patience: Duration,
) -> io::Result<()> {
    match timeout(patience, stream.write_all(&answer.line())).await {
        Ok(said) => said,
        Err(_elapsed) => Err(io::Error::new(io::ErrorKind::TimedOut, "it takes no answer")),
    }
}

impl Lines {
    /// The next line. Cancelled, it keeps what has come.
    async fn next(&mut self, stream: &mut (impl AsyncRead + Unpin)) -> io::Result<Line> {
        loop {
            let new = &self.unread[self.looked_at..];
            if let Some(end) = new.iter().position(|byte| *byte == b'\n') {
                let end = self.looked_at + end;
                let rest = self.unread.split_off(end + 1);
                let mut line = std::mem::replace(&mut self.unread, rest);
                self.looked_at = 0;
                line.truncate(end);
                return Ok(match line.len() < REQUEST_BYTES_MAX {
                    true => Line::Whole(line),
                    false => Line::TooLong,
                });
            }
            self.looked_at = self.unread.len();
            if self.looked_at >= REQUEST_BYTES_MAX {
                return Ok(Line::TooLong);
            }
            let mut buffer = [0; READ_BYTES];
            match stream.read(&mut buffer).await? {
                0 => return Ok(Line::End),
                read => self.unread.extend_from_slice(&buffer[..read]),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn lines_of(parts: &[&[u8]]) -> Vec<Line> {
        let (mut client, mut daemon) = tokio::io::duplex(1024 * 1024);
        for part in parts {
            client.write_all(part).await.unwrap();
        }
        drop(client);
        let (mut lines, mut seen) = (Lines::default(), Vec::new());
        loop {
            let line = lines.next(&mut daemon).await.unwrap();
            let is_last = !matches!(line, Line::Whole(_));
            seen.push(line);
            if is_last {
                return seen;
            }
        }
    }

    #[tokio::test]
    async fn lines_are_whole_however_they_come_and_none_is_longer_than_a_request() {
        let whole = |line: &[u8]| Line::Whole(line.to_vec());
        let seen = lines_of(&[b"{\"a\"", b":1}\n\n{}", b"\nhalf"]).await;
        assert_eq!(seen, [whole(b"{\"a\":1}"), whole(b""), whole(b"{}"), Line::End]);
        let longest = [vec![b'x'; REQUEST_BYTES_MAX - 1], b"\n".to_vec()].concat();
        let seen = lines_of(&[&longest]).await;
        assert_eq!(seen, [whole(&longest[..REQUEST_BYTES_MAX - 1]), Line::End]);
        let longer = [vec![b'x'; REQUEST_BYTES_MAX], b"\n".to_vec()].concat();
        assert_eq!(lines_of(&[&longer]).await, [Line::TooLong]);
        assert_eq!(lines_of(&[&vec![b'x'; 512 * 1024]]).await, [Line::TooLong]);
    }
}
