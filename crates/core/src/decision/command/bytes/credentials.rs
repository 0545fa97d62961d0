//! The bytes of actions about credentials.

use chat_proto::{AccountId, CredentialId, LinkCodeHash, Timestamp, TokenId};

use super::{
    Action, Command, Fields, UnreadableCommand, VERSION, number, put_credential, put_named,
    put_text, put_u32, put_u64,
};
use crate::{BotOrder, BotScope, DeviceLink};

/// An action about credentials, with its number and version.
#[expect(clippy::wildcard_enum_match_arm, reason = "no other comes here")]
pub(super) fn put(out: &mut Vec<u8>, action: &Action) {
    let begin = |out: &mut Vec<u8>, number: u16| {
        out.extend(number.to_le_bytes());
        out.push(VERSION);
    };
    match action {
        Action::LinkDevice(link) => {
            begin(out, number::LINK_DEVICE);
            put_link(out, link);
        }
        Action::CreateBot(order) => {
            begin(out, number::CREATE_BOT);
            put_bot(out, order);
        }
        Action::RevokeToken { by, name } => {
            begin(out, number::REVOKE_TOKEN);
            put_u64(out, by.0);
            put_named(out, name.name.as_str(), &name.keys);
        }
        Action::OpenLink { account, code } => {
            begin(out, number::OPEN_LINK);
            put_pair(out, *account, &code.0);
        }
        Action::RevokeCredential { account, credential } => {
            begin(out, number::REVOKE_CREDENTIAL);
            put_pair(out, *account, &credential.0);
        }
        other => debug_assert!(false, "{other:?} has its bytes elsewhere"),
    }
}

fn put_link(out: &mut Vec<u8>, link: &DeviceLink) {
    put_credential(out, &link.credential);
    out.extend(link.code.0);
    put_text(out, &link.label);
}

/// An account, and which code or credential.
fn put_pair(out: &mut Vec<u8>, account: AccountId, which: &[u8]) {
    put_u64(out, account.0);
    out.extend(which);
}

pub(super) fn link(fields: &mut Fields<'_>) -> Result<Action, UnreadableCommand> {
    let credential = fields.credential()?;
    let code = LinkCodeHash(fields.array()?);
    let label = fields.text()?.to_owned();
    Ok(Action::LinkDevice(Box::new(DeviceLink { credential, code, label })))
}

pub(super) fn open_link(fields: &mut Fields<'_>) -> Result<Action, UnreadableCommand> {
    let account = AccountId(fields.u64()?);
    Ok(Action::OpenLink { account, code: LinkCodeHash(fields.array()?) })
}

pub(super) fn revocation(fields: &mut Fields<'_>) -> Result<Action, UnreadableCommand> {
    let account = AccountId(fields.u64()?);
    Ok(Action::RevokeCredential { account, credential: CredentialId(fields.array()?) })
}

/// A credential, and the action that is said with it, with its number and version.
pub(super) fn authenticated(fields: &mut Fields<'_>) -> Result<Action, UnreadableCommand> {
    let credential = CredentialId(fields.array()?);
    let (number, version) = fields.number()?;
    // Nobody speaks for somebody who speaks for somebody, and a post says it itself.
    let is_plain = !matches!(number, number::AUTHENTICATED | number::POST);
    if !is_plain || version != VERSION {
        return Err(UnreadableCommand::Unknown { number, version });
    }
    let action = Box::new(Command::decode_action(number, fields)?);
    Ok(Action::Authenticated { credential, action })
}

fn put_bot(out: &mut Vec<u8>, order: &BotOrder) {
    put_u64(out, order.by.0);
    out.extend(order.token.0);
    put_named(out, order.name.name.as_str(), &order.name.keys);
    out.push(u8::from(order.is_reserved));
    put_text(out, order.scope.words());
    put_u64(out, order.scope.expires.0);
    put_u32(out, order.rooms.len());
    order.rooms.iter().for_each(|room| put_named(out, room.name.as_str(), &room.keys));
}

pub(super) fn bot(fields: &mut Fields<'_>) -> Result<Action, UnreadableCommand> {
    let (by, token) = (AccountId(fields.u64()?), TokenId(fields.array()?));
    let (name, is_reserved) = (fields.nickname()?, fields.flag()?);
    let words = fields.text()?;
    let scope = BotScope::of_words(words, Timestamp(fields.u64()?));
    let scope = scope.ok_or(UnreadableCommand::Field { field: "scope" })?;
    let count = fields.length()?;
    let rooms = (0..count).map(|_| fields.room_name()).collect::<Result<_, _>>()?;
    let order = BotOrder { by, token, name, is_reserved, scope, rooms };
    Ok(Action::CreateBot(Box::new(order)))
}
