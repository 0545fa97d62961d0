//! A passphrase, asked for at the terminal that the program was started from, wherever stdin and stdout
//! lead.
//!
//! It must not know what it opens. Nothing that is typed is shown, and the terminal is as before at
//! the end, also when reading fails.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};

use chat_client::PassphraseError;
use chat_client::sanitize::inert;
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};

/// A longer one is none.
const BYTES_MAX: usize = 1024;

/// Asks for a passphrase. It waits for a person.
///
/// # Errors
/// There is no terminal, or the person gave none.
pub fn ask(question: &str) -> Result<String, PassphraseError> {
    let open = OpenOptions::new().read(true).write(true).open("/dev/tty");
    let mut terminal = Hushed::new(open.map_err(PassphraseError::NoTerminal)?)?;
    let asked = terminal.ask(question);
    asked.map_err(PassphraseError::NoTerminal)?.ok_or(PassphraseError::NotGiven)
}

/// A terminal that shows nothing of what is typed, until it is dropped.
struct Hushed {
    terminal: File,
    before: Termios,
}

impl Hushed {
    fn new(terminal: File) -> Result<Self, PassphraseError> {
        let failed = |errno: rustix::io::Errno| PassphraseError::NoTerminal(errno.into());
        let before = tcgetattr(&terminal).map_err(failed)?;
        let mut hushed = before.clone();
        // Without signals: a Ctrl-C would leave the shell with a terminal that shows nothing.
        hushed.local_modes -=
            LocalModes::ECHO | LocalModes::ECHONL | LocalModes::ICANON | LocalModes::ISIG;
        // What was typed before the question is no answer to it.
        tcsetattr(&terminal, OptionalActions::Flush, &hushed).map_err(failed)?;
        Ok(Self { terminal, before })
    }

    fn ask(&mut self, question: &str) -> io::Result<Option<String>> {
        self.terminal.write_all(inert(question).as_bytes())?;
        let typed = read_line(&mut self.terminal);
        self.terminal.write_all(b"\r\n")?;
        typed
    }
}

impl Drop for Hushed {
    fn drop(&mut self) {
        // The terminal may be gone.
        tcsetattr(&self.terminal, OptionalActions::Flush, &self.before).ok();
    }
}

/// What is typed up to Enter, with what the usual keys delete; `None`: Ctrl-C or Ctrl-D, or the end.
fn read_line(keys: &mut impl Read) -> io::Result<Option<String>> {
    let mut typed = Vec::new();
    let mut key = [0];
    loop {
        match keys.read(&mut key) {
            Ok(0) => return Ok(None),
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        }
        match key[0] {
            b'\r' | b'\n' => break,
            0x03 | 0x04 => return Ok(None),
            0x08 | 0x7F => delete_character(&mut typed),
            0x15 => typed.clear(),
            _ if typed.len() == BYTES_MAX => return Ok(None),
            byte => typed.push(byte),
        }
    }
    String::from_utf8(typed).map(Some).map_err(io::Error::other)
}

fn delete_character(typed: &mut Vec<u8>) {
    // The bytes behind the first of a character begin with the bits 10.
    while typed.pop().is_some_and(|byte| byte & 0xC0 == 0x80) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(keys: &[u8]) -> Option<String> {
        read_line(&mut &*keys).unwrap()
    }

    #[test]
    fn a_line_ends_with_enter_and_can_be_mended() {
        assert_eq!(typed(b"open sesame\rmore"), Some("open sesame".to_owned()));
        assert_eq!(typed("zo\u{eb}\x7F\x7Fpe\n".as_bytes()), Some("zpe".to_owned()));
        assert_eq!(typed(b"wrong\x15right\r"), Some("right".to_owned()));
        assert_eq!(typed(b"\x7F\r"), Some(String::new()));
    }

    #[test]
    fn who_does_not_want_to_say_says_so() {
        for keys in [b"abc\x03".as_slice(), b"\x04", b"abc", &[b'a'; BYTES_MAX + 1]] {
            assert_eq!(typed(keys), None, "{keys:?}");
        }
    }
}
