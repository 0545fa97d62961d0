//! The bytes of a name that somebody wishes for, with what it may be numbered from.

use chat_proto::NameError;

use super::{Fields, UnreadableCommand, put_named, put_text, put_u32};
use crate::{NameStem, WishedName};

/// A name, or why it is none: the wish of somebody who has an account is not looked at.
pub(super) fn put(out: &mut Vec<u8>, wish: &Result<Box<WishedName>, NameError>) {
    match wish {
        Ok(wish) => {
            let WishedName { named, is_reserved, stem } = &**wish;
            out.push(0);
            put_named(out, named.name.as_str(), &named.keys);
            out.push(u8::from(*is_reserved));
            for text in [&stem.name, &stem.looks[0], &stem.looks[1], &stem.spelling] {
                put_text(out, text);
            }
        }
        Err(NameError::Empty) => out.push(1),
        Err(NameError::TooLong { graphemes }) => {
            out.push(2);
            put_u32(out, *graphemes);
        }
        Err(NameError::TooManyBytes { bytes }) => {
            out.push(3);
            put_u32(out, *bytes);
        }
        Err(NameError::Character(character)) => {
            out.push(4);
            out.extend(u32::from(*character).to_le_bytes());
        }
        Err(NameError::NoLetter) => out.push(5),
        Err(NameError::Crowded) => out.push(6),
    }
}

impl Fields<'_> {
    fn stem(&mut self) -> Result<NameStem, UnreadableCommand> {
        let mut text = || self.text().map(str::to_owned);
        let (name, looks, spelling) = (text()?, [text()?, text()?], text()?);
        let stem = NameStem { name, looks, spelling };
        // Whoever numbers it relies on that.
        let leaves_room = stem.leaves_room();
        leaves_room.then_some(stem).ok_or(UnreadableCommand::Field { field: "stem" })
    }

    pub(super) fn wish(&mut self) -> Result<Result<Box<WishedName>, NameError>, UnreadableCommand> {
        Ok(Err(match self.u8()? {
            0 => {
                let (named, is_reserved) = (self.nickname()?, self.flag()?);
                return Ok(Ok(Box::new(WishedName { named, is_reserved, stem: self.stem()? })));
            }
            1 => NameError::Empty,
            2 => NameError::TooLong { graphemes: self.length()? },
            3 => NameError::TooManyBytes { bytes: self.length()? },
            4 => {
                let character = char::from_u32(self.u32()?);
                let none = UnreadableCommand::Field { field: "character" };
                NameError::Character(character.ok_or(none)?)
            }
            5 => NameError::NoLetter,
            6 => NameError::Crowded,
            _ => return Err(UnreadableCommand::Field { field: "name" }),
        }))
    }
}
