//! What a hostile peer can send: no panic, a typed error, and a bounded allocation, always.

use bytes::{BufMut, BytesMut};
use chat_proto::limits::{DECODE_BYTES_MAX, FRAME_BYTES_MAX};
use chat_proto::{Frame, FrameCodec, Kind, WireError};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::golden_file;
use crate::samples::{self, Sample};

/// What one hostile frame may make the daemon allocate, all in all.
const ALLOCATED_BYTES_MAX: u64 = 512 * 1024;

/// Marks a `u64` on the wire.
const U64_MARK: u8 = 253;

fn with_body(sample: &Sample, body: &[u8]) -> Frame {
    Frame { body: body.to_vec().into(), ..sample.frame.clone() }
}

/// Reads a body both ways, and returns the strict answer and the bytes that both allocated.
fn read_counting(sample: &Sample, body: &[u8]) -> (Result<bool, WireError>, u64) {
    let frame = with_body(sample, body);
    let mut answer = None;
    let strict = allocation_counter::measure(|| answer = Some((sample.is_read_from)(&frame)));
    let lenient = allocation_counter::measure(|| drop((sample.is_read_leniently_from)(&frame)));
    (answer.expect("the closure ran"), strict.bytes_total.max(lenient.bytes_total))
}

#[test]
fn a_body_cut_short_anywhere_is_malformed() {
    for sample in samples::all() {
        let body = golden_file::entry(sample.kind).body;
        for cut in 0..body.len() {
            let (refused, _bytes) = read_counting(&sample, &body[..cut]);
            assert!(
                matches!(refused, Err(WireError::Malformed { kind, .. }) if kind == sample.kind),
                "{:?} cut at {cut}: {refused:?}",
                sample.kind
            );
        }
    }
}

#[test]
fn a_byte_after_the_body_is_refused() {
    for sample in samples::all() {
        let body = golden_file::entry(sample.kind).body;
        for extra in 1..4 {
            let longer = [&body[..], &[0, 0, 0][..extra]].concat();
            let (refused, _bytes) = read_counting(&sample, &longer);
            assert!(
                matches!(refused, Err(WireError::Trailing { kind, extra: told })
                    if kind == sample.kind && told == extra),
                "{:?}: {refused:?}",
                sample.kind
            );
        }
    }
}

/// Lengths that no body of 64 KiB can hold; the last are the most that the limit lets through to
/// an allocation.
fn hostile_lengths() -> impl Iterator<Item = u64> {
    let limit = DECODE_BYTES_MAX as u64;
    [u64::MAX, u64::MAX / 8, 1 << 63, 1 << 40, 1 << 33, limit + 1]
        .into_iter()
        .chain((0..1024).map(move |less| limit - less))
}

fn announce(prefix: &[u8], length: u64) -> Vec<u8> {
    let mut body = prefix.to_vec();
    body.put_u8(U64_MARK);
    body.put_u64_le(length);
    body
}

#[test]
fn an_inner_length_that_cannot_be_is_refused_without_the_memory() {
    let mut lengths_seen = 0;
    for sample in samples::all() {
        let golden = golden_file::entry(sample.kind);
        for field in golden.fields.iter().filter(|f| f.begins_with_a_length()) {
            lengths_seen += 1;
            for length in hostile_lengths() {
                let body = announce(&golden.body[..field.start], length);
                let (refused, bytes) = read_counting(&sample, &body);
                let what = format!("{:?}.{} of {length}", sample.kind, field.path);
                assert!(matches!(refused, Err(WireError::Malformed { .. })), "{what}: {refused:?}");
                assert!(bytes <= ALLOCATED_BYTES_MAX, "{what} allocated {bytes}");
            }
        }
    }
    assert!(lengths_seen > 20, "the golden file marks its lengths");
}

#[test]
fn a_list_over_its_bound_is_refused_before_it_is_allocated() {
    for sample in samples::all() {
        let golden = golden_file::entry(sample.kind);
        for field in golden.fields.iter().filter(|f| f.value.starts_with('[')) {
            let body = announce(&golden.body[..field.start], 257);
            let (refused, bytes) = read_counting(&sample, &body);
            assert!(refused.is_err(), "{:?}.{}", sample.kind, field.path);
            assert!(bytes < 1024, "{:?} allocated {bytes}", sample.kind);
        }
    }
}

#[test]
fn a_huge_number_anywhere_neither_panics_nor_allocates() {
    for sample in samples::all() {
        let golden = golden_file::entry(sample.kind).body;
        for at in 0..=golden.len() {
            for length in [1 << 33, u64::MAX] {
                let mut body = announce(&golden[..at], length);
                body.extend_from_slice(&golden[at..]);
                let (_answer, bytes) = read_counting(&sample, &body);
                assert!(bytes <= ALLOCATED_BYTES_MAX, "{:?} at {at}", sample.kind);
            }
        }
    }
}

