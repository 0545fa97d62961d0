//! The committed bytes of every kind: the wire format cannot drift unnoticed, and clients in
//! other languages test their encoders against the same file.

use chat_proto::{Frame, Kind, LoggedHead, RequestId, WireError};

use crate::{golden_file, samples};

#[test]
fn every_kind_has_a_sample_and_golden_bytes_and_no_kind_has_two() {
    let mut wanted: Vec<String> = Kind::ALL.iter().map(|kind| format!("{kind:?}")).collect();
    let mut sampled: Vec<String> =
        samples::all().iter().map(|sample| format!("{:?}", sample.kind)).collect();
    let mut golden: Vec<String> =
        golden_file::entries().into_iter().map(|entry| entry.name).collect();
    for names in [&mut wanted, &mut sampled, &mut golden] {
        names.sort();
    }
    assert_eq!(sampled, wanted);
    assert_eq!(golden, wanted);
}

#[test]
fn every_kind_is_written_as_its_golden_bytes() {
    let mut drifted = String::new();
    for sample in samples::all() {
        let golden = golden_file::entry(sample.kind);
        assert_eq!(golden.number, sample.kind as u16, "{:?}", sample.kind);
        assert_eq!(golden.version, sample.frame.version, "{:?}", sample.kind);
        if golden.body != sample.frame.body {
            drifted += &format!("{:?}: {:02x?}\n", sample.kind, &sample.frame.body[..]);
        }
    }
    assert!(drifted.is_empty(), "these bodies are written as\n{drifted}");
}

#[test]
fn the_golden_bytes_of_every_kind_are_read_as_the_value() {
    for sample in samples::all() {
        let frame = golden_file::entry(sample.kind).frame();
        assert!((sample.is_read_from)(&frame).unwrap(), "{:?}", sample.kind);
        assert!((sample.is_read_leniently_from)(&frame).unwrap(), "{:?}", sample.kind);
    }
}

#[test]
fn a_client_reads_the_known_part_of_a_newer_version_and_a_daemon_does_not() {
    for sample in samples::all() {
        let golden = golden_file::entry(sample.kind);
        let newer = Frame {
            version: golden.version + 1,
            body: [&golden.body[..], b"\x05added"].concat().into(),
            ..golden.frame()
        };
        assert!((sample.is_read_leniently_from)(&newer).unwrap(), "{:?}", sample.kind);
        assert!((sample.is_read_from)(&newer).is_err(), "{:?}", sample.kind);
    }
}

#[test]
fn a_body_is_read_only_as_the_struct_that_its_header_names() {
    for sample in samples::all() {
        let golden = golden_file::entry(sample.kind).frame();
        for (kind, version) in [(golden.kind, 0), (golden.kind, 2), (golden.kind + 1, 1)] {
            let other = Frame { kind, version, ..golden.clone() };
            let refused = (sample.is_read_from)(&other);
            assert!(
                matches!(refused, Err(WireError::OtherStruct { .. })),
                "{:?}: {refused:?}",
                sample.kind
            );
        }
    }
}

#[test]
fn every_logged_event_begins_with_its_log_seq_and_time() {
    for sample in samples::all() {
        if Kind::is_logged(sample.kind as u16) {
            let golden = golden_file::entry(sample.kind);
            let head = LoggedHead::of(&golden.frame()).unwrap();
            assert_eq!(head.seq.to_string(), golden.value("seq"), "{}", golden.name);
            assert_eq!(head.ts.to_string(), golden.value("ts"), "{}", golden.name);
            let log = golden.fields[0].value.clone();
            assert_eq!(head.log.to_string(), log, "{}", golden.name);
        }
    }
}

#[test]
fn the_head_of_an_event_of_the_future_is_read() {
    let future = Frame {
        kind: 0x03FF,
        version: 9,
        request: RequestId(0),
        body: [&golden_file::entry(Kind::Left).body[..], b"whatever follows"].concat().into(),
    };
    assert_eq!(future.known_kind(), None);
    assert!(Kind::is_logged(future.kind));
    assert_eq!(LoggedHead::of(&future).unwrap().seq.0, 1000);
}
