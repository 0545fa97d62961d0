//! How a server says to a sender that its messages are safe.

use anyhow::{Context, Result, bail, ensure};
use chat_proto::{HEADER_BYTES, Kind, frame_end};

use super::framing::{kind_of, probe};

/// How acks are said.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Acks {
    /// A frame of chatd for each message.
    Native,
    /// A byte for each message.
    Byte(u8),
    /// Redis's answers: a string (the id of what was added to a stream) is an ack, a number (how
    /// many were told) is none.
    Redis,
}

/// What a sender is told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Told {
    /// The oldest message without an ack has one.
    Ack,
    /// The server asks whether anybody is there.
    Probe(u64),
}

impl Acks {
    /// Walks what a sender receives; tells how many bytes were whole answers.
    pub(crate) fn walk(self, bytes: &[u8], told: impl FnMut(Told)) -> Result<usize> {
        match self {
            Self::Native => walk_native(bytes, told),
            Self::Byte(ack) => walk_bytes(bytes, ack, told),
            Self::Redis => walk_redis(bytes, told),
        }
    }
}

fn walk_native(bytes: &[u8], mut told: impl FnMut(Told)) -> Result<usize> {
    let mut start = 0;
    while let Some(end) = frame_end(bytes, start).filter(|end| *end <= bytes.len()) {
        debug_assert!(start < end, "a frame has bytes, or the walk has no end");
        match Kind::from_number(kind_of(&bytes[start..end])?) {
            Some(Kind::Ack) => told(Told::Ack),
            Some(Kind::Probe) => told(Told::Probe(probe(&bytes[start..end])?)),
            refused @ Some(Kind::Error | Kind::Close) => {
                bail!("a send was answered with {refused:?}: {}", sentence(&bytes[start..end]))
            }
            _ => {}
        }
        start = end;
    }
    Ok(start)
}

/// The readable end of a frame: the sentence of an `Error` or a `Close`.
fn sentence(frame: &[u8]) -> String {
    debug_assert!(frame.len() >= HEADER_BYTES);
    let end: Vec<u8> = frame.iter().rev().copied().take_while(|byte| *byte >= 0x20).collect();
    String::from_utf8_lossy(&end.into_iter().rev().collect::<Vec<_>>()).into_owned()
}

fn walk_bytes(bytes: &[u8], ack: u8, mut told: impl FnMut(Told)) -> Result<usize> {
    for byte in bytes {
        ensure!(*byte == ack, "a byte that is no ack: {byte}");
        told(Told::Ack);
    }
    Ok(bytes.len())
}

/// RESP, <https://redis.io/docs/latest/develop/reference/protocol-spec/>: `$n`, a line of n bytes;
/// `:n`, a number; `-`, an error.
fn walk_redis(bytes: &[u8], mut told: impl FnMut(Told)) -> Result<usize> {
    let mut start = 0;
    while let Some(end) = line_end(bytes, start) {
        match bytes[start] {
            b'$' => {
                let length = std::str::from_utf8(&bytes[start + 1..end - 2])?;
                let length: usize = length.parse().context("the length of a string")?;
                if bytes.len() < end + length + 2 {
                    break;
                }
                told(Told::Ack);
                start = end + length + 2;
            }
            b':' => start = end,
            _ => bail!("it answers {}", String::from_utf8_lossy(&bytes[start..end]).trim_end()),
        }
    }
    Ok(start)
}

/// The end of the line that begins at `start`, behind its `\r\n`.
fn line_end(bytes: &[u8], start: usize) -> Option<usize> {
    let place = bytes[start..].windows(2).position(|pair| pair == b"\r\n")?;
    Some(start + place + 2)
}

#[cfg(test)]
mod tests {
    use chat_proto::{
        Ack, Body, MessageId, Nonce, Probe, RequestId, RoomId, Seq, StreamId, Timestamp,
        encode_frame,
    };

    use super::*;

    fn frame(body: &impl Body) -> Vec<u8> {
        let mut bytes = Vec::new();
        encode_frame(body, RequestId(0), &mut bytes).unwrap();
        bytes
    }

    #[test]
    fn acks_of_chatd_are_counted_and_refusals_are_told() {
        let nonce = Nonce { stream: StreamId([1; 16]), n: 1 };
        let (room, seq, ts, id) = (RoomId(1), Seq(1), Timestamp(1), MessageId([0; 16]));
        let mut bytes = frame(&Ack { nonce, room, seq, ts, id }).repeat(3);
        bytes.extend(frame(&Probe { token: 300 }));
        let mut told = Vec::new();
        assert_eq!(Acks::Native.walk(&bytes, |what| told.push(what)).unwrap(), bytes.len());
        assert_eq!(told, [Told::Ack, Told::Ack, Told::Ack, Told::Probe(300)]);
        let why = chat_proto::Error::new(chat_proto::ErrorCode::NotMember, "join it");
        bytes.extend(frame(&why));
        let told = Acks::Native.walk(&bytes, |_what| {}).unwrap_err().to_string();
        assert!(told.contains("join it"), "{told}");
    }

    /// How many bytes were whole, and how many acks.
    fn walked(acks: Acks, bytes: &[u8]) -> (usize, usize) {
        let mut count = 0;
        let whole = acks.walk(bytes, |told| count += usize::from(told == Told::Ack));
        (whole.unwrap(), count)
    }

    #[test]
    fn each_byte_is_an_ack() {
        assert_eq!(walked(Acks::Byte(b'.'), b"..."), (3, 3));
        Acks::Byte(b'.').walk(b".!", |_told| {}).unwrap_err();
    }

    #[test]
    fn ids_of_redis_are_acks_and_numbers_are_none() {
        let answers = b"$15\r\n1700000000000-0\r\n:1000\r\n$17\r\n1700000000000-123\r\n:1000\r\n";
        assert_eq!(walked(Acks::Redis, answers), (answers.len(), 2));
        for cut in 0..answers.len() {
            let (whole, count) = walked(Acks::Redis, &answers[..cut]);
            assert!(whole <= cut);
            let (rest, more) = walked(Acks::Redis, &answers[whole..]);
            assert_eq!((whole + rest, count + more), (answers.len(), 2), "cut at {cut}");
        }
        let refused = b"-MISCONF Errors writing to the AOF file\r\n";
        let told = Acks::Redis.walk(refused, |_told| {}).unwrap_err().to_string();
        assert!(told.contains("MISCONF"), "{told}");
    }
}
