//! Reads as terminals give them, and what they mean.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::*;

const NONE: KeyModifiers = KeyModifiers::NONE;
const CTRL: KeyModifiers = KeyModifiers::CONTROL;
const ALT: KeyModifiers = KeyModifiers::ALT;
const SHIFT: KeyModifiers = KeyModifiers::SHIFT;

fn key(code: KeyCode, modifiers: KeyModifiers) -> Input {
    Input::Event(Event::Key(KeyEvent::new(code, modifiers)))
}

fn char(character: char) -> Input {
    key(KeyCode::Char(character), NONE)
}

fn paste(text: &str) -> Input {
    Input::Paste(text.to_owned())
}

/// Reads that follow each other at once, and then nothing for long.
fn read(reads: &[&[u8]]) -> Vec<Input> {
    let (mut reader, now) = (Reader::default(), Instant::now());
    let mut inputs: Vec<Input> =
        reads.iter().flat_map(|bytes| reader.take_in(bytes, now)).collect();
    inputs.extend(reader.end(now + Duration::from_secs(60)));
    assert_eq!(reader.due(), None, "nothing waits for ever");
    inputs
}

#[test]
fn keys_are_read_in_every_form_that_terminals_have_for_them() {
    for (bytes, code, modifiers) in [
        ("\r", KeyCode::Enter, NONE),
        ("\n", KeyCode::Char('j'), CTRL),
        ("\t", KeyCode::Tab, NONE),
        ("\x7f", KeyCode::Backspace, NONE),
        ("\x03", KeyCode::Char('c'), CTRL),
        ("\x1f", KeyCode::Char('7'), CTRL),
        ("é", KeyCode::Char('é'), NONE),
        ("👧", KeyCode::Char('👧'), NONE),
        ("\x1b", KeyCode::Esc, NONE),
        ("\x1b\r", KeyCode::Enter, ALT),
        ("\x1b\x7f", KeyCode::Backspace, ALT),
        ("\x1bé", KeyCode::Char('é'), ALT),
        ("\x1b[A", KeyCode::Up, NONE),
        ("\x1bOA", KeyCode::Up, NONE),
        ("\x1b[1;2A", KeyCode::Up, SHIFT),
        ("\x1b[1;3B", KeyCode::Down, ALT),
        ("\x1b[1;5H", KeyCode::Home, CTRL),
        ("\x1b[Z", KeyCode::BackTab, NONE),
        ("\x1bOP", KeyCode::F(1), NONE),
        ("\x1b[11~", KeyCode::F(1), NONE),
        ("\x1b[[A", KeyCode::F(1), NONE),
        ("\x1b[15~", KeyCode::F(5), NONE),
        ("\x1b[24~", KeyCode::F(12), NONE),
        ("\x1b[5~", KeyCode::PageUp, NONE),
        ("\x1b[3;3~", KeyCode::Delete, ALT),
        ("\x1b[13;2u", KeyCode::Enter, SHIFT),
        ("\x1b[27;2;13~", KeyCode::Enter, SHIFT),
    ] {
        let wanted = vec![key(code, modifiers)];
        assert_eq!(read(&[bytes.as_bytes()]), wanted, "{bytes:?}");
        // A slow line gives one byte after the other.
        let bytes: Vec<&[u8]> = bytes.as_bytes().chunks(1).collect();
        assert_eq!(read(&bytes), wanted, "{bytes:?}");
    }
}

#[test]
fn no_bytes_are_taken_for_others_or_waited_for_for_ever() {
    for bytes in [&b"\x1b[999z"[..], b"\xff\xfe", b"\x1b[<0;1", b"\x1b[M !!", b"\x1b[201~"] {
        assert_eq!(read(&[bytes]), [], "{bytes:?}");
    }
    let broken = read(&[b"\x1b[1;\x03"]);
    assert_eq!(broken, [key(KeyCode::Char('c'), CTRL)]);
    let long = [b"\x1b[".as_slice(), &[b'1'; 500]].concat();
    assert_eq!(read(&[&long]), []);
}

