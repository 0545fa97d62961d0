//! Counts the messages in a stream of bytes without decoding them: it goes from length to length.

use anyhow::{Context, Result, bail, ensure};
use chat_proto::{HEADER_BYTES, Kind, ProbeReply, RequestId, encode_frame, frame_end};

/// How a server says a message to its receivers.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Framing {
    /// Frames of chatd. The texts end their frames and have so many bytes.
    Native { text_bytes: usize },
    /// Messages of one length, all beginning alike; anything else is a line, which is skipped.
    Fixed { bytes: usize, text_at: usize, begin: Vec<u8> },
}

/// A message that came.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Seen<'a> {
    /// The log and the seq, where the protocol has them.
    pub(crate) place: Option<(u64, u64)>,
    /// The text; `None` for an event that is not a message.
    pub(crate) text: Option<&'a [u8]>,
    /// The server asks whether anybody is there.
    pub(crate) probe: Option<u64>,
}

impl Framing {
    /// Walks the whole frames of `bytes`; tells how many bytes they were.
    pub(crate) fn walk(
        &self,
        bytes: &[u8],
        see: impl FnMut(Seen<'_>) -> Result<()>,
    ) -> Result<usize> {
        match self {
            Self::Native { text_bytes } => walk_native(bytes, *text_bytes, see),
            Self::Fixed { bytes: each, text_at, begin } => {
                walk_fixed(bytes, *each, *text_at, begin, see)
            }
        }
    }
}

/// Kinds of logged events, from the first to the last.
const LOGGED: std::ops::RangeInclusive<u16> = 0x0300..=0x03FF;

fn walk_native(
    bytes: &[u8],
    text_bytes: usize,
    mut see: impl FnMut(Seen<'_>) -> Result<()>,
) -> Result<usize> {
    let mut start = 0;
    while let Some(end) = frame_end(bytes, start).filter(|end| *end <= bytes.len()) {
        debug_assert!(start < end, "a frame has bytes, or the walk has no end");
        let frame = &bytes[start..end];
        let kind = kind_of(frame)?;
        if LOGGED.contains(&kind) {
            let body = &frame[HEADER_BYTES..];
            let (log, body) = varint(body).context("a log")?;
            let (seq, _rest) = varint(body).context("a seq")?;
            let is_message = kind == Kind::Posted as u16;
            let text = is_message.then(|| frame.len().checked_sub(text_bytes)).flatten();
            let text = text.and_then(|at| frame.get(at..));
            see(Seen { place: Some((log, seq)), text, probe: None })?;
        } else if kind == Kind::Probe as u16 {
            see(Seen { place: None, text: None, probe: Some(probe(frame)?) })?;
        } else if kind == Kind::Close as u16 || kind == Kind::Gap as u16 {
            bail!("the server said {:?}", Kind::from_number(kind));
        }
        start = end;
    }
    Ok(start)
}

fn walk_fixed(
    bytes: &[u8],
    each: usize,
    text_at: usize,
    begin: &[u8],
    mut see: impl FnMut(Seen<'_>) -> Result<()>,
) -> Result<usize> {
    debug_assert!(0 < each && text_at <= each, "a message has an end, and its text lies in it");
    let mut start = 0;
    while bytes.len() - start >= begin.len().max(1) {
        // Comparing nothing is not free: it was two thirds of the load's time with `raw`.
        if !begin.is_empty() && !bytes[start..].starts_with(begin) {
            let Some(line) = bytes[start..].iter().position(|byte| *byte == b'\n') else { break };
            start += line + 1;
            continue;
        }
        let Some(message) = bytes.get(start..start + each) else { break };
        see(Seen { place: None, text: message.get(text_at..), probe: None })?;
        start += each;
    }
    Ok(start)
}

/// The token of a `Probe`.
pub(super) fn probe(frame: &[u8]) -> Result<u64> {
    let (token, _nothing) = varint(&frame[HEADER_BYTES..]).context("a token")?;
    Ok(token)
}

/// What a client answers to a probe.
pub(crate) fn probe_reply(token: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    encode_frame(&ProbeReply { token }, RequestId(0), &mut bytes).expect("a number fits a frame");
    bytes
}

/// The number of the kind of a frame.
pub(crate) fn kind_of(frame: &[u8]) -> Result<u16> {
    ensure!(frame.len() >= HEADER_BYTES, "a frame of {} bytes", frame.len());
    Ok(u16::from_le_bytes([frame[4], frame[5]]))
}

/// A number of variable length (docs/PROTOCOL.md, "How values become bytes"), and what follows it.
pub(crate) fn varint(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let (first, rest) = bytes.split_first()?;
    let width = match first {
        0..=250 => return Some((u64::from(*first), rest)),
        251 => 2,
        252 => 4,
        253 => 8,
        254..=255 => return None,
    };
    let (number, rest) = rest.split_at_checked(width)?;
    let mut wide = [0; 8];
    wide[..width].copy_from_slice(number);
    Some((u64::from_le_bytes(wide), rest))
}

#[cfg(test)]
mod tests {
    use chat_proto::{
        AccountId, Body, Joined, MessageId, Ping, Posted, RoomId, Seq, TextBody, Timestamp,
    };

    use super::*;

    fn frame(body: &impl Body) -> Vec<u8> {
        let mut bytes = Vec::new();
        encode_frame(body, RequestId(0), &mut bytes).unwrap();
        bytes
    }

    fn posted(seq: u64, text: &str) -> Vec<u8> {
        let (room, ts, from, id) =
            (RoomId(300), Timestamp(1 << 40), AccountId(2), MessageId([1; 16]));
        frame(&Posted { room, seq: Seq(seq), ts, from, id, body: TextBody::say(text) })
    }

    /// Seqs and texts.
    type Heard = Vec<(Option<u64>, Option<String>)>;

    fn walked(framing: &Framing, bytes: &[u8]) -> (usize, Heard) {
        let mut seen = Vec::new();
        let whole = framing.walk(bytes, |message| {
            let text = message.text.map(|text| String::from_utf8_lossy(text).into_owned());
            seen.push((message.place.map(|(_log, seq)| seq), text));
            Ok(())
        });
        (whole.unwrap(), seen)
    }

    #[test]
    fn native_frames_are_counted_with_their_seqs_and_texts() {
        let joined =
            Joined { room: RoomId(300), seq: Seq(8), ts: Timestamp(1), account: AccountId(9) };
        let mut bytes = posted(7, "seven");
        bytes.extend(frame(&joined));
        bytes.extend(frame(&Ping { token: 1 }));
        bytes.extend(posted(70_000, "later"));
        let whole = bytes.len();
        bytes.extend(&posted(70_001, "never")[..20]);
        let framing = Framing::Native { text_bytes: 5 };
        let seen = vec![
            (Some(7), Some("seven".to_owned())),
            (Some(8), None),
            (Some(70_000), Some("later".to_owned())),
        ];
        assert_eq!(walked(&framing, &bytes), (whole, seen));
    }

    #[test]
    fn fixed_messages_are_counted_and_lines_between_them_are_skipped() {
        let framing = Framing::Fixed { bytes: 8, text_at: 4, begin: b"MSG ".to_vec() };
        let (whole, seen) = walked(&framing, b"MSG one\nPING\r\nMSG two\nMSG th");
        assert_eq!(whole, 22);
        let texts: Vec<_> = seen.into_iter().filter_map(|(_place, text)| text).collect();
        assert_eq!(texts, ["one\n", "two\n"]);
    }

    #[test]
    fn numbers_of_every_width_are_read() {
        for (bytes, number) in [
            (&[7][..], 7),
            (&[251, 44, 1], 300),
            (&[252, 0, 0, 1, 0], 65536),
            (&[253, 0, 0, 0, 0, 1, 0, 0, 0], 1 << 32),
        ] {
            assert_eq!(varint(bytes), Some((number, &[][..])));
            assert_eq!(varint(&bytes[..bytes.len() - 1]), None);
        }
    }
}
