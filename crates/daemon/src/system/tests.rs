//! What both twins promise.

use std::io::{ErrorKind, Read, Seek, Write};
use std::os::unix::net::UnixStream;

use super::*;

fn pair() -> (UnixStream, UnixStream) {
    let (ours, theirs) = UnixStream::pair().unwrap();
    ours.set_nonblocking(true).unwrap();
    (ours, theirs)
}

fn read(mut from: &UnixStream, bytes: usize) -> Vec<u8> {
    let mut read = vec![0; bytes];
    from.read_exact(&mut read).unwrap();
    read
}

/// Bytes that tell where they stand.
fn pattern(bytes: usize) -> Vec<u8> {
    (0..bytes).map(|at| (at / 7) as u8).collect()
}

#[test]
fn slices_arrive_in_their_order() {
    let (ours, theirs) = pair();
    assert_eq!(write(&ours, std::iter::empty()).unwrap(), 0);
    assert_eq!(write(&ours, [&b"one"[..]].into_iter()).unwrap(), 3);
    assert_eq!(write(&ours, [&b"two"[..], b"three", b"four"].into_iter()).unwrap(), 12);
    assert_eq!(read(&theirs, 15), b"onetwothreefour");
}

#[test]
fn a_full_socket_takes_a_part_and_then_nothing() {
    let (ours, theirs) = pair();
    let all = pattern(8 * 1024 * 1024);
    let taken = write(&ours, [&all[..]].into_iter()).unwrap();
    assert!((1..all.len()).contains(&taken), "{taken}");
    let refused = write(&ours, [&all[taken..]].into_iter()).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::WouldBlock);
    assert_eq!(read(&theirs, taken), all[..taken]);
}

#[test]
fn a_part_of_a_file_is_sent_as_far_as_it_goes() {
    let (ours, theirs) = pair();
    let all = pattern(8 * 1024 * 1024);
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(&all).unwrap();
    file.rewind().unwrap();
    assert_eq!(send_file(&ours, &file, 1000, 500).unwrap(), 500);
    assert_eq!(read(&theirs, 500), all[1000..1500]);
    let taken = send_file(&ours, &file, 7, all.len() - 7).unwrap();
    assert!((1..all.len() - 7).contains(&taken), "{taken}");
    let refused = send_file(&ours, &file, 7 + taken as u64, 10).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::WouldBlock);
    assert_eq!(read(&theirs, taken), all[7..7 + taken]);
}

#[test]
fn a_peer_that_is_gone_is_an_error_and_no_signal() {
    let (ours, theirs) = pair();
    drop(theirs);
    let gone = write(&ours, [&b"x"[..]].into_iter()).unwrap_err();
    assert_eq!(gone.kind(), ErrorKind::BrokenPipe);
}
