//! Where a message goes.

use chat_proto::{RoomId, RoomName};

/// Where a message goes: a room known by its id, by its name (typed before the first contact), or
/// both (then the name finds the room again after the daemon has lost its logs' end, when the id
/// may be another room's).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Destination {
    /// The id, when it is known. Without it the entry cannot be sent yet.
    pub room: Option<RoomId>,
    /// The name, when it is known.
    pub name: Option<RoomName>,
}

impl Destination {
    /// A room known by both.
    #[must_use]
    pub fn known(room: RoomId, name: RoomName) -> Self {
        Self { room: Some(room), name: Some(name) }
    }

    /// Whether both are one room, as far as it is known: by the ids, else by the names.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        match (self.room, other.room) {
            (Some(a), Some(b)) => a == b,
            _ => self.name.is_some() && self.name == other.name,
        }
    }
}

impl From<RoomId> for Destination {
    fn from(room: RoomId) -> Self {
        Self { room: Some(room), name: None }
    }
}

impl From<RoomName> for Destination {
    fn from(name: RoomName) -> Self {
        Self { room: None, name: Some(name) }
    }
}

impl From<&RoomName> for Destination {
    fn from(name: &RoomName) -> Self {
        name.clone().into()
    }
}
