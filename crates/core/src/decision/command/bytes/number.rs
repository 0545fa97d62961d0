//! The numbers of the actions. None is ever given again.

pub(super) const GENESIS: u16 = 1;
pub(super) const SIGN_IN: u16 = 2;
pub(super) const JOIN: u16 = 3;
pub(super) const LEAVE: u16 = 4;
pub(super) const RENAME: u16 = 5;
pub(super) const POST: u16 = 6;
pub(super) const CREATE_ROOM: u16 = 15;
pub(super) const OPEN_DIRECT: u16 = 16;
// 10 to 19 are those of `room_change.rs`, 20 to 29 those of `moderation.rs`, 30 and 31 of
// `invitation.rs`, 40 to 49 of `account_order.rs`.
pub(super) const AUTHENTICATED: u16 = 50;
pub(super) const LINK_DEVICE: u16 = 51;
pub(super) const OPEN_LINK: u16 = 52;
pub(super) const REVOKE_CREDENTIAL: u16 = 53;
pub(super) const CREATE_BOT: u16 = 54;
pub(super) const REVOKE_TOKEN: u16 = 55;
