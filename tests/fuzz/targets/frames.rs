//! The frame splitter: a stream in any pieces is the same frames, and they are written as they came.

use bytes::BytesMut;
use chat_proto::limits::FRAME_BYTES_MAX;
use chat_proto::{Frame, FrameCodec};

use super::{Target, bodies, holds};

pub(crate) fn target() -> Target {
    let frames: Vec<Vec<u8>> = bodies::golden_frames();
    let mut valid: Vec<Vec<u8>> = frames.windows(3).map(<[Vec<u8>]>::concat).collect();
    valid.extend(frames);
    let corpus = include_str!("../corpus/frames.hex");
    let is_taken = |input: &[u8]| matches!(whole(input), (frames, None) if !frames.is_empty());
    Target { name: "frames", corpus, valid, check, is_taken }
}

/// The frames of a stream, and what is wrong with what follows them.
fn whole(input: &[u8]) -> (Vec<Frame>, Option<String>) {
    let (codec, mut rest, mut frames) = (FrameCodec::default(), input, Vec::new());
    loop {
        match codec.split_frame(&mut rest) {
            Ok(Some(frame)) => frames.push(Frame {
                kind: frame.kind,
                version: frame.version,
                request: frame.request,
                body: frame.body.to_vec().into(),
            }),
            Ok(None) => return (frames, None),
            Err(error) => return (frames, Some(error.to_string())),
        }
    }
}

/// The same of a stream that comes in pieces, whose sizes follow from the bytes.
fn in_pieces(input: &[u8]) -> (Vec<Frame>, Option<String>) {
    let (codec, mut buffer, mut frames) = (FrameCodec::default(), BytesMut::new(), Vec::new());
    let mut rest = input;
    while !rest.is_empty() {
        let size = (usize::from(rest[rest.len() / 2]) % 37 + 1).min(rest.len());
        buffer.extend_from_slice(&rest[..size]);
        rest = &rest[size..];
        loop {
            match codec.take_frame(&mut buffer) {
                Ok(Some(frame)) => frames.push(frame),
                Ok(None) => break,
                Err(error) => return (frames, Some(error.to_string())),
            }
        }
    }
    (frames, None)
}

fn check(input: &[u8]) -> Result<(), String> {
    let (frames, error) = whole(input);
    let pieces = in_pieces(input);
    holds(pieces == (frames.clone(), error), || format!("in pieces it is {pieces:?}"))?;
    let mut again = BytesMut::new();
    for frame in &frames {
        holds(frame.body.len() < FRAME_BYTES_MAX, || "a frame over the limit".to_owned())?;
        FrameCodec::default().put_frame(frame, &mut again).map_err(|error| error.to_string())?;
    }
    holds(input.starts_with(&again), || "they are written otherwise than they came".to_owned())
}
