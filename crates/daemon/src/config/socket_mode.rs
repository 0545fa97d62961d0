//! Who may use the Unix socket.

use std::fmt;
use std::str::FromStr;

/// The mode of the Unix socket's file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SocketMode(u32);

impl SocketMode {
    /// The user who runs the daemon, and nobody else.
    pub const USER: Self = Self(0o600);
    /// A group, too.
    pub const GROUP: Self = Self(0o660);

    /// Whether others than the user who runs the daemon may use the socket.
    pub(crate) fn is_shared(self) -> bool {
        self.0 & 0o077 != 0
    }

    /// Its bits.
    #[must_use]
    pub fn bits(self) -> u32 {
        self.0
    }
}

impl FromStr for SocketMode {
    type Err = String;

    /// As `chmod` takes it, in octal: `0660` or `660`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_octal =
            (3..=4).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
        match u32::from_str_radix(text, 8) {
            Ok(mode) if is_octal && mode <= 0o777 && mode & 0o600 == 0o600 => Ok(Self(mode)),
            _ => Err(
                "a mode is octal and lets the user who runs chatd in: 0600 for that user alone, \
                      0660 for a group, 0666 for everybody on this machine"
                    .to_owned(),
            ),
        }
    }
}

impl fmt::Display for SocketMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04o}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mode_is_octal_and_lets_its_owner_in() {
        for (text, mode) in [("0600", 0o600), ("660", 0o660), ("0666", 0o666), ("0777", 0o777)] {
            let parsed: SocketMode = text.parse().unwrap();
            assert_eq!(parsed.bits(), mode);
            assert_eq!(parsed.is_shared(), mode != 0o600);
        }
        assert_eq!("660".parse::<SocketMode>().unwrap().to_string(), "0660");
        for text in ["", "6", "0", "0060", "1660", "0o660", "rw", "99", "0888", "+660", "00660"] {
            assert!(text.parse::<SocketMode>().is_err(), "{text}");
        }
    }
}
