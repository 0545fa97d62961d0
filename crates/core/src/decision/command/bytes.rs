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
mod fields;
mod invitation;
mod moderation;
mod number;
mod post;
mod room_change;
mod unreadable;
mod wish;

use chat_proto::{AccountId, Credential, CredentialId, RoomId, Timestamp};

pub use unreadable::UnreadableCommand;

use super::{Action, Command};
use crate::{NameKeys, StoreSecret};
use fields::Fields;

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

    #[expect(clippy::too_many_lines, reason = "a line or two for each action")]
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
            Action::CreateRoom { account, name, is_private } => {
                begin(number::CREATE_ROOM);
                room_change::put_new(out, *account, name, *is_private);
            }
            Action::OpenDirect { account, with } => {
                begin(number::OPEN_DIRECT);
                room_change::put_ids(out, *account, with.0);
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
            number::CREATE_ROOM => Action::CreateRoom {
                account: AccountId(fields.u64()?),
                name: fields.room_name()?,
                is_private: fields.flag()?,
            },
            number::OPEN_DIRECT => Action::OpenDirect {
                account: AccountId(fields.u64()?),
                with: AccountId(fields.u64()?),
            },
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

#[cfg(test)]
mod tests;
