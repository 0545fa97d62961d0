//! Cutting a stream into frames.

use super::*;
use crate::Ping;

fn wire(length: u32, rest: &[u8]) -> BytesMut {
    let mut bytes = BytesMut::new();
    bytes.put_u32_le(length);
    bytes.put_slice(rest);
    bytes
}

#[test]
fn a_frame_survives_any_split_of_its_bytes() {
    let mut bytes = Vec::new();
    encode_frame(&Ping { token: 7 }, RequestId(3), &mut bytes).unwrap();
    for cut in 0..bytes.len() {
        let codec = FrameCodec::default();
        let mut buffer = BytesMut::from(&bytes[..cut]);
        assert_eq!(codec.take_frame(&mut buffer).unwrap(), None, "cut at {cut}");
        buffer.extend_from_slice(&bytes[cut..]);
        let frame = codec.take_frame(&mut buffer).unwrap().unwrap();
        assert_eq!((frame.request, frame.decode::<Ping>().unwrap().token), (RequestId(3), 7));
    }
}

#[test]
fn both_ways_to_write_a_frame_agree() {
    let mut by_hand = Vec::new();
    encode_frame(&Ping { token: 1 << 40 }, RequestId(9), &mut by_hand).unwrap();
    let mut by_codec = BytesMut::new();
    let frame = Frame::of(&Ping { token: 1 << 40 }, RequestId(9)).unwrap();
    FrameCodec::default().put_frame(&frame, &mut by_codec).unwrap();
    assert_eq!(by_hand, by_codec);
    assert_eq!(frame_end(&by_hand, 0), Some(by_hand.len()));
}

#[test]
fn hostile_lengths_are_refused_before_anything_is_allocated() {
    let codec = FrameCodec::default();
    for length in [0, 7, FRAME_BYTES_MAX as u32 + 1, u32::MAX] {
        let mut bytes = wire(length, &[]);
        let before = bytes.capacity();
        assert!(codec.take_frame(&mut bytes).is_err(), "length {length}");
        assert_eq!(bytes.capacity(), before);
    }
}

#[test]
fn flags_must_be_zero() {
    let mut bytes = wire(8, &[1, 0, 1, 0x80, 0, 0, 0, 0]);
    let refused = FrameCodec::default().take_frame(&mut bytes);
    assert!(matches!(refused, Err(FrameError::Flags { flags: 0x80 })));
}

#[test]
fn the_end_of_the_stream_inside_a_frame_is_told() {
    let mut bytes = wire(8, &[1, 0, 1]);
    let refused = FrameCodec::default().take_last_frame(&mut bytes);
    assert!(matches!(refused, Err(FrameError::Truncated { missing: 5 })));
}
