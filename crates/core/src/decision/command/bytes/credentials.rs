//! The bytes of actions about credentials.

use chat_proto::{AccountId, CredentialId, LinkCodeHash};

use super::{
    Action, Command, Fields, UnreadableCommand, VERSION, number, put_credential, put_text, put_u64,
};
use crate::DeviceLink;

pub(super) fn put_link(out: &mut Vec<u8>, link: &DeviceLink) {
    put_credential(out, &link.credential);
    out.extend(link.code.0);
    put_text(out, &link.label);
}

/// An account, and which code or credential.
pub(super) fn put_pair(out: &mut Vec<u8>, account: AccountId, which: &[u8]) {
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