#[test]
fn text_that_is_not_utf_8_is_malformed() {
    for sample in samples::all() {
        let golden = golden_file::entry(sample.kind);
        for field in golden.fields.iter().filter(|f| f.value.starts_with('"')) {
            let mut body = golden.body.clone();
            body[field.start + 1] = 0xFF;
            let (refused, _bytes) = read_counting(&sample, &body);
            assert!(
                matches!(refused, Err(WireError::Malformed { .. })),
                "{:?}.{}",
                sample.kind,
                field.path
            );
        }
    }
}

#[test]
fn a_byte_that_opens_neither_a_truth_value_nor_an_option_is_malformed() {
    for sample in samples::all() {
        let golden = golden_file::entry(sample.kind);
        let flags = ["true", "false", "some", "none"];
        for field in golden.fields {
            if flags.contains(&field.value.as_str()) {
                let mut body = golden.body.clone();
                body[field.start] = 2;
                let (refused, _bytes) = read_counting(&sample, &body);
                assert!(refused.is_err(), "{:?}.{}", sample.kind, field.path);
            }
        }
    }
}

#[test]
fn random_bytes_as_any_body_never_panic() {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let samples = samples::all();
    for _ in 0..20_000 {
        let sample = &samples[rng.random_range(0..samples.len())];
        let body: Vec<u8> = (0..rng.random_range(0..200)).map(|_| rng.random()).collect();
        let (_answer, bytes) = read_counting(sample, &body);
        assert!(bytes <= ALLOCATED_BYTES_MAX, "{:?} {body:?}", sample.kind);
    }
}

#[test]
fn mutated_golden_bodies_never_panic() {
    let mut rng = ChaCha8Rng::seed_from_u64(2);
    for sample in samples::all() {
        let golden = golden_file::entry(sample.kind).body;
        for _ in 0..1_000 {
            let body = mutated(&golden, &mut rng);
            let (_answer, bytes) = read_counting(&sample, &body);
            assert!(bytes <= ALLOCATED_BYTES_MAX, "{:?} {body:?}", sample.kind);
        }
    }
}

/// Flips, inserts or removes up to four bytes; bytes that mean something are preferred.
fn mutated(bytes: &[u8], rng: &mut ChaCha8Rng) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for _ in 0..rng.random_range(1..=4) {
        let at = rng.random_range(0..=bytes.len());
        let byte = match rng.random_range(0..3) {
            0 => rng.random_range(250..=255),
            1 => rng.random_range(0..=2),
            _ => rng.random(),
        };
        match rng.random_range(0..3) {
            0 => bytes.insert(at, byte),
            _ if at == bytes.len() => {}
            1 => drop(bytes.remove(at)),
            _ => bytes[at] = byte,
        }
    }
    bytes
}

/// All that a peer's bytes lead to: frames are cut, and each body is read as its header says.
fn read_stream(stream: &[u8], samples: &[Sample]) -> u64 {
    let codec = FrameCodec::default();
    let mut buffer = BytesMut::from(stream);
    let counted = allocation_counter::measure(|| {
        while let Ok(Some(frame)) = codec.take_last_frame(&mut buffer) {
            if let Some(known) = samples.iter().find(|s| s.kind as u16 == frame.kind) {
                drop((known.is_read_from)(&frame));
            }
        }
    });
    counted.bytes_max
}

#[test]
fn streams_of_mutated_frames_never_panic_and_stay_in_bounds() {
    let samples = samples::all();
    let mut stream = Vec::new();
    for sample in &samples {
        let (kind, body) = (sample.kind, &sample.frame.body);
        stream.put_u32_le(8 + body.len() as u32);
        stream.put_u16_le(kind as u16);
        stream.put_slice(&[1, 0, 0, 0, 0, 0]);
        stream.put_slice(body);
    }
    assert!(read_stream(&stream, &samples) <= ALLOCATED_BYTES_MAX);
    let mut rng = ChaCha8Rng::seed_from_u64(3);
    for round in 0..5_000 {
        let from = rng.random_range(0..stream.len());
        let bytes = read_stream(&mutated(&stream[from..], &mut rng), &samples);
        assert!(bytes <= ALLOCATED_BYTES_MAX, "round {round}: {bytes}");
    }
}

#[test]
fn a_length_prefix_out_of_bounds_ends_the_stream_before_its_bytes_come() {
    for length in [0, 7, FRAME_BYTES_MAX as u32 + 1, 1 << 31, u32::MAX] {
        let mut buffer = BytesMut::new();
        buffer.put_u32_le(length);
        let counted = allocation_counter::measure(|| {
            assert!(FrameCodec::default().take_frame(&mut buffer).is_err());
        });
        assert_eq!(counted.bytes_total, 0, "length {length}");
    }
}

#[test]
fn numbers_that_name_no_kind_are_unknown() {
    let known = (0..=u16::MAX).filter(|number| Kind::from_number(*number).is_some());
    assert_eq!(known.count(), Kind::ALL.len());
}
