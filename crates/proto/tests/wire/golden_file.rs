//! Reads `golden/v1.txt`: an entry a kind, a line a field, each with its bytes and its value.
//!
//! ```text
//! Join 0x0102 v1
//! 05 6c6f626279                     name = "lobby"
//! ```
//!
//! The bytes of a text are its length, a space, and the rest; a line with `= [2]` is the length
//! of a list.

use chat_proto::{Frame, Kind, RequestId};

const FILE: &str = include_str!("../golden/v1.txt");

/// The golden bytes of one kind.
pub(crate) struct Entry {
    pub(crate) name: String,
    pub(crate) number: u16,
    pub(crate) version: u8,
    pub(crate) body: Vec<u8>,
    pub(crate) fields: Vec<Field>,
}

/// One line of an entry.
pub(crate) struct Field {
    /// Such as `members[0].name`.
    pub(crate) path: String,
    /// Its value, as text.
    pub(crate) value: String,
    /// Where its bytes begin in the body.
    pub(crate) start: usize,
}

impl Entry {
    pub(crate) fn frame(&self) -> Frame {
        Frame {
            kind: self.number,
            version: self.version,
            request: RequestId(0),
            body: self.body.clone().into(),
        }
    }

    pub(crate) fn value(&self, path: &str) -> &str {
        let field = self.fields.iter().find(|field| field.path == path);
        &field.expect("the field is in the file").value
    }
}

impl Field {
    /// Whether its first bytes are the length of a text or of a list.
    pub(crate) fn begins_with_a_length(&self) -> bool {
        self.value.starts_with(['"', '['])
    }
}

pub(crate) fn entry(kind: Kind) -> Entry {
    let name = format!("{kind:?}");
    entries()
        .into_iter()
        .find(|entry| entry.name == name)
        .unwrap_or_else(|| panic!("{name} has no golden bytes"))
}

pub(crate) fn entries() -> Vec<Entry> {
    FILE.split("\n\n").filter_map(parse_entry).collect()
}

fn parse_entry(block: &str) -> Option<Entry> {
    let mut lines = block.lines().filter(|line| !line.starts_with('#'));
    let title = lines.next()?;
    let [name, number, version] = title.split(' ').collect::<Vec<_>>()[..] else {
        panic!("not a title: {title:?}");
    };
    let (mut body, mut fields) = (Vec::new(), Vec::new());
    for line in lines {
        let (hex, field) = line.split_once("  ").expect("bytes, two spaces, a field");
        let (path, value) = field.split_once(" = ").expect("a path, =, a value");
        fields.push(Field {
            path: path.trim().to_owned(),
            value: value.to_owned(),
            start: body.len(),
        });
        body.extend(parse_hex(hex));
    }
    Some(Entry {
        name: name.to_owned(),
        number: u16::from_str_radix(number.trim_start_matches("0x"), 16).expect("a number"),
        version: version.trim_start_matches('v').parse().expect("a version"),
        body,
        fields,
    })
}

fn parse_hex(hex: &str) -> Vec<u8> {
    let digits: String = hex.split(' ').collect();
    (0..digits.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&digits[at..at + 2], 16).expect("hexadecimal digits"))
        .collect()
}
