//! The bytes of a command, as machines that share one order pass it on and keep it.
//!
//! Frozen: what was once released is read for ever. A changed action gets another version, and the old
//! one stays readable; golden bytes hold them. It must not know what carries them, nor whether a command
//! is allowed.
//!
//! All numbers are little-endian. A command is its time (`u64`, milliseconds), the number of its action
//! (`u16`), the version of that (`u8`), and the fields in the order in which they are written here. A text
//! is its length in bytes (`u32`) and UTF-8; a credential is the number of its kind (`u16`) and 32 bytes.

mod account_order;
mod credentials;
mod invitation;
mod moderation;
mod number;
mod post;
mod room_change;
mod unreadable;
mod wish;

use chat_proto::{
    AccountId, Credential, CredentialId, Epoch, Nickname, Nonce, RoomId, RoomName, StreamId,
    Timestamp,
};

pub use unreadable::UnreadableCommand;

use super::{Action, Command};
use crate::{NameKeys, Named, StoreSecret};

/// The version that is written of every action.
const VERSION: u8 = 1;

impl Command {
    /// Appends the command's bytes.
    pub fn encode(&self, out: &mut Vec<u8>) {
        put_u64(out, self.ts.0);
        Self::encode_action(&self.action, out);
    }

    /// The command of these bytes, all of them.
    ///
    /// # Errors
    /// [`UnreadableCommand`] says what is wrong with them.
    pub fn decode(bytes: &[u8]) -> Result<Self, UnreadableCommand> {
        let mut fields = Fields { whole: bytes.len(), left: bytes };
        let ts = Timestamp(fields.u64()?);
        let (number, version) = fields.number()?;
        if version != VERSION {
            return Err(UnreadableCommand::Unknown { number, version });
        }
        let action = Self::decode_action(number, &mut fields)?;
        match fields.left.is_empty() {
            true => Ok(Self { ts, action }),
            false => Err(fields.wrong_length()),
        }
    }

    fn encode_action(action: &Action, out: &mut Vec<u8>) {
        let mut begin = |number: u16| {
            out.extend(number.to_le_bytes());
            out.push(VERSION);
        };
        match action {
            Action::Genesis { epoch, secret, lobby } => {
                begin(number::GENESIS);
                put_u64(out, epoch.0);
                out.extend(secret.0);
                put_named(out, lobby.name.as_str(), &lobby.keys);
            }
            Action::SignIn { credential, name, name_is_firm, registration, invitation: code } => {
                begin(number::SIGN_IN);
                put_credential(out, credential);
                wish::put(out, name);
                out.push(u8::from(*name_is_firm));
                invitation::put_entry(out, *registration, code.as_deref());
            }
            Action::Authenticated { credential, action } => {
                begin(number::AUTHENTICATED);
                out.extend(credential.0);
                Self::encode_action(action, out);
            }
            Action::LinkDevice(_)
            | Action::CreateBot(_)
            | Action::RevokeToken { .. }
            | Action::OpenLink { .. }
            | Action::RevokeCredential { .. } => credentials::put(out, action),
            Action::Join { account, name } => {
                begin(number::JOIN);
                put_u64(out, account.0);
                put_named(out, name.name.as_str(), &name.keys);
            }
            Action::Leave { account, room } => {
                begin(number::LEAVE);
                put_ids(out, *account, *room);
            }
            Action::Rename { account, name, is_reserved } => {
                begin(number::RENAME);
                put_u64(out, account.0);
                put_named(out, name.name.as_str(), &name.keys);
                out.push(u8::from(*is_reserved));
            }
            Action::ChangeRoom { account, room, change } => {
                begin(room_change::number(change));
                put_ids(out, *account, *room);
                room_change::put(out, change);
            }
            Action::Moderate { account, room, asked } => {
                begin(moderation::number(asked));
                put_ids(out, *account, *room);
                moderation::put(out, asked);
            }
            Action::CreateInvitation { .. } | Action::RevokeInvitation { .. } => {
                invitation::put(out, action);
            }
            Action::Govern(order) => account_order::put(out, order),
            Action::Post { account, credential, nonce, room, body } => {
                begin(number::POST);
                put_u64(out, account.0);
                out.extend(credential.0);
                post::put(out, *nonce, *room, body);
            }
        }
    }

    /// The action of a number, of the version that is written; its fields are taken.
    fn decode_action(number: u16, fields: &mut Fields<'_>) -> Result<Action, UnreadableCommand> {
        Ok(match number {
            number::GENESIS => Action::Genesis {
                epoch: fields.epoch()?,
                secret: StoreSecret(fields.array()?),
                lobby: fields.room_name()?,
            },
            number::SIGN_IN => {
                let credential = fields.credential()?;
                let (name, name_is_firm) = (fields.wish()?, fields.flag()?);
                let (registration, invitation) = invitation::entry(fields)?;
                Action::SignIn { credential, name, name_is_firm, registration, invitation }
            }
            number::JOIN => {
                Action::Join { account: AccountId(fields.u64()?), name: fields.room_name()? }
            }
            number::LEAVE => {
                Action::Leave { account: AccountId(fields.u64()?), room: RoomId(fields.u64()?) }
            }
            number::RENAME => Action::Rename {
                account: AccountId(fields.u64()?),
                name: fields.nickname()?,
                is_reserved: fields.flag()?,
            },
            invitation::CREATE => invitation::new(fields)?,
            invitation::REVOKE => invitation::revoked(fields)?,
            number::POST => {
                let account = AccountId(fields.u64()?);
                let credential = CredentialId(fields.array()?);
                let (nonce, skipped) = fields.place()?;
                let room = RoomId(fields.u64()?);
                let body = post::body(fields)?.after_refused(skipped);
                Action::Post { account, credential, nonce, room, body }
            }
            number if room_change::is_number(number) => Action::ChangeRoom {
                account: AccountId(fields.u64()?),
                room: RoomId(fields.u64()?),
                change: room_change::read(number, fields)?,
            },
            number if account_order::is_number(number) => {
                Action::Govern(Box::new(account_order::read(number, fields)?))
            }
            number::AUTHENTICATED => credentials::authenticated(fields)?,
            number::LINK_DEVICE => credentials::link(fields)?,
            number::CREATE_BOT => credentials::bot(fields)?,
            number::REVOKE_TOKEN => {
                Action::RevokeToken { by: AccountId(fields.u64()?), name: fields.nickname()? }
            }
            number::OPEN_LINK => credentials::open_link(fields)?,
            number::REVOKE_CREDENTIAL => credentials::revocation(fields)?,
            number if moderation::is_number(number) => Action::Moderate {
                account: AccountId(fields.u64()?),
                room: RoomId(fields.u64()?),
                asked: moderation::read(number, fields)?,
            },
            _ => return Err(UnreadableCommand::Unknown { number, version: VERSION }),
        })
    }
}

