//! The bytes of an order about an account: behind who orders it and the account's name, what is to be
//! done.

use chat_proto::AccountId;

use super::{Fields, UnreadableCommand, VERSION, put_credential, put_named, put_text, put_u64};
use crate::{AccountChange, AccountOrder};

const CREATE: u16 = 40;
const DISABLE: u16 = 41;
const ENABLE: u16 = 42;
const SET_ADMINISTRATOR: u16 = 43;
const RENAME: u16 = 44;
const REPLACE_KEY: u16 = 45;

/// The number of the action.
fn number(order: &AccountOrder) -> u16 {
    match order.change {
        AccountChange::Create { .. } => CREATE,
        AccountChange::Disable { .. } => DISABLE,
        AccountChange::Enable => ENABLE,
        AccountChange::SetAdministrator { .. } => SET_ADMINISTRATOR,
        AccountChange::Rename { .. } => RENAME,
        AccountChange::ReplaceKey { .. } => REPLACE_KEY,
    }
}

/// Whether an action of this number is an order about an account.
pub(super) fn is_number(number: u16) -> bool {
    (CREATE..=REPLACE_KEY).contains(&number)
}

pub(super) fn put(out: &mut Vec<u8>, order: &AccountOrder) {
    out.extend(number(order).to_le_bytes());
    out.push(VERSION);
    put_u64(out, order.by.0);
    put_named(out, order.name.name.as_str(), &order.name.keys);
    match &order.change {
        AccountChange::Create { credential, fingerprint, is_reserved } => {
            put_credential(out, credential);
            put_text(out, fingerprint);
            out.push(u8::from(*is_reserved));
        }
        AccountChange::ReplaceKey { credential, fingerprint } => {
            put_credential(out, credential);
            put_text(out, fingerprint);
        }
        AccountChange::Disable { reason } => put_text(out, reason),
        AccountChange::Enable => {}
        AccountChange::SetAdministrator { is_set } => out.push(u8::from(*is_set)),
        AccountChange::Rename { to, is_reserved } => {
            put_named(out, to.name.as_str(), &to.keys);
            out.push(u8::from(*is_reserved));
        }
    }
}

pub(super) fn read(
    number: u16,
    fields: &mut Fields<'_>,
) -> Result<AccountOrder, UnreadableCommand> {
    let (by, name) = (AccountId(fields.u64()?), fields.nickname()?);
    let change = match number {
        CREATE => AccountChange::Create {
            credential: fields.credential()?,
            fingerprint: fields.text()?.to_owned(),
            is_reserved: fields.flag()?,
        },
        DISABLE => AccountChange::Disable { reason: fields.text()?.to_owned() },
        ENABLE => AccountChange::Enable,
        SET_ADMINISTRATOR => AccountChange::SetAdministrator { is_set: fields.flag()? },
        RENAME => AccountChange::Rename { to: fields.nickname()?, is_reserved: fields.flag()? },
        number => {
            debug_assert_eq!(number, REPLACE_KEY, "there is no other");
            AccountChange::ReplaceKey {
                credential: fields.credential()?,
                fingerprint: fields.text()?.to_owned(),
            }
        }
    };
    Ok(AccountOrder { by, name, change })
}
