//! Fields, read one behind the other.

use chat_proto::{Credential, Epoch, Nickname, Nonce, RoomName, StreamId};

use super::UnreadableCommand;
use crate::{NameKeys, Named};

/// What is left to be read.
pub(super) struct Fields<'a> {
    /// Bytes that there were.
    pub(super) whole: usize,
    pub(super) left: &'a [u8],
}

impl<'a> Fields<'a> {
    pub(super) fn take(&mut self, bytes: usize) -> Result<&'a [u8], UnreadableCommand> {
        let Some((taken, left)) = self.left.split_at_checked(bytes) else {
            return Err(self.wrong_length());
        };
        self.left = left;
        Ok(taken)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], UnreadableCommand> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N)?);
        Ok(array)
    }

    /// The number of an action, and its version.
    pub(super) fn number(&mut self) -> Result<(u16, u8), UnreadableCommand> {
        Ok((u16::from_le_bytes(self.array()?), self.u8()?))
    }

    pub(super) fn u8(&mut self) -> Result<u8, UnreadableCommand> {
        self.array::<1>().map(|[byte]| byte)
    }

    pub(super) fn u32(&mut self) -> Result<u32, UnreadableCommand> {
        self.array().map(u32::from_le_bytes)
    }

    pub(super) fn u64(&mut self) -> Result<u64, UnreadableCommand> {
        self.array().map(u64::from_le_bytes)
    }

    /// A length is checked before anything is made of it.
    pub(super) fn text(&mut self) -> Result<&'a str, UnreadableCommand> {
        let bytes = self.length()?;
        let text = std::str::from_utf8(self.take(bytes)?);
        text.map_err(|_cause| UnreadableCommand::Field { field: "text" })
    }

    pub(super) fn length(&mut self) -> Result<usize, UnreadableCommand> {
        self.u32().map(|bytes| usize::try_from(bytes).unwrap_or(usize::MAX))
    }

    pub(super) fn flag(&mut self) -> Result<bool, UnreadableCommand> {
        match self.u8()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(UnreadableCommand::Field { field: "flag" }),
        }
    }

    pub(super) fn epoch(&mut self) -> Result<Epoch, UnreadableCommand> {
        let epoch = Some(Epoch(self.u64()?)).filter(|epoch| *epoch != Epoch(0));
        epoch.ok_or(UnreadableCommand::Field { field: "epoch" })
    }

    /// A nonce, and how many sends of its stream, right before it, were refused for good.
    pub(super) fn place(&mut self) -> Result<(Nonce, u64), UnreadableCommand> {
        let nonce = Nonce { stream: StreamId(self.array()?), n: self.u64()? };
        let skipped = self.u64()?;
        // They count from one.
        let is_one = skipped < nonce.n;
        is_one.then_some((nonce, skipped)).ok_or(UnreadableCommand::Field { field: "nonce" })
    }

    pub(super) fn credential(&mut self) -> Result<Credential, UnreadableCommand> {
        let (kind, bytes) = (u16::from_le_bytes(self.array()?), self.array()?);
        let credential = Credential::from_parts(kind, bytes);
        credential.ok_or(UnreadableCommand::Field { field: "credential" })
    }

    pub(super) fn room_name(&mut self) -> Result<Named<RoomName>, UnreadableCommand> {
        let name = RoomName::from_judged(self.text()?)?;
        Ok(Named { name, keys: self.keys()? })
    }

    pub(super) fn nickname(&mut self) -> Result<Named<Nickname>, UnreadableCommand> {
        let name = Nickname::from_judged(self.text()?)?;
        Ok(Named { name, keys: self.keys()? })
    }

    pub(super) fn keys(&mut self) -> Result<Box<NameKeys>, UnreadableCommand> {
        self.array().map(|bytes| Box::new(NameKeys::from_bytes(bytes)))
    }

    pub(super) fn wrong_length(&self) -> UnreadableCommand {
        UnreadableCommand::Length { bytes: self.whole }
    }
}