fn put_u64(out: &mut Vec<u8>, number: u64) {
    out.extend(number.to_le_bytes());
}

fn put_ids(out: &mut Vec<u8>, account: AccountId, room: RoomId) {
    put_u64(out, account.0);
    put_u64(out, room.0);
}

fn put_u32(out: &mut Vec<u8>, number: usize) {
    let number = u32::try_from(number).expect("no frame brings so much");
    out.extend(number.to_le_bytes());
}

fn put_text(out: &mut Vec<u8>, text: &str) {
    put_u32(out, text.len());
    out.extend(text.as_bytes());
}

fn put_credential(out: &mut Vec<u8>, credential: &Credential) {
    out.extend((credential.kind() as u16).to_le_bytes());
    out.extend(credential.bytes());
}

/// Names are not judged again: their keys go with them.
fn put_named(out: &mut Vec<u8>, name: &str, keys: &NameKeys) {
    put_text(out, name);
    out.extend(keys.to_bytes());
}

/// What is left to be read.
struct Fields<'a> {
    /// Bytes that there were.
    whole: usize,
    left: &'a [u8],
}

impl<'a> Fields<'a> {
    fn take(&mut self, bytes: usize) -> Result<&'a [u8], UnreadableCommand> {
        let Some((taken, left)) = self.left.split_at_checked(bytes) else {
            return Err(self.wrong_length());
        };
        self.left = left;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], UnreadableCommand> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N)?);
        Ok(array)
    }

    /// The number of an action, and its version.
    fn number(&mut self) -> Result<(u16, u8), UnreadableCommand> {
        Ok((u16::from_le_bytes(self.array()?), self.u8()?))
    }

    fn u8(&mut self) -> Result<u8, UnreadableCommand> {
        self.array::<1>().map(|[byte]| byte)
    }

    fn u32(&mut self) -> Result<u32, UnreadableCommand> {
        self.array().map(u32::from_le_bytes)
    }

    fn u64(&mut self) -> Result<u64, UnreadableCommand> {
        self.array().map(u64::from_le_bytes)
    }

    /// A length is checked before anything is made of it.
    fn text(&mut self) -> Result<&'a str, UnreadableCommand> {
        let bytes = self.length()?;
        let text = std::str::from_utf8(self.take(bytes)?);
        text.map_err(|_cause| UnreadableCommand::Field { field: "text" })
    }

    fn length(&mut self) -> Result<usize, UnreadableCommand> {
        self.u32().map(|bytes| usize::try_from(bytes).unwrap_or(usize::MAX))
    }

    fn flag(&mut self) -> Result<bool, UnreadableCommand> {
        match self.u8()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(UnreadableCommand::Field { field: "flag" }),
        }
    }

    fn epoch(&mut self) -> Result<Epoch, UnreadableCommand> {
        let epoch = Some(Epoch(self.u64()?)).filter(|epoch| *epoch != Epoch(0));
        epoch.ok_or(UnreadableCommand::Field { field: "epoch" })
    }

    /// A nonce, and how many sends of its stream, right before it, were refused for good.
    fn place(&mut self) -> Result<(Nonce, u64), UnreadableCommand> {
        let nonce = Nonce { stream: StreamId(self.array()?), n: self.u64()? };
        let skipped = self.u64()?;
        // They count from one.
        let is_one = skipped < nonce.n;
        is_one.then_some((nonce, skipped)).ok_or(UnreadableCommand::Field { field: "nonce" })
    }

    fn credential(&mut self) -> Result<Credential, UnreadableCommand> {
        let (kind, bytes) = (u16::from_le_bytes(self.array()?), self.array()?);
        let credential = Credential::from_parts(kind, bytes);
        credential.ok_or(UnreadableCommand::Field { field: "credential" })
    }

    fn room_name(&mut self) -> Result<Named<RoomName>, UnreadableCommand> {
        let name = RoomName::from_judged(self.text()?)?;
        Ok(Named { name, keys: self.keys()? })
    }

    fn nickname(&mut self) -> Result<Named<Nickname>, UnreadableCommand> {
        let name = Nickname::from_judged(self.text()?)?;
        Ok(Named { name, keys: self.keys()? })
    }

    fn keys(&mut self) -> Result<Box<NameKeys>, UnreadableCommand> {
        self.array().map(|bytes| Box::new(NameKeys::from_bytes(bytes)))
    }

    fn wrong_length(&self) -> UnreadableCommand {
        UnreadableCommand::Length { bytes: self.whole }
    }
}

#[cfg(test)]
mod tests;