#[test]
fn a_typed_line_is_keys_also_when_it_comes_in_one_read() {
    let mut typed: Vec<Input> = "hi\r"
        .chars()
        .map(|c| match c {
            '\r' => key(KeyCode::Enter, NONE),
            c => char(c),
        })
        .collect();
    assert_eq!(read(&[b"hi\r"]), typed);
    typed.extend([char('a'), key(KeyCode::Char('c'), CTRL)]);
    assert_eq!(read(&[b"hi\ra\x03"]), typed);
    let line = b"a whole line that was typed\r";
    let wanted = [paste("a whole line that was typed"), key(KeyCode::Enter, NONE)];
    assert_eq!(read(&[line]), wanted);
}

#[test]
fn lines_in_one_read_or_in_reads_at_once_are_one_paste() {
    assert_eq!(read(&[b"first line\rsecond"]), [paste("first line\rsecond")]);
    assert_eq!(read(&[b"first line\r", b"second\r", b"x"]), [paste("first line\rsecond\rx")]);
    let mut reader = Reader::default();
    let now = Instant::now();
    assert_eq!(reader.take_in(b"first line\r", now), []);
    let later = now + Duration::from_millis(200);
    let typed = [paste("first line"), key(KeyCode::Enter, NONE)];
    assert_eq!(reader.end(later), typed, "nothing followed");
    assert_eq!(reader.take_in(b"b", later), [char('b')]);
}

#[test]
fn a_marked_paste_is_one_wherever_it_is_cut() {
    let bytes = "a\x1b[200~one\rtwo\x1b[A\x1b[201~b".as_bytes();
    let wanted = [char('a'), paste("one\rtwo\x1b[A"), char('b')];
    for at in 0..bytes.len() {
        assert_eq!(read(&[&bytes[..at], &bytes[at..]]), wanted, "cut at {at}");
    }
    let single: Vec<&[u8]> = bytes.chunks(1).collect();
    assert_eq!(read(&single), wanted);
}

#[test]
fn a_paste_without_an_end_gives_the_keyboard_back() {
    let (mut reader, now) = (Reader::default(), Instant::now());
    assert_eq!(reader.take_in(b"\x1b[200~half", now), []);
    assert_eq!(reader.end(now + Duration::from_millis(500)), [], "more may come");
    assert_eq!(reader.end(now + Duration::from_secs(2)), [paste("half")]);
    assert_eq!(reader.take_in(b"x", now + Duration::from_secs(2)), [char('x')]);

    assert_eq!(reader.take_in(b"\x1b[200~half", now), []);
    let given_up = [paste("half"), key(KeyCode::Char('c'), CTRL)];
    assert_eq!(reader.take_in(b"\x03", now), given_up);
    assert_eq!(reader.take_in(b"\x1b[200~half", now), []);
    assert_eq!(reader.take_in(b"\x03\x11", now).len(), 3, "keys that come together are keys");
}

#[test]
fn a_paste_of_megabytes_is_bounded_and_told_by_its_length() {
    let piece = [b'x'; 4096];
    for marks in [true, false] {
        let (mut reader, now) = (Reader::default(), Instant::now());
        let mut inputs = if marks { reader.take_in(b"\x1b[200~", now) } else { Vec::new() };
        for _ in 0..1400 {
            inputs.extend(reader.take_in(&piece, now));
            let (State::Marked(paste) | State::Unmarked(paste)) = &reader.state else {
                panic!("it is a paste");
            };
            assert!(paste.bytes.len() <= PASTE_BYTES_MAX + 4096);
        }
        if marks {
            inputs.extend(reader.take_in(b"\x1b[20", now));
            inputs.extend(reader.take_in(b"1~", now));
        } else {
            inputs.extend(reader.end(now + Duration::from_secs(1)));
        }
        let length = match inputs.as_slice() {
            [Input::TooLong(length)] => *length,
            other => panic!("{} inputs", other.len()),
        };
        assert!((1400 * 4096..1400 * 4096 + 6).contains(&length), "{marks}: {length}");
    }
}
