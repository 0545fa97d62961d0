//! What has changed about a room, as its log tells.

use chat_proto::{
    AccessSet, AccountId, DirectBegun, Frame, InvitationSet, Kind, ReadOnlySet, Role, RoleSet,
    TopicSet, WireError,
};

use super::change;
use crate::event::{RoomChanged, RoomNews};
use crate::names::Names;

/// Reads such a frame; names are not set yet.
pub(super) fn read(frame: &Frame, live: bool) -> Result<RoomChanged, WireError> {
    let name = String::new();
    Ok(match frame.known_kind() {
        Some(Kind::RoleSet) => {
            let RoleSet { room, seq, ts, by, account, role } = frame.decode_lenient()?;
            let role = Role::from_number(role).unwrap_or(Role::Member);
            let what = RoomNews::Role { account, name, role };
            RoomChanged { change: change(room, seq, ts, by, live), what }
        }
        Some(Kind::AccessSet) => {
            let AccessSet { room, seq, ts, by, is_private } = frame.decode_lenient()?;
            let what = RoomNews::Access { is_private };
            RoomChanged { change: change(room, seq, ts, by, live), what }
        }
        Some(Kind::InvitationSet) => {
            let InvitationSet { room, seq, ts, by, account, is_set } = frame.decode_lenient()?;
            let what = RoomNews::Invitation { account, name, is_set };
            RoomChanged { change: change(room, seq, ts, by, live), what }
        }
        Some(Kind::TopicSet) => {
            let TopicSet { room, seq, ts, by, topic } = frame.decode_lenient()?;
            RoomChanged { change: change(room, seq, ts, by, live), what: RoomNews::Topic(topic) }
        }
        Some(Kind::ReadOnlySet) => {
            let ReadOnlySet { room, seq, ts, by, is_read_only } = frame.decode_lenient()?;
            let what = RoomNews::ReadOnly { is_read_only };
            RoomChanged { change: change(room, seq, ts, by, live), what }
        }
        _ => {
            let DirectBegun { room, seq, ts, by, account } = frame.decode_lenient()?;
            let what = RoomNews::DirectBegun { account, name };
            RoomChanged { change: change(room, seq, ts, by, live), what }
        }
    })
}

impl RoomNews {
    /// Whom it is about, besides who did it.
    pub(super) fn target(&self) -> Option<AccountId> {
        match self {
            Self::Role { account, .. }
            | Self::Invitation { account, .. }
            | Self::DirectBegun { account, .. } => Some(*account),
            Self::Access { .. } | Self::Topic(_) | Self::ReadOnly { .. } => None,
        }
    }

    pub(super) fn set_name(&mut self, names: &Names) {
        match self {
            Self::Role { account, name, .. }
            | Self::Invitation { account, name, .. }
            | Self::DirectBegun { account, name } => {
                names.account(*account).unwrap_or_default().clone_into(name);
            }
            Self::Access { .. } | Self::Topic(_) | Self::ReadOnly { .. } => {}
        }
    }
}
