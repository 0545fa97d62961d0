//! Golden bytes of what is set of rooms, and of rooms that are made.

use super::*;

/// See [`super::golden`].
pub(super) fn golden() -> Vec<(&'static str, Action)> {
    vec![
        (
            "92010000000000000a00010200000000000000090000000000000003000000000000000200",
            change(RoomChange::Role { account: AccountId(3), role: Role::Moderator }),
        ),
        (
            "92010000000000000b00010200000000000000090000000000000001",
            change(RoomChange::Access { is_private: true }),
        ),
        (
            "92010000000000000c000102000000000000000900000000000000030000000000000001",
            change(RoomChange::Invitation { account: AccountId(3), is_set: true }),
        ),
        (
            "92010000000000000d000102000000000000000900000000000000030000007ac3b6",
            change(RoomChange::Topic { topic: "z\u{f6}".to_owned() }),
        ),
        (
            "92010000000000000e00010200000000000000090000000000000000",
            change(RoomChange::ReadOnly { is_read_only: false }),
        ),
        (
            "92010000000000000f00010200000000000000030000006f7073a92c36e66a25ee99ff862faa8e87987ba92c36e66a25ee99ff862faa8e87987ba92c36e66a25ee99ff862faa8e87987b01",
            Action::CreateRoom { account: ADA, name: room("ops"), is_private: true },
        ),
        (
            "920100000000000010000102000000000000000300000000000000",
            Action::OpenDirect { account: ADA, with: AccountId(3) },
        ),
    ]
}
